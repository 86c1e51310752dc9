"""Our side without its start: one open house pulls twice, as the service does.

house_driver.py CONFIG
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path


async def main() -> None:
    from digest import intake
    from digest.service import open_house

    rounds = {}
    async with open_house(sys.argv[1]) as house:
        for name in ("cold", "again"):
            start, cpu = time.perf_counter(), _cpu()
            pulled = await intake.pull(house.line, house.line.clock(), force=True)
            rounds[name] = {
                "seconds": time.perf_counter() - start,
                "cpu": _cpu() - cpu,
                "feeds": pulled.feeds,
                "unchanged": pulled.unchanged,
                "failed": pulled.failed,
            }
    print(json.dumps(rounds))


def _cpu() -> float:
    """Processor seconds of this process, its workers, and those workers that have ended."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == os.getsid(0):
            ticks += sum(map(int, fields[11:15] if entry.name == str(os.getpid()) else fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    # Imported here, for each worker imports this file anew; and the loop is that of `digest run`.
    from digest.service.event_loop import new_event_loop

    with asyncio.Runner(loop_factory=new_event_loop()) as runner:
        runner.run(main())
