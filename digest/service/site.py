"""The public site as files: what a visitor would be served, asked of the web itself, for any static host."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from digest.line import Progress, quiet
from digest.model import DigestError
from digest.render import renderer
from digest.service import House, feed_state
from digest.web.app import build_app
from digest.web.health import Health
from digest.web.lent import WebLent


async def export_site(house: House, folder: Path, *, progress: Progress = quiet) -> int:
    """Write every public page, feed and asset below `folder`; returns how many files.

    A file is replaced in one step (rename), and left alone when its bytes are the same.
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
        )
    )
    written = 0
    assets: set[str] = set()
    paths = [path async for path in _paths(house)]
    for path in paths:
        status, body = await _get(app, path)
        if status == 404 and "/feed." in path:
            continue  # no issue yet, no feed yet
        if status != 200:
            raise DigestError(f"{path} answered {status}; nothing more was written")
        _write(folder, path, body)
        assets.update(re.findall(r'(?:href|src)="(/assets/[^"]+)"', body.decode("utf-8", "replace")))
        written += 1
        progress(written, len(paths))
    for path in sorted(assets):
        status, body = await _get(app, path)
        if status == 200:
            _write(folder, path, body)
            written += 1
    return written


async def _well() -> Health:
    return Health(ok=True, checks={})


async def _paths(house: House) -> AsyncIterator[str]:
    yield "/"
    yield "/feeds.opml"
    for publication in await house.store.newsletters.all():
        slug = publication.newsletter.slug
        yield f"/{slug}/"
        for form in ("atom", "rss", "json"):
            yield f"/{slug}/feed.{form}"
        before: int | None = None
        while page := await house.store.issues.latest(slug, limit=200, before=before):
            for issue in page:
                yield f"/{issue.path}/"
            before = page[-1].id


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


def _write(folder: Path, path: str, body: bytes) -> None:
    name = path.lstrip("/")
    target = folder / (f"{name}index.html" if path.endswith("/") else name)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and target.read_bytes() == body:
        return
    draft = target.with_name(target.name + ".new")
    draft.write_bytes(body)
    draft.replace(target)
