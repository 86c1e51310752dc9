"""What another config would change, before it does: newsletters, feeds, settings, and people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from digest.model import Newsletter
from digest.store import Store

_WHY = {
    "left": "left by their own wish, and stays so",
    "suppressed": "is suppressed, and nothing is sent to them",
}
_TOLD_OTHERWISE = {"slug", "follows", "recipients", "schedule"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one newsletter. change: new, changed, retired, back (it was retired) or none. settings:
    name, before, after."""

    newsletter: str
    change: str
    feeds_added: tuple[str, ...] = ()
    feeds_removed: tuple[str, ...] = ()
    settings: tuple[tuple[str, Any, Any], ...] = ()
    readers_added: tuple[str, ...] = ()
    readers_removed: tuple[str, ...] = ()
    readers_kept_out: tuple[tuple[str, str], ...] = ()

    def lines(self) -> Iterator[str]:
        """For people, one fact a line."""
        if self.change == "retired":
            yield "would be retired: no more issues, its pages and feeds stay"
        elif self.change == "new":
            yield f"new, with {len(self.feeds_added)} feeds"
        elif self.change == "back":
            yield "comes back: it was retired"
        yield from (f"+ feed {url}" for url in self.feeds_added)
        yield from (f"- feed {url}" for url in self.feeds_removed)
        yield from (f"+ reader {address}" for address in self.readers_added)
        yield from (f"- reader {address}" for address in self.readers_removed)
        yield from (f"  reader {address}: {_WHY[reason]}" for address, reason in self.readers_kept_out)
        yield from (f"{name}: {before} → {after}" for name, before, after in self.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All newsletters, by slug."""

    newsletters: tuple[Change, ...]

    @property
    def changes(self) -> bool:
        """Whether anything would change; who is kept out is no change."""
        return any(change.change != "none" for change in self.newsletters)


async def plan_of(store: Store, wanted: Mapping[str, Newsletter]) -> Plan:
    """What `Newsletters.sync` with these would do."""
    stored = {one.newsletter.slug: one for one in await store.newsletters.all()}
    changes = [
        Change(newsletter=slug, change="retired")
        for slug, one in stored.items()
        if slug not in wanted and one.retired_at is None
    ]
    for slug, newsletter in wanted.items():
        known = stored.get(slug)
        was = known.newsletter if known else replace(newsletter, follows=(), recipients=())
        people = await store.newsletters.plan(newsletter)
        before, after = [{follow.url for follow in one.follows} for one in (was, newsletter)]
        change = Change(
            newsletter=slug,
            change="none",
            feeds_added=tuple(sorted(after - before)),
            feeds_removed=tuple(sorted(before - after)),
            settings=tuple(_settings(was, newsletter)),
            readers_added=people.added,
            readers_removed=people.removed,
            readers_kept_out=people.kept_out,
        )
        if known is None or known.retired_at is not None:
            change = replace(change, change="new" if known is None else "back")
        elif replace(change, readers_kept_out=()) != Change(newsletter=slug, change="none"):
            change = replace(change, change="changed")
        changes.append(change)
    return Plan(newsletters=tuple(sorted(changes, key=lambda change: change.newsletter)))


def _settings(was: Newsletter, new: Newsletter) -> Iterator[tuple[str, Any, Any]]:
    for name in (field.name for field in fields(Newsletter)):
        before, after = getattr(was, name), getattr(new, name)
        if name not in _TOLD_OTHERWISE and before != after:
            yield name, before, after
    if was.schedule != new.schedule:
        yield "schedule", _schedule(was), _schedule(new)
    ours = {follow.url: follow for follow in was.follows}
    for follow in new.follows:
        if follow.url in ours and ours[follow.url] != follow:
            yield f"feed {follow.url}", ours[follow.url], follow


def _schedule(newsletter: Newsletter) -> str:
    schedule = newsletter.schedule
    return f"{schedule.cadence} at {schedule.at:%H:%M} {schedule.zone}"
