"""Files beside the config: what `init` writes. And what needs no config: finding the feeds of a site."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from pathlib import Path

from digest import config
from digest.config import ConfigError
from digest.feeds.discover import FoundFeed, discover
from digest.net import Net
from digest.render import shipped
from digest.service import build_net, config_schema, load
from digest.workers import Workers, preload


def _examples() -> tuple[Path, Path]:
    """The sample config and the sample feeds: in the package when installed, else beside it."""
    package = Path(str(resources.files("digest")))
    inside = package / "examples"
    if inside.is_dir():
        return inside / "config.yaml", inside / "feeds"
    return package.parent / "config.yaml", package.parent / "examples" / "feeds"


def init_folder(folder: Path) -> list[tuple[str, bool]]:
    """Write what is missing to start from. Returns (name, whether it was made); nothing is overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    sample, feeds = _examples()
    done: list[tuple[str, bool]] = []
    path = folder / "config.yaml"
    done.append(("config.yaml", _write_new(path, sample.read_bytes())))
    schema = json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"
    done.append(("config.schema.json", _write_new(folder / "config.schema.json", schema.encode())))
    settings = load(path)
    done.append(("secret.key", not settings.secret))
    config.ensure_secret(settings)
    for source, target in ((feeds, Path("examples/feeds")), (shipped(), Path("templates"))):
        for file in sorted(source.rglob("*")):
            if file.is_file():
                name = target / file.relative_to(source)
                done.append((str(name), _write_new(folder / name, file.read_bytes())))
    return done


def _write_new(path: Path, data: bytes) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        return False
    return True


async def discover_feeds(url: str, path: str) -> list[FoundFeed]:
    """The feeds of a site, each fetched and read once. Works without a config file.

    Somebody waits for the answer: no pause between two requests, but still one at a time for each host.
    """
    preload("digest.feeds.parse", "digest.feeds.discover")
    net, workers = Net(user_agent="Digest"), Workers(processes=1)
    with contextlib.suppress(ConfigError, OSError):
        settings = load(path)
        net = build_net(replace(settings, fetch=replace(settings.fetch, gap=timedelta(0))))
    try:
        return await discover(url, net=net, workers=workers)
    finally:
        await net.close()
        workers.close()
