"""Forms whose sender hangs up before their end."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

import pytest
from served import served
from web_house import House

from digest.model import SubscriptionStatus

pytestmark = pytest.mark.asyncio

URL_ENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"


async def hang_up(url: str, path: str, kind: str, sent: bytes) -> None:
    """Promise a hundred bytes more than are sent, and go."""
    host = urlsplit(url)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    head = f"POST {path} HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Type: {kind}\r\n"
    writer.write(f"{head}Content-Length: {len(sent) + 100}\r\n\r\n".encode() + sent)
    await writer.drain()
    writer.write_eof()
    await reader.read()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("kind", "sent"), [(URL_ENCODED, b"email=a"), (MULTIPART, b"--b\r\n"), (URL_ENCODED, b"")]
)
async def test_who_hangs_up_while_sending_a_form_changes_nothing_and_writes_nothing_into_the_log(
    house: House, caplog: pytest.LogCaptureFixture, kind: str, sent: bytes
) -> None:
    caplog.set_level(logging.INFO, "digest")
    before = await house.snapshot()
    async with served(house) as url:
        for path in (
            "/world/subscribe",
            f"/preferences/{house.token('preferences', 'active')}",
            f"/unsubscribe/undo/{house.token('undo', 'left')}",
        ):
            await hang_up(url, path, kind, sent)
    assert [record.getMessage() for record in caplog.records] == []
    assert await house.snapshot() == before


@pytest.mark.parametrize(
    ("kind", "sent", "way"),
    [
        (URL_ENCODED, b"", "unsubscribe page"),
        (URL_ENCODED, b"List-Unsub", "unsubscribe page"),
        (URL_ENCODED, b"List-Unsubscribe=One-Click", "one-click"),
        (MULTIPART, b"--b\r\nContent-Disposition: form", "unsubscribe page"),
    ],
)
async def test_a_one_click_that_is_cut_short_still_leaves(
    house: House, caplog: pytest.LogCaptureFixture, kind: str, sent: bytes, way: str
) -> None:
    async with served(house) as url:
        await hang_up(url, f"/unsubscribe/{house.token('unsubscribe', 'active')}", kind, sent)
    left = await house.store.subscriptions.get(house.readers["active"])
    assert left is not None
    assert left.status is SubscriptionStatus.LEFT
    rows = await house.store.subscriptions.history("active@example.org")
    assert (rows[-1].event, rows[-1].evidence["form"]) == ("no", way)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
