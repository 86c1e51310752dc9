"""Every state of every page for one person, in every language, on a phone and on a desk, by day and by night:
axe-core finds nothing to complain about, and no page is wider than its screen. (About five minutes; the short
form looks at two languages on one screen each.)"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "web"))

from axe import NEEDED, faults_of
from personal_pages import personal_pages
from web_house import House, build, furnish

from digest.store import Store

pytestmark = NEEDED

SHORT = os.environ.get("SOAK") == "short"
LANGUAGES = ("de", "ar") if SHORT else ("en", "de", "fr", "es", "ar")
SCREENS = ((360, False),) if SHORT else ((360, False), (360, True), (1200, False), (1200, True))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_page_in_any_state_has_a_fault(tmp_path: Path, language: str) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'subscribers.db'}")
    try:
        house: House = build(store, await furnish(store))
        pages = [(name, page.text) async for name, page in personal_pages(house, language=language)]
        assert len(pages) > 40
        for width, dark in SCREENS:
            profile = tmp_path / f"{width}-{dark}"
            found = await faults_of(house, profile, pages, width=width, dark=dark)
            screen = f"{width} px, {'dark' if dark else 'light'}"
            sys.stdout.write(f"{language}, {screen}: {len(pages)} pages, {len(found)} with faults\n")
            assert found == {}
    finally:
        await store.close()
