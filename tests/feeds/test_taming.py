"""What is taken out of a document for feedparser's sake, and that nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from expected import corpus

from digest.feeds.parse import parse
from digest.feeds.taming import tamed


@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.name)
def test_an_ordinary_document_stays_as_it_is(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "replace")
    assert tamed(text) == text


@pytest.mark.parametrize(
    "tag", ["author", "dc:creator", "managingEditor", "itunes:author", 'a:name x="1"', "NAME"]
)
def test_a_person_of_endless_length_is_cut(tag: str) -> None:
    end = f"</{tag.split()[0]}><title>t</title>"
    assert tamed(f"<{tag}>{'a' * 5_000}{end}") == f"<{tag}>{'a' * 1_000}{end}"
    assert tamed(f"<{tag}><![CDATA[{'<]' * 3_000}]]>{end}") == f"<{tag}><![CDATA[{'<]' * 500}]]>{end}"


def test_a_reference_is_not_cut_in_its_middle() -> None:
    text = "<author>" + "a" * 998 + "&amp;" + "b" * 500 + "</author>"
    assert tamed(text) == "<author>" + "a" * 998 + "</author>"


def test_of_too_many_attributes_the_first_are_kept() -> None:
    many = " ".join(f'a{n}="{n}>"' if n == 3 else f"a{n}='{n}'" for n in range(1_000))
    text = tamed("<item " + many.replace(">", "") + "><title>t</title></item>")
    assert text.startswith("<item a0='0' a1='1' a2='2'")
    assert text.count("=") == 200
    assert text.endswith("><title>t</title></item>")


def test_a_long_tag_with_few_attributes_stays() -> None:
    text = '<img src="data:' + "x" * 50_000 + '">'
    assert tamed(text) == text


def test_of_too_many_entries_the_ends_are_kept() -> None:
    items = [f"<item><title>{n}</title></item>" for n in range(5_000)]
    body = '<rss version="2.0"><channel>' + "".join(items) + "</channel><b>"
    kept = tamed(body)
    assert kept.count("<item>") == 2_000
    assert items[999] + items[4_000] in kept
    assert len(parse(body.encode()).entries) == 1_000


def test_the_newest_of_a_broken_feed_that_tells_the_oldest_first_are_found() -> None:
    def item(number: int) -> str:
        day = f"{number % 28 + 1:02}-{number // 28 % 12 + 1:02}"
        return (
            f"<item><guid>{number}</guid><pubDate>{1990 + number // 336}-{day[3:]}-{day[:2]}</pubDate></item>"
        )

    body = '<rss version="2.0"><channel>' + "".join(map(item, range(4_000))) + "</channel><b>"
    assert [entry.guid for entry in parse(body.encode()).entries] == [str(n) for n in range(3_000, 4_000)]
