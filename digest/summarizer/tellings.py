"""From articles to stories: copies set aside, the rest grouped, the lead of each chosen, its worth summed "
"up."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.model import Article
from digest.summarizer import rank, stories
from digest.summarizer.fingerprint import page_address
from digest.summarizer.window import Window

SAME_FEED = 0.3  # likeness from which two articles of one feed are one story: all its news sound alike
_LEAST_SHINGLES = 5
_LEAST_TITLE = 5  # words
_LEAST_GUID = 16  # characters: `17` is an id in many feeds
_NEAR = "largely the same text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """That one article is a copy of another, by number, and how we know."""

    number: int
    of: int
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A story that could be told: its articles by number, the lead first, and the sum that ranks it."""

    key: str
    members: tuple[int, ...]
    terms: Mapping[str, float]

    @property
    def lead(self) -> int:
        return self.members[0]

    @property
    def score(self) -> float:
        return round(sum(self.terms.values()), 4)


def copies(window: Window) -> list[Copy]:
    """All but one of each set of copies: the one of the dearest feed, with the fullest text, the "
    "earliest, stays."""
    how: dict[tuple[int, int], str] = {}
    for name, keys in (
        ("the same address", _addresses(window.articles)),
        ("the same id", [_guid(article) for article in window.articles]),
        ("the same text", [_text(article) for article in window.articles]),
    ):
        first: dict[str, int] = {}
        for number, key in enumerate(keys):
            if key and first.setdefault(key, number) != number:
                how.setdefault((first[key], number), name)
    for pair in stories.near_copies([article.fingerprint.shingles for article in window.articles]):
        how.setdefault(pair, _NEAR)
    sets: dict[int, list[int]] = defaultdict(list)
    for number, root in enumerate(stories.joined(len(window.articles), how)):
        sets[root].append(number)

    def worth(number: int) -> tuple[float, bool, int, datetime, int]:
        article = window.articles[number]
        thin = article.source not in rank.FULL_SOURCES
        return (
            -window.weight(article.feed_url),
            thin,
            -(min(article.words, 80) // 20),
            article.published,
            article.id,
        )

    found = []
    for members in sets.values():
        best = min(members, key=worth)
        for number in members:
            if number != best:
                known = how.get((min(number, best), max(number, best)), _NEAR)
                found.append(Copy(number=number, of=best, how=known))
    return sorted(found, key=lambda copy: copy.number)


def tellings(window: Window, found: Sequence[Copy], now: datetime) -> list[Telling]:
    """Every story of the window with its rank, in the order of their keys."""
    aside = {copy.number for copy in found}
    groups: list[list[int]] = []
    for members in stories.group(window.items, window.spaces, len(window.articles)):
        if kept := [number for number in members if number not in aside]:
            groups.extend(_by_feed(window, kept))
    copied: dict[int, set[str]] = defaultdict(set)
    for copy in found:
        copied[copy.of].add(window.articles[copy.number].feed_url)
    made = [
        Telling(
            key=_key([window.articles[number] for number in members]),
            members=tuple(members),
            terms=_rank(window, members, copied, now),
        )
        for members in groups
    ]
    return sorted(made, key=lambda telling: telling.key)


def lead_of(window: Window, members: Sequence[int]) -> int:
    """The one nearest to the others, of a weighty feed, with full text; the earliest breaks ties."""
    if len(members) == 1:
        return members[0]
    near = (window.alike(members).sum(axis=1) - 1.0) / (len(members) - 1)
    weights = [window.weight(window.articles[number].feed_url) for number in members]
    heaviest = max(weights) or 1.0

    def worth(place: int) -> tuple[float, datetime, int]:
        article = window.articles[members[place]]
        value = float(near[place]) + 0.2 * weights[place] / heaviest
        value += 0.2 * (article.source in rank.FULL_SOURCES)
        return (-round(value, 5), article.published, article.id)

    return members[min(range(len(members)), key=worth)]


def _by_feed(window: Window, members: Sequence[int]) -> list[list[int]]:
    """A group with its lead first; articles of a feed already in it stand alone unless they are close."""
    lead = lead_of(window, members)
    feeds = {window.articles[lead].feed_url}
    kept: list[int] = [lead]
    alone: list[list[int]] = []
    others = [(-round(window.like(lead, number), 5), number) for number in members if number != lead]
    for likeness, number in sorted(others):
        feed = window.articles[number].feed_url
        if feed in feeds and -likeness < SAME_FEED:
            alone.append([number])
        else:
            kept.append(number)
            feeds.add(feed)
    return [kept, *alone]


def _rank(
    window: Window, members: Sequence[int], copied: Mapping[int, set[str]], now: datetime
) -> dict[str, float]:
    voices: dict[str, float] = {}
    for number in members:
        feed = window.articles[number].feed_url
        voices[feed] = rank.voice(window.weight(feed), window.volume[feed])
    for number in members:
        for feed in copied.get(number, set()) - voices.keys():
            voices[feed] = rank.voice(window.weight(feed), window.volume[feed], copy=True)
    return rank.terms_of(
        window.articles[members[0]],
        voices=dict(sorted(voices.items())),
        centrality=window.centrality[members[0]],
        interests=window.newsletter.interests,
        told=1.0 if window.follows_up[members[0]] else 0.0,
        now=now,
    )


def _key(articles: Sequence[Article]) -> str:
    """Stays the same while the story grows: made of the article that we saw first."""
    first = min(articles, key=lambda article: (article.received_at, article.id))
    name = f"{first.feed_url} {first.guid}"
    return hashlib.blake2b(name.encode(errors="replace"), digest_size=8).hexdigest()


def _addresses(articles: Sequence[Article]) -> list[str]:
    """The pages, but not one that a feed gives for several articles of its own: that is its front page."""
    titles: dict[tuple[str, str], set[str]] = defaultdict(set)
    pages = [page_address(article.url) for article in articles]
    for page, article in zip(pages, articles, strict=True):
        titles[page, article.feed_url].add(article.title.casefold())
    fronts = {page for (page, _), different in titles.items() if len(different) > 1}
    return ["" if page in fronts else page for page in pages]


def _guid(article: Article) -> str:
    return article.guid if len(article.guid) >= _LEAST_GUID else ""


def _text(article: Article) -> str:
    says = len(article.fingerprint.shingles) >= _LEAST_SHINGLES or len(article.title.split()) >= _LEAST_TITLE
    return f"{article.language} {article.fingerprint.text_hash}" if says else ""
