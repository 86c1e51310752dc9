"""How much is written at once, and how long others have in between."""

from __future__ import annotations

import pytest

from digest.pace import CHUNK_SECONDS, LARGEST, SMALLEST, Pace
from digest.store.writer import LONGEST_PAUSE, SHORTEST_PAUSE, pause


def test_a_chunk_grows_or_shrinks_to_the_time_that_it_may_take() -> None:
    pace = Pace()
    for _ in range(20):  # ten microseconds each
        pace.took(pace.size, pace.size * 1e-5)
    assert pace.size == pytest.approx(CHUNK_SECONDS / 1e-5, rel=0.01)
    for _ in range(20):  # the disk is slow today
        pace.took(pace.size, 1.0)
    assert pace.size == SMALLEST
    for _ in range(20):
        pace.took(pace.size, 0.0)
    assert pace.size == LARGEST


@pytest.mark.parametrize(
    ("took", "rest"),
    [
        (0.0, SHORTEST_PAUSE),
        (0.0015, 0.0015),
        (0.007, LONGEST_PAUSE),
        (0.016, 0.004),
        (5.0, 3 * LONGEST_PAUSE),
    ],
)
def test_the_rest_is_longer_the_longer_others_waited_and_never_long(took: float, rest: float) -> None:
    assert pause(took) == pytest.approx(rest)
