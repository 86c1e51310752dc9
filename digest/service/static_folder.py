"""A folder of files that we keep as they should be, and nothing else in it.

    put everything → finish: rename into place, remove what we wrote once and want no more

New files wait beside the folder's own until all are there; then each is renamed into place, in the order in
which they were put, and only at the end is anything removed. A crash at any moment leaves whole files, of
the old site or the new one, and a list (`.digest-export.json`) of those that are ours. Files that we did not
write are never touched, and no symbolic link is followed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from digest.model import DigestError, NotReady

LIST = ".digest-export.json"
_LOCK = ".digest-export.lock"  # an older release left it there
_WAITING = ".digest-export.new"
_OURS = (LIST, _LOCK, _WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export did, in files."""

    files: int
    written: int
    unchanged: int
    removed: int


class StaticFolder:
    """Use `opened`. Raises DigestError for a folder that is not ours, NotReady while another export runs."""

    def __init__(self, folder: Path, known: frozenset[str]) -> None:
        self._folder = folder
        self._known = known
        self._waiting = folder / _WAITING
        self._put: dict[str, bool] = {}  # in their order; whether it is another than before

    def put(self, path: str, body: bytes) -> None:
        """Let this file be so. path: relative, with `/`."""
        name = _checked(path)
        if name in self._put:
            return
        changed = not self._is(name, body)
        if changed:
            target = self._waiting / sha256(name.encode()).hexdigest()
            target.write_bytes(body)
        self._put[name] = changed

    def finish(self) -> Exported:
        """Rename into place and clear away."""
        wanted = frozenset(self._put)
        for name, changed in self._put.items():
            if changed:
                self._refuse_what_is_in_the_way(name)
        self._remember(self._known | wanted)
        written = 0
        for name, changed in self._put.items():
            if changed:
                target = self._folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                (self._waiting / sha256(name.encode()).hexdigest()).replace(target)
                written += 1
        removed = sum(self._remove(name) for name in sorted(self._known - wanted))
        self._remember(wanted)
        return Exported(files=len(wanted), written=written, unchanged=len(wanted) - written, removed=removed)

    def _is(self, name: str, body: bytes) -> bool:
        target = self._folder / name
        with contextlib.suppress(OSError):
            self._refuse_links(name)
            found = target.lstat()
            return stat.S_ISREG(found.st_mode) and found.st_size == len(body) and target.read_bytes() == body
        return False

    def _refuse_what_is_in_the_way(self, name: str) -> None:
        self._refuse_links(name)
        for parent in self._folders_of(name):
            if parent.exists() and not parent.is_dir():
                raise DigestError(f"{parent} is a file; a folder must go there")
        target = self._folder / name
        if name not in self._known and os.path.lexists(target):
            raise DigestError(f"{target} is in the way, and was not written by us; nothing of it was touched")
        if target.is_dir() and not target.is_symlink():
            raise DigestError(f"{target} is a folder; a page must go there")

    def _refuse_links(self, name: str) -> None:
        """No folder on the way may lead elsewhere. A link in its own place is replaced."""
        for parent in self._folders_of(name):
            if parent.is_symlink():
                raise DigestError(f"{parent} is a symbolic link; nothing is written through it")

    def _folders_of(self, name: str) -> Iterator[Path]:
        """Those between the folder and a file in it, outermost first."""
        for parent in reversed(PurePosixPath(name).parents[:-1]):
            yield self._folder / parent

    def _remove(self, name: str) -> bool:
        target = self._folder / name
        try:
            self._refuse_links(name)
            target.unlink()
        except (OSError, DigestError):
            return False  # it is gone already, or is not what we wrote
        for parent in target.parents:
            if parent == self._folder:
                break
            with contextlib.suppress(OSError):  # there is something else in it
                parent.rmdir()
        return True

    def _remember(self, names: frozenset[str]) -> None:
        told = json.dumps({"files": sorted(names)}, indent=1)
        with contextlib.suppress(OSError):
            if (self._folder / LIST).read_text(encoding="utf-8") == told:
                return
        draft = self._waiting / "list"
        draft.write_text(told, encoding="utf-8")
        draft.replace(self._folder / LIST)


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[StaticFolder]:
    """The folder, ours alone while it is open; made when it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        listed = folder / LIST
        if not listed.exists() and any(each.name not in _OURS for each in folder.iterdir()):
            raise DigestError(
                f"{folder} is not empty, and no export of ours; choose an empty folder, or empty this one"
            )
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)  # locked itself: nothing is left in it
    except OSError as error:
        raise DigestError(f"{folder}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotReady(f"another export into {folder} is running") from error
        except OSError as error:
            raise DigestError(f"{folder} cannot be locked: {error.strerror}") from error
        (folder / _LOCK).unlink(missing_ok=True)
        known = _read(listed)
        waiting = folder / _WAITING
        if waiting.is_symlink():
            raise DigestError(f"{waiting} is a symbolic link; nothing is written through it")
        shutil.rmtree(waiting, ignore_errors=True)  # of an export that was cut off
        try:
            waiting.mkdir()
            yield StaticFolder(folder, known)
        except OSError as error:
            raise DigestError(f"{error.filename or folder}: {error.strerror}") from error
        finally:
            shutil.rmtree(waiting, ignore_errors=True)
    finally:
        os.close(handle)


def _read(listed: Path) -> frozenset[str]:
    if not listed.exists():
        return frozenset()
    try:
        names = json.loads(listed.read_text(encoding="utf-8"))["files"]
        return frozenset(_checked(name) for name in names)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DigestError(f"{listed} cannot be read; delete the folder and export again") from error


def _checked(path: str) -> str:
    """A path that stays within the folder."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts) or parts[0] in _OURS:
        raise DigestError(f"{path!r} is no path of a page")
    return path
