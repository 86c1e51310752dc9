"""Entries and articles for the tests of this room, made by the code under test from words given here."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from digest.model import (
    Article,
    Draft,
    Entry,
    Follow,
    FollowState,
    Newsletter,
    Schedule,
    Told,
    UnreadEntry,
)
from digest.summarizer import compose, read_entry

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)


def unread(
    number: int = 1, *, feed: str = "https://a.example/feed", hours: float = 2, **entry: Any
) -> UnreadEntry:
    """An entry that we received `hours` before NOW."""
    at = NOW - timedelta(hours=hours)
    values: dict[str, Any] = {
        "guid": f"{feed}#{number}-of-the-feed",
        "url": f"{feed.removesuffix('/feed')}/story/{number}",
        "title": f"Headline number {number}",
    }
    return UnreadEntry(
        id=number,
        feed_id=1,
        feed_url=feed,
        feed_title=feed.split("/")[2],
        feed_language="en",
        fence=1,
        attempts=1,
        received_at=at,
        published=at,
        dated=True,
        backlog=False,
        position=0,
        entry=Entry(**{**values, **entry}),
    )


def article(
    number: int, title: str, text: str, *, feed: str = "https://a.example/feed", **more: Any
) -> Article:
    """What we read of an entry with this headline and text, recorded under this number."""
    hours = more.pop("hours", 2)
    entry = {key: more.pop(key) for key in ("url", "guid", "language", "description") if key in more}
    markup = "".join(f"<p>{line}</p>" for line in text.split("\n") if line)
    read = read_entry(unread(number, feed=feed, hours=hours, title=title, html=markup, **entry))
    return replace(read, id=number, ready=number, **more)


def newsletter(*feeds: str | Follow, **more: Any) -> Newsletter:
    follows = tuple(feed if isinstance(feed, Follow) else Follow(url=feed) for feed in feeds)
    values: dict[str, Any] = {"limit": 12, "per_feed": 4}
    schedule = Schedule(at=time(7), zone="UTC")
    return Newsletter(slug="world", title="World", schedule=schedule, follows=follows, **{**values, **more})


def composed(letter: Newsletter, articles: list[Article], told: Sequence[Told] = ()) -> Draft:
    return compose(
        letter, [(each, FollowState(url=each.feed_url, since=SINCE)) for each in articles], told, NOW
    )


def remembered(draft: Draft, articles: Sequence[Article], days: int = 1) -> list[Told]:
    """The stories of a draft as an issue of that many days ago told them."""
    by_id = {each.id: each for each in articles}
    moment = NOW - timedelta(days=days)
    return [
        Told(
            story=story,
            path=f"world/{moment:%Y-%m-%d}",
            date=moment.date(),
            composed_at=moment,
            articles=tuple(
                by_id[source.article_id] for source in (story.lead, *story.also) if source.article_id in by_id
            ),
        )
        for story in draft.stories
    ]


def verdicts(draft: Draft) -> dict[int, str]:
    return {decision.article_id: decision.verdict for decision in draft.decisions}


def filler(number: int) -> str:
    """A text of its own, about nothing that any other text is about."""
    chance = random.Random(number)  # noqa: S311  (nothing secret)
    syllables = (
        "ar",
        "vel",
        "bod",
        "rin",
        "cas",
        "tem",
        "dul",
        "vo",
        "est",
        "gin",
        "tar",
        "lum",
        "ike",
        "pon",
        "sed",
    )
    made = ["".join(chance.sample(syllables, 3)) for _ in range(24)]
    return (
        f"The {made[0]} of {made[1]} {made[2]} its {made[3]} when {made[4]} had {made[5]} a {made[6]} "
        f"{made[7]}. "
        f"Many {made[8]} {made[9]} by {made[10]} will {made[11]} the {made[12]} {made[13]} at {made[14]} "
        f"{made[15]}. "
        f"No {made[16]} of {made[17]} has {made[18]} so {made[19]} {made[20]} for {made[21]} {made[22]} "
        f"{made[23]}."
    )
