"""Take the README's pictures from the running service: the letter and the page, on a phone and on a desk.

    python docs/make_pictures.py [--dark] [--into FOLDER]

Needs Chromium (`/usr/bin/chromium`). Starts `digest demo` on a free port and photographs what it serves.
"""

from __future__ import annotations

import argparse
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars",
)  # fmt: skip
HERE = Path(__file__).parent / "pictures"


def photograph(url: str, target: Path, width: int, height: int, *, dark: bool = False) -> None:
    """A picture of what a window of that size shows. Windows narrower than 500 px are framed in a page, as
    Chromium makes none."""
    with tempfile.TemporaryDirectory() as profile:
        if width < 500:
            page = Path(profile) / "frame.html"
            page.write_text(
                f'<body style="margin:0"><iframe src="{url}" style="border:0" width={width} height={height}>'
            )
            url, window = page.as_uri(), 500
        else:
            window = width
        options = [*QUIET, f"--user-data-dir={profile}", f"--window-size={window},{height}"]
        if dark:
            options.append("--blink-settings=preferredColorScheme=0")
        subprocess.run(
            [CHROMIUM, *options, f"--screenshot={target}", url], check=True, capture_output=True, timeout=60
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--into", type=Path, default=HERE)
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    service = subprocess.Popen(
        [sys.executable, "-m", "digest", "demo", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        home = _wait_for(f"{base}/world/")
        issue = re.search(r'href="(?:https?://[^"/]+)?(/world/\d{4}-\d\d-\d\d/)"', home)
        if issue is None:
            raise SystemExit("the demo made no issue")
        for name, path in (("letter", "/dev/inbox/1/html"), ("issue", issue[1]), ("newsletter", "/world/")):
            for size, width, height in (("phone", 360, 1400), ("desk", 1200, 1500)):
                target = options.into / f"{name}-{size}{'-dark' if options.dark else ''}.png"
                photograph(base + path, target, width, height, dark=options.dark)
                print(target.name)  # noqa: T201 - a script tells what it made
    finally:
        service.terminate()
        service.wait(timeout=40)


def _wait_for(url: str) -> str:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not come up")


if __name__ == "__main__":
    main()
