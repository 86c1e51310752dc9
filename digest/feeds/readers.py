"""Reads documents in worker processes: plain ones many at a time, awkward ones alone, hostile ones last.

A document goes through up to three lanes. The first takes what a plain XML reader can read, in batches: most
of the time of a small task is its way to the worker and back. What it leaves goes alone to the second, which
gives a document two seconds: fifty times what an ordinary one needs. Only then may it use all it is allowed,
in a third lane of one process, so that feeds made to hurt delay each other and nobody else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, Generic, TypeAlias, TypeVar

from digest.feeds import doubles
from digest.feeds.doubles import Told
from digest.model import DigestError, Entry, FeedError, Fetched, Marks, Parsed
from digest.workers import TookTooLong, WorkerFailed, Workers

BATCH_BYTES = 512 * 1024
BATCH_FEEDS = 16
BATCHES_WAITING = 1
"""Beside those that are being read: a worker finds its next one in the pipe, and need not wait until this
process, which is busy, has heard of the last one."""
QUICK_BYTES = 2 * 1024 * 1024
"""What is larger is never read in company."""
QUICK_SECONDS = 10.0
ORDINARY_SECONDS = 2.0
LONGEST_SECONDS = 20.0
"""On the wall; the limit that counts is the worker's 10 seconds of processor time."""
CPU_SECONDS = 10
MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a document says, and its entries as they are recognized: doubles made one, each with its marks."""

    parsed: Parsed
    told: Sequence[Told]


Source = tuple[bytes, str, str]
Packed: TypeAlias = "tuple[Parsed, list[Any], list[Any]]"
_Answer: TypeAlias = "Packed | FeedError | None"
_Waiting: TypeAlias = "tuple[Source, asyncio.Future[_Answer]]"


def read_batch(sources: Sequence[Source]) -> list[_Answer]:
    """What the quick reader makes of each; None: it is not for it. Runs in a worker."""
    from digest.feeds.parse import parse_quickly  # only the workers need all that is behind it

    answers: list[_Answer] = []
    for source in sources:
        try:
            parsed = parse_quickly(*source)
            answers.append(None if parsed is None else _packed(parsed))
        except FeedError as error:
            answers.append(error)
    return answers


def read_alone(body: bytes, content_type: str, url: str) -> Packed:
    """With all patience. Runs in a worker; raises FeedError."""
    from digest.feeds.parse import parse

    return _packed(parse(body, content_type, url))


# ---------------------------------------------------------------- the way back from a worker

T = TypeVar("T")


class _Flat(Generic[T]):
    """Values of a frozen class as tuples of their fields, and back. Pickled as they are, they take twice as
    long, and a document has many of them."""

    def __init__(self, kind: type[T]) -> None:
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        self.flat: Callable[[T], tuple[Any, ...]] = attrgetter(*names)
        self._kind = kind
        self._slots = [getattr(kind, name).__set__ for name in names]

    def made(self, values: tuple[Any, ...]) -> T:
        made = object.__new__(self._kind)
        for put, value in zip(self._slots, values, strict=True):
            put(made, value)
        return made


_ENTRY, _MARKS = _Flat(Entry), _Flat(Marks)


def _packed(parsed: Parsed) -> Packed:
    """Most entries stand in `told` as they are in the document: these travel once."""
    entries = [_ENTRY.flat(entry) for entry in parsed.entries]
    places = {id(entry): place for place, entry in enumerate(parsed.entries)}
    told = []
    for each in doubles.read(parsed.entries):
        entry, position, marks, *rest = each
        place = places.get(id(entry))
        told.append(
            (place, None if place is not None else _ENTRY.flat(entry), position, _MARKS.flat(marks), *rest)
        )
    return replace(parsed, entries=()), entries, told


def _unpacked(packed: Packed) -> Document:
    parsed, flat, told = packed
    entries = tuple(map(_ENTRY.made, flat))
    return Document(
        parsed=replace(parsed, entries=entries),
        told=[
            Told(_ENTRY.made(own) if place is None else entries[place], position, _MARKS.made(marks), *rest)
            for place, own, position, marks, *rest in told
        ],
    )


class Readers:
    """The lanes. Made anywhere; processes start with the first document; close it.

    lanes: how many batches, and how many awkward documents, are read at the same time.
    """

    def __init__(self, *, lanes: int) -> None:
        self._lanes = lanes
        self._quick = Workers(processes=lanes, cpu_seconds=CPU_SECONDS)
        self._slow = Workers(processes=lanes + 1, cpu_seconds=CPU_SECONDS)
        self._waiting: deque[_Waiting] = deque()
        self._batching: set[asyncio.Task[None]] = set()
        self._ordinary = asyncio.Semaphore(lanes)
        self._patient = asyncio.Semaphore(1)
        self._hogs: dict[str, None] = {}

    async def read(self, fetched: Fetched) -> Document:
        """What the document says. Raises FeedError, also when it asks for more than its limits."""
        source = (fetched.body or b"", fetched.content_type, fetched.url)
        answer = await self._in_company(source) if len(source[0]) <= QUICK_BYTES else None
        if answer is None:
            try:
                answer = await self._alone(source)
            except WorkerFailed as error:
                raise FeedError(f"it cannot be read: {error}") from error
        if isinstance(answer, FeedError):
            raise answer
        return _unpacked(answer)

    # -------------------------------------------------------- the first lane

    async def _in_company(self, source: Source) -> _Answer:
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((source, answer))
        if len(self._batching) < self._lanes + BATCHES_WAITING:
            task = asyncio.create_task(self._work_off())
            self._batching.add(task)
            task.add_done_callback(self._batching.discard)
        return await answer

    async def _work_off(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            answers: Sequence[_Answer] = [None] * len(batch)
            try:
                answers = await self._quick.run(
                    read_batch, [source for source, _ in batch], timeout=QUICK_SECONDS
                )
            except DigestError:
                pass  # one of them was too much: each is read again, alone
            except BaseException:
                for _, answer in batch:
                    answer.cancel()
                raise
            for (_, answer), said in zip(batch, answers, strict=True):
                if not answer.done():
                    answer.set_result(said)

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and len(batch) < BATCH_FEEDS and size < BATCH_BYTES:
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0][0])
        return batch

    # -------------------------------------------------------- the others

    async def _alone(self, source: Source) -> Packed:
        url = source[2]
        if url not in self._hogs:
            async with self._ordinary:
                try:
                    return await self._slow.run(read_alone, *source, timeout=ORDINARY_SECONDS)
                except TookTooLong:
                    if len(self._hogs) >= MOST_KNOWN:
                        self._hogs.clear()
                    self._hogs[url] = None
        async with self._patient:
            return await self._slow.run(read_alone, *source, timeout=LONGEST_SECONDS)

    def close(self) -> None:
        """Kill all workers; whoever waits for one gets an error."""
        self._quick.close()
        self._slow.close()
