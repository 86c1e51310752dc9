"""The sums of the ledger, looked at while letters go: is anybody lost, written to twice, do too many fail?

Broken sums stop everything: nothing is sent until somebody has looked. Too many failures stop only their
issue, and tell the admins.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from digest.line import Line
from digest.model import DigestError, Issue, NotReady

log = logging.getLogger(__name__)

AT_MOST = 50
"""A look that took a second is not repeated for so many."""
FEW = 20
"""So many letters must have failed before a share of them says anything."""
CHANNEL = "email"
TRIED = ("sent", "failed", "suppressed")
WAITING = ("pending", "attempting", "deferred")


class LedgerBroken(DigestError):
    """The sums of an issue are wrong. It is paused; nothing is sent before somebody has looked."""


class Watch:
    """Looks after the issues that are being sent, as long as the process lives: its pace outlives a round.

    A look is never repeated for fifty times as long as it took, so that the last letters of a large issue,
    which may trickle out for a day, do not have a million rows counted every second.
    """

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._issues: set[int] = set()
        self._rest: dict[int, float] = {}

    def mind(self, issues: Iterable[int]) -> None:
        """Something has become of letters of these."""
        self._issues.update(issues)

    async def look_again_and_again(self, line: Line, issues: Collection[int], every: float) -> None:
        """While letters of these issues go; more may come meanwhile. Raises LedgerBroken."""
        while True:
            await asyncio.sleep(every)
            self.mind(issues)
            try:
                await self.look(line)
            except NotReady as error:
                log.warning("sums not looked at", extra={"error": str(error)})

    async def look(self, line: Line) -> None:
        """At all that something has become of since they were looked at, but for those that rest. Raises
        LedgerBroken, NotReady."""
        for issue_id in sorted(self._issues):
            started = self._ticks()
            if started < self._rest.get(issue_id, started):
                continue
            await _check(line, issue_id)
            await _mind_failures(line, issue_id)
            self._issues.discard(issue_id)
            self._rest[issue_id] = self._ticks() + AT_MOST * (self._ticks() - started)
        if not self._issues:
            self._rest = {issue: end for issue, end in self._rest.items() if end > self._ticks()}


async def _check(line: Line, issue_id: int) -> None:
    wrong = "; ".join(await line.store.deliveries.invariant(issue_id))
    if wrong:
        await line.store.issues.pause(issue_id)
        log.error("ledger broken", extra={"issue": issue_id, "wrong": wrong})
        raise LedgerBroken(f"the sums of issue {issue_id} are wrong; it is paused: {wrong}")


async def _mind_failures(line: Line, issue_id: int) -> None:
    store = line.store
    states = (await store.issues.progress(issue_id)).get(CHANNEL, {})
    if not too_many(states, line.alarm):
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
    await _tell(line, issue, states, over)
    await store.note(f"alarm:{issue_id}", line.clock())


async def _tell(line: Line, issue: Issue, states: Mapping[str, int], over: bool) -> None:
    """A letter to each of the admins; its key is of the issue and the recipient."""
    reasons = await line.store.deliveries.reasons(issue.id, "failed", limit=5)
    data = words(issue, states, reasons, over)
    for address in line.admins:
        stand_in = sha256(address.casefold().encode()).hexdigest()[:16]
        await line.store.notices.create(
            kind="report",
            key=f"alarm:{issue.id}:{stand_in}",
            recipient=address,
            newsletter="",
            data=data,
            now=line.clock(),
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
