"""`digest feeds`: the sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from digest.cli.console import (
    CHECK_FAILED,
    Progress,
    config_option,
    config_path_of,
    json_option,
    paragraph,
    plain,
    print_json,
    run,
    say,
    screen_width,
    strong,
    table,
)


@click.group("feeds")
def feeds_command() -> None:
    """The sources: list, check, report, discover, import, export."""


@feeds_command.command("list")
@click.option(
    "--failing", is_flag=True, help="Only those that need a look: failing, gone, empty, silent or moved."
)
@config_option
@json_option
@click.pass_context
def list_feeds(ctx: click.Context, config_path: str | None, failing: bool, as_json: bool) -> None:
    """Every feed: its last success, last new entry, rhythm and next poll, and what is wrong, in words."""

    async def main() -> tuple[list[Any], Any]:
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            return await house.feed_states(), house.line.clock()

    states, now = run(main())
    from digest.feeds.health import health, rhythm_in_words

    found = [(state, health(state.feed, now)) for state in states]
    shown = [(state, said) for state, said in found if said.sick or not failing]
    if as_json:
        print_json(
            [
                {
                    **plain(state),
                    "status": said.kind,
                    "words": said.words,
                    "advice": said.advice,
                    "rhythm": rhythm_in_words(state.feed.rhythm),
                }
                for state, said in shown
            ]
        )
        return
    for state, said in shown:
        _print_feed(state, said, now)
    if not shown:
        say("no feed needs a look" if found else "no feeds yet: name some under newsletters.X.feeds")
    say(_summary([said.kind for _, said in found]))


def _print_feed(state: Any, said: Any, now: Any) -> None:
    """One feed on three lines or more: a table of all this would be wider than most screens."""
    from digest.feeds.health import ago, rhythm_in_words, until
    from digest.typeset import columns, one_line

    feed, width = state.feed, screen_width()
    name = one_line(feed.title)
    if name and columns(name) + columns(feed.url) + 2 <= width:
        click.echo(f"{strong(name)}  {one_line(feed.url)}")
    else:
        click.echo("\n".join(filter(None, (strong(name), one_line(feed.url)))))
    facts = [said.kind, f"in {', '.join(state.newsletters)}", f"{state.entries} entries"]
    times = [f"comes {rhythm_in_words(feed.rhythm)}" if feed.rhythm else "rhythm not known yet"]
    if feed.last_polled_at is not None:
        times.append("never read" if feed.last_ok_at is None else f"last read {ago(now - feed.last_ok_at)}")
        times.append(
            "nothing new yet" if feed.last_new_at is None else f"last new {ago(now - feed.last_new_at)}"
        )
        times.append("not asked again" if feed.gone else f"next poll {until(feed.next_poll_at - now)}")
    paragraph(" · ".join(facts), indent="  ")
    paragraph(" · ".join(times), indent="  ")
    if said.words != "ok":
        paragraph(said.words, indent="  ")
    if said.advice:
        paragraph(f"→ {said.advice}", indent="  ")


def _summary(kinds: Sequence[str]) -> str:
    """`14 feeds: 12 ok, 1 failing, 1 silent`."""
    counted = Counter(kinds)
    return f"{len(kinds)} {'feed' if len(kinds) == 1 else 'feeds'}: " + ", ".join(
        f"{count} {kind}" for kind, count in sorted(counted.items(), key=lambda pair: pair[0] != "ok")
    )


@feeds_command.command("check")
@config_option
@json_option
@click.pass_context
def check_feeds(ctx: click.Context, config_path: str | None, as_json: bool) -> None:
    """Fetch every configured feed now, record nothing, and say what is wrong with each (exit 3 if any)."""

    async def main() -> list[Any]:
        from digest import desk
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            with Progress("feeds") as bar:
                return await desk.check(house.line, progress=bar)

    rows = run(main())
    wrong = [row for row in rows if row.status != "ok"]
    if as_json:
        print_json(rows)
    else:
        table(
            ["result", "entries", "newest", "feed"],
            [(row.status, row.entries, row.newest and row.newest.date(), row.url) for row in rows],
            empty="no feeds: name some under newsletters.X.feeds",
            whole=["feed"],
        )
        for row in wrong:
            say(f"\n{row.url}")
            paragraph(row.words, indent="  ", err=True)
            if row.advice:
                paragraph(f"→ {row.advice}", indent="  ", err=True)
        if rows:
            problems = f"{len(wrong)} with {'a problem' if len(wrong) == 1 else 'problems'}"
            say(f"\n{len(rows) - len(wrong)} ok, {problems}")
    if wrong:
        ctx.exit(CHECK_FAILED)


@feeds_command.command("report")
@config_option
@json_option
@click.pass_context
def report_command(ctx: click.Context, config_path: str | None, as_json: bool) -> None:
    """The weekly letter about the feeds as it would be now; stores and sends nothing."""

    async def main() -> tuple[Any, str, Any]:
        from digest import report
        from digest.render import renderer
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            line = house.line
            told = await report.draft(line, line.clock())
            letter = renderer(line.templates).notice(report.KIND, report.LANGUAGE, site=line.site, **told)
            return {"subject": letter.subject, **told}, letter.text, house.settings.report

    told, text, wanted = run(main())
    if as_json:
        print_json({**told, "to": wanted.to})
        return
    click.echo(f"Subject: {told['subject']}\n\n{text}", nl=False)
    if wanted.to:
        say(f"\nnot sent; it goes out by itself, {wanted.day} at {wanted.at:%H:%M} {wanted.zone}, to:")
        say(", ".join(wanted.to))
    else:
        say("\nnot sent, and nobody gets it: name somebody under report.to in config.yaml")


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
            ["url", "entries", "newest", "title"],
            [(feed.url, feed.entries, feed.newest, feed.title) for feed in found],
            empty=f"no feed found at {url}",
            whole=["url"],
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
    from digest.service.feed_lists import import_opml

    imported = import_opml(config_path_of(ctx, config_path), opml, newsletter, dry_run=dry_run)
    for line in imported.words(dry_run=dry_run):
        say(line)


@feeds_command.command("export")
@click.option("--newsletter", help="Only this newsletter's feeds.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path))
@config_option
@click.pass_context
def export_feeds(
    ctx: click.Context, config_path: str | None, newsletter: str | None, output: Path | None
) -> None:
    """Write the followed feeds as OPML, sections as folders."""
    from digest.service.feed_lists import export_opml

    data = export_opml(config_path_of(ctx, config_path), newsletter)
    if output:
        output.write_bytes(data)
        say(f"written to {output}")
    else:
        click.echo(data.decode("utf-8"), nl=False)
