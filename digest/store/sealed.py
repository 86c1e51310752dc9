"""Articles as they lie in the store, carried as they are to where there is time to open them: a worker.

Thousands of articles opened on the event loop would keep every page waiting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from digest.model import Article, FollowState
from digest.store.codec import decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """One article. since: from when on its feed is followed by the newsletter that asked."""

    id: int
    ready: int | None
    feed_url: str
    data: str
    since: datetime | None = None

    def opened(self) -> Article:
        """The article."""
        return replace(decode(Article, self.data), id=self.id, ready=self.ready)

    def candidate(self) -> tuple[Article, FollowState]:
        """The article and how its feed is followed. Only of a window."""
        if self.since is None:
            raise ValueError("this article was not asked for as one of a window")
        return self.opened(), FollowState(url=self.feed_url, since=self.since)
