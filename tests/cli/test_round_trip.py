"""What is exported is imported into a new database: every kind of row, and what of a reader comes along."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from digest.model import Rhythm, Subscription, SubscriptionStatus, Token
from digest.roster.cells import plain
from digest.service import open_house
from digest.store import Store

THEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LATER = datetime(2026, 3, 5, tzinfo=UTC)
ODD = (
    "o'neil+list@example.org",
    "=1+1@example.org",
    "-dash@example.org",
    "'quoted@example.org",
    "'=twice@example.org",
    "x" * 64 + "@example.org",
    "jörg@xn--bcher-kva.example.org",
    "Capital@example.org",
)


def in_store(work: Callable[[Store], Awaitable[Any]]) -> Any:
    """Do this with the store of the folder."""

    async def main() -> Any:
        async with open_house(Path("config.yaml")) as house:
            return await work(house.store)

    return asyncio.run(main())


async def _add(store: Store, address: str) -> Subscription:
    await store.subscriptions.add("world", address, source="cli", evidence={}, now=THEN)
    [one] = await store.subscriptions.of(address)
    return one


async def _every_kind(store: Store) -> None:
    people = store.subscriptions
    await people.request("world", "pending@example.org", evidence={}, now=THEN)
    active = await _add(store, "active@example.org")
    await people.speak(active.id, "de")
    rhythm = Rhythm(cadence="weekdays", at=time(6, 30), zone="Asia/Tokyo")
    assert await people.choose((await _add(store, "early@example.org")).id, rhythm, now=THEN)
    await people.pause((await _add(store, "resting@example.org")).id, date(2030, 1, 2), THEN)
    await people.pause((await _add(store, "away@example.org")).id, None, THEN)
    await people.leave((await _add(store, "left@example.org")).id, evidence={}, now=LATER)
    await _add(store, "removed@example.org")
    await people.remove("world", "removed@example.org", now=LATER)
    await _add(store, "bounced@example.org")
    await people.suppress("bounced@example.org", "bounced", LATER)
    await _add(store, "erased@example.org")
    await people.erase("erased@example.org", LATER)
    moving = await _add(store, "before@example.org")
    await people.request_address(moving.id, "after@example.org", evidence={}, now=THEN)
    # The first change of this database; its link says when it was asked for.
    assert await people.confirm_address(Token(1, int(THEN.timestamp())), evidence={}, now=LATER)
    for address in ODD:
        await _add(store, address)


@pytest.fixture
def exported(digest, tmp_path: Path) -> Path:
    """The file of a database with every kind of row, which is gone."""
    in_store(_every_kind)
    file = tmp_path / "out.csv"
    assert digest("subscribers", "export", "-o", str(file)).code == 0
    Path("subscribers.db").unlink()
    return file


def _everybody(digest) -> dict[str, dict[str, Any]]:
    return {row["address"]: row for row in digest("subscribers", "list", "--json").json()}


def test_every_kind_of_row_is_imported_or_kept_out_for_its_reason(digest, exported: Path) -> None:
    said = digest("subscribers", "import", "world", str(exported), "--json")
    assert said.code == 0
    assert said.json()["bad"] == 0
    found = _everybody(digest)
    there = {address for address, row in found.items() if row["status"] in ("active", "paused")}
    comes = {"active", "early", "resting", "away", "after"}
    assert there == {"you@example.org", *(f"{name}@example.org" for name in comes), *ODD}
    assert said.json()["outcomes"]["left_by_the_list"] == 3  # left, removed, bounced
    assert said.json()["outcomes"]["never_confirmed_by_the_list"] == 1
    assert digest("subscribers", "verify").code == 0


def test_what_of_a_reader_comes_along_is_what_the_page_says(digest, exported: Path) -> None:
    digest("subscribers", "import", "world", str(exported))
    found = _everybody(digest)
    active, early = found["active@example.org"], found["early@example.org"]
    assert (active["language"], active["confirmed_at"]) == ("de", THEN.isoformat())
    assert (found["resting@example.org"]["status"], found["resting@example.org"]["paused_until"]) == (
        "paused",
        "2030-01-02",
    )
    assert (found["away@example.org"]["status"], found["away@example.org"]["paused_until"]) == (
        "paused",
        None,
    )
    # The hour is the newsletter's again: docs/how-to/import-readers.md tells it.
    assert (early["rhythm"]["cadence"], early["rhythm"]["zone"]) == ("daily", "Europe/Berlin")
    history = digest("subscribers", "show", "active@example.org", "--json").json()["history"]
    assert history[0]["evidence"] == {
        "file": "out.csv",
        "import": 1,
        "line": history[0]["evidence"]["line"],
        "agreed": THEN.isoformat(),
        "said": "cli",
    }


def test_a_list_that_is_older_brings_nobody_back_who_left_by_the_newer_one(digest, exported: Path) -> None:
    gone = ["left@example.org", "REMOVED@example.org", "bounced@example.org"]
    older = exported.with_name("older.csv")
    older.write_text("\n".join(["email", *gone, "pending@example.org", ""]))
    digest("subscribers", "import", "world", str(exported), "--dry-run")
    assert (
        digest("subscribers", "import", "world", str(older), "--dry-run", "--json").json()["outcomes"][
            "added"
        ]
        == 4
    )
    digest("subscribers", "import", "world", str(exported))
    outcomes = digest("subscribers", "import", "world", str(older), "--json").json()["outcomes"]
    assert (outcomes["left"], outcomes["added"]) == (3, 1)
    assert "left by their own wish" in digest("subscribers", "add", "world", "left@example.org").out
    assert digest("subscribers", "verify").code == 0


def test_nobody_who_was_erased_is_in_an_export(digest, tmp_path: Path) -> None:
    in_store(_every_kind)
    lines = [json.loads(line) for line in digest("subscribers", "export", "--json").out.splitlines()]
    rows = list(csv.DictReader(digest("subscribers", "export").out.splitlines()))
    assert len(rows) == len(lines) == 10 + len(ODD)
    for one in [*lines, *rows]:
        assert "@" in one["address"]
    statuses = {one["address"]: one["status"] for one in lines}
    assert statuses["bounced@example.org"] == "suppressed"
    assert statuses["left@example.org"] == SubscriptionStatus.LEFT
    assert {plain(row["address"]): row["status"] for row in rows} == statuses
