"""Eight thousand payloads in every word of letters, pages and feeds; `SOAK=short` takes eight hundred."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from web.chromium import PROGRAM
from xss_house import haunted, what_ran
from xss_payloads import payloads

COUNT = 800 if os.environ.get("SOAK") == "short" else 8_000

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.browser,
    pytest.mark.skipif(not PROGRAM.exists(), reason=f"there is no {PROGRAM} here"),
]


async def test_thousands_of_payloads_run_nowhere(tmp_path: Path) -> None:
    async with haunted(payloads(COUNT), tmp_path) as places:
        looked, found = await what_ran(places, tmp_path)
    print(f"{COUNT} payloads, pages looked at: {looked}")  # noqa: T201
    assert found == []
