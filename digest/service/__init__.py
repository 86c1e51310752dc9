"""The only place that builds things and hands them out: from config.yaml to a house that works.

`load` reads the file, `open_house` builds everything for one command, `running.serve` keeps it alive.
"""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from digest import config, publishers
from digest.config import Settings
from digest.feeds import opml
from digest.feeds.health import health
from digest.feeds.readers import Readers
from digest.line import Line
from digest.links import Links
from digest.model import DigestError, Feed, FeedStatus, Issue, Newsletter, NotFound
from digest.net import Net
from digest.publishers.base import Lent, Publisher
from digest.publishers.private_feed import PrivateFeeds
from digest.service.plan import Plan, plan_of
from digest.service.writing import open_writer
from digest.store import Store
from digest.store.chain import Head
from digest.workers import Workers, preload

log = logging.getLogger(__name__)

NO_CHANNELS = ("base",)
PRIVATE_ENTRIES = 20
"""Of a private feed where the channel `feed` has no settings."""


def clock() -> datetime:
    """Now, aware, UTC: the one clock of the house."""
    return datetime.now(UTC)


# ---------------------------------------------------------------- channels


def channels() -> tuple[str, ...]:
    """The names of the publishers there are: every file in `publishers/` that holds one."""
    names = (module.name for module in pkgutil.iter_modules(publishers.__path__))
    return tuple(name for name in names if name not in NO_CHANNELS and _is_channel(name))


def _is_channel(name: str) -> bool:
    module = importlib.import_module(f"digest.publishers.{name}")
    return hasattr(module, "Publisher") and hasattr(module, "Settings")


def channel_settings(name: str) -> type:
    """The settings class of a channel. Raises NotFound, naming those that exist."""
    if name not in channels():
        raise NotFound(f"there is no channel '{name}'; there are {', '.join(channels())}")
    settings: type = importlib.import_module(f"digest.publishers.{name}").Settings
    return settings


# ---------------------------------------------------------------- config


def load(path: str | Path, *, env: Mapping[str, str] | None = None, raw: bytes | None = None) -> Settings:
    """The admin's file as settings. Raises ConfigError with every problem and its place.

    raw: what the file would say, to be checked instead of what it says.
    """
    return config.load(
        Path(path),
        channel_settings=channel_settings,
        read_opml=opml.read,
        env=os.environ if env is None else env,
        raw=raw,
    )


