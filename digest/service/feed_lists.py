"""Lists of feeds (OPML) in and out: a list is copied beside the config and named in it, or written from it.

The config is changed in one step or not at all: the new text is checked as a whole first, and then takes the
place of the old file in one rename.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from digest.config import ConfigError, Settings, edit
from digest.feeds import opml
from digest.model import DigestError, Follow, NotFound
from digest.service import load


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a list. new, known: how many of its feeds this newsletter did not, or did, follow.
    left_out: by reason. file: the list beside the config; None when nothing was to be written."""

    newsletter: str
    config: str
    file: str | None
    new: int
    known: int
    repeated: int
    left_out: Mapping[str, int]
    broken: int

    def words(self, *, dry_run: bool) -> list[str]:
        """For people, a line for each thing to know."""
        total, slug = self.new + self.known, self.newsletter
        if self.file is None:
            said = [f"{slug} follows all {total} feeds of this list already; nothing was changed"]
        elif dry_run:
            said = [f"{self.new} of {total} feeds would be new to {slug}; nothing was written"]
        else:
            feeds = "feed" if self.new == 1 else "feeds"
            said = [f"{self.new} new {feeds} for {slug}: {self.file} is named in {self.config}"]
        if self.file is not None and self.known:
            said.append(f"{self.known} followed already; what the config says of a feed wins over the list")
        if self.repeated:
            said.append(f"{self.repeated} named more than once in the list")
        said += [f"{count} left out: {reason}" for reason, count in sorted(self.left_out.items())]
        if self.broken:
            said.append(f"the list is broken in line {self.broken}: feeds after it may be missing")
        return said


def import_opml(path: str, source: Path, newsletter: str | None, *, dry_run: bool) -> Imported:
    """Copy an OPML file beside the config and name it under a newsletter's `feeds:`.

    newsletter: None means the only one. Raises DigestError when nothing could be done, and then nothing was.
    """
    config_file = Path(path)
    settings = _settings(path)
    raw = config_file.read_bytes()
    slug = _slug(edit.slugs(raw, path), newsletter)
    with source.open("rb") as file:
        data = file.read(opml.LARGEST + 1)
    found = opml.read_list(data)
    if not found.follows:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(found.left_out.items()))
        raise DigestError(
            f"{source.name} names no feed that can be followed" + (f": {reasons}" if reasons else "")
        )
    followed = _followed(settings, slug)
    new = sum(follow.url not in followed for follow in found.follows)
    target = _target(config_file, source, data) if new else None
    result = Imported(
        newsletter=slug,
        config=config_file.name,
        file=target.name if target else None,
        new=new,
        known=len(found.follows) - new,
        repeated=found.repeated,
        left_out=found.left_out,
        broken=found.broken,
    )
    if target is None:
        return result
    changed = edit.with_opml(raw, path, slug, target.name)
    if changed is None:
        raise DigestError(
            f"{config_file.name} is written in a way that is not changed here; nothing was done. By hand: "
            f"copy the list to {target}, and write as the first item of newsletters.{slug}.feeds:\n"
            f"  - {{opml: {target.name}}}"
        )
    if not dry_run:
        _put(path, raw, changed, target, data)
    return result


def _settings(path: str) -> Settings | None:
    """None when the config cannot be used as it is: a newsletter may lack just the feeds that are to come."""
    try:
        return load(path)
    except ConfigError:
        if not Path(path).is_file():
            raise
        return None


def _slug(slugs: list[str], wanted: str | None) -> str:
    if wanted is not None and wanted not in slugs:
        raise NotFound(f"there is no newsletter '{wanted}'; there are {', '.join(slugs) or 'none'}")
    if wanted is None and len(slugs) != 1:
        raise DigestError(f"name the newsletter with --newsletter: {', '.join(slugs) or 'there is none yet'}")
    return wanted or slugs[0]


def _followed(settings: Settings | None, slug: str) -> set[str]:
    found = settings.newsletters if settings else ()
    return {follow.url for newsletter in found if newsletter.slug == slug for follow in newsletter.follows}


def _target(config_file: Path, source: Path, data: bytes) -> Path:
    """The list's place beside the config. Raises DigestError when another list lies there."""
    folder = config_file.absolute().parent
    if source.absolute().parent.resolve() == folder.resolve() and source.name.isprintable():
        return folder / source.name
    stem = re.sub(r"[^\w.-]+", "-", source.stem).strip("-._") or "feeds"
    target = folder / f"{stem}.opml"
    if target.exists() and _bytes(target, len(data)) != data:
        raise DigestError(
            f"{target.name} is beside the config already and says something else: put yours in its place, "
            "or rename it to keep both"
        )
    return target


def _bytes(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most + 1)


def _put(path: str, raw: bytes, changed: bytes, target: Path, data: bytes) -> None:
    real = Path(path).resolve()  # a link to the config stays a link
    mode = real.stat().st_mode & 0o777
    made = not target.exists()
    if made:
        _replace(target, data, mode)
    try:
        load(path, raw=changed)
        _check_same(real, raw)
        _replace(real, changed, mode)
    except (DigestError, OSError):
        if made:
            target.unlink(missing_ok=True)
        raise


def _check_same(path: Path, raw: bytes) -> None:
    if path.read_bytes() != raw:
        raise DigestError(f"{path.name} was changed by somebody else meanwhile; try again")


def _replace(path: Path, data: bytes, mode: int) -> None:
    """The whole file, or the one that was there before: also after a power cut."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            with contextlib.suppress(OSError):  # only root may give files away
                before = path.stat()
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def export_opml(path: str, newsletter: str | None) -> bytes:
    """The followed feeds as OPML 2.0, sections as folders. newsletter: None means all, each feed once."""
    settings = load(path)
    chosen = [item for item in settings.newsletters if newsletter in (None, item.slug)]
    if not chosen:
        slugs = ", ".join(item.slug for item in settings.newsletters)
        raise NotFound(f"there is no newsletter '{newsletter}'; there are {slugs}")
    follows: dict[str, Follow] = {}
    for item in chosen:
        for follow in item.follows:
            follows.setdefault(follow.url, follow)
    return opml.write(settings.site.title, list(follows.values()))
