"""Taking content codings off."""

from __future__ import annotations

import gzip
import resource
import sys
import time
import zlib
from collections.abc import Callable

import brotli
import pytest

from digest.unpack import CODINGS, MOST_PARTS, PIECE, CannotUnpack, TooLarge, Unpacker

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b"<rss>" + bytes(range(256)) * 500


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


LIMIT = 15 * 1024 * 1024


def unpack(coding: str, data: bytes, piece: int = 1000) -> bytes:
    unpacker = Unpacker(coding, LIMIT)
    body = b"".join(
        part for start in range(0, len(data), piece) for part in unpacker.feed(data[start : start + piece])
    )
    return body + b"".join(unpacker.end())


@pytest.mark.parametrize("piece", [1, 7, 1000, 10**9])
@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("", gzip.compress),  # feed.xml.gz, served as it lies there
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("gzip", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstd.compress),
        ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
        ("identity", bytes),
        ("zstd, gzip, deflate", lambda data: zlib.compress(gzip.compress(zstd.compress(data)))),
        ("gzip", bytes),  # says so, is not
        ("deflate", bytes),
        ("", bytes),
    ],
)
def test_every_coding_comes_off(coding: str, pack: Callable[[bytes], bytes], piece: int) -> None:
    assert unpack(coding, pack(TEXT), piece) == TEXT


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_a_document_in_the_clear_that_is_called_packed_is_read(coding: str) -> None:
    assert unpack(coding, TEXT) == TEXT


@pytest.mark.parametrize("piece", [1, 3, 10**9])
def test_a_body_of_several_parts_is_read_to_its_end(piece: int) -> None:
    assert unpack("gzip", gzip.compress(b"one ") + gzip.compress(b"two"), piece) == b"one two"
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
    frames = zstd.compress(b"one ") + skippable + zstd.compress(b"two")
    assert unpack("zstd", frames, piece) == b"one two"


@pytest.mark.parametrize("piece", [1, 10**9])
@pytest.mark.parametrize("after", [b"\0" * 512, b"<!-- 3 ms -->"])
def test_what_follows_a_packed_body_is_left_alone(after: bytes, piece: int) -> None:
    assert unpack("gzip", gzip.compress(TEXT) + after, piece) == TEXT
    assert unpack("zstd", zstd.compress(TEXT) + after, piece) == TEXT
    assert unpack("deflate", zlib.compress(TEXT) + after, piece) == TEXT


@pytest.mark.parametrize("data", [b"", b"a", b"<a/>", b"\x1f", b"\x1f\x20"])
@pytest.mark.parametrize("coding", ["", "gzip"])
def test_a_body_too_short_to_tell_is_not_lost(coding: str, data: bytes) -> None:
    assert unpack(coding, data) == data


def test_what_comes_before_a_missing_end_is_kept() -> None:
    packed = gzip.compress(TEXT)
    assert unpack("gzip", packed[:-8]) == TEXT
    assert TEXT.startswith(unpack("gzip", packed[: len(packed) // 2]))


BOMBS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}


@pytest.mark.parametrize("coding", BOMBS)
def test_a_bomb_comes_out_in_pieces_so_that_one_can_stop(coding: str) -> None:
    bomb = BOMBS[coding](bytes(40_000_000))
    sizes: list[int] = []
    with pytest.raises(TooLarge):
        sizes.extend(len(piece) for piece in Unpacker(coding, LIMIT).feed(bomb))
    assert 0 < max(sizes) <= 4 * PIECE
    assert sum(sizes) <= LIMIT


@pytest.mark.parametrize(
    "codings", ["gzip, gzip", "deflate, br", "zstd, zstd", "br, gzip", "gzip, gzip, zstd"]
)
def test_a_bomb_in_a_bomb_takes_neither_memory_nor_time(codings: str) -> None:
    bomb = bytes(100_000_000)
    for coding in codings.split(", "):
        bomb = BOMBS[coding](bomb)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(TooLarge):
        for _ in Unpacker(codings, LIMIT).feed(bomb):
            pass
    assert time.process_time() - start < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # KB


def test_what_swells_in_between_and_shrinks_again_is_stopped() -> None:
    """Nothing comes out in the end: only a limit on every layer sees it."""
    middle = raw_deflate(b"") * 20_000_000
    with pytest.raises(TooLarge):
        unpack("deflate, gzip", gzip.compress(middle[:40_000_000], 1), 10**9)


def test_what_goes_in_is_counted_too() -> None:
    unpacker = Unpacker("gzip", 100_000)
    nothing = gzip.compress(b"")[:10] + b"\0\0\0\xff\xff" * 15_000
    list(unpacker.feed(nothing))
    with pytest.raises(TooLarge):
        list(unpacker.feed(b"\0\0\0\xff\xff" * 15_000))


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_a_body_of_a_thousand_parts_is_no_feed(coding: str, pack: Callable[[bytes], bytes]) -> None:
    assert unpack(coding, pack(b"a") * MOST_PARTS) == b"a" * MOST_PARTS
    with pytest.raises(CannotUnpack, match="too many parts"):
        unpack(coding, pack(b"") * (MOST_PARTS + 1))


def test_a_frame_that_asks_for_more_memory_than_is_polite_gets_none() -> None:
    def packed(window: int) -> bytes:
        packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: window})
        return packer.compress(TEXT) + packer.flush()

    assert unpack("zstd", packed(23)) == TEXT  # RFC 9659: 8 MB
    with pytest.raises(CannotUnpack, match="too much memory"):
        unpack("zstd", packed(24))


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", b"\x1f\x8b\x08\x00rubbish rubbish rubbish"),
        ("deflate", b"\x78\x9crubbish rubbish"),
        ("br", b"\xff\xfe not brotli"),
        ("zstd", b"\x28\xb5\x2f\xfdrubbish rubbish"),
        ("zstd", b"no frame at all"),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-8] + bytes(8)),
        ("compress", b"x"),
        ("gzip, gzip, gzip, gzip", b"x"),
    ],
)
def test_what_cannot_be_unpacked_says_so(coding: str, data: bytes) -> None:
    with pytest.raises(CannotUnpack):
        unpack(coding, data)


def test_only_what_can_be_undone_is_asked_for() -> None:
    assert CODINGS == ("gzip", "deflate", "br", "zstd")
    for coding in CODINGS:
        assert list(Unpacker(coding, 1).end()) == []
