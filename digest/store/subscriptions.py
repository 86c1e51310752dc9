"""Who said yes to which newsletter, since when, and how we know.

Every change of a yes or no is one transaction with its line in the consent ledger. `through` is the last
ready number that a reader was covered for: it moves with the issues that the reader gets, and with nothing
else.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import (
    AddressChange,
    ConsentRow,
    NotFound,
    Requested,
    Rhythm,
    Subscription,
    SubscriptionStatus,
    Token,
)
from digest.store import consent
from digest.store.database import Database
from digest.store.erasing import erase_person, erase_subscriber
from digest.store.joining import (
    ACTIVE,
    DEPARTURES,
    LEFT,
    PAUSED,
    activate,
    add_reader,
    ask,
    come_back,
    consented,
    is_new_yes,
    is_published,
    leave_again,
    leave_now,
    may_confirm,
    undo_departure,
    welcome,
)
from digest.store.moving import move
from digest.store.owning import (
    address_change,
    ask_address,
    everything,
    mail_link,
    managed,
    may_ask_address,
)
from digest.store.people import (
    find_subscription,
    hash_of,
    is_person,
    is_suppressed,
    joined_into,
    select_subscriptions,
    subscription_of,
    suppressed_between,
)
from digest.store.private_feeds import issues_born_for, renew_feed, switch_feed, switch_mail
from digest.store.rhythms import choose_rhythm, pause_reader, resume_reader
from digest.store.seals import hold
from digest.store.tables import subscriptions, suppressions

UNDO_WITHIN = timedelta(hours=1)
LONGEST_REMARK = 500


class Subscriptions:
    """Subscriptions by id; people by address."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(
        self, newsletter: str, address: str, *, evidence: Mapping[str, Any], now: datetime
    ) -> Requested:
        """Somebody asks for a newsletter on the web: remember it and mail a confirmation.

        No letter goes to an address that is suppressed, that has the newsletter already, or whose mailbox was
        sent one confirmation within the hour or three within the day, for whichever newsletter and in
        whatever spelling. Somebody who left stays so until they confirm.
        """

        async def work(connection: AsyncConnection) -> Requested:
            await hold(connection)
            return await ask(self._database, connection, newsletter, address, evidence=evidence, now=now)

        return await self._database.write(work)

    async def confirm(
        self,
        subscription_id: int,
        *,
        evidence: Mapping[str, Any],
        now: datetime,
        token: Token | None = None,
    ) -> Subscription | None:
        """The person said yes, and a welcome goes to them; not if somebody vouched for them since they had
        asked, but the yes is theirs then. None: no such subscription, its newsletter is
        retired, it is suppressed, they left after they had asked (an old link does not take anybody in
        again), or the link is not that of the latest letter. token: what the link says."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            await hold(connection)
            found = await find_subscription(connection, subscription_id, lock=True)
            if found is None or not await is_published(connection, found.newsletter):
                return None
            if found.status in (ACTIVE, PAUSED):
                if token is not None and await is_new_yes(self._database, connection, found, token):
                    await consented(self._database, connection, found, "yes", "web", evidence, now)
                    mine = update(subscriptions).where(subscriptions.c.id == found.id)
                    await connection.execute(mine.values(source="web"))
                return await find_subscription(connection, subscription_id)
            if not await may_confirm(self._database, connection, found, token):
                return None
            await activate(connection, found, now)
            for kind in DEPARTURES:
                await undo_departure(self._database, connection, found.newsletter, found.address, kind=kind)
            await consented(self._database, connection, found, "yes", "web", evidence, now)
            await welcome(self._database, connection, found, now)
            return await find_subscription(connection, subscription_id)

        return await self._database.write(work)

    async def to_confirm(self, token: Token) -> Subscription | None:
        """What the link of a confirmation letter leads to, for a look before `confirm`."""
        async with self._database.reading() as connection:
            found = await find_subscription(connection, token.id)
            if found is None or found.status in (ACTIVE, PAUSED):
                return found
            return found if await may_confirm(self._database, connection, found, token) else None

    async def leave(
        self, subscription_id: int, *, evidence: Mapping[str, Any], now: datetime
    ) -> Subscription | None:
        """The person goes, at once: no letter goes whose intent is not durable yet. None: unknown. One that
        became one with another is left there."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            await hold(connection)
            here = await joined_into(connection, subscription_id)
            found = await find_subscription(connection, here, lock=True)
            if found is None:
                return None
            if found.status == LEFT:
                await leave_again(self._database, connection, found, evidence=evidence, now=now)
                return await find_subscription(connection, here)
            await leave_now(self._database, connection, found, source="web", evidence=evidence, now=now)
            return await find_subscription(connection, here)

        return await self._database.write(work)

    async def choose(self, subscription_id: int, rhythm: Rhythm, *, now: datetime) -> Subscription | None:
        """This reader wants letters at other times: they move to that edition, with their own `through`.

        None: unknown. Who has left, or not confirmed yet, stays as they are. Raises DigestError, in words
        for the reader: it is no rhythm, or this newsletter does not offer it, or has ended.
        """

        async def work(connection: AsyncConnection) -> Subscription | None:
            return await choose_rhythm(self._database, connection, subscription_id, rhythm, now)

        return await self._database.write(work)

    async def undo(
        self, subscription_id: int, *, evidence: Mapping[str, Any], now: datetime
    ) -> Subscription | None:
        """Take a goodbye back, for an hour: with rhythm, pause and `through` as they were. None: too late, or
        they did not leave by themselves."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            await hold(connection)
            found = await find_subscription(connection, subscription_id, lock=True)
            if found is None or not await is_published(connection, found.newsletter):
                return None
            if found.status in (ACTIVE, PAUSED):  # the button was pressed twice
                return found
            if found.left_at is None or now - found.left_at > UNDO_WITHIN:
                return None
            if not await come_back(self._database, connection, found, evidence=evidence, now=now):
                return None
            return await find_subscription(connection, subscription_id)

        return await self._database.write(work)

    async def say_why(self, subscription_id: int, *, reason: str, remark: str = "", now: datetime) -> bool:
        """Why somebody left, in the ledger; it is not the word that ends the subscription. False: they have
        not left."""

        async def work(connection: AsyncConnection) -> bool:
            await hold(connection)
            found = await find_subscription(connection, subscription_id, lock=True)
            if found is None or found.status != LEFT:
                return False
            said = {"reason": reason[:LONGEST_REMARK], "remark": remark[:LONGEST_REMARK]}
            evidence = {name: text for name, text in said.items() if text}
            await consented(self._database, connection, found, "reason", "web", evidence, now)
            return True

        return await self._database.write(work)

    async def private_feed(self, subscription_id: int, on: bool, now: datetime) -> Subscription | None:
        """Give this reader a feed of their own, or take it away. On: at an address that none had before
        (`feed_number`). Off: letters go by mail again. None: unknown; who has left gets none."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            return await switch_feed(connection, subscription_id, on=on)

        return await self._database.write(work)

    async def renew_feed(self, subscription_id: int, now: datetime) -> Subscription | None:
        """Another address for the private feed; the one before opens nothing any more."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            return await renew_feed(connection, subscription_id)

        return await self._database.write(work)

    async def by_mail(self, subscription_id: int, on: bool, now: datetime) -> Subscription | None:
        """Whether letters go by mail, or the private feed (which is then on) is read instead. A letter whose
        intent is durable goes all the same."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            return await switch_mail(connection, subscription_id, on=on)

        return await self._database.write(work)

    async def born_for(self, subscription_id: int, *, limit: int) -> builtins.list[tuple[int, int]]:
        """(issue, revision) of the newest issues that this reader was given, newest first."""
        async with self._database.reading() as connection:
            return await issues_born_for(connection, subscription_id, limit)

    async def pause(self, subscription_id: int, until: date | None, now: datetime) -> Subscription | None:
        """No issues until those of this day, by the zone of their rhythm (None: until resumed). Only an
        active one is paused. What comes out meanwhile is in the first issue after it."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            return await pause_reader(connection, subscription_id, until, now)

        return await self._database.write(work)

    async def resume(self, subscription_id: int, now: datetime) -> Subscription | None:
        """Issues again, from the next one on, which begins where their last one ended."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            return await resume_reader(connection, subscription_id, now)

        return await self._database.write(work)

    async def speak(self, subscription_id: int, language: str) -> Subscription | None:
        """The language of our words to this reader; empty: the newsletter's."""

        async def work(connection: AsyncConnection) -> Subscription | None:
            await connection.execute(
                update(subscriptions).where(subscriptions.c.id == subscription_id).values(language=language)
            )
            return await find_subscription(connection, subscription_id)

        return await self._database.write(work)

    async def languages(self, edition_id: int) -> frozenset[str]:
        """The languages that readers of this edition chose for our words, beside the newsletter's own."""
        statement = select(subscriptions.c.language).where(
            subscriptions.c.edition_id == edition_id,
            subscriptions.c.language != literal_column("''"),  # the words of the index
            subscriptions.c.status != LEFT,
        )
        async with self._database.reading() as connection:
            return frozenset((await connection.execute(statement.distinct())).scalars())

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
            is_person(self._database, address), subscriptions.c.status != LEFT
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

    async def of_link(self, id: int) -> Subscription | None:  # noqa: A002
        """The subscription that a link in a letter leads to, also in one from before two became one. (A
        private feed does not follow: its link ends with its subscription.)"""
        async with self._database.reading() as connection:
            return await find_subscription(connection, await joined_into(connection, id))

    async def of(self, address: str) -> builtins.list[Subscription]:
        """All subscriptions of one person."""
        statement = select_subscriptions().where(is_person(self._database, address))
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

    async def suppressed(self, first: int, last: int) -> frozenset[int]:
        """Which subscriptions of these ids (both included) belong to people who may not be written to."""
        async with self._database.reading() as connection:
            return await suppressed_between(connection, first, last)

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

    async def request_manage(self, subscription_id: int, now: datetime) -> bool:
        """Mail the link that leads to everything we hold, to the address itself; the one before it is dead
        then. False: not mailed, as three were within the hour, or the person was erased."""

        async def work(connection: AsyncConnection) -> bool:
            return await mail_link(self._database, connection, subscription_id, now)

        return await self._database.write(work)

    async def managed(self, token: Token) -> Subscription | None:
        """Whom such a link is about. None: a later one was mailed, they moved, or they were erased."""
        async with self._database.reading() as connection:
            return await managed(connection, token)

    async def everything(self, subscriber_id: int) -> dict[str, Any]:
        """All that we hold about a person, as plain JSON values; empty if they were erased."""
        async with self._database.reading() as connection:
            return await everything(self._database, connection, subscriber_id)

    async def erase_id(self, subscriber_id: int, now: datetime) -> bool:
        """`erase`, by the row of the person."""

        async def work(connection: AsyncConnection) -> bool:
            await hold(connection)
            return await erase_subscriber(self._database, connection, subscriber_id, now)

        return await self._database.write(work)

    async def may_ask_address(self, subscription_id: int, address: str, *, now: datetime) -> bool:
        """Whether `request_address` is not too often for this person. That another mailbox than theirs was
        written to lately does not count here: they are not told."""
        async with self._database.reading() as connection:
            return await may_ask_address(self._database, connection, subscription_id, address, now)

    async def request_address(
        self, subscription_id: int, address: str, *, evidence: Mapping[str, Any], now: datetime
    ) -> bool:
        """Mail a confirmation to the address where this person wants their letters from now on. False: not
        mailed, as it is theirs already, is suppressed, or was mailed lately. (Whoever asks is told the same.)
        Each wish counts, mailed or not, or the count would tell.
        """

        async def work(connection: AsyncConnection) -> bool:
            return await ask_address(self._database, connection, subscription_id, address, evidence, now)

        return await self._database.write(work)

    async def address_change(self, token: Token) -> AddressChange | None:
        """What the link of such a letter leads to, for a look before `confirm_address`."""
        async with self._database.reading() as connection:
            return await address_change(connection, token)

    async def confirm_address(
        self, token: Token, *, evidence: Mapping[str, Any], now: datetime
    ) -> AddressChange | None:
        """The person moves with all they read; the old address is told. If the new address has subscriptions,
        the two become one: nobody gets two letters, and what either reads goes on, also where the new address
        had left. Twice is as good as once: the second answer says `done`, and nothing changes. None: they
        asked for another one since, or it is too old."""

        async def work(connection: AsyncConnection) -> AddressChange | None:
            await hold(connection)
            return await move(self._database, connection, token, evidence, now)

        return await self._database.write(work)

    async def history(self, address: str) -> builtins.list[ConsentRow]:
        """What this person agreed to and when, oldest first."""
        async with self._database.reading() as connection:
            return await consent.history(self._database, connection, address)

    async def verify(self) -> builtins.list[str]:
        """The subscriptions that are not as the last word about them lets them be; empty when all is well."""
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
