"""A small furnished house for the web tests: newsletters, issues, readers, and the app over a real store."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
from starlette.types import ASGIApp

from digest.links import MAX_AGE, Links
from digest.model import (
    Document,
    Follow,
    Issue,
    Newsletter,
    NotFound,
    Schedule,
    Site,
    Source,
    Story,
    Token,
)
from digest.render import renderer
from digest.store import Store
from digest.web import Health, WebLent, build_app

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
SITE = Site(title="The Morning Post", url="http://digest.test", postal_address="1 Example Street, Berlin")
EVIDENCE = {"form": "test"}


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Ailing:
    """The health that the service would tell."""

    health: Health = field(default_factory=lambda: Health(ok=True, checks={"store": "ok", "scheduler": "ok"}))

    async def __call__(self) -> Health:
        return self.health


class Broken:
    """A store that raises whatever is asked of it; the only thing a test of that needs to fake."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Broken:
        return self

    async def __call__(self, *_args: object, **_more: object) -> object:
        raise self._error


@dataclass(kw_only=True)
class House:
    store: Store
    links: Links
    clock: Clock
    ailing: Ailing
    lent: WebLent
    app: ASGIApp
    issues: dict[str, Issue]
    readers: dict[str, int]

    @asynccontextmanager
    async def client(
        self, *, peer: tuple[str, int] = ("203.0.113.9", 50000), **lent: Any
    ) -> AsyncIterator[httpx.AsyncClient]:
        app = build_app(replace(self.lent, **lent)) if lent else self.app
        transport = httpx.ASGITransport(app=app, client=peer)
        async with httpx.AsyncClient(transport=transport, base_url=SITE.url) as client:
            yield client

    def token(self, purpose: Any, reader: str) -> str:
        issued = self.clock.now if purpose in MAX_AGE else None
        return self.links.token(purpose, self.readers[reader], issued=issued)

    async def change_asked(self, address: str) -> Token:
        """What the link in the latest letter to a new address says."""
        for number in range(100, 0, -1):
            with contextlib.suppress(NotFound):
                notice = await self.store.notices.get(number)
                if (notice.kind, notice.recipient) == ("address", address):
                    return Token(int(notice.data["change_id"]), int(notice.created_at.timestamp()))
        raise AssertionError(f"no letter asks {address}")

    async def answered(self) -> int:
        """The service has looked at what was asked for on the web; how many letters it wrote."""
        return await self.store.signups.answer(self.clock.now)

    async def snapshot(self) -> object:
        """All that a request could have changed."""
        people = await self.store.subscriptions.list()
        return (
            people,
            [await self.store.subscriptions.history(one.address) for one in people],
            await self.store.deliveries.counts(),
            await self.store.documents.version(),
            await self.store.inbox.list(),
            await self.store.signups.waiting(),
        )


def newsletter(slug: str, title: str, language: str = "en", **more: Any) -> Newsletter:
    schedule = Schedule(at=time(7), zone="Europe/Berlin")
    return Newsletter(slug=slug, title=title, language=language, schedule=schedule, **more)


def story(number: int, title: str, *, language: str = "en", section: str = "", **more: Any) -> Story:
    url = more.pop("url", f"https://news.example.org/{number}")
    lead = Source(
        article_id=number,
        feed_url="https://news.example.org/feed?key=private",
        feed_title="Northern Wire",
        title=title,
        url=url,
        authors=("Ann Other",),
        language=language,
        published=NOW - timedelta(hours=number),
    )
    return Story(
        key=f"story-{number}",
        title=title,
        url=url,
        summary=("The first sentence.", "And a second one."),
        language=language,
        section=section,
        lead=lead,
        **more,
    )


def issue(newsletter: Newsletter, edition: int, day: date, after: int, stories: tuple[Story, ...]) -> Issue:
    return Issue(
        newsletter=newsletter.slug,
        edition_id=edition,
        date=day,
        after=after,
        through=after + 10,
        path=f"{newsletter.slug}/{day}",
        tag=f"tag:digest.test,2026-11-01:{newsletter.slug}/{day}",
        title=f"{newsletter.title}, {day}",
        subject=stories[0].title,
        intro="What happened, in a few words.",
        language=newsletter.language,
        stories=stories,
        words=500,
        minutes=3,
        composed_at=NOW,
        updated_at=NOW,
    )


