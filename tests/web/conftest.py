from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from web_house import Furniture, House, build, furnish

from digest.store import Store


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Furniture]:
    """A database with everything in it, made once; each test gets a copy."""
    file = tmp_path_factory.mktemp("web") / "subscribers.db"

    async def make() -> Furniture:
        store = await Store.open(f"sqlite:///{file}")
        try:
            return await furnish(store)
        finally:
            await store.close()

    return file, asyncio.run(make())


@pytest_asyncio.fixture
async def house(furnished: tuple[Path, Furniture], tmp_path: Path) -> AsyncIterator[House]:
    file, furniture = furnished
    copy = shutil.copyfile(file, tmp_path / "subscribers.db")
    store = await Store.open(f"sqlite:///{copy}")
    try:
        yield build(store, furniture)
    finally:
        await store.close()
