"""Take the README's pictures from the running service: the letter and the pages, on a phone and on a desk.

    python docs/make_pictures.py [--into FOLDER] [--all] [--whole]

Needs Chromium (`/usr/bin/chromium`). Starts `digest demo` on a free port and photographs what it serves, in
light and in dark. --all: not only the README's. --whole: the whole page, not only what a first screen shows.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "web"))
from chromium import Tab, chromium

HERE = Path(__file__).parent / "pictures"
SIZES = {"phone": (360, 740), "desk": (1200, 900)}
SHOWN = {"letter-phone.png", "letter-phone-dark.png", "issue-desk.png", "newsletter-desk.png"}
"""What the README shows; `--all` takes every page at every size."""


async def photograph(tab: Tab, url: str, target: Path, size: str, *, dark: bool, whole: bool) -> None:
    width, height = SIZES[size]
    await tab.look(width=width, dark=dark)
    await tab.go(url)
    if whole:
        height = int(await tab.run("document.documentElement.scrollHeight"))
    shot = await tab.call(
        "Page.captureScreenshot",
        captureBeyondViewport=True,
        clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
    )
    await asyncio.to_thread(target.write_bytes, base64.b64decode(shot["data"]))


async def album(base: str, issue: str, into: Path, *, every: bool, whole: bool) -> None:
    pages = {"letter": "/dev/inbox/1/html", "issue": issue, "newsletter": "/world/", "inbox": "/dev/inbox"}
    with tempfile.TemporaryDirectory() as profile:
        async with chromium(Path(profile)) as tab:
            for name, path in pages.items():
                for size in SIZES:
                    for dark in (False, True):
                        target = into / f"{name}-{size}{'-dark' if dark else ''}.png"
                        if not every and target.name not in SHOWN:
                            continue
                        await photograph(tab, base + path, target, size, dark=dark, whole=whole)
                        print(target.name)  # noqa: T201 - a script tells what it made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--into", type=Path, default=HERE)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    service = subprocess.Popen(
        [sys.executable, "-m", "digest", "demo", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        home = wait_for(f"{base}/world/")
        issue = re.search(r'href="(?:https?://[^"/]+)?(/world/\d{4}-\d\d-\d\d/)"', home)
        if issue is None:
            raise SystemExit("the demo made no issue")
        asyncio.run(album(base, issue[1], options.into, every=options.all, whole=options.whole))
    finally:
        service.terminate()
        service.wait(timeout=40)


def wait_for(url: str) -> str:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not come up")


if __name__ == "__main__":
    main()
