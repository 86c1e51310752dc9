"""What an entry can be recognized by besides its guid: its link, its title, its words and its date. Pure.

A poll computes these for every entry of every changed document: they are cheap (some 10 µs an entry) rather
than clever. Nothing here is shown to anyone.
"""

from __future__ import annotations

import hashlib
import re
import string
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

from digest.model import Entry, Marks

SHORTEST_TEXT = 40  # bytes of words; "Read more" and "Comments" tell nothing apart
LONG_TEXT = 200  # so much of the same text is the same thing, even without a date
_LOOKED_AT = 50_000  # characters of markup; a longer text is told by its beginning

# ---------------------------------------------------------------- where it points

# Parameters that say how a reader came, not where to.
_TRACKING = re.compile(
    r"""(?: utm_\w* | at_\w+ | mtm_\w* | pk_\w* | matomo_\w* | ns_\w+ | hsa_\w+ | _hs\w+ | wt_\w+ | wt\.\w+
      | itm_\w+ | int_cmp | fb_\w+ | fbclid | gclid | gclsrc | dclid | gbraid | wbraid | msclkid | yclid
      | twclid | ttclid | igshid | igsh | mc_[ce]id | mkt_tok | vero_\w+ | oly_\w+_id | s_cid | s_kwcid
      | ncid | cmpid | cmp | xtor | xtref | smid | dgcid | emc | echobox | trk | trkcampaign | spm | scm
      | guccounter | feature | __twitter_impression | sr_share | wpmp_tp | phpsessid | jsessionid | sessionid
      | session_id | aspsessionid\w* | cfid | cftoken | _ | nocache | cachebuster )""",
    re.IGNORECASE | re.VERBOSE,
)
# These carry a tracker's word (`ref=rss`) as often as the number of a record (`ref=AB-1204`).
_AMBIGUOUS = {"ref", "ref_", "ref_src", "referrer", "referer", "source", "src", "from", "via", "feed", "rss",
              "partner", "origin", "campaign", "medium", "share"}  # fmt: skip
_INDEX = re.compile(r"(?:^|/)(?:index|default)\.(?:html?|php\d?|aspx?|jsp|cgi)$", re.IGNORECASE)
_IN_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;]*", re.IGNORECASE)
_REVISION = re.compile(r"\d{1,2}")


class Place(NamedTuple):
    """A link without scheme, host, tracking and fragment; path is "" when nothing is left to tell it by."""

    path: str
    fragment: str = ""


NOWHERE = Place("")


def place(url: str) -> Place:
    """Where a link points, whatever the server is called today and whoever counts the clicks."""
    rest, _, fragment = url.partition("#")
    rest, _, query = rest.partition("?")
    scheme, found, behind = rest.partition("://")
    path = behind.partition("/")[2] if found else scheme
    if ";" in path:
        path = _IN_PATH.sub("", path)
    if "%" in path:
        path = unquote(path)
    path = path.strip("/ ")
    if "//" in path:
        path = re.sub("/{2,}", "/", path)
    if "." in path[-12:]:
        path = _INDEX.sub("", path)
    if query:
        query = _query(query)
        path = f"{path}?{query}" if query else path
    if fragment[:1] in ("!", "/"):  # a page that finds its way by itself: the fragment is its path
        return Place(f"{path}#{fragment.strip('!/')}") if fragment.strip("!/") else Place(path)
    return Place(path, "" if "=" in fragment else fragment)


def _query(query: str) -> str:
    kept = []
    for part in query.replace("&amp;", "&").split("&"):
        name, _, value = part.partition("=")
        if not part or _is_tracking(name):
            continue
        if name.lower() in _AMBIGUOUS and not any(letter.isdigit() for letter in value):
            continue
        kept.append(unquote_plus(part))
    return "&".join(sorted(kept))


@lru_cache(maxsize=1_000)
def _is_tracking(name: str) -> bool:
    return _TRACKING.fullmatch(name) is not None


def same_guid(one: str, other: str) -> bool:
    """Two guids that differ only by what means nothing: scheme, host, tracking."""
    return one == other or ("/" in one and "/" in other and place(one) == place(other) != NOWHERE)


def same_page(one: str, other: str) -> bool:
    """As `same_guid`, but for the number of a revision: the BBC counts them, …/c4gpn1x5y8zo#3."""
    if "#" not in one or "#" not in other:
        return False
    mine, its = place(one), place(other)
    revised = _REVISION.fullmatch(mine.fragment) and _REVISION.fullmatch(its.fragment)
    return bool(revised) and mine.path == its.path != ""


