"""Content codings (gzip, deflate, br, zstd) taken off piece by piece, so that a bomb stops at the limit.

Pure. It forgives what servers get wrong daily: plain text that is called gzip, raw deflate, a missing end.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterator
from typing import Any, Protocol

import brotli  # type: ignore[import-untyped]  # it ships no types

PIECE = 256 * 1024
MOST_CODINGS = 3
ENOUGH = 8  # bytes, to tell text from raw deflate
GZIP_MAGIC = b"\x1f\x8b"
TEXTS = (b"<?xml", b"<rss", b"<feed", b"<rdf:", b"<!doc", b"<html", b"\xef\xbb\xbf<", b'{"')


class CannotUnpack(Exception):
    """The bytes are not what the coding says, or the coding is unknown to us."""


def _zstd() -> Any:
    for name in ("compression.zstd", "backports.zstd"):  # Python 3.14 has it; else only if it is installed
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


ZSTD = _zstd()
CODINGS = ("gzip", "deflate", "br", *(("zstd",) if ZSTD else ()))


class Coding(Protocol):
    """One coding: what comes out of each piece, itself in pieces of bounded size."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...


class Unpacker:
    """Takes off the codings that `Content-Encoding` names. Output comes in pieces of bounded size."""

    def __init__(self, content_encoding: str) -> None:
        names = [name.strip().lower() for name in content_encoding.split(",")]
        names = [name for name in names if name not in ("", "identity", "none")]
        if len(names) > MOST_CODINGS:
            raise CannotUnpack("it is packed too many times over")
        # A feed kept as feed.xml.gz is often served without saying so: hence _Zlib("") looks for itself.
        self._codings = [_coding(name) for name in reversed(names)] or [_Zlib("")]

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield from self._through(data, 0)

    def _through(self, data: bytes, layer: int) -> Iterator[bytes]:
        if layer == len(self._codings):
            yield data
            return
        for piece in self._codings[layer].feed(data):
            yield from self._through(piece, layer + 1)


def _coding(name: str) -> Coding:
    if name in ("gzip", "x-gzip", "deflate"):
        return _Zlib(name.removeprefix("x-"))
    if name == "br":
        return _Brotli()
    if name == "zstd" and ZSTD is not None:
        return _Zstd()
    raise CannotUnpack(f"it is packed in a way that we cannot undo ({name[:20]!r})")


class _Zlib:
    """gzip, and deflate in both of its meanings (RFC 9110 8.4.1.2 means zlib, some servers send it raw)."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._head: bytes | None = b""
        self._plain: bool = False
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._head is not None:
            self._head += data
            if self._head in (b"", GZIP_MAGIC[:1]) or (self._name and len(self._head) < ENOUGH):
                return
            data, self._head = self._head, None
            self._look(data)
        if self._plain:
            yield data
            return
        while data and not self._inner.eof:
            try:
                piece = self._inner.decompress(data, PIECE)
            except zlib.error as error:
                raise CannotUnpack("its compression is broken") from error
            if piece:
                yield piece
            data = self._inner.unconsumed_tail
            after = self._inner.unused_data
            if after.startswith(GZIP_MAGIC):
                data = after  # RFC 1952 2.2: a file may have several members
                self._inner = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def _look(self, data: bytes) -> None:
        # RFC 1950 2.2: the first two bytes of zlib, read as a number, are a multiple of 31.
        is_zlib = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
        if data.startswith(GZIP_MAGIC) or (self._name and is_zlib):
            return
        if self._name == "deflate" and not data.lstrip().lower().startswith(TEXTS):
            self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
            return
        self._plain = True


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            piece = self._inner.process(data, output_buffer_limit=PIECE)
            while piece:
                yield piece
                if self._inner.can_accept_more_data():
                    return
                piece = self._inner.process(b"", output_buffer_limit=PIECE)
        except brotli.error as error:
            raise CannotUnpack("its compression is broken") from error


class _Zstd:
    def __init__(self) -> None:
        self._inner = ZSTD.ZstdDecompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        while not self._inner.eof:
            try:
                piece = self._inner.decompress(data, PIECE)
            except ZSTD.ZstdError as error:
                raise CannotUnpack("its compression is broken") from error
            if piece:
                yield piece
            data = b""
            if self._inner.needs_input:
                return
