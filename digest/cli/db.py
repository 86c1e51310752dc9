"""`digest db` and `digest export`: the database file, and the public site as files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.console import Progress, config_option, config_path_of, json_option, run, say

if TYPE_CHECKING:
    from digest.service.static_folder import Exported


@click.group("db")
def db_command() -> None:
    """The database: upgrade, backup."""


@db_command.command("upgrade")
@config_option
@click.pass_context
def upgrade(ctx: click.Context, config_path: str | None) -> None:
    """Bring the schema up to this release; safe to run twice, and from several machines at once."""

    async def main() -> str:
        from digest.service import upgrade_database

        return await upgrade_database(config_path_of(ctx, config_path))

    click.echo(f"schema {run(main())}")


@db_command.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@click.pass_context
def backup(ctx: click.Context, config_path: str | None, file: Path) -> None:
    """Copy the SQLite database to FILE while the service runs; it never overwrites."""

    async def main() -> None:
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            await house.store.backup(file)

    run(main())
    click.echo(f"written to {file}")


@click.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@config_option
@json_option
@click.pass_context
def export_command(ctx: click.Context, config_path: str | None, as_json: bool, folder: Path) -> None:
    """Write the public site (pages, feeds, assets) into FOLDER for any static host.

    FOLDER must be empty or an earlier export: what changed is replaced, what is public no longer is
    removed, and the rest is not touched. It has no search; its forms are sent to the service at site.url.
    """

    async def main() -> Exported:
        from digest.service import open_house
        from digest.service.site import export_site

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            with Progress("pages") as bar:
                return await export_site(house, folder, progress=bar)

    done = run(main())
    if as_json:
        click.echo(json.dumps({"folder": str(folder), **dataclasses.asdict(done)}))
        return
    say(
        f"{done.files} files in {folder}: {done.written} written, {done.unchanged} as they were,"
        f" {done.removed} removed"
    )
