"""What a publisher is, and what it is lent.

A publisher is one file here, named as its channel. It holds a frozen `Settings` dataclass (the section of
`config.yaml` with the channel's name is checked against it) and a class `Publisher`, built by `service` as
`Publisher(settings, lent)`. A new channel is one new file and no edit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from digest.links import Links
from digest.model import Delivery, Issue, Newsletter, PublishError, Receipt, Site
from digest.net import Net
from digest.store import Store
from digest.workers import Workers

Audience = Literal["readers", "newsletter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """What `service` hands to every publisher. `templates`: the admin's folder; None: only the shipped."""

    site: Site
    store: Store
    links: Links
    net: Net
    workers: Workers
    templates: Path | None
    clock: Callable[[], datetime]


class Publisher(Protocol):
    """One channel.

    audience: `readers`: one delivery for each subscription (the recipient is an address); `newsletter`: one
    delivery an issue (the recipient is the slug). concurrency: how many deliveries may be under way at once.
    """

    channel: str
    audience: Audience
    concurrency: int

    async def prepare(self, issue: Issue, newsletter: Newsletter) -> bytes | None:
        """What is built once per issue and stored with it; None when there is nothing to prepare."""
        ...

    async def connect(self) -> None:
        """Be ready to take work, before any is claimed. Raises PublishError (never `permanent`) while the
        way out is shut: then nothing is claimed and no delivery's attempts are used up."""
        ...

    async def publish(self, delivery: Delivery) -> Receipt:
        """Make this one delivery. Raises PublishError. Doing it twice must be harmless or say `unknown`."""
        ...

    async def close(self) -> None:
        """Finish what is in flight and let go of connections."""
        ...


Result = Receipt | PublishError
"""What came of one delivery."""


def anyone(_delivery: Delivery) -> bool:
    """Nothing is held back."""
    return True


class Work(Protocol):
    """The ledger as a channel sees it that sends many letters at once: what came of letters goes in, letters
    that may be sent come out."""

    async def step(
        self,
        done: Sequence[tuple[Delivery, Result]],
        want: int,
        admit: Callable[[Delivery], bool | None] = anyone,
    ) -> Sequence[Delivery]:
        """Make durable what came of `done`, and the intents of up to `want` more deliveries; these.

        All who wait at one moment share one commit. What is returned may be sent, and must be answered for by
        a later `done`, whatever happens to it. Fewer than wanted: there are no more for now (none is due, or
        admitted; we are stopping). admit: asked about one delivery after another until enough said yes; a no
        leaves it for other connections and for later, None for others who may have it at once. Raises
        NotReady when the ledger is out of reach: then nothing may be begun; what was in `done` is tried again
        for as long as its lease lives.
        """
        ...

    def over(self) -> bool:
        """Nothing more will be given: we are stopping. Whoever waits before asking need not wait."""
        ...

    def holds(self, delivery: Delivery) -> bool:
        """Whether our lease on it still runs, by a clock that goes on while we are stopped (SIGSTOP, a
        suspended machine). To be asked right before its first byte is written: after a no, somebody else may
        have it, and it is answered for as lost before MAIL."""
        ...


@runtime_checkable
class Speaks(Protocol):
    """A channel whose own words around an issue can be in each reader's language."""

    async def prepare_in(self, issue: Issue, newsletter: Newsletter, language: str) -> bytes | None:
        """As `prepare`, in this language; None when that is the issue's own."""
        ...


@runtime_checkable
class Streams(Protocol):
    """A channel that keeps several deliveries under way on each of its connections."""

    async def stream(self, work: Work) -> None:
        """Send what `work` gives until it gives nothing more, and answer for each. Raises PublishError when
        no way out is open any more; every delivery it was given has been answered for by then."""
        ...


Advice = tuple[str, Literal["ok", "warn", "bad"], str]
"""(what was looked at, how it is, what to say)."""


@runtime_checkable
class Advises(Protocol):
    """A channel that can say whether it is set up well, and what it waits for, without asking anybody."""

    async def advice(self) -> Sequence[Advice]: ...


@runtime_checkable
class Refreshes(Protocol):
    """A channel that shows something of a newsletter also between issues, such as an empty feed before the
    first one or a changed title."""

    async def refresh(self, slug: str) -> int:
        """Bring it up to date; how many documents changed. Raises NotFound, WorkerFailed."""
        ...
