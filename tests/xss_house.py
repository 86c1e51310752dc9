"""Every place where a stranger's words are shown, full of payloads, looked at by a real Chromium.

The content policy of our pages is switched off, so that what is tested is what we write and not what a browser
forbids. A payload that gets its way calls `alert`, `print` or `confirm`; those are ours here, in every frame, and
tell. Besides, no element may be left that could run something later: a handler, a script, an address that is one.
"""

# ruff: noqa: E501 - scripts for the browser are not folded

from __future__ import annotations

import asyncio
import html as escaping
import json
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import uvicorn

from digest import html
from digest.links import Links
from digest.model import Entry, Issue, Newsletter, Schedule, Site, Source, Story, UnreadEntry
from digest.publishers.feed_content import FORMS, Order, Place
from digest.publishers.feed_documents import build
from digest.render import ReaderLinks, renderer
from digest.store import Store
from digest.summarizer import read_entry
from digest.web import Health, WebLent, build_app
from publishing import bear_prepared
from web.chromium import Tab, chromium

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
STORIES = 100
SETTLE = 0.15
"""Seconds for what runs a moment after the page is there: pictures that fail, animations that begin."""

LISTEN = """
for (const name of ['alert', 'print', 'confirm', 'prompt'])
  window[name] = (...given) => { hit(name + ' ' + given + ' ' + location.href.slice(0, 80)); return true; };
"""
LEFT = r"""
(() => {
  const found = [];
  const script = /^[\s\x00-\x20]*(javascript|vbscript|livescript|data|blob)\s*:/i;
  for (const element of document.querySelectorAll('*')) {
    const name = element.localName;
    if (element.matches('iframe[src^="/dev/inbox/"]')) continue;
    if (['iframe', 'frame', 'object', 'embed', 'applet', 'portal', 'svg', 'math', 'template', 'noscript'].includes(name))
      found.push('<' + name + '>');
    if (name === 'script' && element.type !== 'application/ld+json') found.push('<script>');
    if (name === 'base' && element.hasAttribute('href')) found.push('<base>');
    if (name === 'meta' && /refresh/i.test(element.httpEquiv)) found.push('<meta refresh>');
    for (const attribute of element.attributes) {
      if (/^on/i.test(attribute.name)) found.push(attribute.name + ' on ' + name);
      if (script.test(attribute.value) && !['alt', 'title', 'value', 'content', 'aria-label'].includes(attribute.name))
        found.push(attribute.name + '=' + attribute.value.slice(0, 60));
    }
    for (const part of ['href', 'src', 'action', 'formAction', 'data'])
      if (typeof element[part] === 'string' && script.test(element[part])) found.push(part + ' ' + element[part].slice(0, 60));
    if (/expression\s*\(|-moz-binding|behavior\s*:/i.test(element.getAttribute('style') || ''))
      found.push('style on ' + name);
  }
  return found;
})()
"""
STIR = """
(() => {
  for (const element of document.querySelectorAll('*'))
    for (const kind of ['mouseover', 'mouseenter', 'focus', 'pointerenter', 'toggle', 'error', 'load', 'animationstart', 'keydown'])
      element.dispatchEvent(new Event(kind));
  return document.body ? document.body.childElementCount : 0;
})()
"""


# ---------------------------------------------------------------- words


def articles(payloads: Sequence[str]) -> list[tuple[str, str]]:
    """What our own reading makes of each as a feed's entry: (title, the words told)."""
    found = []
    for number, payload in enumerate(payloads):
        told = f"<p>The harbour council met on Monday and agreed on quieter cranes. {payload}</p><p>It voted nine to two.</p>"
        entry = Entry(
            guid=str(number), url="https://wire.example.net/1", title=payload, html=told, authors=(payload,)
        )
        article = read_entry(
            UnreadEntry(
                id=1, feed_id=1, feed_url="https://wire.example.net/feed", feed_title="Wire", feed_language="en",
                fence=1, attempts=1, received_at=NOW, published=NOW, dated=True, backlog=False, position=0, entry=entry,
            )
        )  # fmt: skip
        found.append((article.title, " ".join(sentence.text for sentence in article.summary)))
    return found


def story_of(number: int, payload: str, read: tuple[str, str]) -> Story:
    """A story whose every word and address is the payload, as it is and as we read it."""
    source = Source(
        article_id=number,
        feed_url="https://wire.example.net/feed",
        feed_title=payload,
        title=payload,
        url=payload,
        authors=(payload, read[0]),
        language="en",
        published=NOW,
    )
    return Story(
        key=f"story-{number}",
        title=payload,
        url=payload if number % 2 else f"https://wire.example.net/{payload}",
        summary=(payload, *read),
        language="en",
        section=payload if number % 7 == 0 else "Local",
        image=payload if number % 2 else f"https://img.example.net/{payload}",
        lead=source,
        also=(replace(source, url=f"https://also.example.net/?{payload}"),),
        writer=payload if number % 5 == 0 else "",
    )


