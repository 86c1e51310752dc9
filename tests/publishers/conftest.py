"""What tests of the publishers are lent: a real store with newsletters, and real workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from a_house import Clock
from digest.net import Net
from digest.publishers.base import Lent
from digest.store import Store
from digest.workers import Workers
from letter_samples import LINKS, SITE


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """SQLite alone: that both databases mean the same is shown by the store's own tests."""
    return sqlite_url


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """One worker for all tests: starting it takes longer than they do."""
    started = Workers(processes=1)
    yield started
    started.close()


@pytest.fixture
def lend(store: Store, workers: Workers) -> Callable[..., Lent]:
    """Makes what publishers are lent; anything of it may be replaced."""

    def made(**changes: Any) -> Lent:
        fields: dict[str, Any] = {
            "site": SITE,
            "store": store,
            "links": LINKS,
            "net": Net(user_agent="Digest tests", allow=["127.0.0.1"]),
            "workers": workers,
            "templates": None,
            "clock": Clock(),
        }
        return Lent(**fields | changes)

    return made


@pytest.fixture
def own_templates(tmp_path: Path) -> Path:
    """An admin's folder with an empty place for pages."""
    (tmp_path / "pages").mkdir()
    return tmp_path
