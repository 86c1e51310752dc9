"""Who said yes to which newsletter, since when, and how we know.

Every change of a yes or no is one transaction with its line in the consent ledger. `through` is the last
ready number that a reader was covered for: it only moves together with the cursor of the reader's edition.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import ConsentRow, NotFound, Requested, Subscription, SubscriptionStatus
from digest.store import consent
from digest.store.database import Database
from digest.store.erasing import erase_person
from digest.store.joining import (
    ACTIVE,
    LEFT,
    PAUSED,
    PENDING,
    activate,
    add_reader,
    consented,
    create_subscription,
    is_published,
    leave_now,
    subscription_of_person,
)
from digest.store.notices import create_notice
from digest.store.people import (
    find_subscription,
    hash_of,
    is_suppressed,
    note_consent,
    select_subscriptions,
    subscriber_id,
    subscription_of,
)
from digest.store.seals import hold
from digest.store.tables import notices, subscribers, subscriptions, suppressions


class Subscriptions:
    """Subscriptions by id; people by address."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(
        self, newsletter: str, address: str, *, evidence: Mapping[str, Any], now: datetime
    ) -> Requested:
        """Somebody asks for a newsletter on the web: remember it and mail a confirmation.

        No letter goes to an address that is suppressed, that has the newsletter already, or that was sent
        one confirmation within the hour or three within the day, for whichever newsletter. Somebody who
        left stays so until they confirm.
        """

        async def work(connection: AsyncConnection) -> Requested:
            await hold(connection)
            if not await is_published(connection, newsletter):
                return Requested(subscription=None, mailed=False)
            if await is_suppressed(self._database, connection, address):
                return Requested(subscription=None, mailed=False)
            person = await subscriber_id(self._database, connection, address, now)  # two at once: one waits
            known = await subscription_of_person(connection, newsletter, person)
            if known is not None and known.status in (ACTIVE, PAUSED):
                return Requested(subscription=known, mailed=False)
            if await _asked_too_often(connection, address, now):
                return Requested(subscription=known, mailed=False)
            if known is None:
                known = await create_subscription(connection, newsletter, person, PENDING, "web", now)
            await connection.execute(
                update(subscriptions).where(subscriptions.c.id == known.id).values(asked_at=now)
            )
            await note_consent(
                self._database,
                connection,
                subscriber=person,
                newsletter=newsletter,
                event="asked",
                source="web",
                evidence=evidence,
                now=now,
            )
            notice = await create_notice(
                self._database,
                connection,
                kind="confirm",
                key=f"confirm:{known.id}:{now.isoformat()}",
                recipient=address,
                newsletter=newsletter,
                data={"subscription_id": known.id},
                now=now,
                subscription_id=known.id,
            )
            return Requested(subscription=known, mailed=notice is not None)

        return await self._database.write(work)

    async def confirm(
        self, subscription_id: int, *, evidence: Mapping[str, Any], now: datetime
    ) -> Subscription | None:
        """The person said yes. None: no such subscription, its newsletter is retired, or they left after
        they had asked (an old link does not take anybody in again)."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            await hold(connection)
            found = await find_subscription(connection, subscription_id, lock=True)
            if found is None or not await is_published(connection, found.newsletter):
                return None
            if found.status in (ACTIVE, PAUSED):
                return found
            if found.status == LEFT and not await _asked_since(connection, found):
                return None
            await activate(connection, found, now)
            await consented(self._database, connection, found, "yes", "web", evidence, now)
            return await find_subscription(connection, subscription_id)

        return await self._database.write(work)

    async def leave(
        self, subscription_id: int, *, evidence: Mapping[str, Any], now: datetime
    ) -> Subscription | None:
        """The person goes, at once: no letter goes whose intent is not durable yet. None: unknown."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            await hold(connection)
            found = await find_subscription(connection, subscription_id, lock=True)
            if found is None or found.status == LEFT:
                return found
            await leave_now(self._database, connection, found, source="web", evidence=evidence, now=now)
            return await find_subscription(connection, subscription_id)

        return await self._database.write(work)

    async def pause(self, subscription_id: int, until: date | None, now: datetime) -> Subscription | None:
        """No issues until those of this day (None: until resumed). Only an active one is paused."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            await connection.execute(
                update(subscriptions)
                .where(subscriptions.c.id == subscription_id, subscriptions.c.status.in_([ACTIVE, PAUSED]))
                .values(status=PAUSED, paused_until=until)
            )
            return await find_subscription(connection, subscription_id)

        return await self._database.write(work)

    async def resume(self, subscription_id: int, now: datetime) -> Subscription | None:
        """Issues again, from the edition's next one on."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            found = await find_subscription(connection, subscription_id, lock=True)
            if found is None or found.status != PAUSED:
                return found
            await activate(connection, found, found.confirmed_at or now)
            return await find_subscription(connection, subscription_id)

        return await self._database.write(work)

    async def add(
        self, newsletter: str, address: str, *, source: str, evidence: Mapping[str, Any], now: datetime
    ) -> str:
        """The admin vouches for somebody: "added", "already", "left" (stays so) or "suppressed".
        Raises NotFound for a newsletter that is not there."""

        async def work(connection: AsyncConnection) -> str:
            await hold(connection)
            if not await is_published(connection, newsletter):
                raise NotFound(f"there is no newsletter {newsletter!r}")
            return await add_reader(
                self._database,
                connection,
                newsletter,
                address,
                source=source,
                evidence=evidence,
                now=now,
            )

        return await self._database.write(work)

    async def remove(self, newsletter: str | None, address: str, *, now: datetime) -> int:
        """The admin takes somebody out of one newsletter (None: of all); how many subscriptions ended."""
        statement = select_subscriptions().where(
            subscribers.c.address == address, subscriptions.c.status != LEFT
        )
        if newsletter is not None:
            statement = statement.where(subscriptions.c.newsletter == newsletter)

        async def work(connection: AsyncConnection) -> int:
            await hold(connection)
            rows = (await connection.execute(statement.with_for_update(of=subscriptions))).all()
            for row in rows:
                await leave_now(
                    self._database, connection, subscription_of(row), source="cli", evidence={}, now=now
                )
            return len(rows)

        return await self._database.write(work)

    async def get(self, id: int) -> Subscription | None:  # noqa: A002 - as in every room of the store
        """One subscription."""
        async with self._database.reading() as connection:
            return await find_subscription(connection, id)

    async def of(self, address: str) -> builtins.list[Subscription]:
        """All subscriptions of one person."""
        statement = select_subscriptions().where(subscribers.c.address == address)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(subscriptions.c.newsletter))
            return [subscription_of(row) for row in rows]

    async def list(
        self,
        newsletter: str | None = None,
        status: SubscriptionStatus | None = None,
        after_id: int = 0,
        limit: int = 1000,
    ) -> builtins.list[Subscription]:
        """Subscriptions by id, page by page: `after_id` is the last one of the page before."""
        statement = select_subscriptions().where(subscriptions.c.id > after_id)
        if newsletter is not None:
            statement = statement.where(subscriptions.c.newsletter == newsletter)
        if status is not None:
            statement = statement.where(subscriptions.c.status == status)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(subscriptions.c.id).limit(limit))
            return [subscription_of(row) for row in rows]

    async def counts(self) -> dict[tuple[str, str], int]:
        """How many subscriptions, by (newsletter, status)."""
        keys = (subscriptions.c.newsletter, subscriptions.c.status)
        async with self._database.reading() as connection:
            rows = await connection.execute(select(*keys, func.count().label("n")).group_by(*keys))
            return {(row.newsletter, row.status): row.n for row in rows}

    async def erase(self, address: str, now: datetime) -> bool:
        """Forget a person: the address is gone everywhere. Counts stay, and a suppression stays (it knows
        only a hash). False: we know nobody of that address."""

        async def work(connection: AsyncConnection) -> bool:
            await hold(connection)
            return await erase_person(self._database, connection, address, now)

        return await self._database.write(work)

    async def history(self, address: str) -> builtins.list[ConsentRow]:
        """What this person agreed to and when, oldest first."""
        async with self._database.reading() as connection:
            return await consent.history(connection, address)

    async def verify(self) -> builtins.list[str]:
        """The active subscriptions without a yes that still stands, in words; empty when all is well."""
        async with self._database.reading() as connection:
            return await consent.problems(connection)

    async def suppress(self, address: str, reason: str, now: datetime) -> None:
        """Never write to this address again, whatever it subscribes to."""
        statement = (
            self._database.insert(suppressions)
            .values(hash=hash_of(self._database, address), reason=reason, at=now)
            .on_conflict_do_nothing()
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement)

        await self._database.write(work)

    async def is_suppressed(self, address: str) -> bool:
        """Whether nothing may be sent to this address any more."""
        async with self._database.reading() as connection:
            return await is_suppressed(self._database, connection, address)


async def _asked_since(connection: AsyncConnection, left: Subscription) -> bool:
    statement = select(subscriptions.c.asked_at).where(subscriptions.c.id == left.id)
    asked_at = (await connection.execute(statement)).scalar_one()
    return asked_at is not None and (left.left_at is None or asked_at > left.left_at)


async def _asked_too_often(connection: AsyncConnection, address: str, now: datetime) -> bool:
    day = select(notices.c.created_at).where(
        notices.c.recipient == address,
        notices.c.kind == "confirm",
        notices.c.created_at > now - timedelta(days=1),
    )
    times = (await connection.execute(day)).scalars().all()
    return len(times) >= 3 or any(at > now - timedelta(hours=1) for at in times)
