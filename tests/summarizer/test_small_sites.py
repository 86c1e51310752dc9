"""The typical page of a small news site, in many themes and nine languages, as a page and in a feed.

Exactly its article comes out, with the sentences that only sound like furniture, and nothing else.
"""

from __future__ import annotations

import pytest
from site_themes import FEEDS, LANGUAGES, PAGES, feed, page, words
from window_samples import unread

from digest.model import Entry
from digest.summarizer import read_entry
from digest.summarizer.extract import extract, extract_page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", PAGES)
def test_of_a_page_only_its_article_is_read(theme: str, language: str) -> None:
    found = extract_page(page(theme, language), "https://a.example/story/1")
    assert found.split("\n") == words(language)["article"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", FEEDS)
def test_of_what_a_feed_carries_only_the_article_is_read(theme: str, language: str) -> None:
    said = words(language)
    entry = Entry(
        guid="1", url="https://a.example/story/1", title=said["title"][0], html=feed(theme, language)
    )
    assert extract(entry).text.split("\n") == said["article"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_summary_is_made_of_the_sentences_of_the_article(language: str) -> None:
    said = words(language)
    appeal = said["feed"][3]
    found = read_entry(unread(title=said["title"][0], html=feed("newsletter", language), description=appeal))
    whole = " ".join(said["article"])
    assert found.language == language
    assert found.summary
    for sentence in found.summary:
        assert sentence.text in whole
        assert found.text[sentence.start : sentence.end] == sentence.text


def test_furniture_stands_on_the_pages_of_these_tests() -> None:
    for language in LANGUAGES:
        said, pages = words(language), [page(theme, language) for theme in PAGES]
        for phrase in (said["commenting"][0], said["footer"][3], said["related"][0], said["newsletter"][0]):
            assert sum(phrase in each for each in pages) >= 3, phrase
        assert said["feed"][0] in feed("wordpress", language)
        assert len(PAGES) + len(FEEDS) > 20
