"""A hundred of the payloads, everywhere; all of them run in `make soak`."""

from __future__ import annotations

from pathlib import Path

import pytest

from web.chromium import PROGRAM, chromium
from xss_house import haunted, listen, look, what_ran
from xss_payloads import payloads

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.browser,
    pytest.mark.skipif(not PROGRAM.exists(), reason=f"there is no {PROGRAM} here"),
]


async def test_the_payloads_run_where_nobody_cleans_them(tmp_path: Path) -> None:
    """Otherwise their silence elsewhere would mean nothing."""
    loud = 0
    some = payloads(8)
    async with haunted(payloads(1), tmp_path) as places, chromium(tmp_path / "profile") as tab:
        await listen(tab)
        first = len(places.documents)
        places.documents += [("raw", one) for one in some]
        for number in range(len(some)):
            loud += bool(await look(tab, f"{places.url}/document/{first + number}"))
    assert loud > 2


async def test_what_strangers_write_runs_nowhere(tmp_path: Path) -> None:
    async with haunted(payloads(100), tmp_path) as places:
        looked, found = await what_ran(places, tmp_path)
    assert found == []
    assert {"home", "newsletter", "issue", "inbox", "preferences", "letter", "clean"} <= set(looked)
    assert {
        f"{form} of {items}" for form in ("json feed", "rss", "atom") for items in ("issues", "stories")
    } <= set(looked)
