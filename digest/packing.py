"""Content codings put on, as small as they go: once when something is published, not for each who asks.

Pure: the same bytes give the same bytes. 60 KB of a feed take 3 ms for gzip and 130 ms for brotli (measured).
"""

from __future__ import annotations

import gzip

import brotli  # type: ignore[import-untyped]  # it ships no types

LARGEST_FOR_BROTLI_11 = 1 << 20  # bytes; of more, its best takes seconds and wins little


def gzipped(body: bytes) -> bytes:
    """As `gzip -9` packs it, without the time: the same document must be the same bytes after a restart."""
    return gzip.compress(body, 9, mtime=0)


def brotlied(body: bytes) -> bytes:
    quality = 11 if len(body) <= LARGEST_FOR_BROTLI_11 else 9
    return bytes(brotli.compress(body, mode=brotli.MODE_TEXT, quality=quality))


def pack(bodies: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Each body as gzip and as brotli; what a worker runs."""
    return [(gzipped(body), brotlied(body)) for body in bodies]
