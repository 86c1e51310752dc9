"""Deliver, the last step of the line: every delivery once, its intent before and its outcome after.

For each channel: connect, claim what is due, and for each delivery write the intent, publish, write the
outcome. A claim is a lease, renewed while we work. What we cannot know (the connection broke after the body)
is called unknown; what is not the reader's fault uses up none of its attempts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from digest import timing
from digest.line import Line, Progress, each, quiet
from digest.model import Delivery, DeliveryState, Notice, NotReady, PublishError
from digest.publishers.base import Publisher

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
RENEW_EVERY = 15.0
LOOK_EVERY = 1.0
STALE_AFTER = timedelta(hours=24)
FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)
RELAY_WAIT = timedelta(minutes=1)
KEEP_TRYING_TO_RECORD = 45.0  # seconds; less than a lease, so that nobody else can have taken over
TRIES_BEFORE_STALE = 4  # letters that waited a day for a dead relay still get their chances


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one delivery ended, for now. wait: when to try again; uncounted: the attempt is given back."""

    state: DeliveryState
    relay: str = ""
    reply: str = ""
    wait: timedelta | None = None
    uncounted: bool = False
    suppress: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """How many deliveries ended in each state. waiting: the channels whose way out is shut, and why."""

    states: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, str] = field(default_factory=dict)


async def deliver(
    line: Line,
    *,
    stop: asyncio.Event | None = None,
    progress: Progress = quiet,
    resting: Collection[str] = (),
) -> Delivered:
    """Send what is due on every channel, but for those that are `resting`.

    stop: once set, nothing new is begun, and what is under way ends well. An error of one channel never cuts
    off another's letters: it is raised when all have ended. Raises NotReady when the ledger was out of reach.
    """
    run = _Run(line=line, stop=stop or asyncio.Event(), progress=progress)
    asked = [publisher for name, publisher in line.publishers.items() if name not in resting]
    run.busy.update(publisher.channel for publisher in asked)  # until each has looked for itself
    async with asyncio.TaskGroup() as group:
        for publisher in asked:
            group.create_task(run.guarded(publisher))
    if run.errors:
        raise run.errors[0]
    return Delivered(states=dict(run.states), waiting=run.waiting)


async def deliver_notice(line: Line, notice: Notice) -> Outcome:
    """Send this one notice now, through the same ledger."""
    delivery = await line.store.deliveries.claim_notice(notice.id, lease=LEASE)
    if delivery is None:
        return Outcome(state=DeliveryState.PENDING, reply="a running service has taken it; it will be sent")
    publisher = line.publishers.get(delivery.channel)
    if publisher is None:
        await line.store.deliveries.release([delivery])
        reply = f"no newsletter of this config has the channel '{delivery.channel}'; it waits until one has"
        return Outcome(state=DeliveryState.PENDING, reply=reply)
    run = _Run(line=line, stop=asyncio.Event(), progress=quiet)
    async with run.renewed({delivery.id: delivery}):
        try:
            await publisher.connect()
        except PublishError as error:
            await line.store.deliveries.release([delivery])
            return Outcome(state=DeliveryState.PENDING, reply=str(error))
        return await run.one(publisher, delivery) or Outcome(
            state=DeliveryState.SUPPRESSED, reply="this address is suppressed"
        )


