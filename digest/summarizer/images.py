"""The picture of an article: the one that its feed names, its page's own, or the first real one in its text.

A picture is judged by what is said of it (addresses, sizes, class names); nothing is fetched. What counts
readers, sells something, or stands on every page of a site is none.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from urllib.parse import parse_qs, urljoin, urlsplit

from lxml.html import HtmlElement

from digest import html
from digest.model import Article, Entry, Story

SMALLEST = 100  # pixels; what says it is smaller is an icon or a counter
WIDE_ENOUGH = 600  # pixels of a column, and what is asked of a set of sizes
WIDEST, TALLEST = 4.0, 3.0  # times the other side: a banner, a skyscraper
REPEATED = 3  # articles of a feed with the same picture: it stands for the feed, not for them
_LONGEST = 2_000  # characters of an address
_LOOKED_AT = 60  # pictures of an article
_ONE_X = 400  # pixels that we take `1x` of a set for


def image_of(entry: Entry, page_image: str = "", feed: str = "") -> str:
    """An absolute http(s) address, or empty.

    page_image: what the article's page names, an absolute address; it comes before what stands in the text.
    feed: where the entry stood; it is no picture, and may hold a key of ours.
    """
    found = _found(entry, page_image)
    return "" if _same(found, feed) and urlsplit(found).query == urlsplit(feed).query else found


def _found(entry: Entry, page_image: str) -> str:
    seen: list[str] = []
    inside = list(_inside(entry, seen))
    named = usable(entry.image, entry.url)
    if named and not any(_same(named, url) for url in seen):  # no mere repetition of the text's first one
        return _secure(named, seen)
    first = inside[0] if inside else ""
    return _secure(usable(page_image, entry.url) or first, seen)


def usable(source: str, base: str) -> str:
    """The absolute address of a picture; empty for none, and for what is none by its address."""
    address = _absolute(source, base)
    if not address:
        return ""
    parts = urlsplit(address)
    if _NO_HOST.search(parts.hostname or "") or _NO_FILE.search(parts.path) or _is_furniture(parts.path):
        return ""
    return "" if _bad_size(*_size_in(parts.path, parts.query)) else address


def placeholders(articles: Iterable[Article], told: Iterable[Story]) -> frozenset[tuple[str, str]]:
    """Feeds with a picture that they give to article after article: (feed, picture)."""
    seen: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for article in articles:
        if article.image:
            seen[article.feed_url, article.image].add(article.id)
    for story in told:
        if story.image:
            seen[story.lead.feed_url, story.image].add(story.lead.article_id)
    return frozenset(key for key, ids in seen.items() if len(ids) >= REPEATED)


# ---------------------------------------------------------------- in the text


def _inside(entry: Entry, seen: list[str]) -> Iterator[str]:
    """The pictures of the content, in their order, without what is none. seen: takes every address."""
    for markup in (entry.html, entry.description):
        tree = html.parse(markup) if "<img" in markup.lower() else None
        for element in islice(tree.iter("img"), _LOOKED_AT) if tree is not None else ():
            sources = list(_sources(element))
            seen.extend(filter(None, (_absolute(source, entry.url) for source in sources)))
            if not _is_small_or_hidden(element):
                yield from islice(filter(None, (usable(source, entry.url) for source in sources)), 1)


def _is_small_or_hidden(element: HtmlElement) -> bool:
    """Whether its markup says that it is an icon, a counter and the like."""
    style = element.get("style") or ""
    width, height = _sizes_of_style(style)
    if _bad_size(_pixels(element.get("width")) or width, _pixels(element.get("height")) or height):
        return True
    names = " ".join(element.get(name) or "" for name in ("class", "id"))
    return bool(_NO_CLASS.search(names) or _HIDDEN.search(style))


def _sources(element: HtmlElement) -> Iterator[str]:
    """Where the picture is, the best first. What a script would put in when the reader scrolls comes before
    what stands there meanwhile."""
    for name in ("data-lazy-srcset", "data-srcset", "srcset"):
        if found := _of_set(element.get(name) or ""):
            yield found
    for name in ("data-lazy-src", "data-src", "data-original", "src"):
        if source := (element.get(name) or "").strip():
            yield source


def _of_set(srcset: str) -> str:
    """The smallest that is wide enough for a column, or the widest: nobody needs 4000 pixels in a letter."""
    sizes: list[tuple[int, str]] = [
        (int(float(number) * (1 if unit == "w" else _ONE_X)), url)
        for url, number, unit in _IN_SET.findall(srcset[:20_000])
    ]
    if not sizes:
        return ""
    enough = [each for each in sizes if each[0] >= WIDE_ENOUGH]
    return (min(enough) if enough else max(sizes))[1]


# ---------------------------------------------------------------- what is no picture

_NO_HOST = re.compile(
    r"(?:^|\.)(?:doubleclick|googlesyndication|googleadservices|google-analytics|googletagmanager|feedburner"
    r"|feedsportal|gravatar|amazon-adsystem|scorecardresearch|quantserve|statcounter|chartbeat|piwik|matomo"
    r"|vgwort|ioam|outbrain|taboola|adnxs|criteo|pubmatic|rubiconproject|facebook|s\.w|emojipedia)\."
    r"|^(?:ads?|adserver|banners?|pixel|stats?|track(?:er|ing)?|beacon|counter|analytics|telemetry|metrics)\d*\.[^.]+\.",
    re.IGNORECASE,
)
_NO_FILE = re.compile(
    r"\.(?:svgz?|ico|mp[34]|m4[av]|ogg|webm|mov|pdf|js|css|swf)$|/(?:twemoji|emoji\w*)/", re.IGNORECASE
)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FILES = _names(
    """
    1x1 ad ads advert author avatar badge banner beacon blank button clear cleardot count counter default dot
    dummy emoji empty facebook favicon feed gravatar hit icon image-not-found instagram linkedin loader
    loading logo missing no-image no-photo noimage open pinterest pixel placeholder profile px rss share
    sharing social spacer sponsor sprite telegram track tracker tracking transparent twitter whatsapp
    """
)
_FOLDERS = _names(
    """
    ads adserver adverts avatar avatars badges banners emoji emojis favicon favicons gravatar icon icons logo
    logos pixel placeholders smileys smilies spacer sprites tracking
    """
)
_ENDING = _names(
    "avatar badge button emoji favicon gravatar icon loader logo placeholder smiley spacer sprite"
)
_SAYS_NOTHING = _names("big black color colour dark footer header large light round site small square white")
_SIZE_IN_NAME = re.compile(r"(?<![0-9A-Za-z])([0-9]{1,4})x([0-9]{1,4})(?![0-9A-Za-z])")
_OF_NAME = re.compile(r"[-_.@\s]+")
_ANY_NUMBER = re.compile(r"[0-9]+(?:x[0-9]*|px|w|h)?", re.IGNORECASE)
_NO_CLASS = re.compile(
    r"(?:^|[\s_-])(?:emoji|smiley|avatar|gravatar|icon|logo|spacer|tracker|tracking|pixel|share|social|sponsor"
    r"|advert|ad)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_OF_STYLE = re.compile(r"(?:^|;|\s)(?:max-)?(width|height)\s*:\s*([0-9]{1,5})(?:\.[0-9]+)?px", re.IGNORECASE)
_IN_SET = re.compile(r"([^\s,][^\s]*)\s+([0-9]{1,5}(?:\.[0-9]{1,3})?)([wx])\s*(?:,|$)")
_OF_WIDTH, _OF_HEIGHT = ("w", "width", "imwidth"), ("h", "height", "imheight")


def _is_furniture(path: str) -> bool:
    """Whether a folder or the file is named as what stands on every page. A long name is of an article:
    `jenson-button-wins-again.jpg`."""
    *folders, file = path.lower().split("/")
    if any(folder in _FOLDERS for folder in folders):
        return True
    stem = re.sub(r"(?:\.[a-z]{2,5})+$", "", file)
    if stem in _FILES:
        return True
    words = [
        word
        for word in _OF_NAME.split(stem)
        if word and not _ANY_NUMBER.fullmatch(word) and word not in _SAYS_NOTHING
    ]
    if len(words) == 1:
        return words[0] in _FILES
    return 1 < len(words) <= 3 and (words[0] in _ENDING or words[-1] in _ENDING)


def _size_in(path: str, query: str) -> tuple[int, int]:
    """The size that an address names: `photo-150x150.jpg`, `?w=1&h=1`."""
    for found in reversed(_SIZE_IN_NAME.findall(path)):
        width, height = int(found[0]), int(found[1])
        if not (max(width, height) <= 21 and (width != height or width <= 4)):  # 16x9, 1x1: how it was cut
            return width, height
    asked = parse_qs(query[:_LONGEST], max_num_fields=50) if query.count("&") < 50 else {}

    def pixels(names: Sequence[str]) -> int:
        return next((_pixels(asked[name][0]) for name in names if name in asked), 0)

    return pixels(_OF_WIDTH), pixels(_OF_HEIGHT)


def _bad_size(width: int, height: int) -> bool:
    if 0 < width < SMALLEST or 0 < height < SMALLEST:
        return True
    return bool(width and height) and (width > WIDEST * height or height > TALLEST * width)


def _pixels(text: str | None) -> int:
    digits = (text or "").strip().lower().removesuffix("px").partition(".")[0]
    return max(1, int(digits[:6])) if digits.isascii() and digits.isdecimal() else 0


def _sizes_of_style(style: str) -> tuple[int, int]:
    found = Counter({name.lower(): _pixels(number) for name, number in _OF_STYLE.findall(style[:2_000])})
    return found["width"], found["height"]


# ---------------------------------------------------------------- addresses


def _absolute(source: str, base: str) -> str:
    source = html.plain(source).replace(" ", "%20")
    if not source or len(source) > _LONGEST:
        return ""
    try:
        address = urljoin(base, source)
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and host else ""


def _same(one: str, other: str) -> bool:
    """Whether two addresses are of one file, whatever scheme and size they ask for."""
    a, b = urlsplit(one), urlsplit(other)
    return (a.hostname, a.path) == (b.hostname, b.path)


def _secure(url: str, others: Iterable[str]) -> str:
    """The same address by https, if that is given too."""
    safe = f"https://{url.removeprefix('http://')}"
    return safe if url.startswith("http://") and safe in others else url
