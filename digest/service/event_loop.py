"""The event loop that everything runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


def new_event_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the loop: uvloop where it installs, else the standard one.

    A round of 2,000 unchanged feeds spends two fifths less in aiohttp on it.
    """
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