def issues_of(newsletter: Newsletter, payloads: Sequence[str]) -> Iterable[Issue]:
    read = list(zip(payloads, articles(payloads), strict=True))
    for number in range(-(-len(read) // STORIES)):
        some = read[number * STORIES : (number + 1) * STORIES]
        stories = tuple(story_of(place, payload, words) for place, (payload, words) in enumerate(some))
        day = date(2020, 1, 1) + timedelta(days=number)
        path = f"{newsletter.slug}/{day}"
        yield Issue(
            id=number + 1,
            newsletter=newsletter.slug,
            edition_id=1,
            date=day,
            after=number,
            through=number + 1,
            path=path,
            tag=f"tag:digest.test,2020-01-01:{path}",
            title=stories[0].title,
            subject=stories[-1].title,
            intro=stories[len(stories) // 2].title,
            language="en",
            stories=stories,
            words=100,
            minutes=1,
            composed_at=NOW + timedelta(minutes=number),
            updated_at=NOW + timedelta(minutes=number),
        )


# ---------------------------------------------------------------- places


class Places:
    """The pages of a house whose words are all payloads, and what else is to be looked at as a document."""

    def __init__(self, url: str, store: Store) -> None:
        self.url = url
        self.store = store
        self.site = Site(title="The Morning Post", url=url)
        self.links = Links(url, b"a secret that is only for tests!")
        self.paths: list[tuple[str, str]] = []
        self.documents: list[tuple[str, str]] = []
        self.app: Any = None

    async def furnish(self, payloads: Sequence[str]) -> None:
        titles = payloads[:: max(1, len(payloads) // 50)] if len(payloads) > 1_000 else payloads[:4]
        schedule = Schedule(at=time(7), zone="Europe/Berlin")
        named = [
            Newsletter(slug=f"n{number}", title=title, description=title, schedule=schedule)
            for number, title in enumerate(titles)
        ]
        world = Newsletter(slug="world", title="World in brief", schedule=schedule)
        await self.store.newsletters.sync([world, *named], site=self.site, now=NOW)
        await self._people(named)
        for issue in issues_of(world, payloads):
            await self._add_issue(world, issue)
        self.paths += [("home", "/"), ("newsletter", "/world/"), ("inbox", "/dev/inbox")]
        self.paths += [("newsletter", f"/{one.slug}/") for one in named]
        self.paths += [("by date", "/world/archive/"), ("by date", "/world/archive/2020/01/")]
        self.paths.append(("search", "/search?q=harbour"))
        for title in titles:
            asked = quote(title, errors="replace")
            self.paths += [("search", f"/search?q={asked}"), ("search", f"/world/search?q=harbour+{asked}")]
        self.documents.append(
            ("clean", "\n".join(html.clean(one, "https://x.example/a") for one in payloads))
        )
        self.app = build_app(
            WebLent(
                site=self.site,
                store=self.store,
                links=self.links,
                renderer=renderer(None),
                clock=lambda: NOW,
                health=_well,
                feed_state=lambda _feed, _now: "ok",
                ip_key=b"a key",
                dev_inbox=True,
            )
        )

    async def _people(self, newsletters: Iterable[Newsletter]) -> None:
        for one in newsletters:
            await self.store.subscriptions.add(
                one.slug, "ann@example.org", source="cli", evidence={}, now=NOW
            )
        for subscription in await self.store.subscriptions.of("ann@example.org"):
            for purpose in ("preferences", "unsubscribe"):
                token = self.links.token(purpose, subscription.id)  # type: ignore[arg-type]
                self.paths.append((purpose, f"/{purpose}/{token}"))

    async def _add_issue(self, newsletter: Newsletter, issue: Issue) -> None:
        own = await self.store.newsletters.own_edition(newsletter.slug)
        born = await bear_prepared(
            self.store,
            replace(issue, edition_id=own.id, after=own.through, through=own.through + 1),
            {},
            {},
            NOW,
        )
        self.paths.append(("issue", f"/{born.path}/"))
        letter = renderer(None).letter(born, newsletter, self.site, self.links, reader=ReaderLinks())
        self.documents.append(("letter", letter.html))
        message = EmailMessage()
        message["Subject"] = "x"
        message.set_content(letter.text.encode("utf-8", "replace").decode())
        message.add_alternative(letter.html.encode("utf-8", "replace").decode(), subtype="html")
        await self.store.inbox.keep(
            recipient="ann@example.org",
            subject=html.plain(issue.title),
            message_id=f"<{born.id}@x>",
            now=NOW,
            body=message.as_bytes(),
        )
        self.paths += [("inbox", f"/dev/inbox/{born.id}"), ("inbox", f"/dev/inbox/{born.id}/html")]
        for items in ("issues", "stories"):
            self.documents += self._as_readers_show(newsletter, born, items)

    def _as_readers_show(self, newsletter: Newsletter, issue: Issue, items: Any) -> Iterable[tuple[str, str]]:
        """The feeds, as a reader would show them that puts everything it finds into a page."""
        order = Order(
            newsletter=newsletter,
            issues=[issue],
            items=items,
            id="tag:digest.test,2020-01-01:world",
            since=NOW,
            place=Place(addresses={form: self.links.feed("world", form) for form in FORMS}),
            site=self.site,
            links=self.links,
        )
        documents = build(order)
        told = json.loads(documents["json"])["items"]
        yield (
            f"json feed of {items}",
            "\n".join(
                chain.from_iterable(
                    (one["title"], one["summary"], one["content_html"], *one.get("tags", ()), *_names(one))
                    for one in told
                )
            ),
        )
        rss = ElementTree.fromstring(documents["rss"])  # noqa: S314 - our own document
        yield f"rss of {items}", "\n".join(element.text or "" for element in rss.iter())
        atom = ElementTree.fromstring(documents["atom"])  # noqa: S314 - our own document
        yield f"atom of {items}", "\n".join(_shown(element) for element in atom.iter())


def _names(item: dict[str, Any]) -> list[str]:
    return [author["name"] for author in item.get("authors", ())]


def _shown(element: ElementTree.Element) -> str:
    """Atom says whether it is text; names and categories are, and some readers do not care."""
    text, kind = element.text or "", element.get("type")
    if kind == "html" or not element.tag.endswith(("}title", "}summary", "}subtitle")):
        return text + " " + element.get("term", "")
    return escaping.escape(text)


async def _well() -> Health:
    return Health(ok=True, checks={})


# ---------------------------------------------------------------- looking


@asynccontextmanager
async def haunted(payloads: Sequence[str], folder: Path) -> AsyncIterator[Places]:
    """The house, served on loopback."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        store = await Store.open(f"sqlite:///{folder / 'subscribers.db'}")
        try:
            places = Places(f"http://127.0.0.1:{listening.getsockname()[1]}", store)
            await places.furnish(payloads)
            config = uvicorn.Config(_with_documents(places), log_config=None, ws="none", lifespan="off")
            server = uvicorn.Server(config)
            running = asyncio.create_task(server.serve([listening]))
            while not server.started:  # noqa: ASYNC110  uvicorn tells by a flag only
                await asyncio.sleep(0.01)
            yield places
            server.should_exit = True
            await running
        finally:
            await store.close()


def _with_documents(places: Places) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        number = scope["path"].removeprefix("/document/")
        if not number.isdecimal():
            await places.app(scope, receive, send)
            return
        body = places.documents[int(number)][1].encode("utf-8", "replace")
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


async def what_ran(places: Places, folder: Path) -> tuple[dict[str, int], list[str]]:
    """How many pages were looked at, by kind; and everything that ran, or could."""
    looked: dict[str, int] = {}
    found: list[str] = []
    async with chromium(folder / "profile") as tab:
        await listen(tab)
        all_ = [*places.paths, *((kind, f"/document/{n}") for n, (kind, _) in enumerate(places.documents))]
        for kind, path in all_:
            looked[kind] = looked.get(kind, 0) + 1
            found += [f"{kind} {path}: {said}" for said in await look(tab, places.url + path)]
    return looked, found


async def listen(tab: Tab) -> None:
    await tab.call("Page.setBypassCSP", enabled=True)
    await tab.call("Runtime.addBinding", name="hit")
    await tab.call("Page.addScriptToEvaluateOnNewDocument", source=LISTEN)


async def look(tab: Tab, url: str) -> list[str]:
    """What ran on this page, and what could."""
    tab.calls.clear()
    await tab.go(url)
    await tab.run(STIR)
    await asyncio.sleep(SETTLE)
    left = await tab.run(LEFT)
    at = await tab.run("location.href")
    moved = [] if at == url else [f"led to {at}"]
    return [*dict.fromkeys(tab.calls), *dict.fromkeys(left), *moved]
