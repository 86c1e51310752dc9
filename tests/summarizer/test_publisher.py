"""Which feeds come from one house."""

from __future__ import annotations

import pytest

from digest.summarizer.publisher import publisher_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://feeds.gazette.example/world.xml", "gazette.example"),
        ("https://www.gazette.example/sport.rss", "gazette.example"),
        ("https://GAZETTE.example:8443/", "gazette.example"),
        ("https://rss.gazette.co.uk/a", "gazette.co.uk"),
        ("https://news.gazette.com.au/a", "gazette.com.au"),
        ("https://co.uk/a", "co.uk"),
        ("https://ann.substack.com/feed", "ann.substack.com"),
        ("https://www.substack.com/feed", "https://www.substack.com/feed"),
        ("https://feeds.feedburner.com/gazette", "https://feeds.feedburner.com/gazette"),
        ("https://www.youtube.com/feeds/videos.xml?channel_id=1", "https://www.youtube.com/feeds/videos.xml?channel_id=1"),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/a"),
        ("http://[::1]/a", "http://[::1]/a"),
        ("http://localhost/a", "http://localhost/a"),
        ("examples/feeds/city.xml", "examples/feeds/city.xml"),
        ("https://[broken", "https://[broken"),
        ("", ""),
    ],
)  # fmt: skip
def test_feeds_of_one_registered_domain_are_one_publisher(url: str, expected: str) -> None:
    assert publisher_of(url) == expected
