"""Feeds as they are found in the world, seeded: every run writes the same files.

70 % RSS 2.0 with content:encoded, 20 % Atom, 5 % RSS 1.0, and 5 % RSS 2.0 with a defect that XML does not
forgive and people do. 5 to 150 KB, half of them below 40 KB, 10 to 50 entries.
"""

from __future__ import annotations

import gzip
import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path

SEED = 7
KILOBYTE = 1000
SMALLEST, MEDIAN, LARGEST = 5 * KILOBYTE, 44 * KILOBYTE, 140 * KILOBYTE  # aimed at; whole pieces round it
LATEST = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
HEAD, ENTRY, SHORT_ENTRY, PIECE = 900, 1000, 500, 180  # bytes: about what the tags take, half a paragraph
DEFECTS = 4
SYLLABLES = (
    "ba be bo bri ca ce cho da de del do el en er fa fe for ga ge ha he hu in ka ki la le li lo ma me mi mo "
    "na ne no ó or pa pe per po qua ra re ri ro sa se si so sta ta te ti to tra ü un va ve vi é za"
)
NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:atom="http://www.w3.org/2005/Atom" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    'xmlns:slash="http://purl.org/rss/1.0/modules/slash/" xmlns:media="http://search.yahoo.com/mrss/"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFile:
    """One file. sound: it is well-formed XML, so that every program must read all of it."""

    name: str
    size: int
    entries: int
    sound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    site: str
    number: int
    title: str
    author: str
    tags: tuple[str, ...]
    published: datetime
    excerpt: str
    content: str

    @property
    def link(self) -> str:
        return f"{self.site}/{self.published:%Y/%m/%d}/{self.number}/?utm_source=rss&utm_medium=feed"


def write_feeds(folder: Path, count: int) -> tuple[FeedFile, ...]:
    """Write them, each also packed, as servers keep them."""
    words = _Words(random.Random(SEED))  # noqa: S311 - no secret: the same every time
    made = []
    for number in range(count):
        text, entries, sound = _feed(number, words)
        name = f"{number:05}.xml"
        (folder / name).write_bytes(text)
        (folder / f"{name}.gz").write_bytes(gzip.compress(text, 6, mtime=0))
        made.append(FeedFile(name=name, size=len(text), entries=entries, sound=sound))
    return tuple(made)


def described(files: Sequence[FeedFile]) -> str:
    sizes = [file.size / KILOBYTE for file in files]
    return (
        f"{len(files):,} feeds of {min(sizes):.0f} to {max(sizes):.0f} KB "
        f"(median {statistics.median(sizes):.0f}), "
        f"{sum(file.entries for file in files):,} entries, "
        f"{sum(not file.sound for file in files)} feeds not well formed"
    )


# ---------------------------------------------------------------- words


