"""What feedparser gives, as our values: untyped, with parts missing, and nothing in it is trusted. The quick
reader gives the same. Pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from digest import html
from digest.feeds import markup
from digest.feeds.moments import moment
from digest.model import Entry

MOST_CATEGORIES = 50

_REFERENCE = re.compile(r"&(?:#\w+|[A-Za-z]\w*);")
_WEEKDAY = re.compile(r"[^\d,]{1,20},\s*")  # in a language that feedparser does not know: `So, 01 Nov 2026 …`

# feedparser resolves what is relative, and guids too, against the base we give it. It gets this host, so that
# we can tell what it did: a guid must not change when the feed moves. No feed uses this scheme, so what is
# absolute stays as it was written.
NOWHERE = "wais://base.invalid"
_NOT_THERE = "wais:"
NO_FOLDER = "/.here/"  # where a local file lies, in that world

Said = dict[str, Any]


def nowhere(url: str) -> str:
    parts = urlsplit(url)
    path = (parts.path or "/") if url else NO_FOLDER
    return urlunsplit(("wais", "base.invalid", path, parts.query, ""))


class Reading:
    """Reads what feedparser gives for one document: untyped values, some missing, none trusted."""

    def __init__(self, url: str, feed: Said, version: str, *, clean: bool = False) -> None:
        """clean: the document holds no character that has to be taken out of it."""
        self._nowhere = nowhere(url)
        self._folder = self._nowhere.partition("?")[0].rpartition("/")[0] + "/"
        self._base = self._own = url
        self._clean = clean
        if not url:  # a local file: its links are relative to the site it speaks of
            self._base = markup.absolute("", string(get(feed, "link")))
        self._lines: dict[str, str] = {}
        self._people: dict[str, str] = {}
        self._atom = version.startswith("atom")
        # RFC 4287 4.2.1: an entry without authors has those of its feed. RSS's managingEditor is no author.
        self._authors = tuple(self._names(feed)) if self._atom else ()

    def entry(self, said: Said) -> Entry:
        guid = self._guid(said)
        enclosures = _links(said, "enclosure")
        url = self._url(said, guid, enclosures)
        content, description = self._texts(said, url)
        updated = _date(said, "updated")
        return Entry(
            guid=guid,
            url=url,
            title=self.title(said),
            html=content,
            description=description,
            authors=tuple(dict.fromkeys(self._names(said))) or self._authors,
            categories=self._categories(said),
            language=_language(said),
            image=self._image(said, enclosures)
            or markup.first_image(content or description, url or self._base, self._own),
            published=_date(said, "published") or _date(said, "created") or updated,
            updated=updated,
            enclosure=self.link(href(enclosures[0])) if enclosures else "",
            comments=self.link(get(said, "comments")),
        )

    def title(self, said: Said) -> str:
        text = string(get(said, "title"))
        detail = get(said, "title_detail") or {}
        is_html = detail.get("type") in ("text/html", "application/xhtml+xml")
        # RSS has no types. What is left of references is always meant as such, also `&apos;`, which
        # feedparser takes for plain text: it is no name of HTML 4.
        if not self._atom and "&" in text and "<" not in text:
            is_html = is_html or _REFERENCE.search(text) is not None
        return self._line(text, is_html=is_html)

    def _line(self, text: str, *, is_html: bool) -> str:
        if self._clean and "&" not in text and "<" not in text:  # as most are: nothing to take out or to read
            return " ".join(text[: markup.TITLE_AT_MOST].split())
        return markup.title(text, is_html=is_html)

    def _known_line(self, text: str) -> str:
        """Of a text that is likely to stand there again."""
        line = self._lines.get(text)
        if line is None:
            line = self._lines[text] = self._line(text, is_html=True)
        return line

    def link(self, value: object) -> str:
        text = string(value).strip()
        if not text or text == self._nowhere:  # an empty link became the address of the feed itself
            return ""
        return markup.elsewhere(markup.absolute(self._base, self._real(text)), self._own)

    def _url(self, said: Said, guid: str, enclosures: Sequence[Said]) -> str:
        link = get(said, "link")
        # A guid may stand for a link, but only one that is an address: feedparser made one of every guid.
        if link == get(said, "id") and not guid.startswith(("http://", "https://", "//")):
            link = ""
        # First what its author wrote, before a counter came between.
        url = self.link(get(said, "feedburner_origlink")) or self.link(link)
        if url:
            return url
        others = map(href, (*_links(said, "alternate"), *enclosures))
        return next((url for url in map(self.link, others) if url), "")

    def _guid(self, said: Said) -> str:
        guid = self._plain(string(get(said, "id")))
        if guid.startswith(self._folder):
            return guid.removeprefix(self._folder)
        if guid.startswith(_NOT_THERE):
            return guid.removeprefix(NOWHERE).removeprefix(_NOT_THERE)
        return guid

    def _plain(self, text: str) -> str:
        return " ".join(text.split()) if self._clean else html.plain(text)

    def _real(self, url: str) -> str:
        """The address that was meant, of one that feedparser resolved against nowhere."""
        if not url.startswith(_NOT_THERE):
            return url
        if not url.startswith(NOWHERE):  # `//other.example/x`
            return urljoin(self._base, url.removeprefix(_NOT_THERE))
        return urljoin(self._base, url.removeprefix(NOWHERE).removeprefix(NO_FOLDER) or "/")

    def _texts(self, said: Said, url: str) -> tuple[str, str]:
        """(content, description): of two texts, the fuller one is the content."""
        contents = [self._markup(part, url) for part in get(said, "content") or ()]
        content = contents[0] if len(contents) == 1 else max(contents, key=len, default="")
        detail = get(said, "summary_detail")
        if content and detail is None:
            return content, ""  # feedparser has copied the content to `summary`
        summary = self._markup(detail or {"value": get(said, "summary")}, url)
        if not content or content == summary:
            return content, "" if content else summary
        return max(content, summary, key=len), min(content, summary, key=len)

    def _markup(self, part: Said, url: str) -> str:
        text = string(part.get("value"))
        if not self._clean:
            text = html.scrub(text)
        if not text or text.isspace():
            return ""
        if part.get("type") == "text/plain" and self._atom:
            return markup.as_html(text)
        if not markup.may_be_relative(text):
            return text
        said = string(part.get("base"))
        # An explicit xml:base wins. What RSS holds was copied from a page: its links are relative to that.
        explicit = said and said != self._nowhere
        base = self._real(said) if explicit or self._atom else (url or self._base)
        return markup.resolved(text, markup.absolute(self._base, base), self._own)

    def _image(self, said: Said, enclosures: Sequence[Said]) -> str:
        pictures = [each for each in get(said, "media_content") or () if _is_picture(each)]
        for found in (pictures, get(said, "media_thumbnail") or ()):
            for each in found if len(found) < 2 else sorted(found, key=_width, reverse=True):
                if url := self.link(each.get("url")):
                    return url
        for link in enclosures:
            if _is_picture(link) and (url := self.link(href(link))):
                return url
        return self.link(href(get(said, "image")))

    # ------------------------------------------------------------ people and categories

    def _names(self, said: Said) -> Iterator[str]:
        """Names only: an address that a feed gives instead of a name is nobody's business here."""
        people = [each for each in get(said, "authors") or () if isinstance(each, dict)]
        whole = string(get(said, "author"))
        # Of `ann@example.agency (Ann)` feedparser makes `cy (Ann`: it knows no endings of more than four
        # letters.
        if len(people) == 1 and "@" in whole:
            names = [whole]
        else:
            names = [string(each.get("name")) for each in people]
        for text in names:
            name = self._people.get(text)
            if name is None:
                name = self._people[text] = _name(self._line(text, is_html=True))
            if name:
                yield name

    def _categories(self, said: Said) -> tuple[str, ...]:
        tags = get(said, "tags")
        if not tags:
            return ()
        found = (self._known_line(string(tag.get("label")) or string(tag.get("term"))) for tag in tags)
        return tuple(dict.fromkeys(filter(None, found)))[:MOST_CATEGORIES]


