"""What may go now by one relay, and to which domain: rates, warm-up, what is under way, what is paused.

Pure: no clock, no loop, no database. It decides from what it holds, notes what it lacks (`wishes`) and what
others should know (`news`); `budget` brings both to the database and back. A letter may go when there is one
token of each count that it falls under; tokens are drawn in blocks and are good until their cell of time
ends. A letter is admitted on credit where a count is not known to be exhausted, and must `pay` before its
first byte.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from digest.publishers.breaker import SPREAD, Breaker, Heard
from digest.publishers.rates import DAY, Window, daily, rates, sliding
from digest.publishers.relay import Relay

Windows = tuple[Window, ...]
Verdict = Literal["good", "against us", "says nothing"]
"""An answer about the letter or its reader; one against us; none, or not for now."""

FORGOTTEN = 3600.0  # seconds; a letter that nobody told of is not under way any more
GOODS_KEPT = 600.0
MOST_MADE = 10_000  # domains whose windows are kept at hand


@dataclass(slots=True)
class _Block:
    """Tokens in hand."""

    window: Window
    left: int


class _Made:
    """Windows, for as long as none of their cells has ended."""

    __slots__ = ("until", "windows")

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        self.until = min((window.until for window in windows), default=math.inf)


@dataclass(frozen=True, slots=True)
class _UnderWay:
    domain: str
    since: float
    spent: tuple[Window, ...]
    owed: tuple[Window, ...]
    asks: tuple[str, ...]  # whose pause it was let through to end


@dataclass(slots=True)
class Gate:
    """One process's view of one relay.

    began: when the relay was first used, in seconds since 1970; None: not known yet. It is asked for only
    when there is a warm-up.
    """

    relay: Relay
    began: float | None = None
    _made: dict[str, _Made] = field(default_factory=dict)
    _blocks: dict[str, _Block] = field(default_factory=dict)
    _dry_until: dict[str, float] = field(default_factory=dict)
    _returned: list[tuple[Window, int]] = field(default_factory=list)
    _debts: Counter[Window] = field(default_factory=Counter)
    _under_way: dict[int, _UnderWay] = field(default_factory=dict)
    _busy: Counter[str] = field(default_factory=Counter)
    _breakers: dict[str, Breaker] = field(default_factory=dict)
    _may_ask: set[str] = field(default_factory=set)
    _would_ask: set[str] = field(default_factory=set)
    _news: dict[str, Heard] = field(default_factory=dict)
    _urgent: bool = False
    _goods: Counter[str] = field(default_factory=Counter)
    _goods_since: float = 0.0
    _account: str = field(init=False)
    _is_limited: bool = field(init=False)

    def __post_init__(self) -> None:
        relay = self.relay
        self._account = relay.account
        self._is_limited = bool(relay.rate or relay.warm_up or relay.domains)

    # ------------------------------------------------------------ for the sender

    @property
    def is_free(self) -> bool:
        """Nothing is counted and nobody is paused: whatever there is may go, and needs no reservation."""
        return not self._is_limited and not self._breakers

    def admit(self, id: int, domain: str, now: float) -> bool:  # noqa: A002 - the word of every delivery
        """Whether this letter may be begun now; then it is reserved until `told` or `release`. It may owe
        tokens that nobody has drawn yet: `pay` says whether they were to be had."""
        if id in self._under_way:
            return True  # asked again about one that was let through and not begun
        if self.is_free:
            return True
        shut: tuple[str, ...] = ()
        if self._breakers:
            shut = tuple(name for name in self._names(domain) if not self._breaker(name).is_closed())
        if not all(self._lets_ask(name, now) for name in shut) or not self._has_room(domain, now):
            return False
        if self.lacks_beginning:
            return False
        windows = self._windows(domain, now)
        owed = tuple(window for window in windows if not self._has(window))
        if any(self._is_exhausted(window, now) for window in owed):
            return False
        for window in windows:
            if window not in owed:
                self._blocks[window.name].left -= 1
        self._debts.update(dict.fromkeys(owed, 1))
        if shut:
            self._may_ask.difference_update(shut)
        self._under_way[id] = _UnderWay(domain, now, windows, owed, shut)
        self._busy[domain] += 1
        return True

    def pay(self, id: int, now: float) -> bool:  # noqa: A002
        """After `granted`: whether an admitted letter now has all its tokens. If not, it must not go, and is
        released."""
        letter = self._under_way.get(id)
        if letter is None or not letter.spent:
            return True
        # A token is good in its own cell of time; the ledger may have taken its time.
        if any(now >= window.until for window in letter.spent) or not all(map(self._has, letter.owed)):
            self.release(id, now)
            return False
        if not letter.owed:
            return True
        for window in letter.owed:
            self._blocks[window.name].left -= 1
        self._settle_debts(letter)
        self._under_way[id] = replace(letter, owed=())
        return True

    def told(self, id: int, domain: str, verdict: Verdict, now: float) -> None:  # noqa: A002
        """What came of it. One that was not admitted here counts all the same."""
        self._end(id)
        if now - self._goods_since > GOODS_KEPT:
            self._goods.clear()
            self._goods_since = now
        for name in self._names(domain):
            self._hear(name, domain, verdict, now)

    def release(self, id: int, now: float) -> None:  # noqa: A002
        """It was admitted and not begun."""
        ended = self._end(id)
        if ended is None:
            return
        self._may_ask.update(ended.asks)
        for window in ended.spent:
            if window in ended.owed:
                continue
            if (block := self._blocks.get(window.name)) and block.window.cell == window.cell:
                block.left += 1
            else:
                self._returned.append((window, 1))

    def next_at(self, domain: str, now: float) -> float:
        """When a letter to this domain may go at the earliest, as far as is known; `now`, when it may."""
        at = [self._breaker(name).opens_at(now) for name in self._names(domain)]
        dry = [self._dry_until.get(window.name, now) for window in self._windows(domain, now)]
        return max(now, *at, *dry)

    def is_shut(self, now: float) -> bool:
        """No letter may go, whomever it is for: it is not worth asking about single ones."""
        if self.is_free:
            return False
        breaker = self._breaker(self._account)
        if not breaker.is_closed() and not self._lets_ask(self._account, now):
            return True
        return self.lacks_beginning or not all(map(self._has, self._relay_windows(now)))

    # ------------------------------------------------------------ for the budget

    @property
    def lacks_beginning(self) -> bool:
        """`began` is needed, and not known."""
        return self.began is None and self.relay.warm_up is not None

    def is_in_need(self, now: float) -> bool:
        """Whether it would be well to talk with the others before anything else."""
        if self._debts or self._would_ask or self._urgent or self.lacks_beginning:
            return True
        return self._is_limited and not all(map(self._has, self._relay_windows(now)))

    def wishes(self, now: float) -> list[tuple[Window, int]]:
        """Counts to draw from, and how much: what letters owe, and the relay's own."""
        wanted = {window: max(window.block, owed) for window, owed in self._debts.items()}
        for window in self._relay_windows(now):
            if not self._has(window):
                wanted.setdefault(window, window.block)
        return [
            (window, letters)
            for window, letters in wanted.items()
            if now >= self._dry_until.get(window.name, now) and now < window.until
        ]

    def granted(self, window: Window, letters: int, now: float) -> None:
        """So many were drawn. None: nothing more for now."""
        if not letters:
            # The next cell brings some, or others give back what they do not use.
            if len(self._dry_until) > MOST_MADE:
                self._dry_until = {name: at for name, at in self._dry_until.items() if at > now}
            self._dry_until[window.name] = min(window.until, now + window.again)
            return
        self._dry_until.pop(window.name, None)
        if self._has(window):
            self._blocks[window.name].left += letters
        else:
            self._put_away(window.name)
            self._blocks[window.name] = _Block(window, letters)

    def unused(self, now: float, *, everything: bool = False) -> list[tuple[Window, int]]:
        """Tokens to give back: those whose time is over, or all."""
        for name in [name for name, block in self._blocks.items() if everything or now >= block.window.until]:
            self._put_away(name)
        found, self._returned = self._returned, []
        return found

    def news(self) -> dict[str, Heard]:
        """What was heard since the last time, for those who should know."""
        found, self._news, self._urgent = self._news, {}, False
        return found

    def has_urgent_news(self) -> bool:
        """Others should know at once: somebody refused us, or a pause is over."""
        return self._urgent

    def learn(self, name: str, breaker: Breaker) -> None:
        """How it is by what all have heard."""
        if not breaker.asked_until:
            self._may_ask.discard(name)
        if breaker.is_calm():
            self._breakers.pop(name, None)
        else:
            self._breakers[name] = breaker

    def learn_all(self, breakers: Mapping[str, Breaker]) -> None:
        """All there are; what is not among them is well."""
        for name in self._breakers.keys() - breakers.keys() - self._news.keys():
            self.learn(name, Breaker())
        for name in breakers.keys() - self._news.keys():
            self.learn(name, breakers[name])

    def would_ask(self) -> list[str]:
        """Whose pause is over: one process may let one letter ask."""
        found, self._would_ask = sorted(self._would_ask), set()
        return found

    def may_ask(self, name: str) -> None:
        """It is us."""
        self._may_ask.add(name)

    def spread(self, name: str) -> int:
        """How many domains must have refused us for a pause."""
        return SPREAD if name == self._account else 1

    # ------------------------------------------------------------ within

    def _names(self, domain: str) -> tuple[str, str]:
        return self._account, f"{self._account} {domain}"

    def _breaker(self, name: str) -> Breaker:
        return self._breakers.get(name) or Breaker()

    def _lets_ask(self, name: str, now: float) -> bool:
        if name in self._may_ask:
            return True
        if self._breaker(name).may_ask(now):
            self._would_ask.add(name)
        return False

    def _has_room(self, domain: str, now: float) -> bool:
        limit = self.relay.limit_for(domain)
        if limit is None or limit.connections is None or self._busy[domain] < limit.connections:
            return True
        for id, each in list(self._under_way.items()):  # noqa: A001
            if each.domain == domain and now - each.since > FORGOTTEN:
                self._end(id)
        return self._busy[domain] < limit.connections

    def _windows(self, domain: str, now: float) -> Windows:
        """What a letter to this domain falls under: made once for each cell of time."""
        known = self._made.get(domain)
        if known is not None and now < known.until:
            return known.windows
        if len(self._made) > MOST_MADE:
            self._made.clear()
        windows = self._relay_windows(now)
        limit = self.relay.limit_for(domain) if domain else None
        if limit is not None and limit.rate is not None:
            name = f"{self._account} {domain}"
            windows += tuple(sliding(name, rate, now) for rate in rates(limit.rate))
        if not self.lacks_beginning:
            self._made[domain] = _Made(windows)
        return windows

    def _relay_windows(self, now: float) -> Windows:
        known = self._made.get("")
        if known is not None and now < known.until:
            return known.windows
        windows = [sliding(self._account, rate, now) for rate in rates(self.relay.rate)]
        plan = self.relay.warm_up_plan
        if plan and self.began is not None:
            day = max(0, int((now - self.began) // DAY))
            if day < len(plan):
                windows.append(daily(f"{self._account} warm-up", day, self.began, plan[day]))
        if not self.lacks_beginning:
            self._made[""] = _Made(tuple(windows))
        return tuple(windows)

    def _has(self, window: Window) -> bool:
        block = self._blocks.get(window.name)
        return block is not None and block.left > 0 and block.window.cell == window.cell

    def _is_exhausted(self, window: Window, now: float) -> bool:
        """No credit: nothing was to be had last time, and it is too early to try again, or another letter
        does so."""
        dry_until = self._dry_until.get(window.name)
        return dry_until is not None and (now < dry_until or window in self._debts)

    def _put_away(self, name: str) -> None:
        block = self._blocks.pop(name, None)
        if block is not None and block.left:
            self._returned.append((block.window, block.left))

    def _end(self, id: int) -> _UnderWay | None:  # noqa: A002
        ended = self._under_way.pop(id, None)
        if ended is not None:
            self._settle_debts(ended)
            self._busy[ended.domain] -= 1
            if not self._busy[ended.domain]:
                del self._busy[ended.domain]
        return ended

    def _settle_debts(self, letter: _UnderWay) -> None:
        for window in letter.owed:
            self._debts[window] -= 1
            if self._debts[window] <= 0:
                del self._debts[window]

    def _hear(self, name: str, domain: str, verdict: Verdict, now: float) -> None:
        known = self._breakers.get(name)
        if known is None and verdict != "against us":
            # All is well: nobody needs to know, until somebody refuses us.
            self._goods[name] += verdict == "good"
            return
        if verdict == "says nothing" and (known is None or known.is_closed()):
            return
        heard = Heard(
            good=(verdict == "good") + self._goods.pop(name, 0),
            bad=(domain,) if verdict == "against us" else (),
        )
        self._urgent |= bool(heard.bad) or not self._breaker(name).is_closed()
        before = self._news.get(name, Heard())
        self._news[name] = Heard(good=before.good + heard.good, bad=before.bad + heard.bad)
        self._breakers[name] = self._breaker(name).after(heard, now, spread=self.spread(name))
