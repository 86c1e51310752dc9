"""axe-core, run in a real browser on pages of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from chromium import PROGRAM, Tab, chromium
from served import served
from web_house import House

AXE = Path(__file__).parents[2] / ".axe" / "node_modules" / "axe-core" / "axe.min.js"

NEEDED = [
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
    """What axe finds wrong with the page that is shown."""
    await tab.run(AXE.read_text(encoding="utf-8"))
    return list(await tab.settled(RUN))


async def faults_of(
    house: House, profile: Path, pages: Sequence[tuple[str, str]], *, width: int, dark: bool
) -> dict[str, list[str]]:
    """What is wrong with pages, given as (name, HTML), on a screen of this width; also that one is wider."""
    faults: dict[str, list[str]] = {}
    async with served(house) as url, chromium(profile) as tab:
        await tab.look(width=width, dark=dark)
        await tab.go(f"{url}/nobody/")
        for name, html in pages:
            await tab.show(html)
            found = await complaints(tab)
            if int(await tab.run("document.documentElement.scrollWidth")) > width:
                found.append(f"wider than {width} px")
            if found:
                faults[name] = found
    return faults
