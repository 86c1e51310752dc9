"""From articles to stories: copies set aside, the rest grouped, what was told before set apart, the lead of
each chosen, its worth summed up.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from digest.model import Article
from digest.summarizer import rank, stories
from digest.summarizer.fingerprint import page_address, shingles
from digest.summarizer.memory import WHOLE, has_other_numbers
from digest.summarizer.terms import words
from digest.summarizer.threads import News, Repeat, Thread, sort
from digest.summarizer.updates import READ, compare, known_from
from digest.summarizer.window import Window

SAME_FEED = 0.3  # likeness from which two articles of one feed are one story: all its news sound alike
_LEAST_SHINGLES = 5
_LEAST_TITLE = 5  # words
_LEAST_GUID = 16  # characters: `17` is an id in many feeds
_NEAR = "largely the same text"
_TOP_CHARS, _TOP_WORDS = 1_000, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """That one article is a copy of another, by number, and how we know."""

    number: int
    of: int
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A story that could be told: its articles by number, the lead first, then those that could lead it,
    the best first; and the sum that ranks it. voices: by feed, what it adds. news: what makes it an update.
    """

    key: str
    members: tuple[int, ...]
    terms: Mapping[str, float]
    voices: Mapping[str, float] = field(default_factory=dict)
    news: News | None = None

    @property
    def lead(self) -> int:
        return self.members[0]

    @property
    def score(self) -> float:
        return round(sum(self.terms.values()), 4)


def copies(window: Window) -> list[Copy]:
    """All but one of each set of copies: the one of the dearest feed, with the fullest text, the earliest,
    stays; and what has news above the same text."""
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
        kept: list[int] = []
        for number in sorted(members, key=worth):
            of, name = _copy_of(window, number, kept, how)
            if of is None:
                kept.append(number)
            else:
                found.append(Copy(number=number, of=of, how=name))
    return sorted(found, key=lambda copy: copy.number)


def _copy_of(
    window: Window, number: int, kept: Sequence[int], how: Mapping[tuple[int, int], str]
) -> tuple[int | None, str]:
    """Of which of those that were kept it is a copy; None for one that has news of its own above the text."""
    for other in kept:
        name = how.get((min(number, other), max(number, other)), _NEAR if other == kept[0] else "")
        if name and (name != _NEAR or not _says_more(window.articles[number], window.articles[other])):
            return other, name
    return None, ""


def _says_more(article: Article, other: Article) -> bool:
    """Does it begin with news that the other one, whose text it holds, does not have?"""
    held = set(other.fingerprint.shingles)
    own = article.fingerprint.shingles
    if not has_other_numbers(article, other):
        if len(held.intersection(own)) >= WHOLE * len(own):
            return False
        top = shingles(words(article.text[:_TOP_CHARS])[:_TOP_WORDS])
        if len(held.intersection(top)) >= len(top) / 2:
            return False
    known = known_from([other.title, *other.text[:READ].split("\n")], other.language)
    return compare(article, known).news


def tellings(
    window: Window,
    found: Sequence[Copy],
    now: datetime,
    going_on: Mapping[str, Thread] | None = None,
    kin: Mapping[int, str] | None = None,
) -> tuple[list[Telling], list[Repeat]]:
    """Every story of the window with its rank, in the order of their keys; and what repeats a told one.

    going_on: the stories told in the last days. kin: of articles, by number, the key of a told story whose
    text they hold in part.
    """
    aside = {copy.number for copy in found}
    groups: list[list[int]] = []
    for members in stories.group(window.items, window.spaces, len(window.articles)):
        if kept := [number for number in members if number not in aside]:
            groups.extend(_by_feed(window, kept))
    copied: dict[int, set[str]] = defaultdict(set)
    for copy in found:
        copied[copy.of].add(window.articles[copy.number].feed_url)
    told = sort(window, groups, going_on or {}, kin or {})
    made = [
        _telling(
            window, _key([window.articles[number] for number in members], told.updates), members, copied, now
        )
        for members in told.new
    ]
    for key, (members, news) in told.updates.items():
        ordered = _most_news_first(window, members, news)
        made.append(replace(_telling(window, key, ordered, copied, now), news=news))
    return sorted(made, key=lambda telling: telling.key), told.repeats


