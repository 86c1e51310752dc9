"""Somebody who reads pages, one after another, in a process of their own: visitor.py URL…

Until standard input ends; then every answer is written down as JSON: when it was asked for (on the monotonic
clock, which all processes share), how long it took, its status.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from itertools import cycle
from urllib.parse import urlsplit

EVERY = 0.01  # seconds between two questions


def main() -> None:
    urls = [urlsplit(url) for url in sys.argv[1:]]
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    connection = http.client.HTTPConnection(urls[0].netloc, timeout=30)
    found = []
    for url in cycle(urls):
        if over.is_set():
            break
        began = time.monotonic()
        connection.request("GET", url.path)
        answer = connection.getresponse()
        answer.read()
        found.append((began, time.monotonic() - began, answer.status))
        time.sleep(EVERY)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
