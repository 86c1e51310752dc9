"""Taking content codings off."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest

from digest.unpack import CODINGS, PIECE, CannotUnpack, Unpacker

TEXT = b"<rss>" + bytes(range(256)) * 500


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def unpack(coding: str, data: bytes, piece: int = 1000) -> bytes:
    unpacker = Unpacker(coding)
    return b"".join(
        part for start in range(0, len(data), piece) for part in unpacker.feed(data[start : start + piece])
    )


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
        ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
        ("identity", bytes),
        ("gzip", bytes),  # says so, is not
        ("deflate", bytes),
        ("", bytes),
    ],
)
def test_every_coding_comes_off(coding: str, pack: Callable[[bytes], bytes], piece: int) -> None:
    assert unpack(coding, pack(TEXT), piece) == TEXT


def test_a_gzip_file_of_several_members_is_read_to_its_end() -> None:
    assert unpack("gzip", gzip.compress(b"one ") + gzip.compress(b"two"), 10**9) == b"one two"


def test_what_comes_before_a_missing_end_is_kept() -> None:
    packed = gzip.compress(TEXT)
    assert unpack("gzip", packed[:-8]) == TEXT
    assert TEXT.startswith(unpack("gzip", packed[: len(packed) // 2]))


@pytest.mark.parametrize("pack", [gzip.compress, brotli.compress])
def test_a_bomb_comes_out_in_pieces_so_that_one_can_stop(pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(40_000_000))
    unpacker = Unpacker("gzip" if pack is gzip.compress else "br")
    first = next(unpacker.feed(bomb))
    assert 0 < len(first) <= 4 * PIECE


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", b"\x1f\x8b\x08\x00rubbish rubbish rubbish"),
        ("deflate", b"\x78\x9crubbish rubbish"),
        ("br", b"<rss>not brotli</rss>"),
        ("compress", b"x"),
        ("gzip, gzip, gzip, gzip", b"x"),
    ],
)
def test_what_cannot_be_unpacked_says_so(coding: str, data: bytes) -> None:
    with pytest.raises(CannotUnpack):
        unpack(coding, data)


def test_only_what_can_be_undone_is_asked_for() -> None:
    assert {"gzip", "deflate", "br"} <= set(CODINGS)
    for coding in CODINGS:
        Unpacker(coding)
