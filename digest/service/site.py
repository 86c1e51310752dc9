"""The public site as files: what a visitor would be served, asked of the web itself, for any static host.

There is no search in it, and its forms are sent to the service (`site.url`): that one also answers the links
in letters, so it must be reachable wherever the files lie.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from digest import shelving
from digest.line import Progress, quiet
from digest.model import DigestError
from digest.render import renderer
from digest.service import House, feed_state
from digest.service.static_folder import Exported, opened
from digest.web.app import build_app
from digest.web.health import Health
from digest.web.lent import WebLent

NOWHERE = "/-/-/-/-"  # no page is there


async def export_site(house: House, folder: Path, *, progress: Progress = quiet) -> Exported:
    """Let `folder` hold every public page, feed and asset, and nothing that is public no longer.

    Files that are as they should be are not touched. Raises DigestError.
    """
    app = build_app(
        WebLent(
            site=house.line.site,
            store=house.store,
            links=house.line.links,
            renderer=renderer(house.line.templates),
            clock=house.line.clock,
            health=_well,
            feed_state=feed_state,
            ip_key=b"\0" * 32,  # nothing is signed: only pages are read
            stamps=False,
            static=True,
        )
    )
    await shelving.refresh(house.line)
    paths = [path async for path in _paths(house)]
    with opened(folder) as files:
        missing = (await _asked(app, NOWHERE, 404)) or b""
        for path in _assets(missing):  # before the pages that need them
            files.put(path.lstrip("/"), await _asked(app, path) or b"")
        files.put("404.html", missing)
        for number, path in enumerate(paths, 1):
            body = await _asked(app, path, absent="/feed" in path)
            if body is not None:
                files.put(_file(path), body)
            progress(number, len(paths))
        return files.finish()


async def _well() -> Health:
    return Health(ok=True, checks={})


async def _paths(house: House) -> AsyncIterator[str]:
    """Every page, those first that others lead to: a page is never there before what it names."""
    store = house.store
    slugs = [publication.newsletter.slug for publication in await store.newsletters.all()]
    for slug in slugs:
        before: int | None = None
        while page := await store.shelves.newest(slug, limit=500, before=before):
            for issue in page:
                yield f"/{issue.path}/"
            before = page[-1].id
    for slug in slugs:
        months = await store.shelves.months(slug)
        for month in months:
            yield f"/{slug}/archive/{month.year:04d}/{month.month:02d}/"
        for year in dict.fromkeys(month.year for month in months):
            yield f"/{slug}/archive/{year:04d}/"
        yield f"/{slug}/archive/"
        yield f"/{slug}/"
        for path in await store.documents.paths(slug):
            yield path
        yield f"/{slug}/sitemap.xml"
    for path in ("/", "/feeds.opml", "/sitemap.xml", "/robots.txt"):
        yield path


def _assets(page: bytes) -> list[str]:
    return re.findall(r'(?:href|src)="[^"]*(/assets/[^"]+)"', page.decode("utf-8", "replace"))


def _file(path: str) -> str:
    name = path.lstrip("/")
    return f"{name}index.html" if path.endswith("/") else name


async def _asked(app: Any, path: str, status: int = 200, *, absent: bool = False) -> bytes | None:
    """The body of one page. absent: it may be gone by now, which is None."""
    said, body = await _get(app, path)
    if said in (404, 410) and absent:
        return None
    if said != status:
        raise DigestError(f"{path} answered {said}; nothing was changed")
    return body


async def _get(app: Any, path: str) -> tuple[int, bytes]:
    """One GET, without a network."""
    answer: dict[str, Any] = {"status": 500, "body": []}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer["status"] = message["status"]
        else:
            answer["body"].append(message.get("body", b""))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"export")],
        "client": ("127.0.0.1", 0),
        "server": ("export", 80),
    }
    await app(scope, receive, send)
    return answer["status"], b"".join(answer["body"])
