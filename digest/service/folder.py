"""Files beside the config: what `init` writes, and feeds in and out as OPML."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from importlib import resources
from pathlib import Path

from digest import config
from digest.config import ConfigError
from digest.feeds import opml
from digest.feeds.discover import FoundFeed, discover
from digest.model import DigestError, Follow, NotFound
from digest.net import Net
from digest.render import shipped
from digest.service import config_schema, load, user_agent
from digest.workers import Workers


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
    """The feeds of a site, each fetched and read once. Works without a config file."""
    allow: tuple[str, ...] = ()
    agent = "Digest"
    with contextlib.suppress(ConfigError, OSError):
        settings = load(path)
        allow, agent = settings.fetch.allow, user_agent(settings)
    net, workers = Net(user_agent=agent, allow=allow), Workers(processes=1)
    try:
        return await discover(url, net=net, workers=workers)
    finally:
        await net.close()
        workers.close()


def import_opml(path: str, source: Path, newsletter: str | None, *, dry_run: bool) -> str:
    """Copy an OPML file beside the config and name it under a newsletter's `feeds:`; returns what was done.

    The config's text is kept as it is but for the one new line.
    """
    settings = load(path)
    follows = opml.read(source.read_bytes())
    slugs = [each.slug for each in settings.newsletters]
    slug = newsletter or (slugs[0] if len(slugs) == 1 else None)
    if slug is None:
        raise DigestError(f"name the newsletter with --newsletter: {', '.join(slugs)}")
    if slug not in slugs:
        raise NotFound(f"there is no newsletter '{slug}'; there are {', '.join(slugs)}")
    target = settings.folder / f"{source.stem}.opml"
    known = {each.url for item in settings.newsletters if item.slug == slug for each in item.follows}
    new = [follow for follow in follows if follow.url not in known]
    if dry_run:
        return f"{len(new)} of {len(follows)} feeds would be new to {slug}; nothing was written"
    config_file = Path(path)
    text = config_file.read_text(encoding="utf-8")
    if target.resolve() != source.resolve() and not _write_new(target, source.read_bytes()):
        raise DigestError(f"{target.name} is there already; rename the file to import or remove that one")
    changed = with_opml(text, slug, target.name)
    saved = config_file.with_suffix(".yaml.before-import")
    shutil.copyfile(config_file, saved)
    config_file.write_text(changed, encoding="utf-8")
    try:
        load(path)
    except DigestError:
        shutil.copyfile(saved, config_file)
        raise
    finally:
        saved.unlink(missing_ok=True)
    return f"{len(new)} new feeds for {slug}: {target.name} is named in {config_file.name}"


def with_opml(text: str, slug: str, name: str) -> str:
    """The config's text with `- {opml: name}` at the top of a newsletter's feeds, comments and all kept."""
    lines = text.split("\n")
    at = _line_of(lines, "newsletters", 0, len(lines), parent=-1)
    start = _line_of(lines, slug, at + 1, len(lines), parent=_indent(lines[at]))
    end = next(
        (
            number
            for number in range(start + 1, len(lines))
            if lines[number].strip()
            and not lines[number].lstrip().startswith("#")
            and _indent(lines[number]) <= _indent(lines[start])
        ),
        len(lines),
    )
    entry = f"- {{opml: {name}}}"
    for number in range(start + 1, end):
        if re.match(r"\s+feeds:\s*(#.*)?$", lines[number]):
            following = next((each for each in lines[number + 1 : end] if each.strip().startswith("-")), None)
            deep = _indent(following) if following else _indent(lines[number]) + 2
            return "\n".join([*lines[: number + 1], " " * deep + entry, *lines[number + 1 :]])
        if re.match(r"\s+feeds:", lines[number]):
            raise DigestError("newsletters.X.feeds is written on one line; write it as a list and try again")
    child = next((each for each in lines[start + 1 : end] if each.strip()), "    ")
    indent = " " * max(_indent(child), _indent(lines[start]) + 2)
    return "\n".join([*lines[: start + 1], f"{indent}feeds:", f"{indent}  {entry}", *lines[start + 1 :]])


def _line_of(lines: list[str], key: str, start: int, end: int, *, parent: int) -> int:
    for number in range(start, end):
        if re.match(rf"\s*{re.escape(key)}:", lines[number]) and _indent(lines[number]) > parent:
            return number
    raise DigestError(f"'{key}:' was not found in the config as a line of its own; add the OPML file by hand")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def export_opml(path: str, newsletter: str | None) -> bytes:
    """The followed feeds as OPML 2.0, sections as folders."""
    settings = load(path)
    chosen = [item for item in settings.newsletters if newsletter in (None, item.slug)]
    if not chosen:
        raise NotFound(f"there is no newsletter '{newsletter}'")
    follows: dict[str, Follow] = {}
    for item in chosen:
        for follow in item.follows:
            follows.setdefault(follow.url, follow)
    return opml.write(settings.site.title, list(follows.values()))