class _Words:
    """Paragraphs to choose from; making each anew would take longer than the measurement."""

    def __init__(self, chance: random.Random) -> None:
        syllables = SYLLABLES.split()
        self._words = ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(4000)]
        weights = [1 / (rank + 10) for rank in range(len(self._words))]
        self.plain = [
            " ".join(chance.choices(self._words, weights, k=chance.randint(15, 70))).capitalize() + "."
            for _ in range(3000)
        ]

    def some(self, chance: random.Random, count: int) -> str:
        return " ".join(chance.choices(self._words, k=count)).capitalize()

    def html(self, chance: random.Random, site: str, length: int) -> str:
        """About so many characters of what an editor's machine writes."""
        parts: list[str] = []
        left = length
        while left > 0 or not parts:
            parts.append(self._piece(chance, site))
            left -= len(parts[-1])
        return "\n".join(parts)

    def _piece(self, chance: random.Random, site: str) -> str:
        text = chance.choice(self.plain)
        kind, key = chance.random(), chance.randrange(10**6)
        if kind < 0.45:
            return f"<p>{text}</p>"
        if kind < 0.75:
            cut = text.find(" ", len(text) // 2)
            linked = f'<a href="{site}/about/{key}" rel="noopener">{self.some(chance, 3)}</a>'
            return f"<p>{text[:cut]} {linked} &#8217;<em>{text[cut:]}</em>&nbsp;&hellip;</p>"
        if kind < 0.9:
            src = f"/wp-content/uploads/{key}"
            return (
                f'<figure class="wp-block-image size-large"><img decoding="async" width="1024" height="683" '
                f'src="{site}{src}-1024x683.jpg" '
                f'srcset="{site}{src}-300x200.jpg 300w, {site}{src}.jpg 1600w" '
                f'alt="{self.some(chance, 4)}"/><figcaption>{self.some(chance, 8)}</figcaption></figure>'
            )
        if kind < 0.96:
            listed = f"<ul><li>{self.some(chance, 6)}</li><li>{self.some(chance, 5)}</li></ul>"
            return f"{listed}<blockquote>{text}</blockquote>"
        return (
            f'<div class="share" style="clear:both" onclick="go({key})"><script>track({key});</script>'
            f'<iframe src="https://video.example/embed/{key}" width="560" height="315"></iframe>'
            f'<img src="https://count.example/pixel?{key}" width="1" height="1" alt=""/></div>'
        )


# ---------------------------------------------------------------- feeds


def _feed(number: int, words: _Words) -> tuple[bytes, int, bool]:
    chance = random.Random(f"{SEED}/{number}")  # noqa: S311
    target = min(max(chance.lognormvariate(math.log(MEDIAN), 0.7), SMALLEST), LARGEST) - HEAD
    count = chance.randint(10, min(50, max(10, int(target / 1100))))
    site = f"https://site{number}.example"
    entry = target / count
    items = [_item(chance, words, site, index, entry) for index in range(count)]
    title = escape(words.some(chance, 3))
    turn = number % 20
    if turn == 1:
        return _broken(_rss(title, site, items, chance), number // 20), count, False
    write: Callable[..., str] = _rss
    if turn == 0:
        write = _rdf
    elif turn <= 5:
        write = _atom
    return write(title, site, items, chance).encode(), count, True


def _item(chance: random.Random, words: _Words, site: str, index: int, size: float) -> _Item:
    short = size < ENTRY
    room = max(size - (SHORT_ENTRY if short else ENTRY), 50)
    excerpt = chance.choice(words.plain)[: int(room if short else min(room / 3, 280))]
    hours = index * chance.uniform(5, 30)
    return _Item(
        site=site,
        number=10_000 - index,
        title=words.some(chance, chance.randint(4, 11)),
        author=words.some(chance, 2).title(),
        tags=tuple(words.some(chance, 1) for _ in range(chance.randint(1, 4))),
        published=LATEST - timedelta(hours=hours),
        excerpt=excerpt,
        content="" if short else words.html(chance, site, int(room - len(excerpt)) - PIECE),
    )


def _rss(title: str, site: str, items: Sequence[_Item], chance: random.Random) -> str:
    escaped = chance.random() < 0.2
    body = "".join(_rss_item(item, escaped) for item in items)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" {NAMESPACES}>\n<channel>\n'
        f'<title>{title}</title>\n<atom:link href="{site}/feed/" rel="self" type="application/rss+xml" />\n'
        f"<link>{site}/</link>\n<description>{title}, every day</description>\n<language>en-GB</language>\n"
        f"<lastBuildDate>{format_datetime(LATEST)}</lastBuildDate>\n<sy:updatePeriod>hourly</sy:updatePeriod>\n"
        f"<sy:updateFrequency>1</sy:updateFrequency>\n<generator>https://wordpress.org/?v=6.8</generator>\n"
        f"{body}</channel>\n</rss>\n"
    )


def _rss_item(item: _Item, escaped: bool) -> str:
    content = escape(item.content, quote=False) if escaped else f"<![CDATA[{item.content}]]>"
    more = (
        f"<content:encoded>{content}</content:encoded>\n<slash:comments>{item.number % 9}</slash:comments>\n"
        f"<comments>{escape(item.link)}#respond</comments>\n"
        f'<media:thumbnail url="{item.site}/thumbs/{item.number}.jpg" />\n'
    )
    tags = "".join(f"<category><![CDATA[{tag}]]></category>" for tag in item.tags)
    return (
        f"<item>\n<title>{escape(item.title)}</title>\n<link>{escape(item.link)}</link>\n"
        f"<dc:creator><![CDATA[{item.author}]]></dc:creator>\n"
        f"<pubDate>{format_datetime(item.published)}</pubDate>\n{tags}\n"
        f'<guid isPermaLink="false">{item.site}/?p={item.number}</guid>\n'
        f"<description><![CDATA[<p>{item.excerpt} [&#8230;]</p>]]></description>\n"
        f"{more if item.content else ''}</item>\n"
    )


def _atom(title: str, site: str, items: Sequence[_Item], chance: random.Random) -> str:
    host = site.removeprefix("https://")
    body = "".join(
        f"<entry>\n<id>tag:{host},2026:{item.number}</id>\n<title>{escape(item.title)}</title>\n"
        f'<link rel="alternate" type="text/html" href="{escape(item.link)}"/>\n'
        f"<published>{item.published.isoformat()}</published>\n<updated>{item.published.isoformat()}</updated>\n"
        f"<author><name>{item.author}</name><uri>{site}/people/</uri></author>\n"
        + "".join(f'<category term="{tag}"/>' for tag in item.tags)
        + f'<summary type="html">{escape(item.excerpt)}</summary>\n'
        f'<content type="html" xml:base="{site}/">{escape(item.content, quote=False)}</content>\n</entry>\n'
        for item in items
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">\n'
        f"<id>tag:{host},2026:feed</id>\n<title>{title}</title>\n<updated>{LATEST.isoformat()}</updated>\n"
        f'<link rel="self" href="{site}/feed.atom"/>\n<link href="{site}/"/>\n{body}</feed>\n'
    )


def _rdf(title: str, site: str, items: Sequence[_Item], chance: random.Random) -> str:
    listed = "".join(f'<rdf:li rdf:resource="{escape(item.link)}"/>' for item in items)
    body = "".join(
        f'<item rdf:about="{escape(item.link)}">\n<title>{escape(item.title)}</title>\n'
        f"<link>{escape(item.link)}</link>\n<description>{escape(item.excerpt)}</description>\n"
        f"<dc:creator>{item.author}</dc:creator>\n<dc:date>{item.published.isoformat()}</dc:date>\n"
        f"<dc:subject>{item.tags[0]}</dc:subject>\n"
        f"<content:encoded><![CDATA[{item.content}]]></content:encoded>\n</item>\n"
        for item in items
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF xmlns="http://purl.org/rss/1.0/" '
        f'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" {NAMESPACES}>\n'
        f'<channel rdf:about="{site}/"><title>{title}</title><link>{site}/</link>'
        f"<description>{title}</description><items><rdf:Seq>{listed}</rdf:Seq></items></channel>\n{body}</rdf:RDF>\n"
    )


def _broken(text: str, which: int) -> bytes:
    """One of the defects that are met most: all are fatal to a parser that goes by the book."""
    middle = text.find("<item>", len(text) // 2)
    if middle < 0:
        middle = text.find("<item>")
    before, after = text[:middle], text[middle:]
    kind = which % DEFECTS
    if kind == 0:  # an entity of HTML that XML has not heard of
        return (before + after.replace("</title>", "&nbsp;&ndash; news</title>", 1)).encode()
    if kind == 1:  # a control character, pasted from a word processor
        return (before + after.replace("</title>", "\x0b</title>", 1)).encode()
    if kind == 2:  # Latin-1 in a document that says it is UTF-8
        head, found, tail = (before + after).encode().partition(b"<description><![CDATA[<p>")
        return head + found + b"Caf\xe9 " + tail
    return (before + after.replace("</title>", " R&D</title>", 1)).encode()  # a bare ampersand
