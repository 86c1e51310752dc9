"""Deliver, the last step of the line: every delivery once, its intent before and its outcome after.

    due → connect → claim → intent → publish → outcome

For each channel: connect, then let it send what `sending` gives it, many at once or one by one. What we
cannot know (the connection broke after the body) is called unknown; what is not the reader's fault uses up
none of its attempts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from digest.line import Line, Progress, quiet
from digest.model import Delivery, DeliveryState, Ended, Notice, PublishError
from digest.publishers.base import Publisher, Result, Streams
from digest.sending import KEEP_TRYING, LEASE, RENEW_EVERY, Sending, Tally
from digest.verdicts import judge
from digest.watch import LedgerBroken, Watch

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
WATCH_EVERY = 15.0
STALE_AFTER = timedelta(hours=24)
"""Of what belongs to no newsletter of this config."""

Trouble = Callable[[str | None], None]
"""Told in words when the ledger is out of reach, and None when it answers again."""


def untroubled(_said: str | None) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long things may take, mostly in seconds.

    lease: what a claim holds for. keep_trying: to write an outcome down. look_every: for letters that became
    due while another channel is busy. watch_every: at the sums.
    """

    lease: timedelta = LEASE
    renew_every: float = RENEW_EVERY
    keep_trying: float = KEEP_TRYING
    look_every: float = LOOK_EVERY
    watch_every: float = WATCH_EVERY


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
    trouble: Trouble = untroubled,
    shut: Callable[[str], None] = untroubled,
    patience: Patience | None = None,
    watch: Watch | None = None,
) -> Delivered:
    """Send what is due on every channel, but for those that are `resting`.

    stop: once set, nothing new is begun, and what is under way ends well. An error of one channel never cuts
    off another's letters: it is raised when all have ended. shut: told at once of a channel whose way out is
    shut, for the others may take hours. watch: whoever looks after the sums, over many rounds; None: only in
    this one. Raises NotReady when the ledger was out of reach, LedgerBroken when its sums are wrong: then
    nothing more is sent.
    """
    run = _Run(
        line, stop or asyncio.Event(), progress, trouble, patience or Patience(), watch or Watch(), shut
    )
    asked = [publisher for name, publisher in line.publishers.items() if name not in resting]
    run.busy.update(publisher.channel for publisher in asked)  # until each has looked for itself
    async with run.watched(), asyncio.TaskGroup() as group:
        for publisher in asked:
            group.create_task(run.guarded(publisher))
    if run.errors:
        raise run.errors[0]
    return Delivered(states=dict(run.tally.states), waiting=run.waiting)


async def deliver_notice(line: Line, notice: Notice, *, patience: Patience | None = None) -> Ended | None:
    """Send this one notice now, through the same ledger. None: a running service has taken it and will send
    it."""
    run = _Run(line, asyncio.Event(), quiet, untroubled, patience or Patience(), Watch())
    deliveries = line.store.deliveries
    delivery = await deliveries.claim_notice(notice.id, lease=run.patience.lease)
    if delivery is None:
        return None
    publisher = line.publishers.get(delivery.channel)
    if publisher is None:
        await deliveries.release([delivery])
        reply = f"no newsletter of this config has the channel '{delivery.channel}'; it waits until one has"
        return Ended(delivery=delivery, state=DeliveryState.PENDING, reply=reply)
    try:
        await publisher.connect()
    except PublishError as error:
        await deliveries.release([delivery])
        return Ended(delivery=delivery, state=DeliveryState.PENDING, reply=str(error))
    async with run.sending(delivery.channel).open() as work:
        if not await work.take(delivery):
            reply = "this address is suppressed"
            return Ended(delivery=delivery, state=DeliveryState.SUPPRESSED, reply=reply)
        result = await run.publish(publisher, delivery)
        await work.step([(delivery, result)], 0)
    return run.judged(delivery, result)


