"""Summaries by a language model, if the admin names one: asked for, proved, and otherwise done without.

    story with its own sentences → kept answer, or ask → prove → story in the model's words
                                 ↘ anything else: the story as it was, and a note that says why

The summary of the article's own sentences is there before the model is asked, and only an answer that came in
time and is borne out by the article takes its place. So whatever the model, the network or the budget does,
the issue is as good as without. Caps are counted in the store, for all processes together; how the endpoint
fares is known to each process for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

from digest.asking import AskError
from digest.headers import spoken
from digest.model import Article, DigestError, Story
from digest.summarizer import llm

log = logging.getLogger(__name__)

AT_ONCE = 3  # questions under way; a machine of one's own answers one at a time anyway
PROVE_SECONDS = 10.0
IN_A_ROW = 3  # failures, until it is left alone
FIRST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(hours=1)

T = TypeVar("T")
Ask = Callable[[bytes], Awaitable[bytes]]
"""Brings a request to the model and its answer back. Raises AskError."""


class Run(Protocol):
    """Runs a function where it may take long, as `Workers.run` does."""

    def __call__(self, function: Callable[..., T], /, *args: object, timeout: float) -> Awaitable[T]: ...


class Notebook(Protocol):
    """What is remembered of a model's work: its answers, and what was spent on a day (UTC)."""

    async def answer(self, key: str, *, by: datetime) -> str | None:
        """What had been kept under this key by then; None when there was nothing."""
        ...

    async def keep(self, key: str, text: str, *, model: str, now: datetime) -> None:
        """Keep a model's answer as it came, unproved. The first one under a key stays."""
        ...

    async def spend(
        self,
        day: date,
        *,
        calls: int,
        tokens: int,
        micros: int,
        most_calls: int,
        most_tokens: int,
        most_micros: int | None,
    ) -> bool:
        """Take this much of the day's means, all or nothing; False when that would be more than there is."""
        ...

    async def settle(self, day: date, *, tokens: int, micros: int) -> None:
        """Correct what was taken by what it really was; may be negative."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the admin allows.

    newsletters: those that it writes for; empty: all. total: for all summaries of an issue. calls, tokens,
    micros: of a day; micros are millionths of the admin's currency, None: not counted. price_in, price_out:
    of a million tokens, in that currency; so of one token, in micros.
    """

    model: str
    newsletters: tuple[str, ...] = ()
    total: timedelta = timedelta(seconds=60)
    calls: int = 200
    tokens: int = 500_000
    micros: int | None = None
    price_in: float = 0.0
    price_out: float = 0.0

    def cost(self, tokens_in: int, tokens_out: int) -> int:
        """In micros, rounded up."""
        return (
            0 if self.micros is None else math.ceil(tokens_in * self.price_in + tokens_out * self.price_out)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What became of one story's summary, in words."""

    story: str
    written: bool
    text: str


class _NotWritten(Exception):
    """Why a story keeps its own summary; the end of a sentence."""


class Writer:
    """One model. clock: for how long it is left alone. marker: makes something that nobody can guess, new at
    each call. run: where answers are proved."""

    def __init__(
        self,
        limits: Limits,
        ask: Ask,
        notebook: Notebook,
        *,
        clock: Callable[[], datetime],
        marker: Callable[[], str],
        run: Run,
    ) -> None:
        self.limits = limits
        self._ask = ask
        self._notebook = notebook
        self._clock = clock
        self._marker = marker
        self._run = run
        self._dialect = llm.Dialect()
        self._trust = Trust()
        self._alone = asyncio.Lock()

    def writes_for(self, newsletter: str) -> bool:
        return not self.limits.newsletters or newsletter in self.limits.newsletters

    async def rewrite(
        self,
        stories: Sequence[Story],
        articles: Mapping[int, Article],
        *,
        language: str,
        now: datetime,
        offline: bool = False,
    ) -> tuple[tuple[Story, ...], tuple[Note, ...]]:
        """The stories, in the model's words where these are proved, and a note for each.

        articles: by id, at least the leads. language: of stories whose own is unknown. now: whose day is
        charged. offline: only answers that were kept by `now`, so that an issue made again is the same;
        nothing is asked, spent or kept. Raises nothing.
        """
        seconds = self.limits.total.total_seconds()
        until = None if offline else asyncio.get_running_loop().time() + seconds
        gate = asyncio.Semaphore(AT_ONCE)
        done = await asyncio.gather(
            *(
                self._one(story, articles.get(story.lead.article_id), language, now, until, gate, offline)
                for story in stories
            )
        )
        written = sum(note.written for _, note in done)
        log.info("summaries written", extra={"model": self.limits.model, "written": written, "of": len(done)})
        return tuple(story for story, _ in done), tuple(note for _, note in done)

    async def _one(
        self,
        story: Story,
        article: Article | None,
        language: str,
        now: datetime,
        until: float | None,
        gate: asyncio.Semaphore,
        offline: bool,
    ) -> tuple[Story, Note]:
        try:
            given = _material(story, article, language)
            async with asyncio.timeout_at(until):
                answer = await self._answer(given, now, gate, offline=offline)
            # What was kept is always proved, however late it is: a replay will find it, too.
            proof = await self._run(llm.proved, answer, given, timeout=PROVE_SECONDS)
            why = f"the answer was not used: {proof.refused}" if proof.refused else ""
        except _NotWritten as reason:
            why = str(reason)
        except TimeoutError:
            why = f"the time for all summaries of this issue was over ({spoken(self.limits.total)})"
        except DigestError as error:
            why = str(error)
        except Exception:  # whatever it is, the issue must come out
            log.exception("summary not written", extra={"story": story.key})
            why = "something broke; the log has the details"
        if not why:
            said = f"The summary was written by {self.limits.model}."
            if proof.dropped:
                said += f" Of its answer was dropped: {'; '.join(dict.fromkeys(proof.dropped))}."
            changed = replace(story, summary=proof.sentences, places=(), writer=self.limits.model)
            return changed, Note(story=story.key, written=True, text=said)
        text = f"The summary was not written by {self.limits.model}: {why}."
        return story, Note(story=story.key, written=False, text=text)

    async def _answer(
        self, given: llm.Material, now: datetime, gate: asyncio.Semaphore, *, offline: bool
    ) -> str:
        """The model's words, from the notebook or from itself."""
        key = llm.key_of(self.limits.model, given)
        kept = await self._notebook.answer(key, by=now)
        if kept is not None:
            return kept
        if offline:
            raise _NotWritten("it was never asked, and is not asked now")
        async with gate, self._alone if self._trust.doubtful else contextlib.nullcontext():
            # One that has failed is tried with one question; who else has one waits for how that goes.
            text = await self._asked(given, now)
        if not text:
            return ""
        await self._notebook.keep(key, text, model=self.limits.model, now=now)
        return await self._notebook.answer(key, by=now) or text  # another process may have been first

    async def _asked(self, given: llm.Material, now: datetime) -> str:
        self._trust.check(self._clock())
        try:
            answer = await self._question(given, now)
        except AskError as error:
            self._trust.failed(self._clock(), at_once=error.hopeless, wait=error.retry_after)
            log.warning("language model failed", extra={"model": self.limits.model, "error": str(error)})
            raise
        except llm.BadAnswer as error:
            self._trust.failed(self._clock())
            log.warning("language model failed", extra={"model": self.limits.model, "error": str(error)})
            raise
        self._trust.kept()
        return answer.text

    async def _question(self, given: llm.Material, now: datetime) -> llm.Answer:
        """One question, put as this endpoint wants it: what it complains of is left out the next time."""
        while True:
            dialect = self._dialect
            body = llm.request(self.limits.model, given, self._marker(), dialect)
            try:
                return await self._paid(body, now)
            except AskError as error:
                better = llm.adapted(dialect, error.complaint)
                if better is None:
                    raise
                if self._dialect == dialect:
                    self._dialect = better

    async def _paid(self, body: bytes, now: datetime) -> llm.Answer:
        """What it may cost at most is taken before, and what it did not cost is given back."""
        limits, day = self.limits, now.date()
        most_in, most_out = llm.most_tokens(body)
        tokens, micros = most_in + most_out, limits.cost(most_in, most_out)
        if not await self._notebook.spend(
            day,
            calls=1,
            tokens=tokens,
            micros=micros,
            most_calls=limits.calls,
            most_tokens=limits.tokens,
            most_micros=limits.micros,
        ):
            raise _NotWritten("what it may cost today is used up (llm.calls, llm.tokens or llm.money)")
        try:
            answer = llm.read_answer(await self._ask(body))
        except AskError as error:
            if not error.counted:
                await self._notebook.settle(day, tokens=-tokens, micros=-micros)
            raise
        if answer.tokens_in is not None and answer.tokens_out is not None:
            true = answer.tokens_in + answer.tokens_out
            cost = limits.cost(answer.tokens_in, answer.tokens_out)
            await self._notebook.settle(day, tokens=true - tokens, micros=cost - micros)
        return answer


class Trust:
    """Whether an endpoint is worth asking: after some failures in a row it is left alone, each time longer,
    and then tried with one question."""

    def __init__(self) -> None:
        self._failures = 0
        self._rest = timedelta(0)
        self._until: datetime | None = None

    @property
    def doubtful(self) -> bool:
        return self._until is not None

    def check(self, now: datetime) -> None:
        """Raises _NotWritten while it is left alone."""
        if self._until is not None and now < self._until:
            wait = spoken(self._until - now)
            raise _NotWritten(f"it did not answer before, and is left alone for {wait}")

    def kept(self) -> None:
        self._failures, self._rest, self._until = 0, timedelta(0), None

    def failed(self, now: datetime, *, at_once: bool = False, wait: timedelta | None = None) -> None:
        """at_once: one such failure is enough. wait: the endpoint's own wish."""
        if self._until is not None and now < self._until and not at_once:
            return  # asked before the others failed
        self._failures += 1
        if at_once or wait or self.doubtful or self._failures >= IN_A_ROW:
            self._rest = LONGEST_REST if at_once else min(max(self._rest * 2, FIRST_REST), LONGEST_REST)
            self._until = now + (wait or self._rest)


async def answers(ask: Ask, model: str) -> None:
    """Whether the model says anything at all. Raises AskError, BadAnswer."""
    dialect = llm.Dialect()
    while True:
        try:
            llm.read_answer(await ask(llm.greeting(model, dialect)))
            return
        except AskError as error:
            better = llm.adapted(dialect, error.complaint)
            if better is None:
                raise
            dialect = better


def _material(story: Story, article: Article | None, language: str) -> llm.Material:
    """Raises _NotWritten where a model has nothing to add."""
    if story.update:
        raise _NotWritten("it is an update, which is told by what is new in it")
    if article is None:
        raise _NotWritten("its article is not kept")
    if len(article.text) <= llm.CHARACTERS:
        raise _NotWritten("its article is as short as a summary")
    own = story.language or article.language
    return llm.material(article.title, article.text, language if own in ("", "und") else own)
