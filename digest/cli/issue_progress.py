"""`digest issues show`: how far an issue is, how fast, what failed and why, and who got it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from digest.cli.console import (
    CHECK_FAILED,
    config_option,
    config_path_of,
    json_option,
    print_json,
    run,
    say,
    table,
)

if TYPE_CHECKING:
    from digest.model import Issue
    from digest.service import House

RATE_OVER = timedelta(minutes=1)
TROUBLED = ("failed", "unknown", "deferred")
WAITING = ("pending", "attempting", "deferred", "unknown")
FEW = 20


async def find_issue(house: House, name: str) -> Issue:
    """An issue by its number or its path (`12`, `world/2026-11-22`). Raises NotFound."""
    from digest.model import NotFound

    if name.isdigit():
        return await house.store.issues.get(int(name))
    issue = await house.store.issues.by_path(name.strip("/"))
    if issue is None:
        raise NotFound(f"there is no issue '{name}'; `digest issues list` names them")
    return issue


def in_states(progress: dict[str, dict[str, int]]) -> str:
    """`email: 3 failed, 997 sent; feed: 1 sent`."""
    return "; ".join(
        f"{channel}: " + ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()) if count)
        for channel, states in sorted(progress.items())
    )


@click.command("show")
@click.argument("issue")
@click.option("--readers", is_flag=True, help="Also each reader, with what became of the letter and when.")
@config_option
@json_option
@click.pass_context
def show_issue(ctx: click.Context, config_path: str | None, issue: str, readers: bool, as_json: bool) -> None:
    """One issue: its stories, how far its letters are and how fast, what failed and why."""

    async def main() -> dict[str, Any]:
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            return await _told(house, await find_issue(house, issue), readers)

    held = run(main())
    if as_json:
        print_json(held)
    else:
        _print(held)
    if held["invariant"]:
        for line in held["invariant"]:
            say(line)
        ctx.exit(CHECK_FAILED)


async def _told(house: House, issue: Issue, readers: bool) -> dict[str, Any]:
    from digest.model import DeliveryState

    store, now = house.store, house.line.clock()
    progress = await store.issues.progress(issue.id)
    troubled = [
        delivery
        for state in TROUBLED
        for delivery in await store.deliveries.of_issue(issue.id, DeliveryState(state), limit=FEW)
    ]
    told: dict[str, Any] = {
        "issue": issue,
        "deliveries": progress,
        "sent_in_the_last_minute": await store.deliveries.sent_since(issue.id, now - RATE_OVER),
        "waiting": sum(states.get(state, 0) for states in progress.values() for state in WAITING),
        "reasons": {
            state: await store.deliveries.reasons(issue.id, state)
            for state in TROUBLED
            if any(states.get(state) for states in progress.values())
        },
        "trouble": [
            {"delivery": delivery, "history": await store.deliveries.history(delivery.id)}
            for delivery in troubled
        ],
        "invariant": await store.deliveries.invariant(issue.id),
    }
    if readers:
        told["readers"] = [
            {"recipient": one.recipient, "channel": one.channel, "state": one.state, "attempts": one.attempts}
            for one in await store.deliveries.of_issue(issue.id, limit=10_000_000)
        ]
    return told


def _print(held: dict[str, Any]) -> None:
    found = held["issue"]
    click.echo(f"{found.path}  {found.subject}")
    click.echo(f"composed {found.composed_at:%Y-%m-%d %H:%M} UTC, {found.state}, {found.minutes} min to read")
    table(
        ["#", "section", "story", "score", "sources"],
        [
            (number, story.section, story.title, f"{story.score:.2f}", 1 + len(story.also))
            for number, story in enumerate(found.stories, 1)
        ],
        empty="no stories",
    )
    click.echo(f"deliveries  {in_states(held['deliveries']) or 'none'}")
    if held["waiting"]:
        click.echo(f"rate        {held['sent_in_the_last_minute']:,} letters in the last minute{_left(held)}")
    for state, reasons in held["reasons"].items():
        click.echo(f"{state}:")
        for reply, count in reasons:
            click.echo(f"  {count:>7,} × {reply or 'no reason was given'}")
    for row in held["trouble"]:
        last = row["history"][-1] if row["history"] else None
        click.echo(
            f"  {row['delivery'].recipient}: {row['delivery'].state}{': ' + last.reply if last else ''}"
        )
    if "readers" in held:
        table(
            ["reader", "channel", "state", "attempts"],
            [(row["recipient"], row["channel"], row["state"], row["attempts"]) for row in held["readers"]],
            empty="nobody",
        )


def _left(held: dict[str, Any]) -> str:
    """How long it will take at this rate, for those who wait."""
    rate, waiting = held["sent_in_the_last_minute"], held["waiting"]
    return f", {waiting:,} to go" + (f": about {max(1, round(waiting / rate)):,} min" if rate else "")
