"""The sums that must always be right: nobody lost, nobody written to twice without a reason."""

from __future__ import annotations

from sqlalchemy import func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.tables import deliveries, delivery_events, issue_channels, issue_tallies


async def progress(connection: AsyncConnection, issue_id: int) -> dict[str, dict[str, int]]:
    """channel → state → how many, those included whose rows were pruned."""
    living = (
        select(deliveries.c.channel, deliveries.c.state, func.count().label("n"))
        .where(deliveries.c.issue_id == issue_id)
        .group_by(deliveries.c.channel, deliveries.c.state)
    )
    pruned = select(issue_tallies.c.channel, issue_tallies.c.state, issue_tallies.c.count.label("n")).where(
        issue_tallies.c.issue_id == issue_id
    )
    found: dict[str, dict[str, int]] = {}
    for row in await connection.execute(union_all(living, pruned)):
        states = found.setdefault(row.channel, {})
        states[row.state] = states.get(row.state, 0) + row.n
    return found


async def broken(connection: AsyncConnection, issue_id: int) -> list[str]:
    """What is wrong with an issue, in words: a channel whose states do not add up to its frozen count, a
    delivery that was accepted twice and nothing between explains it."""
    counted = await progress(connection, issue_id)
    frozen = select(issue_channels.c.channel, issue_channels.c.recipients).where(
        issue_channels.c.issue_id == issue_id
    )
    wrong = []
    for row in await connection.execute(frozen):
        total = sum(counted.get(row.channel, {}).values())
        if row.recipients is not None and row.recipients != total:
            wrong.append(
                f"issue {issue_id}, {row.channel}: {row.recipients} recipients but {total} deliveries"
            )
    return wrong + await _accepted_twice(connection, issue_id)


async def _accepted_twice(connection: AsyncConnection, issue_id: int) -> list[str]:
    suspects = (
        select(delivery_events.c.delivery_id)
        .join(deliveries, deliveries.c.id == delivery_events.c.delivery_id)
        .where(
            deliveries.c.issue_id == issue_id,
            deliveries.c.subscription_id.is_not(None),  # documents may be put in place as often as one likes
            delivery_events.c.state == "sent",
        )
        .group_by(delivery_events.c.delivery_id)
        .having(func.count() > 1)
    )
    story = (
        select(delivery_events.c.delivery_id, delivery_events.c.state)
        .where(delivery_events.c.delivery_id.in_(suspects))
        .order_by(delivery_events.c.delivery_id, delivery_events.c.id)
    )
    wrong = []
    accepted: int | None = None  # the delivery that was accepted and not in doubt since
    for row in await connection.execute(story):
        if row.state in ("unknown", "pending"):  # pending again: a person wanted it so, or a new revision
            accepted = None
        elif row.state == "sent":
            if accepted == row.delivery_id:
                wrong.append(f"delivery {row.delivery_id} was accepted twice")
            accepted = row.delivery_id
    return wrong