@dataclass(slots=True, kw_only=True)
class _Run:
    """One call of `deliver`: what it counts, and whether a channel has met trouble.

    errors: of the ledger, or faults of ours, in the order they came; `deliver` raises the first.
    busy: the channels that have, or may have, something to send; idle: none has.
    """

    line: Line
    stop: asyncio.Event
    progress: Progress
    states: Counter[str] = field(default_factory=Counter)
    waiting: dict[str, str] = field(default_factory=dict)
    errors: list[Exception] = field(default_factory=list)
    busy: set[str] = field(default_factory=set)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    claimed: int = 0

    async def guarded(self, publisher: Publisher) -> None:
        """One channel, whose error must not cancel the letters that another has in flight."""
        try:
            await self.channel(publisher)
        except Exception as error:  # noqa: BLE001 - raised again by `deliver` when all channels have ended
            self.errors.append(error)
        finally:
            self.rest(publisher)

    def rest(self, publisher: Publisher) -> None:
        self.busy.discard(publisher.channel)
        if not self.busy:
            self.idle.set()

    async def channel(self, publisher: Publisher) -> None:
        deliveries = self.line.store.deliveries
        while not self.stop.is_set() and publisher.channel not in self.waiting:
            if not await deliveries.any_due(publisher.channel, self.line.clock()):
                self.rest(publisher)
                if not self.busy:
                    return
                # Another channel may be at it for hours; what becomes due here must not wait for that.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.idle.wait(), LOOK_EVERY)
                continue
            self.busy.add(publisher.channel)
            self.idle.clear()
            try:
                await publisher.connect()
            except PublishError as error:
                self.waiting[publisher.channel] = str(error)
                log.warning("channel waits", extra={"channel": publisher.channel, "error": str(error)})
                return
            batch = await deliveries.claim_due(
                publisher.channel, self.line.clock(), limit=4 * publisher.concurrency, lease=LEASE
            )
            if not batch:
                return
            self.claimed += len(batch)
            await self.batch(publisher, batch)

    async def batch(self, publisher: Publisher, batch: Sequence[Delivery]) -> None:
        """These deliveries, under a lease that is renewed. Those not begun when trouble comes go back."""
        held = {delivery.id: delivery for delivery in batch}
        untouched: list[Delivery] = []

        async def one(delivery: Delivery) -> None:
            if self.stop.is_set() or publisher.channel in self.waiting:
                untouched.append(delivery)
                return
            try:
                await self.one(publisher, delivery)
            except Exception as error:  # noqa: BLE001 - raised again by `deliver`
                # The ledger is out of reach: begin nothing more, but let the letters in flight end. Whatever
                # could not be recorded stays `attempting`, and is `unknown` once its lease has run out.
                self.waiting[publisher.channel] = str(error)
                self.errors.append(error)
                log.error("ledger out of reach", extra={"delivery": delivery.id, "error": str(error)})  # noqa: TRY400 - its text is for people
            finally:
                held.pop(delivery.id, None)

        async with self.renewed(held):
            await each(batch, one, publisher.concurrency)
        if untouched:
            await self.line.store.deliveries.release(untouched)

    @contextlib.asynccontextmanager
    async def renewed(self, held: Mapping[int, Delivery]) -> AsyncIterator[None]:
        async def renew() -> None:
            while True:
                await asyncio.sleep(RENEW_EVERY)
                try:
                    await self.line.store.deliveries.renew(list(held.values()), lease=LEASE)
                except NotReady as error:
                    log.warning("lease not renewed", extra={"error": str(error)})

        task = asyncio.create_task(renew())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def one(self, publisher: Publisher, delivery: Delivery) -> Outcome | None:
        """Intent, publish, outcome. None: nothing was sent (suppressed, or another worker has it)."""
        line = self.line
        begun = await line.store.deliveries.begin(delivery, now=line.clock(), lease=LEASE)
        if begun != "go":
            self.count(DeliveryState.SUPPRESSED if begun == "suppressed" else None)
            return None
        outcome = await self.publish(publisher, delivery)
        await self.record(delivery, outcome)
        self.count(outcome.state)
        return outcome

    def count(self, state: DeliveryState | None) -> None:
        if state is not None:
            self.states[state.value] += 1
        self.progress(self.states.total(), self.claimed)

    async def publish(self, publisher: Publisher, delivery: Delivery) -> Outcome:
        try:
            receipt = await publisher.publish(delivery)
        except PublishError as error:
            if not error.counts and not error.permanent and not error.unknown:
                # The way out is in trouble, not this reader: do not spend the rest of the batch on it.
                self.waiting[publisher.channel] = str(error)
            return self.judge(delivery, error)
        except Exception as error:
            log.exception("publisher broke", extra={"channel": publisher.channel, "delivery": delivery.id})
            return self.judge(delivery, PublishError(f"{type(error).__name__}: {error}"))
        return Outcome(state=DeliveryState.SENT, relay=receipt.relay, reply=receipt.reply)

    def judge(self, delivery: Delivery, error: PublishError) -> Outcome:
        """What an error means for this delivery: never again, later, or not known."""
        reply = str(error)
        if error.permanent:
            return Outcome(
                state=DeliveryState.FAILED, relay=error.relay, reply=reply, suppress=error.suppress
            )
        wait = timing.backoff(
            delivery.attempts + 1, base=FIRST_WAIT, cap=LONGEST_WAIT, jitter=self.line.chance()
        )
        if error.unknown:
            return Outcome(state=DeliveryState.UNKNOWN, relay=error.relay, reply=reply, wait=wait)
        waited = self.line.clock() - delivery.created_at
        if error.counts and waited > STALE_AFTER and delivery.attempts + 1 >= TRIES_BEFORE_STALE:
            stale = f"given up after {STALE_AFTER.total_seconds() / 3600:.0f} hours; the last answer: {error}"
            return Outcome(state=DeliveryState.FAILED, relay=error.relay, reply=stale)
        return Outcome(
            state=DeliveryState.DEFERRED,
            relay=error.relay,
            reply=reply,
            wait=wait if error.counts else RELAY_WAIT,
            uncounted=not error.counts,
        )

    async def record(self, delivery: Delivery, outcome: Outcome) -> None:
        """Write the outcome, however long the store takes while our lease holds: it is all that keeps a
        letter from going out twice."""
        line = self.line
        give_up = asyncio.get_running_loop().time() + KEEP_TRYING_TO_RECORD
        while True:
            now = line.clock()
            try:
                if outcome.suppress:
                    await line.store.subscriptions.suppress(delivery.recipient, outcome.reply, now=now)
                kept = await line.store.deliveries.record(
                    delivery,
                    outcome.state,
                    now=now,
                    relay=outcome.relay,
                    reply=outcome.reply,
                    available_at=now + outcome.wait if outcome.wait else None,
                    uncounted=outcome.uncounted,
                )
            except NotReady as error:
                if asyncio.get_running_loop().time() > give_up:
                    raise
                log.warning("outcome not recorded yet", extra={"delivery": delivery.id, "error": str(error)})
                await asyncio.sleep(1)
                continue
            if not kept:
                log.error("outcome came too late", extra={"delivery": delivery.id, "state": outcome.state})
            return
