"""Our side without its start: one open house sends what is due, as the service does.

house_driver.py CONFIG deliver            send all that is due
house_driver.py CONFIG compose deliver    first make the issue, with all its deliveries
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from pathlib import Path

from digest import dispatch, pipeline
from digest.service import open_house
from digest.service.event_loop import new_event_loop


async def main() -> None:
    config, *steps = sys.argv[1:]
    told = {}
    async with open_house(config) as house:
        line = house.line
        await line.workers.run(abs, 0, timeout=60)  # a service has started them long ago
        for step in steps:
            start, cpu = time.perf_counter(), _cpu()
            if step == "compose":
                issues = (await pipeline.compose(line, line.clock(), force=True)).issues
                came = {"issues": len(issues)}
            else:
                delivered = await dispatch.deliver(line)
                came = dict(delivered.states) | {"waiting": dict(delivered.waiting)}
            told[step] = {
                "seconds": time.perf_counter() - start,
                "cpu": _cpu() - cpu,
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "came": came,
            }
    print(json.dumps(told))


def _cpu() -> float:
    """Processor seconds of this process and of all others in its session."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or entry.name == str(os.getpid()):
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == os.getsid(0):
            ticks += sum(map(int, fields[11:13]))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop()) as runner:
        runner.run(main())
