"""The prepared letters of the latest issues, at hand: opened and nearly signed, in each language they have.

What was prepared with an issue never changes, so a retry, by whichever process, is the same letter.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from digest.model import Issue
from digest.publishers.dkim import Signer, Stamp
from digest.publishers.message import Opened
from digest.store import Store

KEPT_LETTERS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A letter, ready for each reader's own values."""

    tag: str
    subject: str
    letter: Opened
    stamp: Stamp


class IssueLetters:
    """make: prepares the letter of an issue that has none."""

    def __init__(
        self, store: Store, signer: Signer, make: Callable[[Issue], Awaitable[bytes]], *, channel: str
    ) -> None:
        self._store = store
        self._signer = signer
        self._make = make
        self._channel = channel
        self._kept: OrderedDict[tuple[int, str], Prepared] = OrderedDict()
        self._opening = asyncio.Lock()

    async def of(self, issue_id: int, language: str) -> Prepared:
        """The letter in this language; empty: in the issue's own. Raises NotFound, PublishError and what
        `make` raises."""
        key = issue_id, language
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        async with self._opening:
            return self._kept.get(key) or await self._open(issue_id, language)

    async def _open(self, issue_id: int, language: str) -> Prepared:
        issue = await self._store.issues.get(issue_id)
        letter = await self._store.issues.prepared(issue_id, self._channel, language)
        opened = Opened(letter if letter is not None else await self._make(issue))
        kept = Prepared(
            tag=issue.tag,
            subject=issue.subject or issue.title,
            letter=opened,
            stamp=self._signer.prepare(opened.pieces, issue.composed_at),
        )
        self._kept[issue_id, language] = kept
        while len(self._kept) > KEPT_LETTERS:
            self._kept.popitem(last=False)
        return kept
