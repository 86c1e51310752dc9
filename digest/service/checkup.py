"""The doctor: one look at everything that can be wrong, each finding with what to do."""

from __future__ import annotations

import stat
from collections import Counter
from pathlib import Path

from digest.config import ConfigError, Settings
from digest.feeds.health import health
from digest.model import DigestError, NotReady, PublishError
from digest.publishers.base import Advises
from digest.service import House, clock, inbox_is_local, load, open_house, user_agent
from digest.service.listening import is_loopback
from digest.service.writing import try_model

Finding = tuple[str, str, str]
"""(what was looked at, `ok` | `warn` | `bad`, what to say)."""


async def examine(path: str) -> list[Finding]:
    """Every finding; nothing is changed, nothing is sent."""
    try:
        settings = load(path)
    except ConfigError as error:
        return [("config", "bad", str(error))]
    findings = [
        ("config", "ok", f"{len(settings.newsletters)} newsletters"),
        *_site(settings),
        *_secret(settings),
    ]
    try:
        async with open_house(path, sync=False) as house:
            findings += [*(await _database(house)), *(await _feeds(house)), *(await _mail(house))]
    except NotReady as error:
        findings.append(("database", "bad", str(error)))
    return findings + await _model(settings)


def _site(settings: Settings) -> list[Finding]:
    host = settings.site.url.split("://", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0]
    sends = not inbox_is_local(settings)
    if is_loopback(host.strip("[]")):
        state = "bad" if sends else "warn"
        return [
            ("site.url", state, f"{settings.site.url} is this machine; no reader can follow a link to it")
        ]
    if not settings.site.url.startswith("https://"):
        return [("site.url", "warn", "use https: one-click unsubscribe needs it (RFC 8058)")]
    return [("site.url", "ok", settings.site.url)]


def _secret(settings: Settings) -> list[Finding]:
    file: Path | None = settings.secret_file
    if file is None or not file.exists():
        return [("secret", "ok", "set in the config")]
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        return [("secret", "bad", f"{file.name} can be read by others; chmod 600 {file.name}")]
    return [("secret", "ok", file.name)]


async def _database(house: House) -> list[Finding]:
    return [("database", "ok", await house.store.check())]


async def _feeds(house: House) -> list[Finding]:
    states = await house.feed_states()
    sick = Counter(said.kind for state in states if (said := health(state.feed, house.line.clock())).sick)
    if not states:
        return [("feeds", "warn", "none yet: name some under newsletters.X.feeds")]
    if sick:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sick.items())
        return [
            ("feeds", "warn", f"of {len(states)}: {kinds}; `digest feeds list --failing` says what to do")
        ]
    return [("feeds", "ok", f"{len(states)} feeds")]


async def _model(settings: Settings) -> list[Finding]:
    if settings.llm is None:
        return []
    try:
        return [("llm", "ok", await try_model(settings.llm, clock, user_agent(settings)))]
    except DigestError as error:
        return [("llm", "warn", str(error))]


async def _mail(house: House) -> list[Finding]:
    findings: list[Finding] = []
    for name, publisher in house.line.publishers.items():
        try:
            await publisher.connect()
            findings.append((name, "ok", "ready"))
        except PublishError as error:
            findings.append((name, "bad", str(error)))
        except DigestError as error:
            findings.append((name, "bad", str(error)))
        if isinstance(publisher, Advises):
            findings += await publisher.advice()
    counts = await house.store.deliveries.counts()
    failed = counts.get("failed", 0) + counts.get("unknown", 0)
    if failed:
        findings.append(
            ("deliveries", "warn", f"{failed} failed or unknown; `digest issues list` shows them")
        )
    if "email" in house.line.publishers and not house.line.site.postal_address:
        findings.append(("postal", "warn", "site.postal_address is empty; many countries' laws ask for it"))
    return findings
