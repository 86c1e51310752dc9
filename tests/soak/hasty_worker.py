"""A worker that delivers, with leases of a few seconds: so that a soak need not wait for minutes.

hasty_worker.py LEASE_SECONDS      in the folder of a config.yaml
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from digest import dispatch
from digest.model import DigestError
from digest.service import open_house
from digest.service.event_loop import new_event_loop


async def main(lease: float) -> None:
    patience = dispatch.Patience(
        lease=timedelta(seconds=lease), renew_every=lease / 4, keep_trying=lease * 0.75, watch_every=2.0
    )
    async with open_house("config.yaml", sync=False) as house:
        while True:
            try:
                await dispatch.deliver(house.line, patience=patience)
            except* DigestError as error:
                print(f"trouble: {error.exceptions}", flush=True)  # noqa: T201 - this is its log
            await asyncio.sleep(0.5)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop()) as runner:
        runner.run(main(float(sys.argv[1])))
