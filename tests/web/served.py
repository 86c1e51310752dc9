"""The app on a port, for a browser."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import uvicorn
from web_house import House

from digest.links import Links
from digest.web import build_app


@asynccontextmanager
async def served(house: House) -> AsyncIterator[str]:
    """The app on a port of its own, under the very address that its links name."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        links = Links(url, b"a secret that is only for tests!")
        site = replace(house.lent.site, url=url)
        app = build_app(replace(house.lent, site=site, links=links, dev_inbox=True))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", lifespan="off"))
        running = asyncio.create_task(server.serve([listening]))
        try:
            while not server.started:  # noqa: ASYNC110  uvicorn tells by a flag only
                await asyncio.sleep(0.01)
            yield url
        finally:
            server.should_exit = True
            await running