# ---------------------------------------------------------------- the house


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything built, for as long as one command or one service needs it."""

    settings: Settings
    store: Store
    line: Line

    def newsletter(self, slug: str) -> Newsletter:
        """By its slug. Raises NotFound, naming those that exist."""
        if slug not in self.line.newsletters:
            raise NotFound(
                f"there is no newsletter '{slug}' in the config; there are "
                + (", ".join(self.line.newsletters) or "none")
            )
        return self.line.newsletters[slug]

    def urls(self, issues: Iterable[Issue] = ()) -> dict[str, str]:
        """Where to look: the latest issue, the feeds, the local inbox."""
        links = self.line.links
        found: dict[str, str] = {}
        for issue in issues:
            found[issue.path] = links.issue(issue.path)
        for slug in self.line.newsletters:
            found[f"{slug}"] = links.newsletter(slug)
            for form in ("atom", "rss", "json"):
                found[f"{slug} {form}"] = links.feed(slug, form)
        if inbox_is_local(self.settings):
            found["inbox"] = links.inbox()
        return found

    async def feed_states(self) -> list[FeedStatus]:
        """Every followed feed, those never polled included."""
        known = {state.feed.url: state for state in await self.store.feeds.list()}
        for slug, newsletter in self.line.newsletters.items():
            for follow in newsletter.follows:
                if follow.url not in known:
                    feed = Feed(id=0, url=follow.url, address=follow.url, next_poll_at=self.line.clock())
                    known[follow.url] = FeedStatus(feed=feed, newsletters=(slug,), entries=0, articles=0)
        return list(known.values())

    async def plan(self) -> Plan:
        """What using this config would change; nothing is changed."""
        return await plan_of(self.store, self.line.newsletters)


def inbox_is_local(settings: Settings) -> bool:
    """Letters are kept here and not sent: the inbox page may be shown (on a loopback bind only)."""
    return getattr(settings.channels.get("email"), "transport", None) == "inbox"


def feed_state(feed: Feed, now: datetime) -> str:
    """How a feed is, in one word."""
    return health(feed, now).kind


def database_file(settings: Settings) -> Path | None:
    """The file of a SQLite database; None on a server."""
    kind, _, path = settings.database.partition(":///")
    return Path(path.partition("?")[0]) if kind.startswith("sqlite") else None


EVERYTHING = ("digest.nursery",)
READING_FEEDS = ("digest.feeds.parse", "digest.feeds.quick")
WRITING_LETTERS = ("digest.publishers.email",)


@asynccontextmanager
async def open_house(
    path: str | Path,
    *,
    sync: bool = True,
    loads: Sequence[str] = EVERYTHING,
    clock: Callable[[], datetime] = clock,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[House]:
    """Build everything from a config file and let go of it at the end.

    sync: put what the config says (newsletters, feeds, recipients) into the store; a command that only looks
    says False. loads: modules that its workers load before they are forked; a command that needs few of them
    begins earlier. Raises ConfigError, NotReady.
    """
    preload(*loads)
    settings = config.ensure_secret(load(path, env=env))
    store = await Store.open(settings.database)
    try:
        await store.claim_identity(settings.secret, None, clock(), former=settings.former_secrets)
        if sync:
            await adopt(store, settings, clock())
        async with build_line(settings, store, clock) as line:
            yield House(settings=settings, store=store, line=line)
    finally:
        await store.close()


async def adopt(store: Store, settings: Settings, now: datetime) -> None:
    """The store learns what the config says; from now on only processes with this config compose."""
    await store.newsletters.sync(settings.newsletters, site=settings.site, now=now)
    await store.set_config(settings.hash)


async def clear_up(store: Store, settings: Settings, now: datetime) -> Head | None:
    """Forget what is kept no longer. Once a day the head of the consent ledger comes back, to be told: kept
    outside the database, it proves later that nothing was cut off."""
    gone = await store.prune(now, deliveries=settings.keep.deliveries, articles=settings.keep.articles)
    log.info("pruned", extra=dict(gone))
    return await store.ledger.head_of_the_day(now)


@asynccontextmanager
async def build_line(settings: Settings, store: Store, clock: Callable[[], datetime]) -> AsyncIterator[Line]:
    """The line over this store: network, workers, publishers; all closed at the end."""
    links = Links(settings.site.url, settings.secret, settings.former_secrets)
    workers = Workers()
    readers = Readers(lanes=os.cpu_count() or 1)
    net = build_net(settings)
    lent = Lent(
        site=settings.site,
        store=store,
        links=links,
        net=net,
        workers=workers,
        templates=settings.templates,
        clock=clock,
    )
    publishers = build_publishers(settings, lent)
    writing = open_writer(
        settings, store.notebook, run=workers.run, clock=clock, user_agent=user_agent(settings)
    )
    try:
        async with writing as writer:
            yield Line(
                store=store,
                net=net,
                readers=readers,
                workers=workers,
                links=links,
                site=settings.site,
                newsletters={newsletter.slug: newsletter for newsletter in settings.newsletters},
                publishers=publishers,
                folder=settings.folder,
                templates=settings.templates,
                config_hash=settings.hash,
                clock=clock,
                chance=random.random,
                writer=writer,
                admins=settings.report.to,
                alarm=settings.report.failures,
            )
    finally:
        for publisher in publishers.values():
            await publisher.close()
        await net.close()
        readers.close()
        workers.close()


def build_net(settings: Settings) -> Net:
    """The way out, as the admin wants it."""
    return Net(
        user_agent=user_agent(settings),
        allow=settings.fetch.allow,
        total_seconds=settings.fetch.timeout.total_seconds(),
        gap=settings.fetch.gap.total_seconds(),
        proxy=settings.fetch.proxy,
    )


def build_publishers(settings: Settings, lent: Lent) -> dict[str, Publisher]:
    """One publisher for each channel that some newsletter uses."""
    used = dict.fromkeys(name for newsletter in settings.newsletters for name in newsletter.channels)
    built: dict[str, Publisher] = {}
    for name in used:
        if name not in settings.channels:
            raise DigestError(f"the channel '{name}' has no settings")
        module = importlib.import_module(f"digest.publishers.{name}")
        built[name] = module.Publisher(settings.channels[name], lent)
    return built


def private_feeds(settings: Settings, line: Line) -> PrivateFeeds:
    """What the web writes the feeds of single readers with; they are as long as the public ones."""
    lent = Lent(
        site=line.site,
        store=line.store,
        links=line.links,
        net=line.net,
        workers=line.workers,
        templates=line.templates,
        clock=line.clock,
    )
    return PrivateFeeds(lent, getattr(settings.channels.get("feed"), "entries", PRIVATE_ENTRIES))


def user_agent(settings: Settings) -> str:
    """Who we say we are, with a place to complain."""
    from digest import __version__

    return settings.fetch.user_agent or f"Digest/{__version__} (+{settings.site.url}/)"


def shown(settings: Settings) -> dict[str, Any]:
    """The settings as plain values, secrets masked."""
    return config.shown(settings)


def config_schema() -> dict[str, Any]:
    """The JSON Schema of config.yaml with the sections of every channel there is."""
    return config.schema(channel_settings, channels())


async def upgrade_database(path: str | Path) -> str:
    """Bring the schema up to this release; returns its revision."""
    return await Store.upgrade(load(path).database)
