"""axe-core finds nothing to complain about on any page, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from chromium import PROGRAM, Tab, chromium
from personal_pages import personal_pages
from served import served
from web_house import House

AXE = Path(__file__).parents[2] / ".axe" / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.browser,
    pytest.mark.skipif(not PROGRAM.exists(), reason=f"there is no {PROGRAM} here"),
    pytest.mark.skipif(
        not AXE.exists(), reason="there is no axe-core here: npm install --prefix .axe axe-core@4.14.1"
    ),
]

TAGS = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']"
RUN = f"""axe.run(document, {{runOnly: {TAGS}, resultTypes: ['violations']}}).then(
    found => found.violations.map(
        one => one.id + ': ' + one.nodes.map(node => node.html.slice(0, 200)).join(' | ')))"""


async def complaints(tab: Tab) -> list[str]:
    await tab.run(AXE.read_text(encoding="utf-8"))
    found = await tab.settled(RUN)
    return list(found)


@pytest.mark.parametrize(("language", "width", "dark"), [("en", 360, False), ("ar", 1200, True)])
async def test_no_personal_page_has_a_fault_that_axe_knows(
    house: House, tmp_path: Path, language: str, width: int, dark: bool
) -> None:
    faults: dict[str, list[str]] = {}
    pages = [(name, page.text) async for name, page in personal_pages(house, language=language)]
    async with served(house) as url, chromium(tmp_path / "profile") as tab:
        await tab.look(width=width, dark=dark)
        await tab.go(f"{url}/nobody/")
        for name, html in pages:
            await tab.show(html)
            if found := await complaints(tab):
                faults[name] = found
            assert int(await tab.run("document.documentElement.scrollWidth")) <= width, name
    assert faults == {}
    assert len(pages) > 30


async def test_no_public_page_has_a_fault_that_axe_knows(house: House, tmp_path: Path) -> None:
    faults: dict[str, list[str]] = {}
    async with served(house) as url, chromium(tmp_path / "profile") as tab:
        for width, dark in ((360, True), (1200, False)):
            await tab.look(width=width, dark=dark)
            for path in ("/", "/world/", "/world/2026-11-22/", "/port/2026-11-22/", "/past/", "/dev/inbox"):
                await tab.go(url + path)
                if found := await complaints(tab):
                    faults[path] = found
    assert faults == {}
