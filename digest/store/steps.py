"""The hot path of sending: what came of letters and the intents of the next ones, in one transaction.

    outcomes (n letters) → intents (m letters) → history of both → COMMIT

Every statement works on a list that travels as one JSON parameter, a row an array, so that a commit costs
the same three statements for one letter and for sixty. An intent checks in its own statement that its reader
is still subscribed and not suppressed and its issue open: the last moment at which a letter can be stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from digest.model import Delivery, DeliveryState, Ended
from digest.store.codec import clean, micros, since_epoch
from digest.store.database import CLOCK, Database, Run
from digest.store.people import hash_of

_Change = tuple[int, int, DeliveryState, str, str]
"""(delivery id, attempt, state, relay, reply): a line of history."""


def end(database: Database, run: Run, ended: Sequence[Ended], now: datetime) -> list[_Change | None]:
    """Write what came of these; for each its line of history, None where the claim was no longer ours."""
    if not ended:
        return []
    moment = since_epoch(now)
    given = [
        (
            one.delivery.id,
            one.delivery.fence,
            one.state,
            moment if one.available_at is None else since_epoch(one.available_at),
            one.uncounted,
        )
        for one in ended
    ]
    asked = {"given": json.dumps(given), "now": moment}
    attempts: dict[int, int] = dict(run(_END[database.dialect], asked))
    changes: list[_Change | None] = []
    for one in ended:
        attempt = attempts.get(one.delivery.id)
        if attempt is None:
            changes.append(None)
        else:
            changes.append((one.delivery.id, attempt + one.uncounted, one.state, one.relay, one.reply))
    return changes


def begin(
    database: Database, run: Run, wanted: Sequence[Delivery], now: datetime, lease: timedelta
) -> list[_Change | None]:
    """The intents of these deliveries; for each its line of history, None where it may not go."""
    if not wanted:
        return []
    given = [(one.id, one.fence, hash_of(database, one.recipient), one.subscription_id) for one in wanted]
    asked = {"given": json.dumps(given), "now": since_epoch(now), "lease": micros(lease)}
    attempts: dict[int, int] = dict(run(_BEGIN[database.dialect], asked))
    return [
        (one.id, attempts[one.id], DeliveryState.ATTEMPTING, "", "") if one.id in attempts else None
        for one in wanted
    ]


def stands(
    database: Database, run: Run, ended: Sequence[Ended], wanted: Sequence[Delivery]
) -> tuple[set[int], set[int]]:
    """Of these outcomes and intents the ids of those that an earlier try wrote: our fence is on them."""
    given = [(one.id, one.fence) for one in [*(each.delivery for each in ended), *wanted]]
    found = {
        id_: (state, held)
        for id_, state, held in run(_STANDS[database.dialect], {"given": json.dumps(given)})
    }
    written = {one.delivery.id for one in ended if found.get(one.delivery.id) == (one.state, 0)}
    return written, {one.id for one in wanted if found.get(one.id) == (DeliveryState.ATTEMPTING, 1)}


def add_history(database: Database, run: Run, changes: Iterable[_Change | None], now: datetime) -> None:
    """Append these lines of history, in one statement."""
    lines = [
        (id_, attempt, state, clean(relay), clean(reply))
        for id_, attempt, state, relay, reply in filter(None, changes)
    ]
    if lines:
        run(_HISTORY[database.dialect], {"given": json.dumps(lines), "now": since_epoch(now)})


# ---------------------------------------------------------------- statements


def _given(dialect: str, **columns: str) -> str:
    """The rows of the parameter `given`: a JSON array of arrays, with these columns in this order."""
    if dialect == "sqlite":
        fields = ", ".join(f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(columns))
        return f"SELECT key AS place, {fields} FROM json_each(:given)"  # noqa: S608 - names of ours
    fields = ", ".join(
        f"CAST(value ->> {at} AS {kind}) AS {name}" for at, (name, kind) in enumerate(columns.items())
    )
    return (
        f"SELECT place, {fields} "  # noqa: S608
        "FROM json_array_elements(CAST(:given AS json)) WITH ORDINALITY AS g(value, place)"
    )


PLACE_WHEN_UNKNOWN = """
    CASE WHEN NOT EXISTS (
        SELECT 1 FROM newsletters n WHERE n.slug = deliveries.newsletter
        AND (n.unknown = 'hold' OR n.retired_at IS NOT NULL)
    ) AND NOT EXISTS (
        SELECT 1 FROM issues i WHERE i.id = deliveries.issue_id AND i.state = 'cancelled'
    ) THEN coalesce(deliveries.issue_id, 0) END"""
"""`ledger.place_when_unknown`, in plain words."""


_NEAR = {"sqlite": "", "postgresql": " AND deliveries.id = ANY (ARRAY(SELECT id FROM given))"}
"""The same once more, so that PostgreSQL goes by the key also while it knows nothing of the table's size."""


