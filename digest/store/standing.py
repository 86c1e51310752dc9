"""How things stand today, against what the consent ledger says: persons, readers, and who is no reader."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.codec import AnyRow
from digest.store.consent import YES, last_word
from digest.store.joining import ACTIVE, LEFT, PAUSED
from digest.store.tables import consents, subscribers, subscriptions

PAGE = 5_000
SHOWN = 20  # findings of one kind
ENDINGS = ("erased", "lapsed", "moved")
"""Of a person whose address is gone: the last lines about them, which have no source. (A line "moved" of the
web is about somebody who has another address now.)"""
EVERYTHING = ("erased", "lapsed")  # end all that a person has; who moved takes some of it along


async def persons(connection: AsyncConnection) -> list[str]:
    """Persons who lost their address without a word in the ledger, or only half of what goes with it."""
    found = await _uneven(connection)
    after = 0
    while len(found) < SHOWN and (numbers := (await connection.execute(_nameless(after))).scalars().all()):
        after = numbers[-1]
        lines: dict[int, list[AnyRow]] = {number: [] for number in numbers}
        for row in await connection.execute(_lines_of_nameless(numbers[0], after)):
            lines[row.subscriber_id].append(row)
        found += [
            f"person {number} has no address, and the ledger does not say that it was erased"
            for number in numbers
            if not is_ended(lines[number])
        ]
    return found[:SHOWN]


def is_ended(lines: Iterable[Any]) -> bool:
    """Whether these lines, oldest first, are those of a person whose address is gone. (Why somebody left may
    be said later.)"""
    last: dict[str, Any] = {}
    end = None
    for line in lines:
        if line.event != "reason":
            last[line.newsletter] = end = line
    if end is None or end.event not in ENDINGS or end.source:
        return False
    if end.event not in EVERYTHING:
        return True
    return all(line.event in EVERYTHING and not line.source for slug, line in last.items() if slug)


async def _uneven(connection: AsyncConnection) -> list[str]:
    """Address, salt and hash come and go together; and whoever is a person is in the ledger."""
    person = subscribers.c
    nobody = person.address.is_(None)
    unknown = ~exists().where(consents.c.subscriber_id == person.id)
    uneven = or_(nobody != person.salt.is_(None), nobody != person.hash.is_(None))
    statement = (
        select(person.id, nobody.label("nobody"), unknown.label("unknown"))
        .where(or_(uneven, unknown))
        .order_by(person.id)
    )
    return [
        f"person {row.id} "
        + (
            "is in no line of the ledger"
            if row.unknown
            else "has no address, but the salt or the hash of one"
            if row.nobody
            else "has an address without its salt or its hash: nobody can tell whose lines they are"
        )
        for row in await connection.execute(statement.limit(SHOWN))
    ]


def _nameless(after: int) -> Any:
    statement = select(subscribers.c.id).where(subscribers.c.address.is_(None), subscribers.c.id > after)
    return statement.order_by(subscribers.c.id).limit(PAGE)


def _lines_of_nameless(first: int, last: int) -> Any:
    return (
        select(consents.c.subscriber_id, consents.c.newsletter, consents.c.event, consents.c.source)
        .join(subscribers, subscribers.c.id == consents.c.subscriber_id)
        .where(subscribers.c.address.is_(None), consents.c.subscriber_id.between(first, last))
        .order_by(consents.c.subscriber_id, consents.c.seq.asc().nulls_last(), consents.c.id)
    )


async def readers(connection: AsyncConnection) -> list[str]:
    """Subscriptions that are not as we write them, whatever the ledger says."""
    one = subscriptions.c
    reading = one.status.in_([ACTIVE, PAUSED])
    wrong = {
        "is of nobody: the person's row was removed": subscribers.c.id.is_(None),
        "is read by somebody who was erased": and_(reading, subscribers.c.address.is_(None)),
        "has left, but not at any time": and_(one.status == LEFT, one.left_at.is_(None)),
        "has not left, but at some time": and_(one.status != LEFT, one.left_at.is_not(None)),
        "gets neither letters nor a feed": ~or_(one.by_mail, one.feed_on),
    }
    statement = (
        select(one.id, one.newsletter, *(test.label(f"test{n}") for n, test in enumerate(wrong.values())))
        .outerjoin(subscribers, subscribers.c.id == one.subscriber_id)
        .where(or_(*wrong.values()))
        .order_by(one.id)
        .limit(SHOWN)
    )
    return [
        f"subscription {number} of {newsletter} {words}"
        for number, newsletter, *tests in await connection.execute(statement)
        for words, is_so in zip(wrong, tests, strict=True)
        if is_so
    ]


async def lost(connection: AsyncConnection) -> list[str]:
    """Those whose last word is a yes, and who have no subscription."""
    kept = exists().where(
        subscriptions.c.newsletter == consents.c.newsletter,
        subscriptions.c.subscriber_id == consents.c.subscriber_id,
    )
    once = (  # first who has none at all: of most people nothing more is asked
        select(consents.c.subscriber_id, consents.c.newsletter)
        .distinct()
        .join(subscribers, subscribers.c.id == consents.c.subscriber_id)
        .where(subscribers.c.address.is_not(None), consents.c.event.in_(YES), ~kept)
        .subquery("once")
    )
    statement = (
        select(once)
        .where(last_word(once.c.subscriber_id, once.c.newsletter).in_(YES))
        .order_by(once.c.subscriber_id, once.c.newsletter)
        .limit(SHOWN)
    )
    return [
        f"person {row.subscriber_id} said yes to {row.newsletter}, and the subscription is gone"
        for row in await connection.execute(statement)
    ]
