"""`digest run`, `worker` and `web`: the service, whole or in parts."""

from __future__ import annotations

import asyncio
import sys

import click

from digest.cli.console import config_option, config_path_of, configure_logging, loop_factory

ROLES = ("pull", "summarize", "compose", "deliver")


def _serve(path: str, *, roles: tuple[str, ...], address: tuple[str, int] | None) -> None:
    new_loop = loop_factory()
    from digest.service.serve import serve

    configure_logging(service=True)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        code = runner.run(serve(path, roles=roles, address=address, announce=click.echo))
    if code:
        sys.exit(code)


@click.command("run")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the pages listen.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@config_option
@click.pass_context
def run_command(ctx: click.Context, config_path: str | None, host: str, port: int) -> None:
    """The service: scheduler, workers and web in one process.

    SIGTERM ends it well: the letters in flight are finished first. SIGHUP reloads the config.
    """
    _serve(config_path_of(ctx, config_path), roles=ROLES, address=(host, port))


@click.command("worker")
@click.option(
    "--roles",
    default=",".join(ROLES),
    show_default=True,
    help="Which steps this process takes part in, separated by commas.",
)
@config_option
@click.pass_context
def worker_command(ctx: click.Context, config_path: str | None, roles: str) -> None:
    """The steps without the web; any number of them on any number of machines (PostgreSQL)."""
    chosen = tuple(role.strip() for role in roles.split(",") if role.strip())
    for role in chosen:
        if role not in ROLES:
            raise click.BadParameter(f"'{role}' is none of {', '.join(ROLES)}", param_hint="--roles")
    if not chosen:
        raise click.BadParameter("name at least one role", param_hint="--roles")
    _serve(config_path_of(ctx, config_path), roles=chosen, address=None)


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@config_option
@click.pass_context
def web_command(ctx: click.Context, config_path: str | None, host: str, port: int) -> None:
    """The web without the steps."""
    _serve(config_path_of(ctx, config_path), roles=(), address=(host, port))