def document(path: str, body: bytes, version: int = 1) -> Document:
    kinds = {
        "atom": "application/atom+xml; charset=utf-8",
        "rss": "application/rss+xml; charset=utf-8",
        "json": "application/feed+json",
    }
    return Document(
        path=path,
        newsletter=path.split("/")[1],
        content_type=kinds[path.rpartition(".")[2]],
        body=body,
        etag=f'"{path.strip("/").replace("/", "-")}-{version}"',
        last_modified=NOW.replace(microsecond=0) - timedelta(hours=1),
    )


HOSTILE = "<script>alert(1)</script>\"' onload=x {{ 7*7 }}"

WORLD = newsletter(
    "world",
    "World in brief",
    description="One letter a day.",
    follows=(
        Follow(url="https://quiet.example.org/feed?key=private", title="A paper that has no story yet"),
    ),
)
PORT = newsletter("port", "رسالة المرفأ", "ar", description="رسالة واحدة كل يوم.")
PAST = newsletter("past", "Yesterday’s paper")


@dataclass(frozen=True, kw_only=True)
class Furniture:
    issues: dict[str, Issue]
    readers: dict[str, int]


async def furnish(store: Store) -> Furniture:
    """Three newsletters (one retired), four issues, five readers, feeds for `world`."""
    await store.newsletters.sync([WORLD, PORT, PAST], site=SITE, now=NOW)
    issues = {
        "old": await _birth(
            store, WORLD, date(2026, 11, 20), (story(1, "An older story"), story(2, "Its neighbour"))
        ),
        "world": await _birth(
            store,
            WORLD,
            date(2026, 11, 22),
            (
                story(1, "The bridge is closed", section="Local", image="https://img.example.org/a.jpg"),
                story(2, "Otters are back", section="Local", url="javascript:alert(1)"),
                story(3, HOSTILE, section=HOSTILE, image="http://img.example.org/plain.jpg", update=True),
                story(4, "صحيفة المرفأ اليوم", language="ar"),
            ),
        ),
        "port": await _birth(
            store, PORT, date(2026, 11, 22), (story(1, "معرض الكتاب", language="ar", section="محلي"),)
        ),
        "past": await _birth(store, PAST, date(2026, 11, 22), (story(1, "The last word"),)),
    }
    asked = await store.subscriptions.request("world", "pia@example.org", evidence=EVIDENCE, now=NOW)
    assert asked.subscription is not None
    readers = {"pending": asked.subscription.id}
    for name, slug in (("active", "world"), ("paused", "world"), ("left", "world"), ("past", "past")):
        await store.subscriptions.add(slug, f"{name}@example.org", source="cli", evidence=EVIDENCE, now=NOW)
        readers[name] = next(
            one.id for one in await store.subscriptions.of(f"{name}@example.org") if one.newsletter == slug
        )
    await store.subscriptions.pause(readers["paused"], date(2026, 12, 1), NOW)
    await store.subscriptions.leave(readers["left"], evidence=EVIDENCE, now=NOW)
    for kind in ("atom", "rss", "json"):
        await store.documents.put(document(f"/world/feed.{kind}", kind.encode() * 500))
        await store.documents.put(document(f"/past/feed.{kind}", kind.encode() * 500))
    await store.newsletters.sync([WORLD, PORT], site=SITE, now=NOW)
    return Furniture(issues=issues, readers=readers)


async def _birth(store: Store, newsletter: Newsletter, day: date, stories: tuple[Story, ...]) -> Issue:
    edition = await store.newsletters.own_edition(newsletter.slug)
    born = await store.issues.birth(
        issue(newsletter, edition.id, day, edition.through, stories),
        decisions=(),
        prepared={},
        audiences={},
        slot=None,
        now=NOW,
    )
    assert born is not None
    return born


def build(store: Store, furniture: Furniture) -> House:
    clock, ailing = Clock(), Ailing()
    links = Links(SITE.url, b"a secret that is only for tests!")
    lent = WebLent(
        site=SITE,
        store=store,
        links=links,
        renderer=renderer(None),
        clock=clock,
        health=ailing,
        feed_state=lambda feed, _now: "failing" if feed.failures else "ok",
        ip_key=b"another key for tests",
    )
    return House(
        store=store,
        links=links,
        clock=clock,
        ailing=ailing,
        lent=lent,
        app=build_app(lent),
        issues=furniture.issues,
        readers=furniture.readers,
    )
