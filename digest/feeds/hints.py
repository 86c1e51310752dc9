"""What a web page tells about the feeds of its site: those it names, what it is made with, its links. Pure.

Pages are strangers' work: this runs in a worker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from lxml.html import Element, HtmlElement

from digest import html
from digest.feeds import markup
from digest.feeds.programs import forgejo, gitlab
from digest.feeds.web_address import WebAddress

MOST_LINKS = 12
_SURE = frozenset(("application/rss+xml", "application/atom+xml", "application/feed+json"))
_MAYBE = frozenset(
    (
        "application/json",
        "application/xml",
        "text/xml",
        "application/rdf+xml",
        "application/x-rss+xml",
        "text/rss",
    )
)
_LIKE_A_FEED = re.compile(
    r"(?:^|[/._-])(?:feeds?|rss2?|atom|rdf)(?:[._-]?(?:xml|json|php|rss|atom))?/?$|\.(?:rss|atom|rdf)$"
    r"|/index\.xml$|\.xml$",
    re.IGNORECASE,
)
_ASKS_FOR_A_FEED = re.compile(r"(?:^|&)(?:feed|format|type|alt)=(?:rss2?|atom|feed)", re.IGNORECASE)
_NO_FEED = re.compile(
    r"sitemap|opml|/wp-json/|oembed|opensearch|/xmlrpc|\.xsl|foaf|/wlwmanifest", re.IGNORECASE
)
_COMMENTS = re.compile(
    r"/comments?(?:/|[._-]?feed|\.(?:xml|rss|atom)|$)|[?&]feed=comments|/feeds/(?:\w+/)?comments/|/posts\.rss$"
)
_COMMENTS_TITLE = re.compile(
    r"^(?:comments|responses|replies) (?:on|for|to|from)\b|\bcomments? feed$|^kommentare (?:zu|für)\b"
    r"|^commentaires (?:sur|pour)\b|^comentarios? (?:en|sobre|para)\b|^commenti (?:a|su|per)\b",
    re.IGNORECASE,
)


def is_comments(url: str, title: str = "") -> bool:
    """Whether this is a feed of what readers say, which few mean when they ask for the feed of a site."""
    return bool(_COMMENTS.search(url.lower()) or _COMMENTS_TITLE.search(title.strip()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """Addresses of what may be feeds, each list in its order.

    named: by the page itself, with the title it gives. program: where what made the page keeps them.
    linked: links that look like feeds. elsewhere: where the page sends its visitors on to.
    """

    named: tuple[tuple[str, str], ...] = ()
    program: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    elsewhere: str = ""


def read(page: str, url: str) -> Hints:
    """What this page tells. url: its own address."""
    found = html.parse(page)
    tree = Element("html") if found is None else found  # scripts alone are no tree, and may tell enough
    first = next((each.get("href") for each in tree.iter("base") if each.get("href")), "")
    base = markup.absolute(url, str(first)) or url
    named: dict[str, str] = {}
    for place, title in _named(tree, base):
        named.setdefault(place, title)
    return Hints(
        named=tuple(named.items()),
        program=tuple(dict.fromkeys(_by_program(tree, page, url))),
        linked=tuple(dict.fromkeys(_linked(tree, base)))[:MOST_LINKS],
        elsewhere=_elsewhere(tree, base),
    )


# ---------------------------------------------------------------- named and linked


def _named(tree: HtmlElement, base: str) -> Iterator[tuple[str, str]]:
    """(address, title) of what the page calls its feeds; those of a type that is always a feed come first."""
    unsure = []
    for link in tree.iter("link", "a"):
        kind = (link.get("type") or "").partition(";")[0].strip().lower()
        rels = (link.get("rel") or "").lower().split()
        place = markup.absolute(base, link.get("href") or "")
        if not place or _NO_FEED.search(urlsplit(place).path):
            continue
        found = (place, html.plain(link.get("title") or ""))
        if kind in _SURE and (not rels or {"alternate", "feed"} & set(rels)):
            yield found
        elif "feed" in rels or ("alternate" in rels and (kind in _MAYBE or (not kind and _looks_so(place)))):
            unsure.append(found)
    yield from unsure


def _linked(tree: HtmlElement, base: str) -> Iterator[str]:
    for link in tree.iter("a"):
        place = markup.absolute(base, link.get("href") or "")
        if place and _looks_so(place):
            yield place


def _looks_so(place: str) -> bool:
    parts = urlsplit(place)
    if _NO_FEED.search(parts.path):
        return False
    return bool(
        _LIKE_A_FEED.search(parts.path)
        or _ASKS_FOR_A_FEED.search(parts.query)
        or "feedburner.com" in parts.netloc
    )


def _elsewhere(tree: HtmlElement, base: str) -> str:
    """Where `<meta http-equiv="refresh">` leads: the whole content of many a site's first page."""
    for meta in tree.iter("meta"):
        if (meta.get("http-equiv") or "").strip().lower() == "refresh":
            found = re.search(r"url\s*=\s*['\"]?([^'\"]+)", meta.get("content") or "", re.IGNORECASE)
            return markup.absolute(base, found[1]) if found else ""
    return ""


# ---------------------------------------------------------------- by program

