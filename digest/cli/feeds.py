"""`digest feeds`: the sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from digest.cli.console import (
    CHECK_FAILED,
    Progress,
    config_option,
    config_path_of,
    json_option,
    print_json,
    run,
    say,
    table,
)


@click.group("feeds")
def feeds_command() -> None:
    """The sources: list, check, discover, import, export."""


@feeds_command.command("list")
@click.option("--failing", is_flag=True, help="Only those whose last poll went wrong.")
@config_option
@json_option
@click.pass_context
def list_feeds(ctx: click.Context, config_path: str | None, failing: bool, as_json: bool) -> None:
    """Every feed with its state: last success, next poll, and what is wrong, in words."""

    async def main() -> list[Any]:
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            return await house.feed_states()

    states = [state for state in run(main()) if not failing or state.feed.error]
    if as_json:
        print_json(states)
        return
    _print(states, empty="no feed fails" if failing else "no feeds yet: name some under newsletters.X.feeds")


def _print(states: list[Any], *, empty: str) -> None:
    table(
        ["feed", "in", "entries", "last ok", "next poll", "state"],
        [
            (
                state.feed.url,
                ", ".join(state.newsletters),
                state.entries,
                state.feed.last_ok_at,
                state.feed.next_poll_at if state.feed.last_polled_at else None,
                "ok"
                if not state.feed.error and state.feed.last_polled_at
                else state.feed.error or "not polled yet",
            )
            for state in states
        ],
        empty=empty,
    )
    for state in states:
        if state.feed.error:
            say(f"{state.feed.url}: {state.feed.error}")


@feeds_command.command("check")
@config_option
@json_option
@click.pass_context
def check_feeds(ctx: click.Context, config_path: str | None, as_json: bool) -> None:
    """Fetch every configured feed now, record nothing, and say what is wrong with each (exit 3 if any)."""

    async def main() -> list[dict[str, Any]]:
        from digest import desk
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            with Progress("feeds") as bar:
                return await desk.check(house.line, progress=bar)

    rows = run(main())
    if as_json:
        print_json(rows)
    else:
        table(
            ["feed", "entries", "title", "result"],
            [(row["url"], row["entries"], row["title"], row["error"] or "ok") for row in rows],
            empty="no feeds: name some under newsletters.X.feeds",
        )
        for row in rows:
            if row["error"]:
                say(f"{row['url']}: {row['error']}")
    if any(row["error"] for row in rows):
        ctx.exit(CHECK_FAILED)


@feeds_command.command("discover")
@click.argument("url")
@config_option
@json_option
@click.pass_context
def discover_command(ctx: click.Context, config_path: str | None, url: str, as_json: bool) -> None:
    """Find the feeds of a site from its address."""

    async def main() -> list[Any]:
        from digest.service.folder import discover_feeds

        return await discover_feeds(url, config_path_of(ctx, config_path))

    found = run(main())
    if as_json:
        print_json(found)
    else:
        table(
            ["url", "title"],
            [(feed.url, feed.title) for feed in found],
            empty=f"no feed found at {url}",
        )
    if not found:
        ctx.exit(CHECK_FAILED)


@feeds_command.command("import")
@click.argument("opml", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--newsletter", help="Which newsletter follows them; needed when there are several.")
@click.option("--dry-run", is_flag=True, help="Say what would be written; write nothing.")
@config_option
@click.pass_context
def import_feeds(
    ctx: click.Context, config_path: str | None, opml: Path, newsletter: str | None, dry_run: bool
) -> None:
    """Copy an OPML file beside the config and name it under a newsletter's feeds."""
    from digest.service.folder import import_opml

    say(import_opml(config_path_of(ctx, config_path), opml, newsletter, dry_run=dry_run))


@feeds_command.command("export")
@click.option("--newsletter", help="Only this newsletter's feeds.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path))
@config_option
@click.pass_context
def export_feeds(
    ctx: click.Context, config_path: str | None, newsletter: str | None, output: Path | None
) -> None:
    """Write the followed feeds as OPML, sections as folders."""
    from digest.service.folder import export_opml

    data = export_opml(config_path_of(ctx, config_path), newsletter)
    if output:
        output.write_bytes(data)
        say(f"written to {output}")
    else:
        click.echo(data.decode("utf-8"), nl=False)
