"""From a feed to an issue whose summaries a model wrote; and the same issue where the model fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from a_house import Clock, FeedServer, rss, write_config
from digest import intake, pipeline
from digest.drafting import draft_issue
from digest.line import Line
from digest.model import Draft, Issue
from digest.service import open_house
from digest.service.checkup import examine
from fake_model import Asked, modelling, says, sends

WRITTEN = "The lighthouse at Cape Varn shines again, nine years after a storm broke its lens."


def llm_section(base: str) -> str:
    return f"llm: {{endpoint: '{base}', model: tiny, timeout: 2s, total: 5s}}\n"


async def replies(asked: Asked, writer: asyncio.StreamWriter) -> None:
    about_the_lighthouse = "Cape Varn" in asked.user
    await says(WRITTEN if about_the_lighthouse else "Mayor Miller paid 99 million dollars.")(asked, writer)


async def drafted(line: Line) -> tuple[Issue, Draft]:
    """What would go out now; stored nowhere."""
    newsletter = line.newsletters["world"]
    own = await line.store.newsletters.own_edition("world")
    through = await line.store.articles.max_ready()
    now = line.clock()
    issue, draft = await draft_issue(
        line, newsletter, own, now, day=now.date(), after=own.through, through=through
    )
    assert issue is not None
    return issue, draft


@pytest.mark.asyncio
async def test_what_is_proved_goes_out_and_a_model_that_fails_changes_nothing(tmp_path: Path) -> None:
    async with FeedServer().serving() as feed, modelling(replies) as model:
        feed.body = rss("lighthouse", "bees")
        path = write_config(tmp_path, feeds=f"[{feed.url}]", more=llm_section(model.base))
        async with open_house(path, clock=Clock()) as house:
            line = house.line
            await intake.pull(line, line.clock(), force=True)
            await pipeline.summarize(line, line.clock())

            without, _ = await drafted(replace(line, writer=None))
            model.reply = sends(b"", status="500 Oops")
            broken, draft = await drafted(line)
            assert broken == without
            why = "The summary was not written by tiny: it has a fault of its own (500)."
            assert sum(decision.reason.endswith(why) for decision in draft.decisions) == 2

            model.reply = replies
            [issue] = (await pipeline.compose(line, line.clock(), force=True)).issues
            asked = len(model.asked)
            assert asked == 4
            day = line.clock().date()
            most = {"most_calls": asked, "most_tokens": 10**9, "most_micros": None}
            assert not await house.store.notebook.spend(day, calls=1, tokens=0, micros=0, **most)
            assert await house.store.notebook.spend(day, calls=0, tokens=0, micros=0, **most)

    before = {story.key: story for story in without.stories}
    for story in issue.stories:
        lighthouse = story.title.startswith("Lighthouse")
        was = before[story.key]
        assert story == (replace(was, summary=(WRITTEN,), places=(), writer="tiny") if lighthouse else was)


@pytest.mark.asyncio
async def test_the_doctor_asks_the_model_if_there_is_one(tmp_path: Path) -> None:
    async with modelling(says("yes")) as model:
        path = write_config(tmp_path, feeds="[https://a.example/feed]", more=llm_section(model.base))
        [found] = [each for each in await examine(str(path)) if each[0] == "llm"]
        assert found[1] == "ok"
        assert found[2].startswith("tiny answers (")
        model.reply = sends(b"", status="401 No")
        [found] = [each for each in await examine(str(path)) if each[0] == "llm"]
    assert found == (
        "llm",
        "warn",
        "tiny does not answer: it refuses our key (401): check llm.key. Letters go out all the same, "
        "with the articles' own words",
    )
    path = write_config(tmp_path, feeds="[https://a.example/feed]")
    assert "llm" not in {name for name, _, _ in await examine(str(path))}
