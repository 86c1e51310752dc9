"""A ledger with every kind of history: who came how, stayed, moved, joined, left, lapsed, was erased."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from store_values import DAY, HOUR, MINUTE, NOW, TODAY, newsletter, synced

from digest.model import Subscription, Token, Vouched
from digest.store import Store

SECRET = b"the secret of these tests, long enough"
NAMES = ("world", "local", "list")
LATER = NOW + 9 * DAY  # when who asked and never answered is forgotten


async def live(store: Store) -> dict[str, int]:
    """All of them, one after the other; the number of each person by their name."""
    lives = _Lives(store)
    await lives.of_the_config()
    await lives.of_the_web()
    await lives.of_lists()
    await lives.of_movers()
    await lives.of_the_forgotten()
    return lives.numbers


class _Lives:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.readers = store.subscriptions
        self.numbers: dict[str, int] = {}

    async def of_the_config(self) -> None:
        """Taken in, taken out, put back; one who left by themselves and stays in the list."""
        await self._list("fixed", "out", "back", "gone")
        await self._left(await self._of("gone", "list"))
        await self._list("fixed", "gone")
        await self._list("fixed", "back", "gone")
        for name in ("fixed", "out", "back", "gone"):
            await self._of(name, "list")

    async def of_the_web(self) -> None:
        """Readers, those who left, came back, asked again, pause, have a feed instead of letters."""
        await self._confirmed("reader")
        await self._asked("asking")
        left = await self._left(await self._confirmed("left"))
        assert await self.readers.say_why(left.id, reason="too much", now=NOW)
        undone = await self._left(await self._confirmed("undone"))
        assert await self.readers.undo(undone.id, evidence={}, now=NOW + MINUTE)
        await self._left(await self._confirmed("returned"))
        await self._confirmed("returned", now=NOW + 2 * HOUR)
        await self._left(await self._asked("unsure"))
        pausing = await self._confirmed("pausing")
        await self.readers.pause(pausing.id, TODAY + timedelta(days=99), NOW)
        feed = await self._confirmed("feed")
        await self.readers.by_mail(feed.id, on=False, now=NOW)
        await self.readers.suppress("suppressed@example.org", "complained", NOW)

    async def of_lists(self) -> None:
        """Those whom the admin vouched for: one by one, and many at once."""
        await self._added("known")
        await self._added("removed")
        assert await self.readers.remove("world", "removed@example.org", now=NOW)
        mark = self.store.imports.mark_of()
        people = [
            Vouched(mark(address), address, "world", evidence='{"line":2}', paused=address[0] == "s")
            for address in ("listed@example.org", "sleeper@example.org", "left@example.org")
        ]
        bookmark = await self.store.imports.begin("k", file="list.csv", now=NOW)
        taken = await self.store.imports.take_in(bookmark, people, b"1", now=NOW)
        assert taken.counts == {"added": 2, "left": 1}
        for name in ("listed", "sleeper"):
            await self._of(name)

    async def of_movers(self) -> None:
        """To a free address, away and back, to one that has left, and to one that reads something itself."""
        await self._moved(await self._confirmed("mover"), "moved")
        there = await self._confirmed("restless")
        await self._moved(there, "elsewhere")
        await self._moved(there, "restless", NOW + 3 * HOUR)
        await self._left(await self._confirmed("leaver"))
        await self.readers.erase("leaver@example.org", NOW)
        await self._moved(await self._confirmed("follower"), "leaver", NOW + 3 * HOUR)
        first = await self._confirmed("first")
        await self._added("first", "local")
        await self._left(await self._confirmed("first", "list", NOW + 2 * HOUR))
        await self._added("second", "local")
        await self._moved(first, "second", NOW + 5 * HOUR)

    async def of_the_forgotten(self) -> None:
        """Erased as a reader, after leaving and after moving; asked and never answered, with and without
        reading something else."""
        await self._confirmed("erased")
        await self._added("erased", "local")
        await self._left(await self._confirmed("erased2"))
        changed = await self._confirmed("changer")
        await self._moved(changed, "changed")
        for name in ("erased", "erased2", "changed"):
            (one, *_) = await self.readers.of(f"{name}@example.org")
            assert await self.readers.erase(f"{name}@example.org", NOW)
        assert one.id == changed.id
        assert await self.readers.say_why(one.id, reason="too much", now=NOW), "said after being erased"
        await self._asked("lapsed")
        await self._added("half", "local")
        await self._asked("half", now=NOW)
        await self._left(await self._added("past", "local"))
        await self._asked("past", now=NOW)
        await self._forget()
        await self._asked("lapsed", now=LATER)

    async def _forget(self) -> None:
        done = await self.store.prune(LATER, deliveries=30 * DAY, articles=30 * DAY)
        assert done["unconfirmed"] == 4  # "asking", too
        await self._asked("asking", now=LATER)

    async def _list(self, *names: str) -> None:
        listed = newsletter("list", recipients=tuple(f"{name}@example.org" for name in names))
        await synced(self.store, *(newsletter(slug) for slug in NAMES[:2]), listed)

    async def _of(self, name: str, slug: str = "world") -> Subscription:
        every = await self.readers.of(f"{name}@example.org")
        (one,) = [one for one in every if one.newsletter == slug]
        self.numbers[name] = one.subscriber_id
        return one

    async def _asked(self, name: str, slug: str = "world", now: Any = NOW) -> Subscription:
        await self.readers.request(slug, f"{name}@example.org", evidence={"form": name}, now=now)
        return await self._of(name, slug)

    async def _confirmed(self, name: str, slug: str = "world", now: Any = NOW) -> Subscription:
        asked = await self._asked(name, slug, now)
        assert await self.readers.confirm(asked.id, evidence={"page": f"Yes, {name}"}, now=now)
        return await self._of(name, slug)

    async def _added(self, name: str, slug: str = "world") -> Subscription:
        said = await self.readers.add(slug, f"{name}@example.org", source="cli", evidence={}, now=NOW)
        assert said == "added"
        return await self._of(name, slug)

    async def _left(self, one: Subscription) -> Subscription:
        assert await self.readers.leave(one.id, evidence={"form": "one-click"}, now=NOW)
        return one

    async def _moved(self, one: Subscription, to: str, at: Any = NOW) -> None:
        address = f"{to}@example.org"
        assert await self.readers.request_address(one.id, address, evidence={}, now=at)
        async with self.store._database.reading() as connection:
            number = (
                await connection.execute(text("SELECT id FROM address_changes WHERE done_at IS NULL"))
            ).scalar_one()
        token = Token(number, int(at.timestamp()))
        assert await self.readers.confirm_address(token, evidence={"form": "address page"}, now=at)
        (moved, *_) = await self.readers.of(address)
        self.numbers[to] = moved.subscriber_id