def _end(dialect: str) -> str:
    given = _given(
        dialect, id="bigint", fence="bigint", state="text", available_at="bigint", uncounted="boolean"
    )
    return f"""
        WITH given AS ({given})
        UPDATE deliveries SET
            state = given.state,
            queue = CASE
                WHEN given.state IN ('pending', 'deferred') THEN coalesce(deliveries.issue_id, 0)
                WHEN given.state = 'unknown' THEN {PLACE_WHEN_UNKNOWN}
            END,
            available_at = given.available_at,
            lease_until = 0,
            attempts = deliveries.attempts
                - CASE WHEN given.uncounted AND deliveries.state = 'attempting' THEN 1 ELSE 0 END,
            changed_at = :now
        FROM given
        WHERE deliveries.id = given.id AND deliveries.fence = given.fence{_NEAR[dialect]} AND (
            deliveries.state = 'attempting'
            OR (given.state <> 'sent' AND deliveries.state IN ('pending', 'deferred', 'unknown')
                AND deliveries.queue IS NOT NULL)
        )
        RETURNING deliveries.id, deliveries.attempts
    """  # noqa: S608


def _begin(dialect: str) -> str:
    given = _given(dialect, id="bigint", fence="bigint", hash="text", reader="bigint")
    yes = """EXISTS (
        SELECT 1 FROM subscriptions s
        WHERE s.id = deliveries.subscription_id AND s.status = 'active' AND s.by_mail
    )"""
    more = ""
    if dialect == "postgresql":
        # FOR SHARE waits for a goodbye that is being committed and then sees it: nobody who was told
        # “you have left” gets a letter whose intent came later. (SQLite: one writer at a time anyway.) An
        # array, for with IN the planner walks all subscriptions: 52 ms a step with 4,000 of them.
        more = """, yes AS MATERIALIZED (
            SELECT s.id FROM subscriptions s
            WHERE s.status = 'active' AND s.by_mail AND s.id = ANY (ARRAY(SELECT reader FROM given))
            ORDER BY s.id FOR SHARE
        )"""
        yes = "deliveries.subscription_id IN (SELECT id FROM yes)"
    return f"""
        WITH given AS ({given}){more}
        UPDATE deliveries SET
            state = 'attempting', queue = NULL, attempts = deliveries.attempts + 1,
            lease_until = {CLOCK[dialect]} + :lease, changed_at = :now
        FROM given
        WHERE deliveries.id = given.id AND deliveries.fence = given.fence{_NEAR[dialect]}
            AND deliveries.lease_until > {CLOCK[dialect]}
            AND deliveries.state IN ('pending', 'deferred', 'unknown') AND deliveries.queue IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM suppressions p WHERE p.hash = given.hash)
            AND (deliveries.issue_id IS NULL OR EXISTS (
                SELECT 1 FROM issues i WHERE i.id = deliveries.issue_id AND i.state = 'open' AND NOT i.paused
            ))
            AND (deliveries.issue_id IS NULL OR deliveries.subscription_id IS NULL OR {yes})
        RETURNING deliveries.id, deliveries.attempts
    """  # noqa: S608


def _stands(dialect: str) -> str:
    given = _given(dialect, id="bigint", fence="bigint")
    return f"""
        WITH given AS ({given})
        SELECT deliveries.id, deliveries.state,
            CASE WHEN deliveries.lease_until > {CLOCK[dialect]} THEN 1 ELSE 0 END
        FROM deliveries JOIN given ON deliveries.id = given.id AND deliveries.fence = given.fence
    """  # noqa: S608


def _history(dialect: str) -> str:
    given = _given(dialect, id="bigint", attempt="integer", state="text", relay="text", reply="text")
    return f"""
        WITH given AS ({given})
        INSERT INTO delivery_events (delivery_id, at, state, attempt, relay, reply)
        SELECT id, CAST(:now AS BIGINT), state, attempt, relay, reply FROM given ORDER BY place
    """  # noqa: S608


_DIALECTS = ("sqlite", "postgresql")
_END = {dialect: _end(dialect) for dialect in _DIALECTS}
_BEGIN = {dialect: _begin(dialect) for dialect in _DIALECTS}
_STANDS = {dialect: _stands(dialect) for dialect in _DIALECTS}
_HISTORY = {dialect: _history(dialect) for dialect in _DIALECTS}
