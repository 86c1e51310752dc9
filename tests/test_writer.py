"""Summaries by a model that is slow, wrong, bought or absent: the issue is never worse than without it."""

# ruff: noqa: E501 - tables of cases are read by the line

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import pytest

from digest.asking import AskError, Endpoint
from digest.model import Article, Fingerprint, NotReady, Source, Story
from digest.summarizer import llm
from digest.writer import Limits, Note, Writer, answers
from fake_model import (
    Asked,
    Model,
    Reply,
    breaks_off,
    hangs_up,
    modelling,
    never,
    no_http,
    says,
    sends,
    shaped,
    too_much,
    trickles,
    without_end,
)

T = TypeVar("T")
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
DAY = NOW.date()
KEY = "sk-very-secret-0123456789"

TEXT = """The city of Ostrava will close its oldest bridge for 14 months, mayor Jana Horáková said on Tuesday.
The stone bridge number {n} over the Ostravice river was built in 1893 and carries about 21,500 cars a day.
Engineers found cracks in two of its seven piers last autumn. The repairs will cost 3.2 million euros, of which
the European Union pays 40 percent. Buses will take a detour through the Poruba district, and a ferry for
pedestrians starts on 5 March. Shop owners near the bridge fear that customers will stay away."""
WRITTEN = "Ostrava closes its oldest bridge for 14 months because engineers found cracks in two of its piers."
INVENTED = "Prague paid Peter Novák 99 million euros."


# ---------------------------------------------------------------- what it is given


def article(number: int = 1, **more: Any) -> Article:
    values: dict[str, Any] = {
        "id": number,
        "entry_id": number,
        "feed_id": 1,
        "feed_url": "https://a.example/feed",
        "feed_title": "A",
        "guid": f"g{number}",
        "url": f"https://a.example/{number}",
        "title": "Old bridge in Ostrava closes",
        "language": "en",
        "text": TEXT.format(n=number),
        "words": 90,
        "summary": (),
        "source": "content",
        "published": NOW,
        "received_at": NOW,
        "fingerprint": Fingerprint(text_hash="", shingles=(), terms={}),
    }
    return Article(**{**values, **more})


def story(number: int = 1, **more: Any) -> Story:
    lead = Source(
        article_id=number,
        feed_url="https://a.example/feed",
        feed_title="A",
        title="Old bridge in Ostrava closes",
        url=f"https://a.example/{number}",
        published=NOW,
    )
    values: dict[str, Any] = {
        "key": f"s{number}",
        "title": lead.title,
        "url": lead.url,
        "summary": ("The article's own sentence.",),
        "language": "en",
        "section": "",
        "lead": lead,
        "places": ((0, 27),),
    }
    return Story(**{**values, **more})