class _Run:
    """One call of `deliver`: what it counts, and whether a channel has met trouble.

    errors: of the ledger, or faults of ours, in the order they came; `deliver` raises the first.
    busy: the channels that have, or may have, something to send; idle: none has.
    """

    def __init__(
        self,
        line: Line,
        stop: asyncio.Event,
        progress: Progress,
        trouble: Trouble,
        patience: Patience,
        watch: Watch,
        shut: Callable[[str], None] = untroubled,
    ) -> None:
        self.line = line
        self.patience = patience
        self.watch = watch
        self.tally = Tally(changed=self._show)
        self.waiting: dict[str, str] = {}
        self.errors: list[Exception] = []
        self.busy: set[str] = set()
        self._idle = asyncio.Event()
        self._outer_stop = stop
        self._halt = False
        self._progress = progress
        self._trouble = trouble
        self._shut = shut

    def _show(self) -> None:
        self._progress(self.tally.states.total(), self.tally.claimed)

    def _stopped(self) -> bool:
        return self._halt or self._outer_stop.is_set()

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """The sums are looked at while letters go, and once more at the end."""
        watch, issues = self.watch, self.tally.issues

        async def look_again_and_again() -> None:
            try:
                await watch.look_again_and_again(self.line, issues, self.patience.watch_every)
            except LedgerBroken as error:
                self._halt = True
                self.errors.insert(0, error)

        task = asyncio.create_task(look_again_and_again())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
        watch.mind(issues)
        if not self._halt:
            await watch.look(self.line)

    async def guarded(self, publisher: Publisher) -> None:
        """One channel, whose error must not cancel the letters that another has in flight."""
        try:
            await self._channel(publisher)
        except Exception as error:  # noqa: BLE001 - raised again by `deliver` when all channels have ended
            self.errors.append(error)
        finally:
            self._rest(publisher)

    def _rest(self, publisher: Publisher) -> None:
        self.busy.discard(publisher.channel)
        if not self.busy:
            self._idle.set()

    async def _channel(self, publisher: Publisher) -> None:
        channel, deliveries = publisher.channel, self.line.store.deliveries
        while not self._stopped() and channel not in self.waiting:
            if not await deliveries.any_due(channel, self.line.clock()):
                self._rest(publisher)
                if not self.busy:
                    return
                # Another channel may be at it for hours; what becomes due here must not wait for that.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._idle.wait(), self.patience.look_every)
                continue
            self.busy.add(channel)
            self._idle.clear()
            try:
                await publisher.connect()
                async with self.sending(channel).open() as work:
                    if isinstance(publisher, Streams):
                        await publisher.stream(work)
                    else:
                        await self._one_by_one(publisher, work)
            except PublishError as error:
                self.waiting[channel] = str(error)
                self._shut(channel)
                log.warning("channel waits", extra={"channel": channel, "error": str(error)})

    def sending(self, channel: str) -> Sending:
        """The ledger as this channel may see it."""
        return Sending(
            self.line.store,
            channel,
            clock=self.line.clock,
            judge=self.judged,
            stopped=self._stopped,
            tally=self.tally,
            trouble=self._trouble,
            lease=self.patience.lease,
            renew_every=self.patience.renew_every,
            keep_trying=self.patience.keep_trying,
        )

    def judged(self, delivery: Delivery, result: Result) -> Ended:
        newsletter = self.line.newsletters.get(delivery.newsletter)
        return judge(
            delivery,
            result,
            now=self.line.clock(),
            jitter=self.line.chance(),
            stale_after=STALE_AFTER if newsletter is None else newsletter.stale,
        )

    # -------------------------------------------------------- channels that send one at a time

    async def _one_by_one(self, publisher: Publisher, work: Sending) -> None:
        """So many at a time as the channel likes. Raises the PublishError that shut its way out."""
        shut: list[PublishError] = []

        async def go_on() -> None:
            done: list[tuple[Delivery, Result]] = []
            while True:
                given = await work.step(done, 0 if shut else 1)
                if not given:
                    return
                result = await self.publish(publisher, given[0])
                if isinstance(result, PublishError) and result.shuts:
                    shut.append(result)
                done = [(given[0], result)]

        tasks = [asyncio.create_task(go_on()) for _ in range(publisher.concurrency)]
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error
        if shut:
            raise shut[0]

    async def publish(self, publisher: Publisher, delivery: Delivery) -> Result:
        try:
            return await publisher.publish(delivery)
        except PublishError as error:
            return error
        except Exception as error:
            log.exception("publisher broke", extra={"channel": publisher.channel, "delivery": delivery.id})
            return PublishError(f"{type(error).__name__}: {error}")
