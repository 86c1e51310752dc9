"""axe-core finds nothing to complain about on pages of every kind, in a real browser.

All states of all pages in all languages are in the soak.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from axe import NEEDED, complaints, faults_of
from chromium import chromium
from personal_pages import personal_pages
from served import served
from web_house import House

pytestmark = NEEDED

OF_EACH_KIND = ("/nobody/", "confirm", "preferences paused", "bad quarter", "bad address", "unsubscribe")
OF_EACH_KIND += ("no reason",)


@pytest.mark.parametrize(("language", "width", "dark"), [("en", 360, False), ("ar", 1200, True)])
async def test_no_personal_page_has_a_fault_that_axe_knows(
    house: House, tmp_path: Path, language: str, width: int, dark: bool
) -> None:
    pages = [(name, page.text) async for name, page in personal_pages(house, language=language)]
    some = [(name, html) for name, html in pages if name in OF_EACH_KIND]
    assert len(some) == len(OF_EACH_KIND)
    assert await faults_of(house, tmp_path / "profile", some, width=width, dark=dark) == {}


async def test_no_public_page_has_a_fault_that_axe_knows(house: House, tmp_path: Path) -> None:
    faults: dict[str, list[str]] = {}
    async with served(house) as url, chromium(tmp_path / "profile") as tab:
        await tab.look(width=360, dark=True)
        for path in ("/", "/world/", "/world/2026-11-22/", "/port/2026-11-22/", "/dev/inbox"):
            await tab.go(url + path)
            if found := await complaints(tab):
                faults[path] = found
    assert faults == {}
