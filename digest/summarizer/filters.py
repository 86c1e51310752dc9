"""Which articles a newsletter wants at all: its filters and those of its feeds, asked before anything else.

A filter that excludes wins over one that includes. A pattern that takes too long counts as not found, and
what becomes of the article says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from digest.matching import fold, pieces, stands
from digest.model import Article, Filter, Follow, Newsletter
from digest.patterns import Search
from digest.summarizer.language import normalized

LOOKED_AT = 50_000  # characters of a text
SECONDS = 2.0  # for all patterns of a newsletter and all articles of a window
_NAMED = 3  # filters that a reason repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """reason: why it stays out; empty when it may go in. note: what could not be found out."""

    reason: str = ""
    note: str = ""


class Filters:
    """Made once for a draft. The time that patterns take is counted over all articles."""

    def __init__(self, newsletter: Newsletter, *, seconds: float = SECONDS) -> None:
        lists = [newsletter.include, newsletter.exclude]
        for follow in newsletter.follows:
            lists += [follow.include, follow.exclude]
        different = dict.fromkeys(each for given in lists for each in given)
        patterns = dict.fromkeys(each.regex for each in different if each.regex)
        share = seconds / max(1, len(patterns))
        searches = {pattern: Search(pattern, seconds=share) for pattern in patterns}
        self._rules = {each: _Rule(each, searches.get(each.regex)) for each in different}
        self._newsletter = newsletter

    def sift(self, article: Article, follow: Follow) -> Sifted:
        """Whether this article may go in. follow: how the newsletter follows its feed."""
        if not self._rules:
            return Sifted()
        facts = _Facts(article, follow.title or article.feed_title)
        slow: list[Filter] = []
        newsletter = self._newsletter
        levels = (
            (follow.include, follow.exclude, "{} of its feed"),
            (newsletter.include, newsletter.exclude, "stories.{}"),
        )
        for _, exclude, where in levels:
            if found := self._first(exclude, facts, slow):
                place = where.format("exclude")
                return Sifted(reason=f"Kept out by the filter {spelled(found)} ({place}).{_note(slow)}")
        for include, _, where in levels:
            if include and not self._first(include, facts, slow):
                place, named = where.format("include"), ", ".join(map(spelled, include[:_NAMED]))
                more = f" and {len(include) - _NAMED} more" if len(include) > _NAMED else ""
                return Sifted(
                    reason=f"Matches no filter that lets articles in ({place}): {named}{more}.{_note(slow)}"
                )
        return Sifted(note=_note(slow).strip())

    def _first(self, given: Sequence[Filter], facts: _Facts, slow: list[Filter]) -> Filter | None:
        for each in given:
            matches = self._rules[each].matches(facts)
            if matches:
                return each
            if matches is None and each not in slow:
                slow.append(each)
        return None


def spelled(given: Filter) -> str:
    """The filter as the config has it: “ferry”, or `{regex: fer+y, where: title}`."""
    parts: Mapping[str, str] = {
        "words": given.words,
        "regex": given.regex,
        "category": given.category,
        "author": given.author,
        "language": given.language,
        "feed": given.feed,
        "where": given.where if given.where != "any" else "",
    }
    said = {name: value for name, value in parts.items() if value}
    if said.keys() <= {"words"}:
        return f"“{given.words}”"
    return "{" + ", ".join(f"{name}: {value}" for name, value in said.items()) + "}"


def _note(slow: Sequence[Filter]) -> str:
    if not slow:
        return ""
    return f" The pattern of {' and '.join(map(spelled, slow))} took too long on it and was not counted."


class _Facts:
    """What filters look at, made when it is first asked for."""

    def __init__(self, article: Article, feed_title: str) -> None:
        self.article = article
        self.feed_title = feed_title

    @cached_property
    def title(self) -> str:
        return fold(self.article.title)

    @cached_property
    def text(self) -> str:
        return fold(self.article.text[:LOOKED_AT])

    @cached_property
    def categories(self) -> tuple[str, ...]:
        return tuple(map(fold, self.article.categories))

    @cached_property
    def authors(self) -> tuple[str, ...]:
        return tuple(map(fold, self.article.authors))

    def folded(self, where: str) -> Iterable[str]:
        if where != "text":
            yield self.title
        if where != "title":
            yield self.text
        if where == "any":
            yield from self.categories
            yield from self.authors

    def written(self, where: str) -> Iterable[str]:
        article = self.article
        if where != "text":
            yield article.title
        if where != "title":
            yield article.text
        if where == "any":
            yield from article.categories
            yield from article.authors


class _Rule:
    """One filter, ready."""

    def __init__(self, given: Filter, search: Search | None) -> None:
        self._given = given
        self._search = search
        self._words = pieces(given.words)
        self._category = pieces(given.category)
        self._author = pieces(given.author)
        self._feed = fold(given.feed)
        asked = [(given.words, self._words), (given.category, self._category), (given.author, self._author)]
        empty = given == Filter(where=given.where)
        self._never = empty or any(said and not found for said, found in asked)

    def matches(self, facts: _Facts) -> bool | None:
        """None: its pattern took too long to tell, and everything else that it asks for holds."""
        given, article = self._given, facts.article
        if self._never:
            return False
        if given.language and normalized(given.language) != normalized(article.language):
            return False
        if given.feed and given.feed != article.feed_url and self._feed != fold(facts.feed_title):
            return False
        if self._category and not _all_in_one(self._category, facts.categories):
            return False
        if self._author and not _all_in_one(self._author, facts.authors):
            return False
        if not all(any(stands(piece, text) for text in facts.folded(given.where)) for piece in self._words):
            return False
        return self._search.stands_in(facts.written(given.where)) if self._search else True


def _all_in_one(words: Sequence[str], texts: Sequence[str]) -> bool:
    return any(all(stands(piece, text) for piece in words) for text in texts)
