"""Text on its way out: cleaned of what cannot be shown, shortened at a word, wrapped into columns; and links.

Pure. It knows characters, not languages; what a letter says stands in `wording`.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

# C0 and C1 controls but tab and newlines, lone surrogates, noncharacters, and the directional marks that open
# something which the text may not close (embeddings, overrides, isolates). ZWJ, ZWNJ, LRM and RLM stay:
# scripts need them.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17))
    + "]"
)
_SPACES = re.compile("[^\\S\u00a0\u2007\u202f]+")
_NEWLINES = re.compile("\r\n|[\r\x85\u2028\u2029]")

# What may not begin, and may not end, a line in scripts that break anywhere (Unicode UAX 14: CL, NS, OP).
_NEVER_FIRST = frozenset("、。，．・：；？！）」』】〕〉》”’…ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々〻％")
_NEVER_LAST = frozenset("（「『【〔〈《“‘")


def clean(text: str) -> str:
    """The text without what cannot be shown; every kind of line end is a newline."""
    return _UNSHOWABLE.sub("", _NEWLINES.sub("\n", text))


def one_line(text: str) -> str:
    """The text on one line, cleaned, each run of white space one space; spaces that do not break stay."""
    return _SPACES.sub(" ", _UNSHOWABLE.sub("", _SPACES.sub(" ", text))).strip()


def clamp(text: str, limit: int) -> str:
    """One line of at most `limit` characters, ended at a word with an ellipsis where it was longer.

    A script without spaces, or one very long word, ends between two characters as people count them.
    """
    text = one_line(text)
    if len(text) <= limit:
        return text
    space = text.rfind(" ", 0, limit)
    end = space if space >= limit // 2 else _whole(text, limit - 1)
    return text[:end].rstrip(" ,;:.-–—·|/(«„“‘") + "…"


def _whole(text: str, end: int) -> int:
    """The last place, not after `end`, where the text may be cut without breaking a character in two."""
    while end > 0 and _joined(text, end):
        end -= 1
    return end


def _joined(text: str, place: int) -> bool:
    """Whether what stands on both sides of `place` is one character to a reader (UAX 29, in short)."""
    before, after = text[place - 1], text[place]
    if unicodedata.category(after).startswith("M") or after in "\u200c\u200d":
        return True
    if before == "\u200d" or unicodedata.combining(before) == 9:  # joiner; virama before a consonant
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":  # skin tones, tags
        return True
    if "\u1160" <= after <= "\u11ff":  # vowels and finals of decomposed Hangul
        return True
    if _is_flag_half(after):
        halves = len(text[:place]) - len(text[:place].rstrip(_FLAG_HALVES))
        return halves % 2 == 1
    return False


_FLAG_HALVES = "".join(chr(point) for point in range(0x1F1E6, 0x1F200))


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


# ---------------------------------------------------------------- columns


def columns(text: str) -> int:
    """How many columns a fixed-width screen gives this text: CJK takes two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in ("Mn", "Me", "Cf") else 1


def wrap(text: str, width: int = 72, *, indent: str = "", first: str | None = None) -> str:
    """The text as lines of at most `width` columns; a word that is longer, such as a link, stays whole.

    indent: before each line; `first` before the first one instead.
    """
    lines: list[str] = []
    line, used, empty = (
        (indent if first is None else first),
        columns(indent if first is None else first),
        True,
    )
    for spaced, piece in _pieces(one_line(text)):
        gap = 1 if spaced and not empty else 0
        size = columns(piece)
        if not empty and used + gap + size > width:
            lines.append(line)
            line, used, gap = indent, columns(indent), 0
        line, used, empty = line + " " * gap + piece, used + gap + size, False
    return "\n".join([*lines, line]).rstrip() if not empty else ""


def _pieces(text: str) -> list[tuple[bool, str]]:
    """What may stand on a line of its own, each with whether a space stood before it."""
    pieces: list[tuple[bool, str]] = []
    for word in text.split(" "):
        start = 0
        for place in range(1, len(word)):
            if _may_break(word, place):
                pieces.append((start == 0, word[start:place]))
                start = place
        pieces.append((start == 0, word[start:]))
    return pieces


def _may_break(word: str, place: int) -> bool:
    before, after = word[place - 1], word[place]
    if before.isascii() and after.isascii():
        return False
    if before in _NEVER_LAST or after in _NEVER_FIRST or _joined(word, place):
        return False
    return _is_ideograph(before) or _is_ideograph(after)


def _is_ideograph(character: str) -> bool:
    """Whether lines may break beside it. Hangul is wide too, but its words have spaces."""
    if unicodedata.east_asian_width(character) not in "WF":
        return False
    return not ("\uac00" <= character <= "\ud7a3" or "\u1100" <= character <= "\u11ff")


# ---------------------------------------------------------------- links

_LINKED = frozenset(("http", "https", "mailto"))
_DROPPED = re.compile(r"[\t\n]")  # as browsers do (URL Standard 4.4), so that both see the same scheme
_PLAIN = re.compile(
    r"https?://[a-z0-9.-]+(?:/[\w.~!$&'()*+,;=:@/-]*)?(?:\?[\w.~!$&'()*+,;=:@/?-]*)?", re.ASCII
)
_HOST = re.compile(r"[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]")
_NOT_IN_URLS = re.compile(r"[^\w.~!$&'()*+,;=:@/?%-]|%(?![0-9A-Fa-f]{2})", re.ASCII)


def safe_url(url: str) -> str:
    """The address, if a letter or page may link to it, as a URI (RFC 3986), else an empty string.

    What URIs do not hold is percent-encoded as UTF-8, and the host is in A-labels, as RFC 3987 3.1 maps an
    IRI: feed readers and validators take nothing else. A host or port that no browser goes to is no link.
    """
    if _PLAIN.fullmatch(url):
        return url
    url = _DROPPED.sub("", clean(url)).strip()
    try:
        parts = urlsplit(url)
        if parts.scheme == "mailto":
            return _escaped(url) if parts.path else ""
        name, port = parts.hostname or "", parts.port
        place = ascii_domain(name)
    except ValueError:  # of UnicodeError too: a label that punycode cannot hold
        return ""
    if parts.scheme not in _LINKED or not _HOST.fullmatch(f"[{place}]" if ":" in place else place):
        return ""
    rest = url[url.index("//") + 2 + len(parts.netloc) :]
    user, at, there = parts.netloc.rpartition("@")
    if not there.isascii():
        there = place + ("" if port is None else f":{port}")
    return f"{parts.scheme}://{_escaped(user)}{at}{there}{_escaped(rest)}"


def _escaped(text: str) -> str:
    """Everything that a URI cannot hold as percent-encoded UTF-8; one `#` begins the fragment."""
    before, sign, after = text.partition("#")
    return _NOT_IN_URLS.sub(_percent, before) + sign + _NOT_IN_URLS.sub(_percent, after)


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def ascii_domain(domain: str) -> str:
    """A domain in lower-case A-labels (RFC 5890). The standard library's `idna` codec is of 2003: it would
    write `straße` as `strasse`, which is another domain."""
    if domain.isascii():
        return domain.lower()
    return ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
        for label in unicodedata.normalize("NFKC", domain).lower().replace("\u3002", ".").split(".")
    )


def host(url: str) -> str:
    """Whom an address belongs to, as people say it: `example.org`; empty if it is none."""
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return name.removeprefix("www.")
