"""What may go now, simulated: thousands of letters, several domains, a clock that we turn."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.publishers.breaker import Breaker
from digest.publishers.limits import Gate, Verdict
from digest.publishers.rates import Rate, Window, rates, sliding
from digest.publishers.relay import DomainLimit, Relay
from digest.publishers.shares import Shares

NOW = 1_795_305_600.0
DAY = 86400
IN_HAND = 60  # letters that a process has claimed


def relay(**changes: Any) -> Relay:
    return Relay(host="mail.example.org", **changes)


class Together:
    """The counts and states that gates share: what the database does, in a few lines."""

    def __init__(self, *gates: Gate) -> None:
        self.gates = gates
        self.cells: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.states: dict[str, Breaker] = {}

    def draw(self, window: Window, want: int) -> int:
        cells = self.cells[window.name]
        used = sum(letters for cell, letters in cells.items() if cell >= window.since)
        granted = max(0, min(want, window.limit - used))
        cells[window.cell] += granted
        return granted

    def exchange(self, now: float, *, everything: bool = False) -> None:
        for gate in self.gates:
            if gate.lacks_beginning:
                gate.began = NOW
            for window, letters in gate.unused(now, everything=everything):
                self.cells[window.name][window.cell] -= letters
            for name, heard in gate.news().items():
                state = self.states.get(name, Breaker()).after(heard, now, spread=gate.spread(name))
                self.states[name] = state
            for window, want in gate.wishes(now):
                gate.granted(window, self.draw(window, want), now)
            for name in gate.would_ask():
                if self.states[name].may_ask(now):
                    self.states[name] = self.states[name].asking(now)
                    gate.may_ask(name)
            gate.learn_all({name: state for name, state in self.states.items() if not state.is_calm()})


Answers = Callable[[str, float], Verdict]


def run(
    gates: Together,
    letters: Iterable[str],
    *,
    seconds: float,
    tick: float = 1.0,
    answers: Answers = lambda _domain, _now: "good",
    takes: float = 0.5,
) -> tuple[list[tuple[float, str]], int]:
    """Send letters to these domains: when each was begun, and how many are left. takes: seconds a letter."""
    waiting = deque(enumerate(letters))
    begun: list[tuple[float, str]] = []
    under_way: deque[tuple[float, Gate, int, str]] = deque()
    for step in range(int(seconds / tick)):
        now = NOW + step * tick
        while under_way and under_way[0][0] <= now:
            _, gate, id_, domain = under_way.popleft()
            gate.told(id_, domain, answers(domain, now), now)
        for gate in gates.gates:
            gates.exchange(now)
            admitted: list[tuple[int, str]] = []
            for _ in range(min(len(waiting), IN_HAND)):
                id_, domain = waiting.popleft()
                (admitted if gate.admit(id_, domain, now) else waiting).append((id_, domain))
            gates.exchange(now)
            for id_, domain in admitted:
                if gate.pay(id_, now):
                    begun.append((now, domain))
                    under_way.append((now + takes, gate, id_, domain))
                else:
                    waiting.append((id_, domain))
        if not waiting and not under_way:
            break
    return begun, len(waiting)


def most_within(begun: Iterable[float], seconds: float) -> int:
    """The most letters in any stretch of time of this length."""
    window: deque[float] = deque()
    most = 0
    for at in begun:
        window.append(at)
        while window[0] <= at - seconds:
            window.popleft()
        most = max(most, len(window))
    return most


# ---------------------------------------------------------------- rates and warm-up


def test_no_minute_and_no_hour_has_more_than_it_may_whoever_sends() -> None:
    gates = Together(*(Gate(relay(rate=("30/m", "200/h"))) for _ in range(3)))
    begun, left = run(gates, ["a.example"] * 600, seconds=5_000, tick=10)
    times = [at for at, _ in begun]
    assert most_within(times, 60) == 30
    assert most_within(times, 3_600) == 200
    assert 300 <= len(begun) <= 400
    assert left == 600 - len(begun)


def test_a_rate_by_the_second_is_held_by_the_minute_over_all_processes() -> None:
    window = sliding("r", Rate.of("50/s"), NOW)
    assert (window.limit, window.block) == (3_000, 150)
    assert sliding("r", Rate.of("3000/m"), NOW) == window


def test_a_domain_has_its_own_rate_and_others_do_not_wait_for_it() -> None:
    limits = {"gmail.com": DomainLimit(rate="20/m"), "*": DomainLimit(rate="100/m")}
    gates = Together(Gate(relay(domains=limits)))
    begun, _ = run(gates, [f"d{n % 9}.example" for n in range(500)] + ["gmail.com"] * 90, seconds=200)
    gmail = [at for at, domain in begun if domain == "gmail.com"]
    assert most_within(gmail, 60) == 20
    assert 60 <= len(gmail) <= 80
    others = [at for at, domain in begun if domain != "gmail.com"]
    assert len(others) == 500
    assert max(others) < NOW + 20
    assert gates.gates[0].next_at("gmail.com", NOW + 200) >= NOW + 200


def test_only_so_many_letters_to_a_domain_are_under_way() -> None:
    gate = Gate(relay(domains={"gmail.com": DomainLimit(connections=2)}))
    assert [gate.admit(n, "gmail.com", NOW) for n in range(4)] == [True, True, False, False]
    assert gate.admit(9, "other.example", NOW)
    gate.told(0, "gmail.com", "says nothing", NOW)
    gate.release(1, NOW)
    assert [gate.admit(n, "gmail.com", NOW) for n in (2, 3, 4)] == [True, True, False]
    assert not gate.admit(4, "gmail.com", NOW + 3_000)
    assert gate.admit(4, "gmail.com", NOW + 4_000), "letters that nobody told of are not waited for for ever"


def test_a_warm_up_allows_more_each_day_and_then_everything() -> None:
    gates = Together(*(Gate(relay(warm_up=(10, 20, 40))) for _ in range(2)))
    begun, left = run(gates, ["a.example"] * 200, seconds=4 * DAY, tick=600)
    days = Counter(int((at - NOW) // DAY) for at, _ in begun)
    assert (days[0], days[1], days[2], days[3]) == (10, 20, 40, 130)
    assert not left


def test_tokens_that_are_not_used_go_back() -> None:
    gates = Together(Gate(relay(rate="2000/h")))
    [gate] = gates.gates
    run(gates, ["a.example"] * 30, seconds=5)
    cells = gates.cells["mail.example.org:587 3600s"]
    first = int(NOW // 300)
    assert cells == {first: 100}
    gates.exchange(NOW + 300)  # the cell is over, and another block is drawn
    assert cells == {first: 30, first + 1: 100}
    assert gate.admit(98, "a.example", NOW + 301)
    assert gate.admit(99, "a.example", NOW + 301)
    gate.release(99, NOW + 301)
    for window, letters in gate.unused(NOW + 302, everything=True):
        cells[window.cell] -= letters
    assert cells == {first: 30, first + 1: 1}


@given(st.integers(1, 10**6), st.sampled_from("smhd"), st.floats(NOW, NOW + DAY))
def test_thirteen_cells_cover_every_window(letters: int, unit: str, now: float) -> None:
    window = sliding("r", Rate.of(f"{letters}/{unit}"), now)
    rate = Rate.of(f"{letters}/{unit}").shared()
    assert now < window.until <= now + rate.seconds / 12 + 1e-3
    assert window.until - rate.seconds / 12 * (window.cell - window.since + 1) <= now - rate.seconds + 1e-3
    assert 1 <= window.block <= max(1, letters * 60)


steps = st.lists(
    st.tuples(
        st.sampled_from(["admit", "admit", "admit", "pay", "told", "release", "exchange", "wait", "wait"]),
        st.integers(0, 1),
        st.integers(0, 7),
        st.sampled_from(["gmail.com", "a.example"]),
    ),
    max_size=120,
)


@given(steps)
def test_whatever_happens_no_window_is_exceeded_and_nothing_is_lost(
    said: list[tuple[str, int, int, str]],
) -> None:
    """Letters are admitted, paid for, sent, forgotten and given back in any order by two processes."""
    limits = {"gmail.com": DomainLimit(connections=3, rate=("3/m", "20/h"))}
    gates = Together(*(Gate(relay(rate="7/m", domains=limits)) for _ in range(2)))
    now, number = NOW, 0
    open_: list[dict[int, str]] = [{}, {}]
    paid: list[set[int]] = [set(), set()]
    sent: list[tuple[float, str]] = []
    for what, who, which, domain in said:
        gate = gates.gates[who]
        at_hand = sorted(open_[who])
        one = at_hand[which % len(at_hand)] if at_hand else None
        if what == "admit":
            number += 1
            if gate.admit(number, domain, now):
                open_[who][number] = domain
        elif what == "exchange":
            gates.exchange(now)
        elif what == "wait":
            now += 4.0 * which
        elif one is not None and what == "pay" and one not in paid[who]:
            if gate.pay(one, now):
                paid[who].add(one)
                sent.append((now, open_[who][one]))
            else:
                del open_[who][one]
        elif one is not None and what == "told" and one in paid[who]:
            gate.told(one, open_[who].pop(one), "good", now)
        elif one is not None and what == "release" and one not in paid[who]:
            gate.release(one, now)
            del open_[who][one]
        for each, mine in zip(gates.gates, open_, strict=True):
            assert sum(domain == "gmail.com" for domain in mine.values()) <= 3
            assert set(each._under_way) == set(mine)
    assert most_within([at for at, _ in sent], 60) <= 7
    gmail = [at for at, domain in sent if domain == "gmail.com"]
    assert most_within(gmail, 60) <= 3
    assert most_within(gmail, 3600) <= 20
    for gate, mine, done in zip(gates.gates, open_, paid, strict=True):
        for one, domain in mine.items():
            if one in done:
                gate.told(one, domain, "good", now)
            else:
                gate.release(one, now)
        assert not gate._debts
        assert not gate._busy
    gates.exchange(now, everything=True)


def test_two_numbers_for_one_time_are_one_too_many() -> None:
    assert [rate.seconds for rate in rates(("9000/h", "50/s"))] == [1, 3600]
    with pytest.raises(ValueError, match="two numbers"):
        rates(("1/m", "2/m"))


# ---------------------------------------------------------------- refusals


def test_a_domain_that_blocks_us_loses_a_handful_of_letters_and_no_list() -> None:
    domains = [("gmail.com", "a.example", "b.example", "c.example")[n % 4] for n in range(4_000)]

    def answers(domain: str, now: float) -> Verdict:
        blocked = domain == "gmail.com" and now < NOW + 3_000
        return "against us" if blocked else "good"

    limits = {"*": DomainLimit(connections=4)}
    gates = Together(*(Gate(relay(domains=limits)) for _ in range(2)))
    begun, left = run(gates, domains, seconds=9_000, tick=3, answers=answers)
    assert not left
    refused = sum(domain == "gmail.com" and at < NOW + 3_000 for at, domain in begun)
    assert refused < 20, "what was under way, and one letter after each pause"
    others = [at for at, domain in begun if domain != "gmail.com"]
    assert max(others) < NOW + 2_000, "nobody else waited for the pause"
    assert gates.states["mail.example.org:587 gmail.com"].is_calm()


def test_one_block_list_answer_holds_nothing_up() -> None:
    said = iter(["against us"])
    gates = Together(Gate(relay()))
    begun, left = run(
        gates,
        ["a.example"] * 500,
        seconds=60,
        answers=lambda *_: next(said, "good"),  # type: ignore[arg-type]
    )
    assert (len(begun), left) == (500, 0)


def test_a_relay_that_every_domain_refuses_pauses_as_a_whole() -> None:
    limits = {"*": DomainLimit(connections=1)}
    gates = Together(Gate(relay(domains=limits)), Gate(relay(domains=limits)))
    [gate, other] = gates.gates
    domains = [f"d{n}.example" for n in range(3)] * 50 + [f"e{n}.example" for n in range(2_000)]
    assert run(gates, domains[:3], seconds=10, answers=lambda *_: "against us")[1] == 0
    run(gates, domains, seconds=300, answers=lambda *_: "against us", tick=5)
    assert gate.is_shut(NOW + 300)
    assert other.is_shut(NOW + 300), "what one process heard holds for all"
    assert gate.next_at("unheard.example", NOW + 300) > NOW + 500


def test_after_a_pause_one_letter_asks_whoever_sends_it() -> None:
    gates = Together(*(Gate(relay()) for _ in range(3)))
    run(gates, ["a.example"] * 5, seconds=10, answers=lambda *_: "against us")
    at = NOW + 700
    for _ in range(3):
        gates.exchange(at)
        asked = [gate.admit(100 + n, "a.example", at) for n, gate in enumerate(gates.gates)]
    assert sum(asked) == 1
    [(n, gate)] = [(n, gate) for n, gate in enumerate(gates.gates) if asked[n]]
    gate.release(100 + n, at)  # the ledger did not give it
    assert gate.admit(100 + n, "a.example", at)
    gate.told(100 + n, "a.example", "good", at + 1)
    gates.exchange(at + 2)
    assert all(each.admit(200 + n, "a.example", at + 2) for n, each in enumerate(gates.gates))


# ---------------------------------------------------------------- weights


def test_relays_of_one_priority_share_by_their_weights() -> None:
    shares = Shares({"big": 3, "small": 1})
    taken: Counter[str] = Counter()
    for turn in range(4_000):
        for name in ("small", "big") if turn % 2 else ("big", "small"):
            if shares.may(name, NOW):
                shares.took(name)
                taken[name] += 1
    assert taken["big"] / taken["small"] == pytest.approx(3, rel=0.05)


def test_a_silent_relay_is_not_waited_for_and_does_not_catch_up() -> None:
    shares = Shares({"one": 1, "two": 1})
    taken: Counter[str] = Counter()
    for turn in range(3_000):
        now = NOW + turn / 100
        down = 500 <= turn < 2_000
        for name in ("one",) if down else ("one", "two"):
            if shares.may(name, now):
                shares.took(name)
                taken[name] += 1
        if turn == 1_999:
            assert taken["one"] > 1_800
            before = taken.copy()
    assert abs((taken - before)["one"] - (taken - before)["two"]) < 120
