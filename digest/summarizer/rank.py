"""How much a story is worth: one documented sum, each term kept so that `why` can print it.

publishers  ln(1 + the weights of those who tell it); feeds of one publisher count once, with the largest
            weight; a feed with only a copy counts a quarter; a feed that floods the window is damped by the
            root of its volume
centrality  0.35 × how near it is to what the window is about
interest    0.5 × the listed words that it holds: the weight of each, whole in the headline, half in the text;
            together 2 at most, or the weight of the heaviest one
recency     0.8 × 2^(−age / 12 hours)
full_text   0.2 when more than a description was there to read
told        −0.5 × how much it is like something told before
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from digest.model import Article
from digest.summarizer.interests import interest
from digest.summarizer.publisher import publisher_of

COPY_COUNTS = 0.25
CENTRALITY = 0.35
INTEREST = 0.5
RECENCY = 0.8
HALF_LIFE = timedelta(hours=12)
FULL_TEXT = 0.2
TOLD = 0.5
FLOOD = 10  # articles of one feed in a window up to which its weight is whole

FULL_SOURCES = ("content", "page")


def terms_of(
    lead: Article,
    *,
    voices: Mapping[str, float],
    centrality: float,
    interests: Sequence[str],
    weights: Mapping[str, float] | None = None,
    told: float,
    now: datetime,
) -> dict[str, float]:
    """The sum for one story, term by term, in the order above.

    voices: feed → its weight, damped, as `voice` gives it. weights: of interests that do not count 1.
    """
    return {
        "publishers": round(math.log1p(loudness(voices)), 4),
        "centrality": round(CENTRALITY * centrality, 4),
        "interest": round(INTEREST * interest(lead, interests, weights or {}), 4),
        "recency": round(RECENCY * recency(lead, now), 4),
        "full_text": FULL_TEXT if lead.source in FULL_SOURCES else 0.0,
        "told": round(-TOLD * told, 4) if told else 0.0,
    }


def voice(weight: float, volume: int, *, copy: bool = False) -> float:
    """What one feed adds to a story."""
    return max(0.0, weight) * math.sqrt(FLOOD / max(FLOOD, volume)) * (COPY_COUNTS if copy else 1.0)


def loudness(voices: Mapping[str, float]) -> float:
    """All voices together; of the feeds of one publisher only the loudest."""
    loudest: dict[str, float] = {}
    for feed, value in voices.items():
        name = publisher_of(feed)
        loudest[name] = max(value, loudest.get(name, 0.0))
    return math.fsum(loudest.values())


def recency(article: Article, now: datetime) -> float:
    """1 for what is new, a half after twelve hours. A feed that gives no dates is dated by when we saw it."""
    age = max(timedelta(0), now - (article.published if article.dated else article.received_at))
    return float(2.0 ** -min(age / HALF_LIFE, 60.0))
