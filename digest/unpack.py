"""Content codings (gzip, deflate, br, zstd) taken off piece by piece, so that a bomb stops at the limit.

Pure. It forgives what servers get wrong daily: plain text that is called gzip, raw deflate, a missing end.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli  # type: ignore[import-untyped]  # it ships no types

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE = 256 * 1024
MOST_CODINGS = 3
MOST_PARTS = 1_000  # of which one gzip or zstd body may be put together
ENOUGH = 8  # bytes, to tell text from raw deflate
WINDOW = 23  # RFC 9659: what is sent as zstd may ask for 8 MB of memory, and not for gigabytes
CODINGS = ("gzip", "deflate", "br", "zstd")
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
TEXTS = (b"<?xml", b"<rss", b"<feed", b"<rdf:", b"<!doc", b"<html", b"\xef\xbb\xbf<", b'{"')


class CannotUnpack(Exception):
    """The bytes are not what the coding says, or the coding is unknown to us."""


class TooLarge(CannotUnpack):
    """There is more in it than may come out, in the end or between two layers."""


class Coding(Protocol):
    """One coding: what comes out of each piece, itself in pieces of bounded size. Empty ones are given too,
    for a breath in between: there is work without any output."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def end(self) -> Iterator[bytes]: ...


class Unpacker:
    """Takes off the codings that `Content-Encoding` names. What comes out is in pieces of bounded size.

    limit: the most bytes that may go in or come out of any layer; without it, layers that shrink again would
    be free to swell in between. `end` gives what was kept back for want of more.
    """

    def __init__(self, content_encoding: str, limit: int) -> None:
        names = [name.strip().lower() for name in content_encoding.split(",")]
        names = [name for name in names if name not in ("", "identity", "none")]
        if len(names) > MOST_CODINGS:
            raise CannotUnpack("it is packed too many times over")
        # A feed kept as feed.xml.gz is often served without saying so: hence _Zlib("") looks for itself.
        self._codings = [_coding(name) for name in reversed(names)] or [_Zlib("")]
        self._room = [limit] * (len(self._codings) + 1)

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield from self._through(data, 0)

    def end(self) -> Iterator[bytes]:
        for layer, coding in enumerate(self._codings):
            for piece in coding.end():
                yield from self._through(piece, layer + 1)

    def _through(self, data: bytes, layer: int) -> Iterator[bytes]:
        self._room[layer] -= len(data)
        if self._room[layer] < 0:
            raise TooLarge("there is too much in it")
        if layer == len(self._codings):
            yield data
            return
        for piece in self._codings[layer].feed(data):
            if piece:
                yield from self._through(piece, layer + 1)
            else:
                yield b""


def _coding(name: str) -> Coding:
    if name in ("gzip", "x-gzip", "deflate"):
        return _Zlib(name.removeprefix("x-"))
    if name == "br":
        return _Brotli()
    if name == "zstd":
        return _Zstd()
    raise CannotUnpack(f"it is packed in a way that we cannot undo ({name[:20]!r})")


class _Zlib:
    """gzip, and deflate in both of its meanings (RFC 9110 8.4.1.2 means zlib, some servers send it raw)."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._head: bytes | None = b""
        self._plain = self._over = False
        self._parts = 1
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._head is not None:
            self._head += data
            if self._head in (b"", GZIP_MAGIC[:1]) or (self._name and len(self._head) < ENOUGH):
                return
            data, self._head = self._head, None
            self._look(data)
        yield from self._unpack(data)

    def end(self) -> Iterator[bytes]:
        if self._head:
            data, self._head = self._head, None
            self._look(data)
            yield from self._unpack(data)

    def _unpack(self, data: bytes) -> Iterator[bytes]:
        if self._plain:
            yield data
            return
        while data and not self._over:
            if self._inner.eof:
                if data[0] != GZIP_MAGIC[0]:
                    self._over = True  # padding, or whatever it is
                    return
                self._parts = _one_more(self._parts)
                self._inner = zlib.decompressobj(zlib.MAX_WBITS | 32)  # RFC 1952 2.2: there may be several
            try:
                yield self._inner.decompress(data, PIECE)
            except zlib.error as error:
                raise CannotUnpack("its compression is broken") from error
            data = self._inner.unconsumed_tail or self._inner.unused_data

    def _look(self, data: bytes) -> None:
        # RFC 1950 2.2: the first two bytes of zlib, read as a number, are a multiple of 31.
        is_zlib = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
        if data.startswith(GZIP_MAGIC) or (self._name and is_zlib):
            return
        if self._name == "deflate" and not _is_text(data):
            self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
            return
        self._plain = True


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()
        self._plain: bool | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._plain is None:
            self._plain = _is_text(data)
        if self._plain:
            yield data
            return
        try:
            piece = self._inner.process(data, output_buffer_limit=PIECE)
            while piece:
                yield piece
                if self._inner.can_accept_more_data():
                    return
                piece = self._inner.process(b"", output_buffer_limit=PIECE)
        except brotli.error as error:
            raise CannotUnpack("its compression is broken") from error

    def end(self) -> Iterator[bytes]:
        return iter(())


class _Zstd:
    """RFC 8878: frames, one after another, some of them with nothing for us."""

    def __init__(self) -> None:
        self._inner = _zstd_frame()
        self._plain: bool | None = None
        self._over = False
        self._parts = 1

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._plain is None:
            self._plain = _is_text(data)
        if self._plain:
            yield data
            return
        while not self._over:
            if self._inner.eof:
                if not data:
                    return
                if not (data[0] == ZSTD_MAGIC[0] or 0x50 <= data[0] <= 0x5F):
                    self._over = True
                    return
                self._parts = _one_more(self._parts)
                self._inner = _zstd_frame()
            try:
                yield self._inner.decompress(data, PIECE)
            except zstd.ZstdError as error:
                raise CannotUnpack("its compression is broken, or asks for too much memory") from error
            data = self._inner.unused_data if self._inner.eof else b""
            if self._inner.needs_input and not self._inner.eof:
                return

    def end(self) -> Iterator[bytes]:
        return iter(())


def _one_more(parts: int) -> int:
    if parts == MOST_PARTS:
        raise CannotUnpack("it is put together of too many parts")
    return parts + 1


def _zstd_frame() -> zstd.ZstdDecompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW})


def _is_text(data: bytes) -> bool:
    """Whether it is a document in the clear, whatever it is called."""
    return data[:64].lstrip().lower().startswith(TEXTS)
