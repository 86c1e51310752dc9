"""What the end of an attempt means for its delivery: never again, later, or not known. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from digest import timing
from digest.model import Delivery, DeliveryState, Ended, PublishError, Receipt

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)
RELAY_WAIT = timedelta(minutes=1)
TRIES_BEFORE_STALE = 4  # letters that waited a day for a dead relay still get their chances


def judge(
    delivery: Delivery,
    result: Receipt | PublishError,
    *,
    now: datetime,
    jitter: float,
    stale_after: timedelta,
) -> Ended:
    """How this attempt ended. jitter: in [0, 1). stale_after: since its birth, how long a letter is worth
    sending; only answers that concern the reader can make it stale."""
    if isinstance(result, Receipt):
        return Ended(delivery=delivery, state=DeliveryState.SENT, relay=result.relay, reply=result.reply)
    reply = str(result)
    if result.permanent:
        return Ended(
            delivery=delivery,
            state=DeliveryState.FAILED,
            relay=result.relay,
            reply=reply,
            suppress=result.suppress,
        )
    wait = timing.backoff(delivery.attempts + 1, base=FIRST_WAIT, cap=LONGEST_WAIT, jitter=jitter)
    if result.unknown:
        return Ended(
            delivery=delivery,
            state=DeliveryState.UNKNOWN,
            relay=result.relay,
            reply=reply,
            available_at=now + wait,
        )
    waited = now - delivery.created_at
    if result.counts and waited > stale_after and delivery.attempts + 1 >= TRIES_BEFORE_STALE:
        hours = stale_after.total_seconds() / 3600
        return Ended(
            delivery=delivery,
            state=DeliveryState.FAILED,
            relay=result.relay,
            reply=f"given up after {hours:.0f} hours; the last answer: {result}",
        )
    if result.wait is not None:
        wait = max(wait, result.wait) if result.counts else result.wait
    elif not result.counts:
        wait = RELAY_WAIT
    return Ended(
        delivery=delivery,
        state=DeliveryState.DEFERRED,
        relay=result.relay,
        reply=reply,
        available_at=now + wait,
        uncounted=not result.counts,
    )
