"""Reading the consent ledger: the append-only lines that say who agreed to what."""

from __future__ import annotations

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import ConsentRow
from digest.store.codec import decode_mapping
from digest.store.database import Database
from digest.store.joining import DECISIVE, NEWEST_FIRST
from digest.store.people import is_person
from digest.store.tables import consents, subscribers, subscriptions

YES = ("yes", "vouched")
STANDING = {
    "active": YES,
    "paused": YES,
    "pending": ("", "lapsed"),
    "left": ("no", "moved", "lapsed", "erased", ""),
}
"""What the ledger's last word may be for a subscription in each state; empty: nothing was decided. (What had
been left already goes to another address without a word when two addresses of a person become one.)"""


async def history(database: Database, connection: AsyncConnection, address: str) -> list[ConsentRow]:
    """All lines about one person, oldest first."""
    statement = (
        select(consents)
        .join(subscribers, subscribers.c.id == consents.c.subscriber_id)
        .where(is_person(database, address))
        .order_by(consents.c.seq.asc().nulls_last(), consents.c.id)
    )
    return [
        ConsentRow(
            at=row.at,
            newsletter=row.newsletter,
            event=row.event,
            source=row.source,
            evidence=decode_mapping(row.evidence),
        )
        for row in await connection.execute(statement)
    ]


def last_word(subscriber: ColumnElement[int], newsletter: ColumnElement[str]) -> ScalarSelect[str]:
    """What the ledger says last of this person and newsletter, for each row of a query; NULL when nothing.
    (Asking again, or saying why, takes nothing back.)"""
    return (
        select(consents.c.event)
        .where(
            consents.c.subscriber_id == subscriber,
            consents.c.newsletter == newsletter,
            consents.c.event.in_(DECISIVE),
        )
        .order_by(*NEWEST_FIRST)
        .limit(1)
        .scalar_subquery()
    )


async def problems(connection: AsyncConnection) -> list[str]:
    """The subscriptions that are not as the last word of the ledger lets them be."""
    word = last_word(subscriptions.c.subscriber_id, subscriptions.c.newsletter)
    allowed = [f"{status} {said}" for status, words in STANDING.items() for said in words]
    statement = (
        select(subscriptions.c.id, subscriptions.c.newsletter, subscriptions.c.status, word.label("word"))
        .where((subscriptions.c.status + " " + func.coalesce(word, "")).not_in(allowed))
        .order_by(subscriptions.c.id)
    )
    return [
        f"subscription {row.id} of {row.newsletter} is {row.status}, but its last word is"
        f" {row.word or 'missing'}"
        for row in await connection.execute(statement)
    ]
