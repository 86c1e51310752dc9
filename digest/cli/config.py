"""`digest config`: the one file, checked and explained."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from digest.cli.console import (
    CHECK_FAILED,
    config_option,
    config_path_of,
    json_option,
    print_json,
    run,
    say,
)

if TYPE_CHECKING:
    from digest.service.plan import Plan


@click.group("config")
def config_command() -> None:
    """The configuration: check, show, schema, diff."""


@config_command.command("check")
@config_option
@json_option
@click.pass_context
def check_config(ctx: click.Context, config_path: str | None, as_json: bool) -> None:
    """Is the file right? Exit 4 and one line for each problem when it is not."""
    from digest.service import load

    path = config_path_of(ctx, config_path)
    settings = load(path)
    feeds = sum(len(newsletter.follows) for newsletter in settings.newsletters)
    if as_json:
        notes = [str(note) for note in settings.notes]
        print_json({"ok": True, "newsletters": len(settings.newsletters), "feeds": feeds, "notes": notes})
    else:
        for note in settings.notes:
            say(str(note))
        click.echo(f"{path}: ok: {len(settings.newsletters)} newsletters, {feeds} feeds")


@config_command.command("show")
@config_option
@json_option
@click.pass_context
def show_config(ctx: click.Context, config_path: str | None, as_json: bool) -> None:
    """The whole configuration as it is understood, defaults filled in, secrets masked."""
    from digest.service import load, shown

    print_json(shown(load(config_path_of(ctx, config_path))))


@config_command.command("schema")
def schema() -> None:
    """The JSON Schema of config.yaml, for editors (`digest config schema > config.schema.json`)."""
    from digest.service import config_schema

    click.echo(json.dumps(config_schema(), indent=2, ensure_ascii=False))


@config_command.command("diff")
@click.option("--exit-code", is_flag=True, help="Exit 3 when something would change.")
@config_option
@json_option
@click.pass_context
def diff_config(ctx: click.Context, config_path: str | None, exit_code: bool, as_json: bool) -> None:
    """What using this file would change: newsletters, feeds, and who would be added or removed.

    Nothing is changed. Who left by themselves, or is suppressed, is named too: no list brings them back.
    """

    async def main() -> Plan:
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            return await house.plan()

    plan = run(main())
    if as_json:
        print_json({"changes": plan.changes, "newsletters": plan.newsletters})
    else:
        for change in plan.newsletters:
            for line in change.lines():
                click.echo(f"{change.newsletter}: {line}")
        if not plan.changes:
            click.echo("no change")
    if exit_code and plan.changes:
        ctx.exit(CHECK_FAILED)