# What `<meta name="generator">` begins with, and where such a site keeps its feed.
_BY_GENERATOR = (
    ("ghost", "/rss/"),
    ("blogger", "/feeds/posts/default"),
    ("discourse", "/latest.rss"),
    ("drupal", "/rss.xml"),
    ("wix", "/blog-feed.xml"),
    ("joomla", "/?format=feed&type=rss"),
    ("typo3", "/rss.xml"),
    ("mediawiki", "/index.php?title=Special:RecentChanges&feed=atom"),
    ("mediawiki", "/w/index.php?title=Special:RecentChanges&feed=atom"),
    ("writefreely", "/feed/"),
    ("micro.blog", "/feed.xml"),
    ("peertube", "/feeds/videos.xml"),
    ("lemmy", "/feeds/local.xml"),
)
_WORDPRESS_API = re.compile(r"""https?:[^\s"'<>]+$""")
_CHANNEL = re.compile(r'"externalId"\s*:\s*"(UC[\w-]{22})"')
_CHANNEL_OF_VIDEO = re.compile(r'"channelId"\s*:\s*"(UC[\w-]{22})"')
_CHANNEL_PAGE = re.compile(r"/channel/(UC[\w-]{22})")
_OWN_CHANNEL = ("channelId", "identifier")  # of schema.org, in itemprop
_SOUNDCLOUD = re.compile(r"soundcloud://users:(\d{1,20})|soundcloud:users:(\d{1,20})")
_FEED_URL = re.compile(r'"feedUrl"\s*:\s*"(https?:[^"\s]{1,1000})"')


def feed_url(text: str) -> list[str]:
    """What a document of Apple's directory of podcasts says their feed is."""
    return [found.replace("\\/", "/").replace("\\u0026", "&") for found in _FEED_URL.findall(text)][:3]


def _by_program(tree: HtmlElement, page: str, url: str) -> Iterator[str]:
    at = WebAddress.of(url)
    if at is None:
        return
    host = at.host.removeprefix("www.")
    if host.endswith(("youtube.com", "youtu.be")):
        yield from (f"{at.place('/feeds/videos.xml')}?channel_id={name}" for name in _channels(tree, page))
    elif host.endswith("soundcloud.com"):
        for found in _SOUNDCLOUD.finditer(page):
            number = found[1] or found[2]
            yield at.place(f"/users/soundcloud:users:{number}/sounds.rss", host="feeds.soundcloud.com")
            break
    elif host.endswith(("podcasts.apple.com", "itunes.apple.com")):
        yield from feed_url(page)
    metas = {
        (meta.get("name") or meta.get("property") or "").lower(): (meta.get("content") or "").lower()
        for meta in tree.iter("meta")
    }
    generator = metas.get("generator", "").strip()
    if generator.startswith("wordpress") or "/wp-content/" in page or "/wp-json/" in page:
        yield from _wordpress(at, page)
    if generator.startswith("ghost") and at.path[:1] in (("tag",), ("author",)):
        yield at.place("/".join(("", *at.path[:2], "rss", "")))
    yield from (at.place(path) for name, path in _BY_GENERATOR if generator.startswith(name))
    if "substackcdn.com" in page or "com.medium.reader" in page:
        yield at.place("/feed")
    if metas.get("og:platform") == "peertube":
        yield at.place("/feeds/videos.xml")
    if metas.get("og:site_name") == "gitlab":
        yield from gitlab(at)
    if "gitea" in metas.get("keywords", "") or "forgejo" in metas.get("keywords", ""):
        yield from forgejo(at)
    if generator.startswith("squarespace") or "static1.squarespace.com" in page:
        yield at.place("/" + "/".join(at.path) + "?format=rss")


def _wordpress(at: WebAddress, page: str) -> Iterator[str]:
    """A blog may lie in a folder of its site: its API tells which."""
    if at.path[-2:-1] and at.path[-2] in ("category", "tag", "author"):
        yield at.place("/".join(("", *at.path, "feed", "")))
    end = page.find("/wp-json/")
    api = _WORDPRESS_API.search(page[max(0, end - 300) : end]) if end > 0 else None
    own = WebAddress.of(api[0]) if api else None
    folder = "/".join(("", *own.path)) if own is not None and own.host == at.host else ""
    yield at.place(f"{folder}/feed/")
    yield at.place(f"{folder}/?feed=rss2")


def _channels(tree: HtmlElement, page: str) -> Iterator[str]:
    """The channel that this page is about. Pages name others, too: what is surest comes first, and alone."""
    canonical = [link.get("href") or "" for link in tree.iter("link") if link.get("rel") == "canonical"]
    own = [
        f"/channel/{meta.get('content')}"
        for meta in tree.iter("meta")
        if meta.get("itemprop") in _OWN_CHANNEL
    ]
    found = next(filter(None, map(_CHANNEL_PAGE.search, (*canonical, *own))), None)
    if found := found or _CHANNEL.search(page) or _CHANNEL_OF_VIDEO.search(page):
        yield found[1]


# ---------------------------------------------------------------- the usual places

_NEAR = ("feed/", "rss.xml", "atom.xml", "feed.xml", "index.xml", "feed.json", "rss", "feed.atom")
_FAR = ("feed", "rss/", "feeds/", "index.rss", "rss2.xml", "blog/feed/", "blog/index.xml", "news/feed/")


def usual_places(url: str) -> tuple[list[str], list[str]]:
    """Where feeds often lie, near the page first; and where they sometimes lie."""
    root = urljoin(url, "/")
    near = [urljoin(base, place) for base in (urljoin(url, "."), root) for place in _NEAR]
    far = [urljoin(root, place) for place in _FAR]
    path = urlsplit(url).path
    if path.strip("/") and "." not in path.rpartition("/")[2]:  # a section, or a post with a feed of comments
        far += [urljoin(root, f"{path.rstrip('/')}/{place}") for place in ("feed/", "index.xml", "rss/")]
    return list(dict.fromkeys(near)), [place for place in dict.fromkeys(far) if place not in near]
