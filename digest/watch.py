"""The sums of the ledger, looked at while letters go: is anybody lost, written to twice, do too many fail?

Broken sums stop everything: nothing is sent until somebody has looked. Too many failures stop only their
issue, and tell the admins.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any

from digest.line import Line
from digest.model import DigestError, Issue, NotReady

log = logging.getLogger(__name__)

AT_MOST = 50
"""A look that took a second is not repeated for so many: of a large issue the sums take long."""
FEW = 20
"""So many letters must have failed before a share of them says anything."""
CHANNEL = "email"
TRIED = ("sent", "failed", "suppressed")
WAITING = ("pending", "attempting", "deferred")


class LedgerBroken(DigestError):
    """The sums of an issue are wrong. It is paused; nothing is sent before somebody has looked."""


class Watch:
    """Looks after the issues that are being sent. issues: their ids; more may come while we look."""

    def __init__(self, line: Line, issues: Collection[int]) -> None:
        self._line = line
        self._issues = issues

    async def look_again_and_again(self, every: float) -> None:
        """Raises LedgerBroken."""
        wait = every
        while True:
            await asyncio.sleep(wait)
            started = time.monotonic()
            try:
                await self.look()
            except NotReady as error:
                log.warning("sums not looked at", extra={"error": str(error)})
            wait = max(every, AT_MOST * (time.monotonic() - started))

    async def look(self) -> None:
        """Raises LedgerBroken."""
        for issue_id in sorted(self._issues):
            await self._check(issue_id)
            await self._mind_failures(issue_id)

    async def _check(self, issue_id: int) -> None:
        wrong = "; ".join(await self._line.store.deliveries.invariant(issue_id))
        if wrong:
            await self._line.store.issues.pause(issue_id)
            log.error("ledger broken", extra={"issue": issue_id, "wrong": wrong})
            raise LedgerBroken(f"the sums of issue {issue_id} are wrong; it is paused: {wrong}")

    async def _mind_failures(self, issue_id: int) -> None:
        store = self._line.store
        states = (await store.issues.progress(issue_id)).get(CHANNEL, {})
        if not too_many(states, self._line.alarm):
            return
        over = not any(states.get(state, 0) for state in WAITING)
        # Once for each issue: an admin who resumes it has seen why. The note comes last; all before it may be
        # done twice.
        if await store.is_noted(f"alarm:{issue_id}"):
            return
        issue = await store.issues.get(issue_id)
        if not over:
            await store.issues.pause(issue_id)
        said = {"issue": issue.path, "failed": states["failed"], "over": over}
        log.error("too many letters fail", extra=said)
        await self._tell(issue, states, over)
        await store.note(f"alarm:{issue_id}", self._line.clock())

    async def _tell(self, issue: Issue, states: Mapping[str, int], over: bool) -> None:
        """A letter to each of the admins; its key is of the issue and the recipient."""
        reasons = await self._line.store.deliveries.reasons(issue.id, "failed", limit=5)
        data = words(issue, states, reasons, over)
        for address in self._line.admins:
            stand_in = sha256(address.casefold().encode()).hexdigest()[:16]
            await self._line.store.notices.create(
                kind="report",
                key=f"alarm:{issue.id}:{stand_in}",
                recipient=address,
                newsletter="",
                data=data,
                now=self._line.clock(),
            )


def too_many(states: Mapping[str, int], share: float) -> bool:
    """Whether more than this share of the letters that were tried have failed; a handful never are."""
    failed = states.get("failed", 0)
    return failed >= FEW and failed > share * sum(states.get(state, 0) for state in TRIED)


def words(
    issue: Issue, states: Mapping[str, int], reasons: Sequence[tuple[str, int]], over: bool
) -> dict[str, Any]:
    """What the admins are told, in the form of a report."""
    failed, all_of_them = states.get("failed", 0), sum(states.values())
    told = [f"Of the {all_of_them:,} letters of “{issue.subject}”, {failed:,} have failed."]
    told += [f"{count:,} times: {reply}" for reply, count in reasons]
    if over:
        told.append(f"All others have ended. `digest issues retry {issue.path}` tries the failed ones again.")
        title = f"{failed:,} letters of {issue.path} failed"
    else:
        told.append(
            "Before more are lost, this issue is paused. Look at the reasons; then"
            f" `digest issues resume {issue.path}` goes on, `digest issues retry {issue.path}` tries the"
            f" failed ones again, and `digest issues cancel {issue.path}` gives it up."
        )
        title = f"{issue.path} is paused: {failed:,} letters failed"
    return {"title": title, "lines": told, "groups": [], "url": ""}
