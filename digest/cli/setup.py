"""`digest init`: a folder to start from. It never overwrites anything."""

from __future__ import annotations

from pathlib import Path

import click

from digest.cli.console import say


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
def init_command(folder: Path) -> None:
    """Write a commented config.yaml, sample feeds, templates and a secret (0600) into FOLDER."""
    from digest.service.folder import init_folder

    for name, made in init_folder(folder):
        say(f"{'made' if made else 'kept'}  {name}")
    click.echo(f"next: digest once --now --config {folder / 'config.yaml'}")
