"""A folder that an export keeps: whole at every moment, nothing else touched, no link followed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from digest.model import DigestError, NotReady
from digest.service.static_folder import LIST, Exported, opened

OLD = {"index.html": b"home", "world/index.html": b"world", "world/2026-11-22/index.html": b"issue"}


def export(folder: Path, files: dict[str, bytes]) -> Exported:
    with opened(folder) as site:
        for path, body in files.items():
            site.put(path, body)
        return site.finish()


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.relative_to(folder).parts[0].startswith(".digest")
    }


def test_what_is_the_same_is_not_touched_and_what_is_gone_is_removed(tmp_path: Path) -> None:
    site = tmp_path / "new" / "site"
    assert export(site, OLD) == Exported(files=3, written=3, unchanged=0, removed=0)
    stamps = {name: (site / name).stat().st_mtime_ns for name in OLD}
    assert export(site, OLD) == Exported(files=3, written=0, unchanged=3, removed=0)
    assert {name: (site / name).stat().st_mtime_ns for name in OLD} == stamps
    new = {"index.html": b"home!", "world/index.html": b"world"}
    assert export(site, new) == Exported(files=2, written=1, unchanged=1, removed=1)
    assert content(site) == new
    assert not (site / "world" / "2026-11-22").exists()
    assert (site / "world/index.html").stat().st_mtime_ns == stamps["world/index.html"]


def test_a_folder_of_somebody_elses_is_refused_and_their_files_in_ours_stay(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(DigestError, match="not empty"):
        export(tmp_path, OLD)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["precious.txt"]
    site = tmp_path / "site"
    export(site, OLD)
    (site / "CNAME").write_text("news.example.org")
    (site / "world" / "notes.txt").write_text("mine")
    export(site, {"index.html": b"home"})
    assert content(site) == {"CNAME": b"news.example.org", "index.html": b"home", "world/notes.txt": b"mine"}
    with pytest.raises(DigestError, match="in the way"):
        export(site, {"index.html": b"other", "CNAME": b"ours"})
    assert content(site)["CNAME"] == b"news.example.org"
    assert content(site)["index.html"] == b"home"


def test_a_file_where_a_folder_must_go_stops_the_export_before_anything_is_changed(tmp_path: Path) -> None:
    export(tmp_path, {"index.html": b"home"})
    (tmp_path / "world").write_text("mine")
    with pytest.raises(DigestError, match="world is a file; a folder must go there"):
        export(tmp_path, {"index.html": b"other", "world/2026-11-22/index.html": b"issue"})
    assert content(tmp_path) == {"index.html": b"home", "world": b"mine"}
    (tmp_path / "world").unlink()
    assert export(tmp_path, OLD).written == 2


def test_no_symbolic_link_is_followed(tmp_path: Path) -> None:
    site, outside = tmp_path / "site", tmp_path / "outside"
    outside.mkdir()
    export(site, OLD)
    (outside / "index.html").write_bytes(b"precious")
    (site / "world" / "index.html").unlink()
    (site / "world" / "2026-11-22" / "index.html").unlink()
    (site / "world" / "2026-11-22").rmdir()
    (site / "world").rmdir()
    (site / "world").symlink_to(outside)
    with pytest.raises(DigestError, match="symbolic link"):
        export(site, OLD)
    export(site, {"index.html": b"home"})  # and nothing is removed through it
    assert (outside / "index.html").read_bytes() == b"precious"
    (site / "world").unlink()
    (site / "index.html").unlink()
    (site / "index.html").symlink_to(outside / "index.html")
    export(site, OLD)
    assert not (site / "index.html").is_symlink()
    assert (outside / "index.html").read_bytes() == b"precious"


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "a//b", "", ".", LIST, "a\0b", "a/"])
def test_a_path_never_leads_out(tmp_path: Path, path: str) -> None:
    with opened(tmp_path / "site") as site, pytest.raises(DigestError):
        site.put(path, b"x")


def test_a_list_that_somebody_wrote_cannot_make_us_remove_elsewhere(tmp_path: Path) -> None:
    site = tmp_path / "site"
    export(site, OLD)
    (tmp_path / "precious.txt").write_text("mine")
    for told in ('{"files": ["../precious.txt"]}', "[]", "nonsense", '{"files": [1]}'):
        (site / LIST).write_text(told)
        with pytest.raises(DigestError, match=r"delete the folder|no path"):
            export(site, {"index.html": b"home"})
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_an_export_that_was_cut_off_is_finished_by_the_next(tmp_path: Path) -> None:
    """It died after some files had their place, before the others and the removals."""
    site = tmp_path / "site"
    export(site, OLD)
    new = {"world/2026-11-23/index.html": b"next", "index.html": b"home!", "world/index.html": b"world!"}
    child = os.fork()
    if child == 0:
        with opened(site) as files:
            for path, body in new.items():
                files.put(path, body)
            renamed = []
            replace = Path.replace

            def dying(self: Path, target: Path) -> Path:
                if len(renamed) == 3:
                    os._exit(9)
                renamed.append(target)
                return replace(self, target)

            Path.replace = dying  # type: ignore[method-assign,assignment]
            files.finish()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    found = content(site)
    assert set(OLD) <= set(found)
    assert all(body in (OLD.get(name), new.get(name)) for name, body in found.items())
    assert set(json.loads((site / LIST).read_text())["files"]) >= set(found)
    export(site, new)
    assert content(site) == dict(sorted(new.items()))
    assert not (site / ".digest-export.new").exists()


def test_two_exports_into_one_folder_do_not_mix(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as first:
        first.put("index.html", b"home")
        with pytest.raises(NotReady, match="another export"):
            export(tmp_path / "site", OLD)
        first.finish()
    assert content(tmp_path / "site") == {"index.html": b"home"}
    assert sorted(each.name for each in (tmp_path / "site").iterdir()) == [LIST, "index.html"]
    export(tmp_path / "site", OLD)  # and the next may


def test_the_lock_of_an_older_release_is_cleared_away(tmp_path: Path) -> None:
    export(tmp_path / "site", OLD)
    (tmp_path / "site" / ".digest-export.lock").touch()
    export(tmp_path / "site", OLD)
    assert not (tmp_path / "site" / ".digest-export.lock").exists()
