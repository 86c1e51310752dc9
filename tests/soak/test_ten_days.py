"""Ten days of a world of news, day by day through the real line: nothing is told twice, nothing is lost, what
is new about a story comes as an update, every article has its reason, and every issue can be made again.

`make soak SOAK=short` lives through one small world, `make soak` through five larger ones.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from a_house import Clock, write_config
from digest import intake, pipeline, replay
from digest.model import Article, Decision, Issue, Source, Story
from digest.service import House, open_house
from news_world import DAY, FIRST, Item, World, world

SHORT = os.environ.get("SOAK") == "short"
SEEDS = (1,) if SHORT else (1, 2, 3, 4, 5)
DAYS = 10
BRIEF = 6
"""Stories in the shorter one of the two newsletters; the other one has room for all."""
EXAMPLES = Path(__file__).parents[2] / "examples" / "feeds"
EXAMPLE_FEEDS = ("city.xml", "world.atom", "tech.json", "stadt.xml", "sahifa.atom")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What the ten days left behind. issues: of each newsletter, by day. otherwise: issues that were not the
    same when they were made again."""

    world: World
    issues: Mapping[str, Mapping[int, Issue]]
    articles: Mapping[int, Article]
    decisions: Mapping[int, Sequence[tuple[Issue, Decision]]]
    otherwise: Sequence[str]

    def of(self, source: Source) -> Item | None:
        """What an article of ours truly tells; None for one of the example feeds."""
        paper = self.paper(source)
        return self.world.item(paper, source.title) if paper in self.world.papers else None

    def mistakes(self, newsletter: str) -> int:
        """How many stories words alone may misjudge: whether they go on, and whether a look back is news.
        None of a small world, one in a hundred of a larger one. Of what is lost none is passed over."""
        return 0 if SHORT else max(1, sum(1 for _ in self.stories(newsletter)) // 100)

    def lost(self, items: Sequence[Item]) -> list[str]:
        """Of these, what the full letter of its day has no story about, and why."""
        told = {(day, lead.event) for day, _, lead, _ in self.stories("world")}
        keys = {(self.paper(each), each.title): key for key, each in self.articles.items()}
        return [
            f"day {item.day}: {item.event} ({item.role}) “{item.title}”: {decision.reason}"
            for item in items
            if (item.day, item.event) not in told
            for issue, decision in self.decisions[keys[item.paper, item.title]]
            if issue.newsletter == "world"
        ]

    @staticmethod
    def paper(of: Article | Source) -> str:
        return of.feed_url.removesuffix(".xml")

    def stories(self, newsletter: str) -> Iterator[tuple[int, Story, Item, list[Item]]]:
        """The day, the story, what its lead tells, and what all its articles tell."""
        for day, issue in sorted(self.issues[newsletter].items()):
            for story in issue.stories:
                lead = self.of(story.lead)
                if lead is not None:
                    others = [item for source in story.also if (item := self.of(source))]
                    yield day, story, lead, [lead, *others]


async def _live(folder: Path, seed: int) -> Lived:
    made = world(seed, days=DAYS, papers=9 if SHORT else 12, events=12 if SHORT else 16)
    clock = Clock(FIRST - timedelta(hours=2))
    feeds = [f"{{url: {name}, first: all}}" for name in EXAMPLE_FEEDS]
    feeds += [f"{{url: {paper}.xml, title: The {paper}, first: all}}" for paper in made.papers]
    follows = "[" + ", ".join(feeds) + "]"
    brief = f"""\
    stories: {{limit: 100, per_feed: 100}}
  brief:
    title: In brief
    language: en
    schedule: {{at: "07:00", zone: Europe/Berlin, days: daily}}
    feeds: {follows}
    stories: {{limit: {BRIEF}, per_feed: 3}}
    recipients: [cleo@example.org]
"""
    for name in EXAMPLE_FEEDS:
        shutil.copy(EXAMPLES / name, folder)
    path = write_config(folder, feeds=follows, more=brief)
    issues: dict[str, dict[int, Issue]] = {"world": {}, "brief": {}}
    for week in (range(DAYS // 2), range(DAYS // 2, DAYS)):  # a restart between them
        async with open_house(path, clock=clock) as house:
            for day in week:
                for paper, document in made.feeds(day).items():
                    (folder / f"{paper}.xml").write_bytes(document)
                clock.now = FIRST + day * DAY - timedelta(minutes=10)
                await intake.pull(house.line, clock(), force=True)
                await pipeline.summarize(house.line, clock())
                clock.now = FIRST + day * DAY + timedelta(seconds=1)
                composed = await pipeline.compose(house.line, clock())
                assert composed.problems == ()
                for issue in composed.issues:
                    issues[issue.newsletter][day] = issue
            if day == DAYS - 1:
                return await _looked_back(house, made, issues)
    raise AssertionError("ten days were not lived")


async def _looked_back(house: House, made: World, issues: Mapping[str, Mapping[int, Issue]]) -> Lived:
    store = house.store
    through = await store.articles.max_ready()
    window = [each.opened() for each in await store.windows.of("world", after=0, through=through)]
    otherwise = []
    for issue in [issue for of_one in issues.values() for issue in of_one.values()]:
        again = await replay.again(house.line, issue)
        was = sorted(await store.issues.decisions(issue.id), key=lambda each: each.article_id)
        if replace(again.issue, updated_at=issue.updated_at) != issue:
            otherwise.append(f"{issue.path}: the issue")
        if sorted(again.decisions, key=lambda each: each.article_id) != was:
            otherwise.append(f"{issue.path}: the decisions")
    return Lived(
        world=made,
        issues=issues,
        articles={article.id: article for article in window},
        decisions={article.id: await store.issues.decisions_for(article.id) for article in window},
        otherwise=otherwise,
    )


@pytest.fixture(scope="module", params=SEEDS)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return asyncio.run(_live(tmp_path_factory.mktemp("days"), request.param))


@pytest.mark.parametrize("newsletter", ["world", "brief"])
def test_nothing_is_told_again_without_a_new_fact(lived: Lived, newsletter: str) -> None:
    told: defaultdict[str, set[str]] = defaultdict(set)
    again = []
    for day, story, lead, items in lived.stories(newsletter):
        facts = frozenset().union(*(item.facts for item in items if item.event == lead.event))
        if lead.event in told and facts <= told[lead.event]:
            again.append(f"day {day}: {lead.event} ({lead.role}) “{story.title}”")
        told[lead.event] |= facts
    assert len(again) <= lived.mistakes(newsletter), "\n".join(again)


@pytest.mark.parametrize("newsletter", ["world", "brief"])
def test_no_article_is_in_two_issues(lived: Lived, newsletter: str) -> None:
    places: defaultdict[int, list[str]] = defaultdict(list)
    for issue in lived.issues[newsletter].values():
        for story in issue.stories:
            for source in (story.lead, *story.also):
                places[source.article_id].append(issue.path)
    assert {key: paths for key, paths in places.items() if len(paths) > 1} == {}


def test_every_event_is_told_on_the_day_it_breaks(lived: Lived) -> None:
    lost = lived.lost([item for item in lived.world.items if item.role in ("break", "noise")])
    assert not lost, "\n".join(lost)


def test_the_weightiest_event_of_a_day_has_its_place_in_the_shorter_letter(lived: Lived) -> None:
    told = {(day, lead.event) for day, _, lead, _ in lived.stories("brief")}
    heavy: dict[int, tuple[int, str]] = {}
    for event in lived.world.events.values():
        heavy[event.starts] = max(heavy.get(event.starts, (0, "")), (event.weight, event.key))
    wanted = {(day, key) for day, (weight, key) in heavy.items() if weight >= 4}
    assert wanted
    assert sorted(wanted - told) == []


@pytest.mark.parametrize("newsletter", ["world", "brief"])
def test_what_was_told_before_is_marked_as_an_update_and_holds_what_is_new(
    lived: Lived, newsletter: str
) -> None:
    told: dict[str, set[str]] = {}
    where: dict[str, str] = {}
    wrong = []
    for day, story, lead, items in lived.stories(newsletter):
        event, path = lived.world.events.get(lead.event), lived.issues[newsletter][day].path
        said = f"day {day}: {lead.event} ({lead.role}) “{story.title}”"
        before = told.setdefault(lead.event, set())
        if event and before:
            text = " ".join((story.title, *story.summary)).casefold()
            new = lead.facts - before
            if not story.update:
                wrong.append(f"{said} is no update")
            elif story.earlier is None or story.earlier.path != where[lead.event]:
                wrong.append(f"{said} does not name {where[lead.event]}")
            elif not any(event.marker(fact).casefold() in text for fact in new):
                wrong.append(f"{said} does not tell {', '.join(sorted(new)) or 'anything'} that is new")
        elif story.update:
            wrong.append(f"{said} is called an update of “{story.earlier and story.earlier.title}”")
        before |= {fact for item in items if item.event == lead.event for fact in item.facts}
        where[lead.event] = path
    assert len(wrong) <= lived.mistakes(newsletter), "\n".join(wrong)


def test_no_news_of_a_told_story_is_lost(lived: Lived) -> None:
    news = [item for item in lived.world.items if item.role in ("update", "fix")]
    assert len(news) > 20
    lost = lived.lost(news)
    assert not lost, "\n".join(lost)


def test_a_story_is_about_one_event_and_an_event_is_one_story_of_a_letter(lived: Lived) -> None:
    mixed = [
        f"day {day}: “{story.title}” of {lead.event} with {', '.join(sorted(others))}"
        for day, story, lead, items in lived.stories("world")
        if (others := {item.event for item in items} - {lead.event})
    ]
    assert not mixed, "\n".join(mixed)
    stories: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for day, story, lead, _ in lived.stories("world"):
        stories[day, lead.event].append(story.title)
    assert {key: titles for key, titles in stories.items() if len(titles) > 1} == {}


def test_every_article_has_one_decision_in_each_newsletter_with_its_reason(lived: Lived) -> None:
    assert len(lived.articles) > len(lived.world.items)  # and those of the example feeds
    for key, article in lived.articles.items():
        found = lived.decisions[key]
        assert sorted(issue.newsletter for issue, _ in found) == ["brief", "world"], article.title
        assert all(len(decision.reason) > 20 for _, decision in found)
    stories = {
        (issue.path, story.lead.article_id)
        for of_one in lived.issues.values()
        for issue in of_one.values()
        for story in issue.stories
    }
    leads = {
        (issue.path, key)
        for key, found in lived.decisions.items()
        for issue, decision in found
        if decision.verdict == "lead"
    }
    assert leads == stories


def test_an_item_that_changed_its_guid_or_link_is_no_second_article_of_the_letter(lived: Lived) -> None:
    led = [(lead.paper, lead.title) for _, _, lead, _ in lived.stories("world")]
    assert len(led) == len(set(led))


def test_every_issue_is_made_again_as_it_was(lived: Lived) -> None:
    assert len(lived.issues["world"]) == DAYS
    assert lived.otherwise == []
