"""`digest issues`: what came out, who got it, and why a story is or is not in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from digest.cli.console import (
    config_option,
    config_path_of,
    json_option,
    print_json,
    run,
    table,
)
from digest.cli.issue_progress import find_issue, in_states, show_issue
from digest.cli.issue_reasons import diff_command, why_command

if TYPE_CHECKING:
    from digest.model import SlotRecord

F = TypeVar("F", bound=Callable[..., Any])


@click.group("issues")
def issues_command() -> None:
    """The issues: list, show, why, diff, correct, pause, resume, retry, cancel."""


@issues_command.command("list")
@click.option("--newsletter", help="Only this newsletter's.")
@click.option("--limit", default=20, show_default=True)
@click.option(
    "--slots", is_flag=True, help="Also the slots of every rhythm: issue, empty, skipped, coalesced."
)
@config_option
@json_option
@click.pass_context
def list_issues(
    ctx: click.Context,
    config_path: str | None,
    newsletter: str | None,
    limit: int,
    slots: bool,
    as_json: bool,
) -> None:
    """The latest issues with the state of their deliveries."""

    async def main() -> tuple[list[dict[str, Any]], list[Any]]:
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            issues = await house.store.issues.latest(newsletter, limit=limit, public=False)
            rows = [
                {
                    "id": issue.id,
                    "path": issue.path,
                    "subject": issue.subject,
                    "stories": len(issue.stories),
                    "state": issue.state,
                    "composed_at": issue.composed_at,
                    "deliveries": await house.store.issues.progress(issue.id),
                }
                for issue in issues
            ]
            names = (
                [newsletter]
                if newsletter
                else [p.newsletter.slug for p in await house.store.newsletters.all()]
            )
            records = [
                record
                for name in names
                for record in (await house.store.issues.slots(name, limit=limit) if slots else [])
            ]
            return rows, records

    rows, records = run(main())
    if as_json:
        print_json({"issues": rows, "slots": records} if slots else rows)
        return
    table(
        ["id", "path", "subject", "stories", "state", "deliveries"],
        [
            (
                row["id"],
                row["path"],
                row["subject"],
                row["stories"],
                row["state"],
                in_states(row["deliveries"]),
            )
            for row in rows
        ],
        empty="no issues yet: `digest once --now` makes the first one",
    )
    if slots:
        table(
            ["date", "rhythm", "due", "became", "issue", "issues"],
            [(r.date, _rhythm(r), r.due_at, r.status, r.issue_id, r.issues) for r in records],
            empty="no slots recorded yet",
        )


def _rhythm(record: SlotRecord) -> str:
    """The newsletter's own one is what most admins look for."""
    return f"{record.rhythm}{' (own)' if record.own else ''}"


issues_command.add_command(show_issue)
issues_command.add_command(why_command)
issues_command.add_command(diff_command)


@issues_command.command("correct")
@click.argument("issue")
@click.option(
    "--story", type=click.IntRange(min=1), required=True, help="Which story, by its number in `show`."
)
@click.option("--title", help="Its corrected title.")
@click.option("--summary", help="Its corrected summary.")
@config_option
@click.pass_context
def correct(
    ctx: click.Context,
    config_path: str | None,
    issue: str,
    story: int,
    title: str | None,
    summary: str | None,
) -> None:
    """Correct a story in the archive and the feeds (a new revision); nobody is mailed again.

    Letters of the issue that are still to go keep the words that they were made with, so that every copy is
    the same; `issues cancel` stops them.
    """
    if title is None and summary is None:
        raise click.UsageError("give --title or --summary")

    async def main() -> int:
        from digest import desk
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path)) as house:
            found = await find_issue(house, issue)
            corrected = await desk.correct(
                house.line, found, story=story, title=title, summary=summary, now=house.line.clock()
            )
            return corrected.revision

    click.echo(f"{issue}: revision {run(main())}")


def _only_failed(name: str) -> Callable[[F], F]:
    """`retry --failed`, as it is called elsewhere; it is what `retry` does anyway."""
    if name != "retry":
        return lambda command: command
    return click.option(
        "--failed", is_flag=True, expose_value=False, help="What failed, or is held in doubt (the default)."
    )


def _control(name: str, help_text: str, done: str) -> click.Command:
    @click.command(name, help=help_text)
    @click.argument("issue")
    @_only_failed(name)
    @config_option
    @click.pass_context
    def command(ctx: click.Context, config_path: str | None, issue: str) -> None:
        async def main() -> int | None:
            from digest.service import open_house

            async with open_house(config_path_of(ctx, config_path)) as house:
                found = await find_issue(house, issue)
                store = house.store.issues
                if name == "pause":
                    await store.pause(found.id)
                    return None
                if name == "resume":
                    await store.resume(found.id)
                    return None
                act = store.cancel if name == "cancel" else store.retry
                return await act(found.id, now=house.line.clock())

        count = run(main())
        click.echo(f"{issue}: {done}" + (f" ({count} deliveries)" if count is not None else ""))

    return command


issues_command.add_command(_control("pause", "Send no more of ISSUE until it is resumed.", "paused"))
issues_command.add_command(_control("resume", "Go on sending a paused ISSUE.", "resumed"))
issues_command.add_command(
    _control("retry", "Try the failed deliveries of ISSUE again.", "will be tried again")
)
issues_command.add_command(_control("cancel", "Never send what is still unsent of ISSUE.", "cancelled"))
