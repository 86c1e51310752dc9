"""What a newsletter has told already: by article, by address, and by text."""

from __future__ import annotations

from collections.abc import Sequence

from digest.model import Article, Story
from digest.summarizer.fingerprint import page_address, shingles
from digest.summarizer.terms import words

SAME_TEXT = 0.6  # share of a told summary's shingles that makes an article the same text
_LEAST = 8  # shingles that say anything


class Memory:
    """Stories told before, ready to be asked about one article after the other."""

    def __init__(self, told: Sequence[Story]) -> None:
        self._articles: dict[int, str] = {}
        self._addresses: dict[str, str] = {}
        self._texts: list[tuple[frozenset[int], str]] = []
        for story in told:
            for source in (story.lead, *story.also):
                self._articles.setdefault(source.article_id, story.title)
                if address := page_address(source.url):
                    self._addresses.setdefault(address, story.title)
            found = frozenset(shingles(words(" ".join(story.summary))))
            if len(found) >= _LEAST:
                self._texts.append((found, story.title))

    def knows(self, article: Article) -> str:
        """How we told it already, in words; empty when we did not."""
        if article.id in self._articles:
            return f"Already told as “{self._articles[article.id]}”: the same article."
        address = page_address(article.url)
        if address in self._addresses:
            return f"Already told as “{self._addresses[address]}”: the same address."
        own = frozenset(article.fingerprint.shingles)
        for found, title in self._texts:
            share = len(found & own) / len(found)
            if share >= SAME_TEXT:
                return f"Already told as “{title}”: {share:.0%} of what we told of it stands in this text."
        return ""
