"""The event loop that everything runs on, and how Python shares itself out under it."""

from __future__ import annotations

import asyncio
import atexit
import gc
import sys
from collections.abc import Callable

SWITCH_SECONDS = 0.0005
"""So long a busy event loop keeps a thread waiting that comes back from the database or from a worker's pipe,
ten times for each transaction. Beside a loop that never rests, 45,000 entries took 3 s to write at Python's
5 ms, and 1.3 s so."""
COLLECT_AFTER = 10_000
"""New objects until Python looks for rings among them. At its 700 it looks all the time while a start loads
and a round reads: many objects, hardly any of them in a ring."""


def new_event_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the loop: uvloop where it installs, else the standard one.

    A round of 2,000 unchanged feeds spends two fifths less in aiohttp on it.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(COLLECT_AFTER, 10, 10)
    atexit.register(gc.freeze)  # else Python's end looks for rings among all there is: a tenth of a second
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