def with_lead(window: Window, telling: Telling, number: int, now: datetime) -> Telling:
    """The same story led by another of its articles, and what it is worth then."""
    members = (number, *(each for each in telling.members if each != number))
    return replace(telling, members=members, terms=_rank(window, number, telling.voices, now))


def lead_of(window: Window, members: Sequence[int]) -> int:
    """The one nearest to the others, of a weighty feed, with full text; the earliest breaks ties."""
    return by_suitability(window, members)[0]


def by_suitability(window: Window, members: Sequence[int]) -> list[int]:
    """The members in the order in which they could lead."""
    if len(members) == 1:
        return list(members)
    near = (window.alike(members).sum(axis=1) - 1.0) / (len(members) - 1)
    weights = [window.weight(window.articles[number].feed_url) for number in members]
    heaviest = max(weights) or 1.0

    def worth(place: int) -> tuple[float, datetime, int]:
        article = window.articles[members[place]]
        value = float(near[place]) + 0.2 * weights[place] / heaviest
        value += 0.2 * (article.source in rank.FULL_SOURCES)
        return (-round(value, 5), article.published, article.id)

    return [members[place] for place in sorted(range(len(members)), key=worth)]


def _by_feed(window: Window, members: Sequence[int]) -> list[list[int]]:
    """A group with its lead first; articles of a feed already in it stand alone unless they are close."""
    lead, *rest = by_suitability(window, members)
    feeds = {window.articles[lead].feed_url}
    kept: set[int] = set()
    alone: list[list[int]] = []
    for likeness, number in sorted((-round(window.like(lead, number), 5), number) for number in rest):
        feed = window.articles[number].feed_url
        if feed in feeds and -likeness < SAME_FEED:
            alone.append([number])
        else:
            kept.add(number)
            feeds.add(feed)
    return [[lead, *(number for number in rest if number in kept)], *alone]


def _most_news_first(window: Window, members: Sequence[int], news: News) -> list[int]:
    """An update is led by the one that says most that is new."""
    return sorted(by_suitability(window, members), key=lambda number: round(news.known[number], 1))


def _telling(
    window: Window, key: str, members: Sequence[int], copied: Mapping[int, set[str]], now: datetime
) -> Telling:
    voices: dict[str, float] = {}
    for number in members:
        feed = window.articles[number].feed_url
        voices[feed] = rank.voice(window.weight(feed), window.volume[feed])
    for number in members:
        for feed in copied.get(number, set()) - voices.keys():
            voices[feed] = rank.voice(window.weight(feed), window.volume[feed], copy=True)
    voices = dict(sorted(voices.items()))
    terms = _rank(window, members[0], voices, now)
    return Telling(key=key, members=tuple(members), terms=terms, voices=voices)


def _rank(window: Window, lead: int, voices: Mapping[str, float], now: datetime) -> dict[str, float]:
    return rank.terms_of(
        window.articles[lead],
        voices=voices,
        centrality=window.centrality[lead],
        interests=window.newsletter.interests,
        weights=window.newsletter.interest_weights,
        told=1.0 if window.follows_up[lead] else 0.0,
        now=now,
    )


def _key(articles: Sequence[Article], taken: Container[str]) -> str:
    """Stays the same while the story grows: made of the article that we saw first. A feed may use an id again
    for another entry: its story does not get the key of the one that is told on."""
    first = min(articles, key=lambda article: (article.received_at, article.id))
    name = f"{first.feed_url} {first.guid}"
    while (key := hashlib.blake2b(name.encode(errors="replace"), digest_size=8).hexdigest()) in taken:
        name += " again"
    return key


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
