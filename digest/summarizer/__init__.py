"""Reading and telling: an entry becomes an article, a window of articles becomes the draft of an issue.

Pure functions for workers; the heavy libraries are loaded by the first call, not by this import.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from digest.model import Article, Background, Draft, FollowState, Newsletter, Told
from digest.summarizer.read import read_entry, read_title
from digest.summarizer.terms import count_words

__all__ = ["compose", "count_words", "read_entry", "read_title"]


def compose(
    newsletter: Newsletter,
    candidates: Sequence[tuple[Article, FollowState]],
    told: Sequence[Told],
    now: datetime,
    background: Background | None = None,
) -> Draft:
    """The stories of an issue in their order, and a decision for each article of the window."""
    from digest.summarizer.draft import compose as composed

    return composed(newsletter, candidates, told, now, background)
