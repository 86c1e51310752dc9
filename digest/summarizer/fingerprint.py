"""What two articles are compared by: a hash of the text, hashes of its shingles, counts of its terms.

All hashes are the same in every process and on every machine, so that they can rest in the store.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from urllib.parse import parse_qsl, urlencode, urlsplit

from digest.model import Fingerprint
from digest.summarizer.terms import terms_of, words

SHINGLE = 4
MAX_WORDS = 2_000  # a copy shows itself long before
TERM_WORDS = 150  # the beginning tells the event, the rest what else there is to say
TITLE_WEIGHT = 2

_MASK = (1 << 63) - 1  # 63 bits: fits a signed column
_FACTOR = 0x9E3779B97F4A7C15
_TRACKING = re.compile(
    r"utm_\w+|(?:fb|g|d|y|msc)l?clid|gclsrc|mc_[ce]id|igshid|ncid|cmp(?:id)?|xtor|s_cid|spm|(?:at|wt)_\w+|ref_src|"
    r"feedtype|feedname|__twitter_impression|guccounter",
    re.IGNORECASE,
)


def fingerprint(text: str, title: str, language: str) -> Fingerprint:
    body = words(text[:100_000])[:MAX_WORDS]
    counts = Counter(terms_of(body[:TERM_WORDS], language))
    for term in terms_of(words(title), language):
        counts[term] += TITLE_WEIGHT
    return Fingerprint(
        text_hash=_hash(" ".join(body) or title.lower()),
        shingles=shingles(body),
        terms=dict(sorted(counts.items())),
    )


def shingles(body: list[str]) -> tuple[int, ...]:
    """Hashes of each run of four words, sorted, each once."""
    hashed: dict[str, int] = {}
    numbers = []
    for word in body:
        if word not in hashed:
            hashed[word] = int.from_bytes(
                hashlib.blake2b(word.encode(errors="replace"), digest_size=8).digest(), "big"
            )
        numbers.append(hashed[word])
    found = set()
    for place in range(len(numbers) - SHINGLE + 1):
        value = 0
        for number in numbers[place : place + SHINGLE]:
            value = (value * _FACTOR + number) & 0xFFFFFFFFFFFFFFFF
        found.add((value ^ (value >> 29)) & _MASK)
    return tuple(sorted(found))


def canonical_url(url: str) -> str:
    """The address without what differs between two ways to the same page."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").removeprefix("www.").removeprefix("m.").removeprefix("amp.")
        port = parts.port
    except ValueError:
        return url.strip()
    if parts.scheme not in ("http", "https") or not host:
        return url.strip()
    if port not in (None, 80, 443):
        host = f"{host}:{port}"
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(k)]
    path = parts.path.rstrip("/").removesuffix("/amp").removesuffix("/index.html")
    return f"{host}{path}" + (f"?{urlencode(sorted(query))}" if query else "")


def page_address(url: str) -> str:
    """The canonical address, if it is one of a page and not of a whole site; else empty."""
    address = canonical_url(url)
    return address if "/" in address.removeprefix("//") or "?" in address else ""


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()
