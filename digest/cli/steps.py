"""`digest once` and the single steps: the line by hand, for cron and for tests."""

from __future__ import annotations

from typing import Any

import click

from digest.cli.console import (
    CHECK_FAILED,
    FAILURE,
    Progress,
    config_option,
    config_path_of,
    json_option,
    plain,
    print_json,
    run,
    say,
    until_interrupted,
)


@click.command("once")
@click.option("--now", "force", is_flag=True, help="Also compose what is new, whatever the schedule says.")
@click.option("--dry-run", is_flag=True, help="Say what would be composed and sent; store and send nothing.")
@config_option
@json_option
@click.pass_context
def once_command(
    ctx: click.Context, config_path: str | None, force: bool, dry_run: bool, as_json: bool
) -> None:
    """Every step once: pull, summarize, compose, deliver, clear up; then print what came of it."""
    path = config_path_of(ctx, config_path)
    if dry_run:
        run(_dry_run(path, as_json))
        return
    if run(once_in(path, force=force, as_json=as_json)):
        ctx.exit(FAILURE)


async def once_in(path: str, *, force: bool, as_json: bool) -> bool:
    """Every step once; whether some newsletter could not come out."""
    from digest import dispatch, intake, pipeline, shelving
    from digest.service import clear_up, open_house

    async with open_house(path) as house:
        line = house.line
        with Progress("feeds    ") as bar:
            pulled = await intake.pull(line, line.clock(), force=force, progress=bar)
        say(f"pulled     {pulled.feeds} feeds: {pulled.entries} new entries, {pulled.failed} failed")
        with Progress("articles ") as bar:
            read = await pipeline.summarize(line, line.clock(), progress=bar)
        say(f"summarized {read.articles} articles")
        composed = await pipeline.compose(line, line.clock(), force=force)
        for issue in composed.issues:
            say(f"composed   {issue.path}: {issue.subject} ({len(issue.stories)} stories)")
        for problem in composed.problems:
            say(f"failed     {problem}")
        if not composed.issues and not composed.problems:
            say("composed   nothing: no issue is due, or nothing is new")
        with Progress("letters  ") as bar, until_interrupted() as stop:
            await line.store.signups.answer(line.clock())
            sent = await dispatch.deliver(line, stop=stop, progress=bar)
        nothing = "nothing" if sent.waiting else "nothing: no delivery is due"
        say(f"delivered  {_words(sent.states) or nothing}")
        for channel, reason in sent.waiting.items():
            say(f"waiting    {channel}: {reason}")
        await shelving.tidy(line, line.clock())
        await shelving.refresh(line)
        head = await clear_up(house.store, house.settings, line.clock())
        if head is not None and head.length:
            say(f"consents   the head of the ledger today, to be kept: {head}")
        urls = house.urls(composed.issues)
        if as_json:
            print_json(
                {"pulled": pulled, "summarized": read, "composed": composed, "delivered": sent, "urls": urls}
            )
            return bool(composed.problems)
        for name, url in urls.items():
            click.echo(f"{name:10} {url}")
        return bool(composed.problems)


async def _dry_run(path: str, as_json: bool) -> None:
    from digest import desk
    from digest.service import open_house

    async with open_house(path, sync=False) as house:
        line = house.line
        rows: list[dict[str, Any]] = []
        for slug in line.newsletters:
            issue = await desk.preview(line, slug, line.clock())
            readers = await house.store.subscriptions.counts()
            rows.append(
                {
                    "newsletter": slug,
                    "subject": issue.subject if issue else None,
                    "stories": len(issue.stories) if issue else 0,
                    "readers": readers.get((slug, "active"), 0),
                }
            )
        waiting = await house.store.deliveries.counts()
        if as_json:
            print_json({"newsletters": rows, "deliveries": waiting})
            return
        for row in rows:
            click.echo(
                f"{row['newsletter']}: {row['stories']} stories for {row['readers']} readers"
                + (f": {row['subject']}" if row["subject"] else "")
            )
        click.echo(f"letters waiting: {waiting.get('pending', 0) + waiting.get('deferred', 0)}")


