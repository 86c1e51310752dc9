"""What a newsletter has told already: by article, by address, and by text.

What is only in part a text that was told, and comes while that story is young, is no repeat yet: there may be
something new above it (`threads` looks).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from digest.model import Article, Told
from digest.summarizer.fingerprint import page_address, shingles
from digest.summarizer.numerals import held
from digest.summarizer.stories import COMMON, COPY, COPY_LEAST
from digest.summarizer.terms import words
from digest.summarizer.updates import READ, numbers_above

YOUNG = timedelta(hours=96)  # since it was told last: so long a story may be told on
WHOLE = 0.85  # share of an article's own text that was told, from which it is a repeat whatever the rest says
SAME_TEXT = 0.6  # share of a told summary in an article, when nothing else is left of what was told
_LEAST_GUID = 16  # characters: `17` is an id in many feeds
_LEAST_SHINGLES = 5
_LEAST_TITLE = 5  # words


class Memory:
    """Stories told before, ready to be asked about one article after the other."""

    def __init__(self, told: Sequence[Told], now: datetime) -> None:
        self._titles: list[str] = []
        self._keys: list[str] = []
        self._same: dict[tuple[str, object], str] = {}
        self._pages: dict[str, list[tuple[str, str, str]]] = {}
        last: dict[str, datetime] = {}
        self._texts: list[tuple[int, Article]] = []
        self._summaries: list[tuple[frozenset[int], str]] = []
        for number, each in enumerate(told):
            story = each.story
            self._titles.append(f"Already told as “{story.title}” on {each.date:%Y-%m-%d}")
            self._keys.append(story.key)
            last[story.key] = max(each.composed_at, last.get(story.key, each.composed_at))
            for source in (story.lead, *story.also):
                self._same.setdefault(("article", source.article_id), self._titles[-1])
                page = (source.feed_url, source.title.casefold(), self._titles[-1])
                self._pages.setdefault(page_address(source.url), []).append(page)
            for article in each.articles:
                self._same.setdefault(("id", _guid(article)), self._titles[-1])
                self._same.setdefault(("text", _text(article)), self._titles[-1])
                self._texts.append((number, article))
            if not each.articles:
                found = frozenset(shingles(words(" ".join(story.summary))))
                if len(found) >= COPY_LEAST:
                    self._summaries.append((found, self._titles[-1]))
        self._young = {key for key, moment in last.items() if now - moment <= YOUNG}
        self._holders = _index([article.fingerprint.shingles for _, article in self._texts])

    def knows(self, article: Article) -> str:
        """How we told it already, in words; empty when we did not, or when it may say more than that."""
        for kind, value in (
            ("article", article.id),
            ("id", _guid(article)),
            ("text", _text(article)),
        ):
            if value and (title := self._same.get((kind, value))):
                return f"{title}: the same {kind}."
        if title := self._page(article):
            return f"{title}: the same address."
        text, share = self._copied(article)
        if text is not None:
            number, other = self._texts[text]
            if self._keys[number] not in self._young or (
                share >= WHOLE and not has_other_numbers(article, other)
            ):
                return f"{self._titles[number]}: {share:.0%} of this text stood in what it was told from."
        own = frozenset(article.fingerprint.shingles)
        for found, title in self._summaries:
            share = len(found & own) / len(found)
            if share >= SAME_TEXT:
                return f"{title}: {share:.0%} of what we told of it stands in this text."
        return ""

    def _page(self, article: Article) -> str:
        """How we told what is at its address. A feed that gives one address for different headlines gives its
        front page, which tells nothing."""
        address = page_address(article.url)
        for feed, headline, title in self._pages.get(address, ()) if address else ():
            if feed != article.feed_url or headline == article.title.casefold():
                return title
        return ""

    def kin(self, article: Article) -> str:
        """The key of a young story of whose text it holds much; empty when there is none."""
        text, _ = self._copied(article)
        return "" if text is None else self._keys[self._texts[text][0]]

    def _copied(self, article: Article) -> tuple[int | None, float]:
        """The told text of which it is a near copy, and how much of its own that covers."""
        own = article.fingerprint.shingles
        shared = Counter(text for value in own for text in self._holders.get(value, ()))
        best: tuple[int | None, float] = None, 0.0
        for text, count in sorted(shared.items()):
            smaller = min(len(own), len(self._texts[text][1].fingerprint.shingles))
            if smaller >= COPY_LEAST and count >= COPY * smaller and count / len(own) > best[1]:
                best = text, count / len(own)
        return best


def has_other_numbers(article: Article, other: Article) -> bool:
    """Does it have numbers at its top that a text much like it does not have?"""
    return bool(numbers_above(article, held(f"{other.title}\n{other.text[:READ]}", other.language)))


def _index(texts: Sequence[Sequence[int]]) -> dict[int, list[int]]:
    """For each shingle the texts that hold it; without those that are furniture."""
    holders: dict[int, list[int]] = {}
    for number, each in enumerate(texts):
        for value in each:
            holders.setdefault(value, []).append(number)
    return {value: each for value, each in holders.items() if len(each) <= COMMON}


def _guid(article: Article) -> str:
    return article.guid if len(article.guid) >= _LEAST_GUID else ""


def _text(article: Article) -> str:
    says = len(article.fingerprint.shingles) >= _LEAST_SHINGLES or len(article.title.split()) >= _LEAST_TITLE
    return f"{article.language} {article.fingerprint.text_hash}" if says else ""