# ---------------------------------------------------------------- what it says

# Spaces, punctuation and selectors of how a letter is drawn. Marks that combine with letters are no noise,
# nor is what tells C++ from C#.
_NOISE = re.compile(
    '[\\s!"$-*,-/:-@\\[-`{-\u00bf\u2000-\u206f\u2e00-\u2e7f\u3000-\u303f\ufe00-\ufe0f\ufe30-\ufe6f\uff00-\uff0f]+'
)
# The same for ASCII, as most titles are: what each letter becomes.
_PLAIN = "".join(_NOISE.sub(" ", chr(code).lower()) for code in range(128))
_TAG = re.compile(rb"<[^<>]*>")
_SPACES = string.whitespace.encode() + b"\0"
_LOWER = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
_PUNCTUATION = string.punctuation.encode()


def mark(text: str) -> int:
    return _mark(text.encode("utf-8", "surrogatepass"))


def _mark(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big") >> 1


def _letters(title: str) -> str:
    """Without case and punctuation; a title of nothing else stays."""
    if title.isascii():
        return " ".join(title.translate(_PLAIN).split()) or title.lower().strip()
    folded = unicodedata.normalize("NFKC", title).casefold()
    return _NOISE.sub(" ", folded).strip() or folded.strip()


class Signs(NamedTuple):
    """An entry of a document with all that it can be recognized by.

    marks: its link counts without fragment. hash: of what a reader could see of it. words: how much text the
    text mark stands for. name: the mark of its title, or of its words. claimed: when it says that it
    was published.
    """

    entry: Entry
    position: int
    marks: Marks
    fragment: str
    hash: str
    words: int
    name: int | None
    claimed: datetime | None


def signs(entry: Entry, position: int = 0) -> Signs:
    path, fragment = place(entry.url) if entry.url else NOWHERE
    title = _letters(entry.title) if entry.title else ""
    content, words = _seen(entry.html)
    description, other_words = _seen(entry.description) if entry.description else (b"", b"")
    words = words or other_words
    visible = [entry.title, path, fragment, entry.url.partition("://")[2].partition("/")[0]]
    if entry.authors or entry.categories:
        visible += [*entry.authors, "\0", *entry.categories]
    seen = hashlib.sha256("\0".join(visible).encode("utf-8", "surrogatepass"))
    seen.update(b"\0\0%b\0\0%b" % (content, description))
    if not path and "://" in entry.guid:  # a front page, or no link at all; but its guid is one
        path, fragment = place(entry.guid)
    named = mark(title) if title else None
    name = named if named is not None or not words else _mark(words)  # an untitled post is what it says
    return Signs(
        entry,
        position,
        Marks(
            link=mark(path) if path else None,
            said=None if name is None else said(name, entry.published),
            title=named,
            text=_mark(words) if len(words) >= SHORTEST_TEXT else None,
        ),
        fragment,
        seen.hexdigest()[:40],
        len(words),
        name,
        entry.published,
    )


def said(name: int, moment: datetime | None) -> int:
    """A name with its date, to the second."""
    return mark(f"{name} {'' if moment is None else int(moment.timestamp())}")


def marks(entry: Entry) -> Marks:
    """What this entry can be recognized by, on its own."""
    return signs(entry).marks


def fingerprint(entry: Entry) -> str:
    """What stands for a guid where there is neither guid nor link: title and words. "" for none at all."""
    words = _seen(entry.html)[1] or _seen(entry.description)[1]
    title = _letters(entry.title).encode("utf-8", "surrogatepass")
    if not words and not title:
        words = (entry.html or entry.description).strip().encode("utf-8", "surrogatepass")  # only a picture
    return hashlib.sha256(b"%b\0%b" % (title, words)).hexdigest() if title or words else ""


def content_hash(entry: Entry) -> str:
    """The fingerprint of what a reader could see of it: a changed one is a revision.

    Dates, markup, tracking, and counters and picture addresses that change with every poll are no part of it.
    """
    return signs(entry).hash


def _seen(markup: str) -> tuple[bytes, bytes]:
    """(what a reader sees of it, the words alone), both without spaces."""
    if len(markup) > _LOOKED_AT:
        whole = markup.encode("utf-8", "surrogatepass")
        return hashlib.sha256(whole).digest(), _seen(markup[:_LOOKED_AT])[1]
    seen = _TAG.sub(b"", markup.encode("utf-8", "surrogatepass")).translate(None, _SPACES)
    return seen, seen.translate(_LOWER, _PUNCTUATION)
