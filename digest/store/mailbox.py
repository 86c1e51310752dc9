"""One mailbox behind many spellings, and how often it is written to because somebody typed its address.

Nothing is sent to the broad form, and nobody is known by it: two who share it only share how often we write.
So it may be broader than the truth. Dots are dropped everywhere, as several providers do not tell them apart.
What is remembered is a keyed hash, which outlives the person: erasing and pruning set no limit back.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.database import Database
from digest.store.tables import confirmations

Kind = Literal["confirm", "manage", "change"]

# So many in such a time, whatever the newsletter. `confirm` is any letter to an address that has not said
# yes; `manage` goes to one that has; `change` counts how often one person asks for another address.
LIMITS: dict[Kind, tuple[tuple[int, timedelta], ...]] = {
    "confirm": ((1, timedelta(hours=1)), (3, timedelta(days=1))),
    "manage": ((3, timedelta(hours=1)),),
    "change": ((3, timedelta(hours=1)),),
}
LONGEST = timedelta(days=1)

# Domains that are one and the same mailbox, and those where `-` begins a tag as `+` does.
_SAME = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "pm.me": "proton.me",
    "protonmail.com": "proton.me",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
}
_DASHED = ("yahoo.", "ymail.com", "rocketmail.com")


def mailbox(address: str) -> str:
    """The broadest form of a normalized address: case, dots and tags do not count."""
    local, _, domain = address.rpartition("@")
    local = unicodedata.normalize("NFKC", local).casefold()
    domain = _SAME.get(domain.lower(), domain.lower())
    tags = "+-" if domain.startswith(_DASHED) else "+"
    bare = local
    for tag in tags:
        bare = bare.partition(tag)[0]
    bare = bare.replace(".", "")
    return f"{bare or local}@{domain}"


def mailbox_of(database: Database, address: str, kind: Kind = "confirm") -> str:
    """The keyed hash of a mailbox. The key is the pepper: it is as old as the database and never rotated."""
    return hmac.digest(database.pepper, f"{kind} {mailbox(address)}".encode(), "sha256").hex()[:32]


async def free_at(
    database: Database, connection: AsyncConnection, kind: Kind, address: str, now: datetime
) -> datetime:
    """From when on this mailbox may be sent another letter of this kind; `now` if at once."""
    times: Sequence[datetime] = (
        (
            await connection.execute(
                select(confirmations.c.at)
                .where(
                    confirmations.c.mailbox == mailbox_of(database, address, kind),
                    confirmations.c.at > now - LONGEST,
                )
                .order_by(confirmations.c.at.desc())
            )
        )
        .scalars()
        .all()
    )
    full = (times[count - 1] + span for count, span in LIMITS[kind] if len(times) >= count)
    latest: datetime = max((now, *full))
    return latest


async def note_letter(
    database: Database, connection: AsyncConnection, kind: Kind, address: str, now: datetime
) -> None:
    """A letter of this kind goes to this mailbox."""
    await connection.execute(
        insert(confirmations).values(mailbox=mailbox_of(database, address, kind), at=now)
    )


async def prune_letters(database: Database, now: datetime) -> int:
    """Forget what limits nothing any more."""

    async def work(connection: AsyncConnection) -> int:
        old = delete(confirmations).where(confirmations.c.at < now - LONGEST)
        return (await connection.execute(old)).rowcount

    return await database.write(work)