class Notes:
    """A notebook of paper: the same promises as the store's."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.spent: dict[date, list[int]] = {}

    async def answer(self, key: str, *, by: datetime) -> str | None:
        assert by.tzinfo
        return self.answers.get(key)

    async def keep(self, key: str, text: str, *, model: str, now: datetime) -> None:
        assert model
        assert now.tzinfo
        self.answers.setdefault(key, text)

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
        now = self.spent.setdefault(day, [0, 0, 0])
        then = [now[0] + calls, now[1] + tokens, now[2] + micros]
        most = (most_calls, most_tokens, most_micros)
        if any(cap is not None and sum_ > cap for sum_, cap in zip(then, most, strict=True)):
            return False
        self.spent[day] = then
        return True

    async def settle(self, day: date, *, tokens: int, micros: int) -> None:
        calls, before, paid = self.spent[day]
        self.spent[day] = [calls, max(0, before + tokens), max(0, paid + micros)]


class Broken(Notes):
    """A notebook whose pages are out of reach, from one method on."""

    def __init__(self, method: str, error: Exception) -> None:
        super().__init__()
        self._method, self._error = method, error

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name == self._method:
            raise self._error
        return super().__getattribute__(name)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Bench:
    """A writer with all that it was lent."""

    writer: Writer
    notes: Notes
    clock: Clock
    stories: list[Story] = field(default_factory=list)

    async def rewrite(
        self,
        stories: Sequence[Story] = (),
        articles: Mapping[int, Article] | None = None,
        *,
        count: int = 1,
        **more: Any,
    ) -> tuple[tuple[Story, ...], tuple[Note, ...]]:
        stories = stories or [story(n) for n in range(1, count + 1)]
        given = {each.lead.article_id: article(each.lead.article_id) for each in stories}
        return await self.writer.rewrite(
            stories, given if articles is None else articles, **{"language": "en", "now": NOW, **more}
        )


async def here(function: Callable[..., T], /, *args: object, timeout: float) -> T:  # noqa: ASYNC109 - as Workers.run
    assert timeout > 0
    return function(*args)


@asynccontextmanager
async def bench(at: Model | str, *, seconds: float = 1.0, notes: Notes | None = None, **limits: Any) -> Any:
    base = at if isinstance(at, str) else at.base
    clock, notes = Clock(), notes or Notes()
    ends = Endpoint(base=base, key=KEY, seconds=seconds, user_agent="Digest/1", clock=clock)
    marks = (f"{n:032x}" for n in itertools.count(1))
    made = Limits(**{"model": "tiny", "total": timedelta(seconds=2), **limits})
    writer = Writer(made, ends.ask, notes, clock=clock, marker=lambda: next(marks), run=here)
    try:
        yield Bench(writer=writer, notes=notes, clock=clock)
    finally:
        await ends.close()


@pytest.fixture(scope="module", autouse=True)
def _everything_is_loaded() -> None:
    """Proving loads a model of languages the first time, which takes longer than what is measured here."""
    llm.proved(WRITTEN * 3, llm.material("", TEXT, "en"))


# ---------------------------------------------------------------- when all is well


@pytest.mark.asyncio
async def test_a_proved_answer_takes_the_place_of_the_summary() -> None:
    async with modelling(says(WRITTEN)) as model, bench(model) as desk:
        (written,), (note,) = await desk.rewrite()
    assert written == replace(story(), summary=(WRITTEN,), places=(), writer="tiny")
    assert note == Note(story="s1", written=True, text="The summary was written by tiny.")
    (asked,) = model.asked
    assert asked.body["model"] == "tiny"
    assert "Engineers found cracks" in asked.user
    assert desk.notes.spent == {DAY: [1, 560, 0]}


@pytest.mark.asyncio
async def test_stories_keep_their_order_and_few_questions_are_under_way() -> None:
    async with modelling(says(WRITTEN, after=0.02)) as model, bench(model) as desk:
        stories, notes = await desk.rewrite(count=9)
    assert [each.key for each in stories] == [note.story for note in notes] == [f"s{n}" for n in range(1, 10)]
    assert all(each.writer == "tiny" for each in stories)
    assert 1 < model.most_at_once <= 3
    assert len({asked.user.split("\n")[0] for asked in model.asked}) == 9, "a marker was used twice"


@pytest.mark.asyncio
async def test_what_was_answered_is_not_asked_again_by_anybody() -> None:
    async with modelling(says(WRITTEN)) as model, bench(model) as desk:
        first = await desk.rewrite(count=3)
        async with bench(model, notes=desk.notes) as restarted:
            assert await restarted.rewrite(count=3) == first
        assert len(model.asked) == 3
        async with bench(model, notes=desk.notes, model="other") as other:
            await other.rewrite(count=1)
        assert len(model.asked) == 4


@pytest.mark.asyncio
async def test_offline_only_kept_answers_count_and_nothing_is_spent() -> None:
    async with modelling(says(WRITTEN)) as model, bench(model) as desk:
        first = await desk.rewrite(count=1)
        spent = dict(desk.notes.spent)
        both, notes = await desk.rewrite(count=2, offline=True)
        assert (both[0], notes[0]) == (first[0][0], first[1][0])
    assert both[1] == story(2)
    assert notes[1].text == "The summary was not written by tiny: it was never asked, and is not asked now."
    assert (len(model.asked), desk.notes.spent) == (1, spent)


@pytest.mark.asyncio
async def test_two_processes_that_ask_at_once_write_the_same() -> None:
    """Who comes second uses the words that were kept first: a replay finds only those."""
    other = "The oldest bridge of Ostrava closes for 14 months, as engineers found cracks in two piers."

    async def reply(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await says(WRITTEN if len(model.asked) == 1 else other, after=0.05)(asked, writer)

    notes = Notes()
    async with modelling(reply) as model, bench(model, notes=notes) as one, bench(model, notes=notes) as two:
        (first, _), (second, _) = await asyncio.gather(one.rewrite(), two.rewrite())
    assert len(model.asked) == 2
    assert first == second


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("told", "read", "why"),
    [
        (story(update=True), article(), "it is an update, which is told by what is new in it"),
        (story(), None, "its article is not kept"),
        (story(), article(text="Short. " * 60), "its article is as short as a summary"),
    ],
)
async def test_where_a_model_has_nothing_to_add_it_is_not_asked(
    told: Story, read: Article | None, why: str
) -> None:
    async with modelling(says(WRITTEN)) as model, bench(model) as desk:
        stories, (note,) = await desk.rewrite([told], {1: read} if read else {})
    assert stories == (told,)
    assert note.text == f"The summary was not written by tiny: {why}."
    assert model.asked == []


@pytest.mark.asyncio
async def test_the_language_is_the_articles_and_only_then_the_newsletters() -> None:
    async with modelling(says(WRITTEN)) as model, bench(model) as desk:
        await desk.rewrite([story(language="en"), story(2, language="und")], language="sv")
    assert "Write in English" in model.asked[0].system
    assert "Write in Swedish" in model.asked[1].system


@pytest.mark.asyncio
async def test_some_newsletters_only() -> None:
    async with bench("http://127.0.0.1:9/v1") as desk:
        assert desk.writer.writes_for("world")
    async with bench("http://127.0.0.1:9/v1", newsletters=("world",)) as desk:
        assert desk.writer.writes_for("world")
        assert not desk.writer.writes_for("sport")


@pytest.mark.asyncio
async def test_nothing_to_write_is_nothing_asked() -> None:
    async with bench("http://127.0.0.1:9/v1") as desk:
        assert await desk.writer.rewrite((), {}, language="en", now=NOW) == ((), ())


# ---------------------------------------------------------------- when it is not


FAULTS: dict[str, tuple[Reply, str]] = {
    "slow": (says(WRITTEN, after=5), "no answer within 0.3 seconds"),
    "silent": (never, "no answer within 0.3 seconds"),
    "trickling": (trickles, "no answer within 0.3 seconds"),
    "hangs up": (hangs_up, "127.0.0.1"),
    "breaks off": (breaks_off, "broke in the middle"),
    "no http": (no_http, "breaks the rules of HTTP"),
    "huge": (too_much, "larger than 1 MB"),
    "without end": (without_end, "larger than 1 MB"),
    "no json": (sends(b"<html>Welcome to nginx</html>"), "what it sent is no JSON"),
    "wrong shape": (sends(b'{"choices": []}'), "what it sent is not the answer of a chat model"),
    "an error in 200": (sends(b'{"error": {"message": "x"}}'), "what it sent is not the answer of a chat model"),
    "bad request": (sends(b"{}", status="400 Bad"), "it does not take our request (400)"),
    "no key": (sends(b"{}", status="401 No"), "it refuses our key (401)"),
    "forbidden": (sends(b"{}", status="403 No"), "it refuses our key (403)"),
    "no model": (sends(b"{}", status="404 No"), "no such address or no such model (404)"),
    "too often": (sends(b"{}", status="429 No", Retry_After="30"), "wants us to wait 30 seconds"),
    "error page": (sends(b"<html>", status="500 Oops"), "it has a fault of its own (500)"),
    "overloaded": (sends(b"", status="503 Oops"), "it has a fault of its own (503)"),
    "redirect": (sends(b"", status="302 Go", Location="http://127.0.0.1:9/"), "it sends us elsewhere (302)"),
    "empty": (says(""), "it says nothing"),
    "no text": (says(None), "it says nothing"),
    "refusing": (says("I'm sorry, but I cannot help with that."), "the model would not do it"),
    "refusing in German": (says("Es tut mir leid, das kann ich nicht."), "the model would not do it"),
    "bought": (says("BUY NOW http://evil.example"), "it has a link in it"),
    "markup": (says(f"**Summary:** {WRITTEN}"), "it has markup in it"),
    "chatty": (says(f"Sure! Here is a summary. {WRITTEN}"), "the model talks about its task"),
    "inventing names": (says("Prague will close its oldest bridge."), "the name Prague is not in the article"),
    "inventing numbers": (says("The oldest bridge closes for 99 months."), "the number 99 is not in the article"),
    "other language": (
        says("Die Stadt schließt ihre älteste Brücke für 14 Monate, weil Ingenieure in den Pfeilern viele Risse gefunden haben."),
        "it is not in the article's language (en)",
    ),
    "nothing to tell": (says("NONE"), "the model found nothing to summarize"),
}  # fmt: skip


@pytest.mark.asyncio
@pytest.mark.parametrize("name", FAULTS)
async def test_whatever_goes_wrong_the_issue_is_as_good_as_without(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    reply, why = FAULTS[name]
    begin = time.monotonic()
    with caplog.at_level(logging.DEBUG):
        async with modelling(reply) as model, bench(model, seconds=0.3, total=timedelta(seconds=1)) as desk:
            stories, notes = await desk.rewrite(count=2)
    assert stories == (story(1), story(2))
    assert why in notes[0].text
    assert all(note.text.startswith("The summary was not written by tiny: ") for note in notes)
    assert time.monotonic() - begin < 10
    assert KEY not in caplog.text + repr(notes) + "".join(str(record.__dict__) for record in caplog.records)


@pytest.mark.asyncio
async def test_what_passes_stays_and_what_does_not_is_named() -> None:
    async with modelling(says(f"{WRITTEN} {INVENTED}")) as model, bench(model) as desk:
        (written,), (note,) = await desk.rewrite()
    assert written.summary == (WRITTEN,)
    assert note.text == (
        "The summary was written by tiny. Of its answer was dropped: the number 99 million is not in the article."
    )


@pytest.mark.asyncio
async def test_the_total_time_ends_it_all_and_keeps_what_was_written() -> None:
    async def reply(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await says(WRITTEN, after=0 if "number 1 " in asked.user else 60)(asked, writer)

    begin = time.monotonic()
    async with modelling(reply) as model, bench(model, seconds=30, total=timedelta(seconds=0.3)) as desk:
        stories, notes = await desk.rewrite(count=5)
    assert time.monotonic() - begin < 20
    assert [each.writer for each in stories] == ["tiny", "", "", "", ""]
    assert all("the time for all summaries of this issue was over" in note.text for note in notes[1:])


@pytest.mark.asyncio
async def test_who_stops_us_is_obeyed_at_once() -> None:
    async with modelling(never) as model, bench(model, seconds=30, total=timedelta(seconds=30)) as desk:
        task = asyncio.create_task(desk.rewrite(count=5))
        await model.was_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.asyncio
@pytest.mark.parametrize("method", ["answer", "keep", "spend", "settle"])
@pytest.mark.parametrize("error", [NotReady("the database is locked"), RuntimeError("broken")])
async def test_a_notebook_out_of_reach_stops_no_issue(method: str, error: Exception) -> None:
    async with modelling(says(WRITTEN)) as model, bench(model, notes=Broken(method, error)) as desk:
        stories, (note,) = await desk.rewrite()
    assert stories == (story(),)
    said = (
        "the database is locked"
        if isinstance(error, NotReady)
        else "something broke; the log has the details"
    )
    assert note.text == f"The summary was not written by tiny: {said}."


# ---------------------------------------------------------------- what it costs


@pytest.mark.asyncio
async def test_a_day_has_so_many_calls_for_all_processes() -> None:
    async with modelling(says(WRITTEN)) as model, bench(model, calls=3) as desk:
        stories, notes = await desk.rewrite(count=5)
        assert [each.writer for each in stories] == ["tiny", "tiny", "tiny", "", ""]
        assert "is used up (llm.calls, llm.tokens or llm.money)" in notes[4].text
        async with bench(model, calls=3, notes=desk.notes) as restarted:
            later, _ = await restarted.rewrite([story(7)])
            assert later[0].writer == ""
            tomorrow, _ = await restarted.rewrite([story(7)], now=NOW + timedelta(days=1))
            assert tomorrow[0].writer == "tiny"
    assert len(model.asked) == 4


@pytest.mark.asyncio
async def test_no_more_tokens_are_used_than_allowed() -> None:
    one = sum(llm.most_tokens(llm.request("tiny", llm.material("t", TEXT, "en"), "f" * 32, llm.Dialect())))
    async with modelling(says(WRITTEN, tokens=(400, 100))) as model, bench(model, tokens=one + 1_500) as desk:
        stories, _ = await desk.rewrite(count=1)
        for number in range(2, 9):
            stories += (await desk.rewrite([story(number)]))[0]
    asked = len(model.asked)
    assert 1 < asked < 8
    assert [bool(each.writer) for each in stories] == [True] * asked + [False] * (8 - asked)
    assert desk.notes.spent[DAY][1] == 500 * asked


@pytest.mark.asyncio
async def test_money_is_counted_in_the_prices_of_the_admin() -> None:
    prices = {"price_in": 0.5, "price_out": 2.0}
    async with modelling(says(WRITTEN, tokens=(401, 60))) as model:
        async with bench(model, micros=1_000_000, **prices) as rich:
            await rich.rewrite()
        async with bench(model, micros=1_000, **prices) as poor:
            _, (note,) = await poor.rewrite()
    assert rich.notes.spent[DAY] == [1, 461, 321]  # 401 * 0.5 + 60 * 2, rounded up
    assert "is used up" in note.text
    assert len(model.asked) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (sends(b"", status="500 Oops"), False),
        (never, True),
        (breaks_off, True),
        (sends(b"no json"), True),
        (says(WRITTEN, tokens=None), True),
        (sends(shaped(WRITTEN, usage={"prompt_tokens": -1, "completion_tokens": 1})), True),
    ],
)
async def test_what_may_have_been_used_counts_as_used(reply: Reply, kept: bool) -> None:
    async with modelling(reply) as model, bench(model, seconds=0.2) as desk:
        await desk.rewrite()
    calls, tokens, _ = desk.notes.spent[DAY]
    assert calls == 1
    assert (tokens > 1_000) == kept
    assert tokens == 0 or kept


# ---------------------------------------------------------------- an endpoint that fails


@pytest.mark.asyncio
async def test_an_endpoint_that_fails_is_left_alone_and_tried_again_with_one_question() -> None:
    async with modelling(sends(b"", status="500 Oops")) as model, bench(model) as desk:
        _, notes = await desk.rewrite(count=8)
        assert len(model.asked) <= 5, "three in a row, and what was under way"
        assert "it did not answer before, and is left alone for 60 seconds" in notes[7].text
        before = len(model.asked)
        await desk.rewrite(count=8)
        assert len(model.asked) == before

        desk.clock.now += timedelta(minutes=1)
        await desk.rewrite(count=8)
        assert len(model.asked) == before + 1
        desk.clock.now += timedelta(minutes=1)
        _, notes = await desk.rewrite(count=8)
        assert len(model.asked) == before + 1, "the second rest is longer"

        desk.clock.now += timedelta(minutes=1)
        model.reply = says(WRITTEN)
        stories, _ = await desk.rewrite(count=8)
    assert all(each.writer for each in stories), "it came back, and so did the others' questions"


@pytest.mark.asyncio
@pytest.mark.parametrize("status", ["401 No", "404 No", "307 Elsewhere"])
async def test_what_only_the_admin_can_mend_is_asked_once(status: str) -> None:
    async with modelling(sends(b"", status=status)) as model, bench(model) as desk:
        for number in range(1, 6):
            await desk.rewrite([story(number)])
    assert len(model.asked) == 1


@pytest.mark.asyncio
async def test_its_own_wish_to_be_left_alone_is_kept() -> None:
    busy = sends(b"", status="429 Busy", Retry_After="7")
    async with modelling(busy) as model, bench(model) as desk:
        await desk.rewrite([story(1)])
        desk.clock.now += timedelta(seconds=6)
        _, (note,) = await desk.rewrite([story(2)])
        assert "is left alone for 1 seconds" in note.text
        desk.clock.now += timedelta(seconds=1)
        model.reply = says(WRITTEN)
        (written,), _ = await desk.rewrite([story(3)])
    assert written.writer == "tiny"


@pytest.mark.asyncio
async def test_an_answer_that_is_not_used_is_no_failure() -> None:
    async with modelling(says(INVENTED)) as model, bench(model) as desk:
        await desk.rewrite(count=8)
    assert len(model.asked) == 8


@pytest.mark.asyncio
async def test_an_endpoint_that_wants_other_settings_gets_them_from_then_on() -> None:
    async def reply(asked: Asked, writer: asyncio.StreamWriter) -> None:
        refused = sends(b"Use 'max_completion_tokens' instead", status="400 Bad")
        if "max_completion_tokens" in asked.body:
            refused = sends(b"'temperature' does not support 0", status="400 Bad")
        wanted = "temperature" not in asked.body and "max_tokens" not in asked.body
        await (says(WRITTEN) if wanted else refused)(asked, writer)

    async with modelling(reply) as model, bench(model) as desk:
        stories, _ = await desk.rewrite(count=1)
        assert (stories[0].writer, len(model.asked)) == ("tiny", 3)
        await desk.rewrite(count=6)
    assert len(model.asked) == 3 + 5
    assert desk.notes.spent[DAY] == [8, 560 * 6, 0]


# ---------------------------------------------------------------- the doctor's question


@pytest.mark.asyncio
async def test_the_doctor_hears_whether_it_answers() -> None:
    async with modelling(says("yes")) as model:
        ends = Endpoint(base=model.base, key=KEY, seconds=1, user_agent="Digest/1", clock=Clock())
        await answers(ends.ask, "tiny")
        model.reply = sends(b"", status="404 No")
        with pytest.raises(AskError, match="no such model"):
            await answers(ends.ask, "tiny")
        model.reply = sends(b"[]")
        with pytest.raises(llm.BadAnswer):
            await answers(ends.ask, "tiny")
        await ends.close()
