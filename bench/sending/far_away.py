"""A server that is far away: a proxy in a process of its own that delays what goes either way, and limits
nothing.

far_away.py PORT SECONDS        the first line on stdout is the port it listens on
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from typing import Any


class _Way:
    """What was read leaves on the other side `delay` seconds later, in order; the end of it, too."""

    def __init__(self, delay: float, loop: asyncio.AbstractEventLoop) -> None:
        self._delay = delay
        self._loop = loop
        self._under_way: deque[tuple[float, bytes | None]] = deque()
        self.out: Any = None
        self._waits = False

    def take(self, data: bytes | None) -> None:
        self._under_way.append((self._loop.time() + self._delay, data))
        self.go()

    def go(self) -> None:
        if self._under_way and self.out is not None and not self._waits:
            self._waits = True
            self._loop.call_at(self._under_way[0][0], self._arrive)

    def _arrive(self) -> None:
        self._waits = False
        now = self._loop.time() + 0.0002
        ready = []
        ended = False
        while self._under_way and self._under_way[0][0] <= now:
            data = self._under_way.popleft()[1]
            if data is None:
                ended = True
            else:
                ready.append(data)
        if ready:
            self.out.write(b"".join(ready))
        if ended:
            self.out.close()
        self.go()


class _End(asyncio.Protocol):
    """One side of a connection. way: where what it reads goes."""

    def __init__(self, way: _Way, back: _Way) -> None:
        self._way, self._back = way, back

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.set_write_buffer_limits(high=2**26)  # type: ignore[attr-defined]
        self._back.out = transport
        self._back.go()

    def data_received(self, data: bytes) -> None:
        self._way.take(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._way.take(None)


async def main() -> None:
    port, delay = int(sys.argv[1]), float(sys.argv[2])
    loop = asyncio.get_running_loop()
    connecting = set()

    def accept() -> _End:
        there, back = _Way(delay, loop), _Way(delay, loop)
        task = loop.create_task(loop.create_connection(lambda: _End(back, there), "127.0.0.1", port))
        connecting.add(task)
        task.add_done_callback(connecting.discard)
        return _End(there, back)

    server = await loop.create_server(accept, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - whoever started us ends us; or has ended
        await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(main())