# ---------------------------------------------------------------- what feedparser gives


# feedparser's own lookups map one key to another, and warn while they do.
get: Callable[[Said, str], Any] = dict.get


def string(value: object) -> str:
    return value if isinstance(value, str) else ""


def href(value: object) -> str:
    return string(dict.get(value, "href") or dict.get(value, "url")) if isinstance(value, dict) else ""


def _links(said: Said, rel: str) -> list[Said]:
    return [link for link in get(said, "links") or () if link.get("rel") == rel]


def _is_picture(said: Said) -> bool:
    medium, kind = string(said.get("medium")), string(said.get("type"))
    if medium or kind:
        return medium == "image" or kind.startswith("image/")
    path = string(said.get("url") or said.get("href")).lower().partition("?")[0].partition("#")[0]
    return path.endswith((".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"))


def _width(said: Said) -> int:
    text = string(said.get("width"))
    return int(text[:6]) if text.isascii() and text.isdecimal() else 0


def _name(clean: str) -> str:
    if "@" in clean:
        clean = " ".join(word for word in re.split(r"[\s()<>\[\]]+", clean) if "@" not in word)
    elif "(" in clean and ")" not in clean:
        rest = clean.rpartition("(")[2]
        clean = rest if rest != rest.lower() else ""
    return clean.strip()


def _language(said: Said) -> str:
    parts = [*(get(said, "content") or ()), get(said, "summary_detail"), get(said, "title_detail")]
    return next((tag for part in parts if part and (tag := markup.language(part.get("language")))), "")


def _date(said: Said, key: str) -> datetime | None:
    """Aware UTC; None for none and for nonsense. An unknown zone counts as UTC."""
    read = get(said, f"{key}_parsed")
    try:
        if isinstance(read, datetime):
            return _sane(read)
        if read is not None:
            return _sane(datetime.fromtimestamp(calendar.timegm(read), UTC))
        text = string(get(said, key)).strip()
        if not text:
            return None
        if when := moment(_WEEKDAY.sub("", text, count=1)):
            return _sane(when)
        when = datetime.fromisoformat(text)
        return _sane((when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC))
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _sane(when: datetime) -> datetime | None:
    return when if 1971 <= when.year < 9000 else None
