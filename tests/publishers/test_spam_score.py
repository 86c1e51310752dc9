"""Real letters, signed, as SpamAssassin sees them: without the network, by its rules alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from digest.model import Notice
from digest.publishers.base import Lent
from digest.publishers.dkim import Signer
from digest.publishers.email import Publisher, Settings, write_notice
from digest.publishers.message import Sender
from digest.store import Store
from dkim_keys import ed_key, rsa_key
from letter_samples import LINKS, MOMENT, SAMPLES, SITE, WORLD
from publishing import bear, due, settle

SPAMASSASSIN = shutil.which("spamassassin")
MOST = 1.0
KEYS = (rsa_key(), ed_key())
SENDER = Sender(name="The Morning Post", address="news@example.org")

pytestmark = pytest.mark.skipif(
    SPAMASSASSIN is None, reason="no spamassassin here: apt-get install spamassassin"
)


def score(letter: bytes, home: Path) -> tuple[float, str]:
    """What it gives, and why."""
    assert SPAMASSASSIN is not None
    done = subprocess.run(
        [SPAMASSASSIN, "-L", "-t", f"--prefspath={home / 'prefs'}"],
        input=letter,
        capture_output=True,
        check=True,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
    )
    said = done.stdout.decode("utf-8", "replace")
    found = re.search(r"\((-?[0-9.]+) points,", said)
    assert found is not None, said
    return float(found[1]), said[found.start() :]


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["mixed", "arabic"])
async def test_an_issue_is_no_spam(
    name: str, store: Store, lend: Callable[..., Lent], tmp_path: Path
) -> None:
    publisher = Publisher(Settings(from_="The Morning Post <news@example.org>", dkim=KEYS), lend())
    issue, newsletter = SAMPLES[name]
    await settle(store, newsletter, readers=["ann@example.net"])
    await bear(store, issue, publisher)
    [delivery] = await due(store, "email")
    points, why = score(b"".join((await publisher._write(delivery)).body), tmp_path)
    assert points < MOST, why


@pytest.mark.parametrize("kind", ["confirm", "goodbye"])
def test_a_notice_is_no_spam(kind: str, tmp_path: Path) -> None:
    notice = Notice(
        id=1, kind=kind, key="k", recipient="ann@example.net", newsletter="world", data={}, created_at=MOMENT
    )
    letter = b"".join(write_notice(notice, WORLD, 7, SITE, SENDER, LINKS, None).body)
    points, why = score(Signer(KEYS).sign(letter, MOMENT) + letter, tmp_path)
    assert points < MOST, why