def _words(states: Any) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(plain(states).items()) if count)


@click.command("pull")
@click.option("--now", "force", is_flag=True, help="Also the feeds that are not due yet.")
@config_option
@json_option
@click.pass_context
def pull_command(ctx: click.Context, config_path: str | None, force: bool, as_json: bool) -> None:
    """Ask every feed that is due and record its entries."""

    async def main() -> Any:
        from digest import intake
        from digest.service import READING_FEEDS, open_house

        async with open_house(config_path_of(ctx, config_path), loads=READING_FEEDS) as house:
            with Progress("feeds") as bar:
                return await intake.pull(house.line, house.line.clock(), force=force, progress=bar)

    pulled = run(main())
    if as_json:
        print_json(pulled)
    else:
        click.echo(
            f"{pulled.feeds} feeds: {pulled.entries} new entries, "
            f"{pulled.unchanged} unchanged, {pulled.failed} failed"
        )
        if pulled.failed:
            say("`digest feeds list --failing` says what is wrong and what to do")
    if pulled.feeds and pulled.failed == pulled.feeds:
        ctx.exit(CHECK_FAILED)


@click.command("summarize")
@config_option
@json_option
@click.pass_context
def summarize_command(ctx: click.Context, config_path: str | None, as_json: bool) -> None:
    """Read and summarize every entry that waits."""

    async def main() -> Any:
        from digest import pipeline
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path)) as house:
            with Progress("articles") as bar:
                return await pipeline.summarize(house.line, house.line.clock(), progress=bar)

    read = run(main())
    if as_json:
        print_json(read)
    else:
        click.echo(f"{read.articles} articles summarized, {read.ready} ready")


@click.command("compose")
@click.option(
    "--now", "force", is_flag=True, help="Make an issue of what is new, whatever the schedule says."
)
@config_option
@json_option
@click.pass_context
def compose_command(ctx: click.Context, config_path: str | None, force: bool, as_json: bool) -> None:
    """Make the issues whose time has come, with their deliveries; send nothing."""

    async def main() -> Any:
        from digest import pipeline
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path)) as house:
            return await pipeline.compose(house.line, house.line.clock(), force=force)

    composed = run(main())
    if as_json:
        print_json(composed)
        return
    for issue in composed.issues:
        click.echo(f"{issue.path}: {issue.subject} ({len(issue.stories)} stories)")
    for problem in composed.problems:
        say(f"failed: {problem}")
    if composed.problems:
        ctx.exit(FAILURE)
    if not composed.issues:
        say("nothing to compose: no issue is due, or nothing is new")


@click.command("deliver")
@click.option("--dry-run", is_flag=True, help="Say how much would be sent; send nothing.")
@config_option
@json_option
@click.pass_context
def deliver_command(ctx: click.Context, config_path: str | None, dry_run: bool, as_json: bool) -> None:
    """Send what is due."""

    async def main() -> Any:
        from digest import dispatch
        from digest.model import NotReady
        from digest.service import WRITING_LETTERS, open_house

        path = config_path_of(ctx, config_path)
        async with open_house(path, sync=not dry_run, loads=WRITING_LETTERS) as house:
            if dry_run:
                return await house.store.deliveries.counts()
            with Progress("letters") as bar, until_interrupted() as stop:
                await house.line.store.signups.answer(house.line.clock())
                sent = await dispatch.deliver(house.line, stop=stop, progress=bar)
            for channel, reason in sent.waiting.items():
                say(f"waiting: {channel}: {reason}")
            if sent.waiting and not sent.states:
                raise NotReady("letters wait, and none could be sent")
            return sent.states

    states = run(main())
    if as_json:
        print_json(states)
    else:
        click.echo(_words(states) or "nothing is due")
