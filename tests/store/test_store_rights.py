"""The database and its copies hold addresses: nobody but their owner may read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from digest.model import NotReady
from digest.store import Store


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.asyncio
async def test_a_new_database_and_its_backup_are_for_the_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store = await Store.open(f"sqlite:///{tmp_path}/s.db")
        try:
            await store.check()
            await store.backup(tmp_path / "copy.db")
            made = {path.name: rights(path) for path in tmp_path.iterdir()}
        finally:
            await store.close()
    finally:
        os.umask(before)
    assert set(made) >= {"s.db", "s.db-wal", "copy.db"}
    assert set(made.values()) == {0o600}


@pytest.mark.asyncio
async def test_a_folder_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="does its folder exist"):
        await Store.open(f"sqlite:///{tmp_path}/no/such/s.db")


@pytest.mark.asyncio
async def test_a_backup_that_fails_leaves_no_file_behind(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/s.db")
    try:
        with pytest.raises(NotReady, match="could not be copied"):
            await store.backup(tmp_path / "no" / "copy.db")
        (tmp_path / "there.db").write_bytes(b"mine")
        with pytest.raises(NotReady, match="never overwrites"):
            await store.backup(tmp_path / "there.db")
        assert (tmp_path / "there.db").read_bytes() == b"mine"
    finally:
        await store.close()
