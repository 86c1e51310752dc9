"""`digest demo`: see it work without writing a line of config."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import click

from digest.cli.console import configure_logging, loop_factory, say


@click.command("demo")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option("--once", is_flag=True, help="Make the first issue, print where it is, and end.")
def demo_command(port: int, once: bool) -> None:
    """A newsletter from the sample feeds in a throw-away folder: first issue, local inbox, pages."""
    from digest.cli.run import ROLES
    from digest.cli.steps import once_in
    from digest.service.folder import init_folder
    from digest.service.serve import serve

    configure_logging(service=not once)
    with tempfile.TemporaryDirectory(prefix="digest-demo-") as folder:
        init_folder(Path(folder))
        path = str(Path(folder) / "config.yaml")
        say(f"demo in {folder}, gone when it ends")
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(once_in(path, force=True, as_json=False))
            code = (
                0
                if once
                else runner.run(serve(path, roles=ROLES, address=("127.0.0.1", port), announce=click.echo))
            )
    if code:
        sys.exit(code)
