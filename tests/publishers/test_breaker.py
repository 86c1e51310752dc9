"""When a relay or a domain that refuses us is left alone, and how it is asked again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.publishers.breaker import FIRST_PAUSE, LONGEST_PAUSE, Breaker, Heard

NOW = 1_795_305_600.0
CALM = Breaker()
NO = Heard(bad=("gmail.com",))
YES = Heard(good=1)


def heard(*answers: Heard, start: Breaker = CALM, every: float = 1.0, spread: int = 1) -> Breaker:
    state, now = start, NOW
    for answer in answers:
        state = state.after(answer, now, spread=spread)
        now += every
    return state


@pytest.mark.parametrize(
    ("answers", "paused"),
    [
        ([NO] * 4, False),
        ([NO] * 5, True),
        ([Heard(bad=("gmail.com",) * 5)], True),
        ([YES] * 5 + [NO] * 5, False),  # half is not more than half
        ([YES] * 5 + [NO] * 6, True),
        ([YES] * 100 + [NO] * 50, False),
        ([YES, NO] * 50, False),
    ],
)
def test_a_pause_begins_with_five_refusals_that_are_most_of_the_answers(
    answers: list[Heard], paused: bool
) -> None:
    assert heard(*answers).is_closed() is not paused


def test_what_was_heard_more_than_ten_minutes_ago_does_not_count() -> None:
    assert heard(*[NO] * 4, YES, every=1).counts
    assert heard(*[NO] * 20, every=200).is_closed(), "three in ten minutes are not enough"
    calm = heard(*[NO] * 4).after(YES, NOW + 700)
    assert calm.is_calm()
    assert calm.dump() == ""


def test_a_relay_pauses_only_when_several_domains_refuse_us() -> None:
    assert heard(*[NO] * 9, spread=3).is_closed()
    many = [Heard(bad=(f"d{n % 3}.example",)) for n in range(5)]
    assert not heard(*many, spread=3).is_closed()


def test_pauses_grow_until_one_letter_gets_through() -> None:
    state, now, pauses = heard(*[NO] * 5), NOW + 4, []
    for _ in range(7):
        pauses.append(state.until - now)
        assert state.opens_at(now) == state.until
        assert not state.may_ask(state.until - 1)
        assert state.after(YES, state.until - 1) == state, "a letter that was under way says nothing"
        now = state.until
        assert state.may_ask(now)
        state = state.asking(now)
        assert not state.may_ask(now), "one letter asks, and no second one"
        state = state.after(NO, now)
    assert pauses[0] == FIRST_PAUSE
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
    assert state.asking(state.until).after(YES, state.until + 1) == CALM


def test_an_asking_letter_that_says_nothing_lets_another_one_ask() -> None:
    state = heard(*[NO] * 5)
    asking = state.asking(state.until)
    assert asking.after(Heard(), state.until + 1).may_ask(state.until + 1)
    assert not asking.may_ask(state.until + 800)
    assert asking.may_ask(state.until + 900), "its process died"


answers = st.lists(
    st.builds(
        Heard, good=st.integers(0, 9), bad=st.lists(st.sampled_from("abcdefgh"), max_size=9).map(tuple)
    ),
    max_size=30,
)


@given(answers, st.floats(1, 2_000), st.integers(1, 3))
def test_a_state_is_small_and_comes_back_as_it_was_kept(said: list[Heard], every: float, spread: int) -> None:
    state = heard(*said, every=every, spread=spread)
    assert Breaker.load(state.dump()) == (CALM if state.is_calm() else state)
    assert len(state.dump()) < 1_000
    assert state.is_closed() or state.until > NOW
