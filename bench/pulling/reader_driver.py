"""Run by the Python that has PyPI's `reader`: one thing with its database.

    reader_driver.py DATABASE add LIST | update WORKERS | forget | open

add: the feeds of a list. update: all feeds, once. forget: the feeds that it could not read.
"""

from __future__ import annotations

import json
import sys
import time

try:
    import sgmllib  # noqa: F401 - what reader's own feedparser asks for; it left Python in 3.0
except ImportError:
    import feedparser_sgmllib

    sys.modules["sgmllib"] = feedparser_sgmllib

from reader import make_reader


def main() -> None:
    database, action, *rest = sys.argv[1:]
    with make_reader(database) as reader:
        if action == "add":
            with open(rest[0], encoding="utf-8") as urls:  # noqa: PTH123
                for url in urls.read().split():
                    reader.add_feed(url, allow_invalid_url=True)
            return
        if action == "forget":
            for feed in list(reader.get_feeds(broken=True)):
                reader.delete_feed(feed)
            return
        start, cpu = time.perf_counter(), time.process_time()
        results = []
        if action == "update":
            results = list(reader.update_feeds_iter(scheduled=False, workers=int(rest[0])))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        failed = {result.url: str(result.value) for result in results if isinstance(result.value, Exception)}
        print(json.dumps({"feeds": len(results), "failed": failed, "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main()
