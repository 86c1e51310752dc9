"""What workers need, loaded once by the process that they are forked from. Importing this module is all."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os

from digest.model import FeedError

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is there: its threads would not live through a fork

for _name in (
    "digest.drafting",
    "digest.feeds.parse",
    "digest.feeds.quick",
    "digest.publishers.email",
    "digest.publishers.feed",
    "digest.summarizer.extract",
    "digest.summarizer.page",
    "digest.summarizer.summarize",
):
    importlib.import_module(_name)

from digest.feeds.parse import parse  # noqa: E402 - after the threads
from digest.summarizer.language import detect  # noqa: E402

with contextlib.suppress(FeedError):  # what is loaded at its first use only
    parse(b"<rss version='2.0'><channel><title>A feed</title></channel></rss>", "", "")
detect("Nothing declares the language of this text, so that the model which guesses it is loaded.")
gc.freeze()  # what is shared stays shared: no worker's collector writes to it
