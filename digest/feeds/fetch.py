"""Gets the bytes of a feed: from the network, or from a file beside the admin's config."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import stat
from pathlib import Path

from digest.model import Feed, FeedError, Fetched
from digest.net import LIMIT_BYTES, MEGABYTE, Net

WEB = ("http://", "https://")


async def fetch(feed: Feed, *, net: Net, folder: Path) -> Fetched:
    """What the feed's address gives now; `body` is None when it has not changed since the last time.

    folder: what a path is relative to. Raises FeedError in plain words.
    """
    address = feed.address or feed.url
    if address.lower().startswith(WEB):
        return await net.fetch(address, etag=feed.etag, last_modified=feed.last_modified)
    if "://" in address:
        raise FeedError(
            f"only http and https addresses and paths of files can be read, not {address[:120]!r}"
        )
    return await asyncio.to_thread(_read_file, folder / address, address, feed.etag)


def _read_file(path: Path, name: str, etag: str | None) -> Fetched:
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise FeedError(f"{name} is not a file: name the feed's file under `url:`")
            version = f'"{about.st_mtime_ns:x}-{about.st_size:x}"'
            unchanged = version == etag
            body = None if unchanged else file.read(LIMIT_BYTES + 1)
    except FileNotFoundError as error:
        raise FeedError(
            f"there is no file {name} ({path}): put it there or correct its `url:` in config.yaml"
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise FeedError(f"the file {name} cannot be read: {reason}") from error
    if body is not None and len(body) > LIMIT_BYTES:
        raise FeedError(f"the file {name} is larger than {LIMIT_BYTES // MEGABYTE} MB")
    return Fetched(
        url=name,
        status=304 if unchanged else 200,
        body=body,
        content_type=mimetypes.guess_type(path.name)[0] or "",
        etag=version,
    )


def _without_waiting(path: str, flags: int) -> int:
    """Without O_NONBLOCK, opening a named pipe would wait for a writer for ever."""
    return os.open(path, flags | os.O_NONBLOCK)
