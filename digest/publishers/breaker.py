"""When to stop asking: a relay, or a domain behind it, that refuses us again and again is left alone.

    closed → (refusals) → paused → (time) → one letter asks → closed, or paused for longer

Pure: a state and what was heard give the next state. What is counted are answers against us (block lists,
policies, what we write), not those about a reader.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

MEMORY = 600.0  # seconds that an answer counts for
ENOUGH = 5  # refusals in that time, if they are also more than half of all answers
SPREAD = 3  # different domains that must have refused us before it is the relay's matter
FIRST_PAUSE = 600.0
LONGEST_PAUSE = 4 * 3600.0
ASKING = 900.0  # how long an asking letter may take: connecting, and ten minutes for its last answer
_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Answers since the last time: how many were good, and the domains that those against us came from."""

    good: int = 0
    bad: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """until: the end of the pause, in seconds since 1970; 0 when closed. pauses: how many in a row.
    asked_until: so long, the letter that asks may take.
    counts: (minute, good, bad). refused: (minute, domain) of those that refused us."""

    counts: tuple[tuple[int, int, int], ...] = ()
    refused: tuple[tuple[int, str], ...] = ()
    until: float = 0.0
    pauses: int = 0
    asked_until: float = 0.0

    # ------------------------------------------------------------ what may be done

    def is_calm(self) -> bool:
        """Nobody has refused us: there is nothing to remember."""
        return not self.until and not any(bad for _, _, bad in self.counts)

    def is_closed(self) -> bool:
        """All may go."""
        return not self.until

    def may_ask(self, now: float) -> bool:
        """The pause is over and nobody is asking: one letter may go."""
        return bool(self.until) and now >= max(self.until, self.asked_until)

    def opens_at(self, now: float) -> float:
        """When a letter may go at the earliest; now, when it may."""
        return now if self.is_closed() else max(now, self.until, self.asked_until)

    # ------------------------------------------------------------ what becomes of it

    def asking(self, now: float) -> Breaker:
        """One letter has been let through."""
        return replace(self, asked_until=now + ASKING)

    def after(self, heard: Heard, now: float, *, spread: int = 1) -> Breaker:
        """spread: so many domains must have refused us before there is a pause."""
        if self.is_closed():
            return self._counted(heard, now, spread)
        if now < self.until:
            return self  # letters that were under way when it began
        if heard.bad:
            return self._paused(now)
        return Breaker() if heard.good else replace(self, asked_until=0.0)

    def _counted(self, heard: Heard, now: float, spread: int) -> Breaker:
        minute = int(now // _MINUTE)
        oldest = int((now - MEMORY) // _MINUTE)
        counts = [each for each in self.counts if each[0] > oldest]
        known = (0, 0)
        if counts and counts[-1][0] == minute:
            _, *last = counts.pop()
            known = (last[0], last[1])
        counts.append((minute, known[0] + heard.good, known[1] + len(heard.bad)))
        refused = {domain: at for at, domain in self.refused if at > oldest}
        refused |= dict.fromkeys(heard.bad, minute)
        # A few domains are enough to know that there are several.
        latest = sorted(((at, domain) for domain, at in refused.items()), reverse=True)[:ENOUGH]
        bad = sum(each[2] for each in counts)
        grown = Breaker(counts=tuple(counts), refused=tuple(latest))
        answers = bad + sum(each[1] for each in counts)
        if bad >= ENOUGH and 2 * bad > answers and len(latest) >= spread:
            return grown._paused(now)
        return grown

    def _paused(self, now: float) -> Breaker:
        pause = min(FIRST_PAUSE * 2**self.pauses, LONGEST_PAUSE)
        return Breaker(until=now + pause, pauses=min(self.pauses + 1, 30))

    # ------------------------------------------------------------ as it is kept

    def dump(self) -> str:
        """ "" for one that has nothing to remember."""
        if self.is_calm():
            return ""
        return json.dumps([self.until, self.pauses, self.asked_until, self.counts, self.refused])

    @classmethod
    def load(cls, text: str) -> Breaker:
        """What `dump` wrote."""
        if not text:
            return cls()
        until, pauses, asked_until, counts, refused = json.loads(text)
        return cls(
            until=until,
            pauses=pauses,
            asked_until=asked_until,
            counts=tuple((minute, good, bad) for minute, good, bad in counts),
            refused=tuple((minute, domain) for minute, domain in refused),
        )
