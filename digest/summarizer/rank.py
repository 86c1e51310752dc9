"""How much a story is worth: one documented sum, each term kept so that `why` can print it.

publishers  ln(1 + the weights of the feeds that tell it); a feed with only a copy counts a quarter,
            a feed that floods the window is damped by the root of its volume
centrality  0.35 x how near it is to what the window is about
interest    0.5 x the words the admin listed that it holds
recency     0.8 x 2^(-age / 12 hours)
full_text   0.2 when more than a description was there to read
told        -0.5 x how much it is like something told before
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from digest.model import Article
from digest.summarizer.terms import words

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
    told: float,
    now: datetime,
) -> dict[str, float]:
    """The sum for one story, term by term. voices: feed → its weight, damped, as `voice` gives it."""
    return {
        "publishers": round(math.log1p(sum(voices.values())), 4),
        "centrality": round(CENTRALITY * centrality, 4),
        "interest": round(INTEREST * interest(lead, interests), 4),
        "recency": round(RECENCY * recency(lead, now), 4),
        "full_text": FULL_TEXT if lead.source in FULL_SOURCES else 0.0,
        "told": round(-TOLD * told, 4) if told else 0.0,
    }


def voice(weight: float, volume: int, *, copy: bool = False) -> float:
    """What one feed adds to a story."""
    return max(0.0, weight) * math.sqrt(FLOOD / max(FLOOD, volume)) * (COPY_COUNTS if copy else 1.0)


def recency(article: Article, now: datetime) -> float:
    """1 for what is new, a half after twelve hours. A feed that gives no dates is dated by when we saw it."""
    age = max(timedelta(0), now - (article.published if article.dated else article.received_at))
    return float(2.0 ** -min(age / HALF_LIFE, 60.0))


def interest(article: Article, interests: Sequence[str]) -> float:
    """1 when the headline holds a listed word (or all words of a listed phrase), a half when only the "
    "text does."""
    if not interests:
        return 0.0
    title = set(words(article.title))
    wanted = [set(words(each)) for each in interests]
    if any(each and each <= title for each in wanted):
        return 1.0
    text = title.union(words(article.text[:20_000]), *(words(each) for each in article.categories))
    return 0.5 if any(each and each <= text for each in wanted) else 0.0
