"""The prepared letters of the latest issues, at hand: opened, nearly signed, in their readers' languages.

What was prepared with an issue never changes. Our own words in it (not the stories) may be wanted in another
language: such a letter is made of the frozen issue when its first reader's turn comes. Which readers want
that is asked once for each issue; who chooses later is spoken to so from the next one on.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from digest.model import Issue
from digest.publishers.dkim import Signer, Stamp
from digest.publishers.message import Opened
from digest.store import Store

KEPT_ISSUES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A letter, ready for each reader's own values."""

    tag: str
    subject: str
    letter: Opened
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """wishes: the language of each subscription that wants another than the issue's. letters: by language;
    empty: as it was prepared."""

    issue: Issue
    wishes: Mapping[int, str]
    letters: dict[str, Prepared]


class IssueLetters:
    """make: prepares the letter of an issue in a language; empty: the issue's own."""

    def __init__(
        self, store: Store, signer: Signer, make: Callable[[Issue, str], Awaitable[bytes]], *, channel: str
    ) -> None:
        self._store = store
        self._signer = signer
        self._make = make
        self._channel = channel
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._opening = asyncio.Lock()

    async def of(self, issue_id: int, subscription_id: int | None) -> Prepared:
        """The letter for this reader; None: for somebody without a subscription. Raises NotFound,
        PublishError and what `make` raises."""
        kept = self._at_hand(issue_id) or await self._open(issue_id)
        language = "" if subscription_id is None else kept.wishes.get(subscription_id, "")
        return kept.letters.get(language) or await self._translate(kept, language)

    def _at_hand(self, issue_id: int) -> _Kept | None:
        if kept := self._kept.get(issue_id):
            self._kept.move_to_end(issue_id)
        return kept

    async def _open(self, issue_id: int) -> _Kept:
        async with self._opening:
            if kept := self._at_hand(issue_id):
                return kept
            issue = await self._store.issues.get(issue_id)
            letter = await self._store.issues.prepared(issue_id, self._channel) or await self._make(issue, "")
            chosen = await self._store.subscriptions.languages(issue.newsletter)
            wishes = {reader: language for reader, language in chosen.items() if language != issue.language}
            kept = _Kept(issue=issue, wishes=wishes, letters={"": self._ready(issue, letter)})
            self._kept[issue_id] = kept
            while len(self._kept) > KEPT_ISSUES:
                self._kept.popitem(last=False)
            return kept

    async def _translate(self, kept: _Kept, language: str) -> Prepared:
        async with self._opening:
            if language not in kept.letters:
                letter = await self._make(kept.issue, language)
                kept.letters[language] = self._ready(kept.issue, letter)
            return kept.letters[language]

    def _ready(self, issue: Issue, letter: bytes) -> Prepared:
        opened = Opened(letter)
        return Prepared(
            tag=issue.tag,
            subject=issue.subject or issue.title,
            letter=opened,
            stamp=self._signer.prepare(opened.pieces, issue.composed_at),
        )
