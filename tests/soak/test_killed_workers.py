"""Workers are killed while they send; the server that got the letters is the judge.

A server with all its faults at once, four workers, `kill -9` at random moments. In the end every reader has
the letter; a second copy has a doubt in its delivery's history, the same Message-ID and the same bytes.
`make soak` runs the long form, `make soak SOAK=short` one seed of each.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from judge_sink import EVERY_FAULT, Judge
from outsider import Workers, an_issue_to_send, broken_sums, judge

SHORT = os.environ.get("SOAK") == "short"
READERS = 160 if SHORT else 2000
KILLS = 4 if SHORT else 30
SEEDS = (1,) if SHORT else (1, 2, 3, 4, 5)
WORKERS = 4
CONNECTIONS = 4
AHEAD = {"pipelining": 1, "chunking": 8, "plain": 1, "moody": 8}
"""How many letters of a connection may be on their way with no outcome recorded."""
PATIENCE = 240 if SHORT else 1500
ALL_AT_ONCE_EVERY = 3
QUIET = 60.0  # seconds; much longer than a worker needs to start on a busy machine


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "server", ["pipelining", "moody"] if SHORT else ["pipelining", "chunking", "moody", "plain"]
)
def test_no_letter_is_lost_and_every_double_is_explained(
    tmp_path: Path, request: pytest.FixtureRequest, seed: int, engine: str, server: str
) -> None:
    if SHORT and (engine, server) not in (("sqlite", "pipelining"), ("postgresql", "moody")):
        pytest.skip("the long form has every pair")
    if not SHORT and server == "plain" and seed > 1:
        pytest.skip("a server without PIPELINING: one seed")
    chance = random.Random(f"{seed} {engine} {server}")  # noqa: S311 - moments to kill, not secrets
    database = "sqlite:///subscribers.db" if engine == "sqlite" else request.getfixturevalue("postgres_url")
    people = [f"reader{number}@example.org" for number in range(READERS)]
    began = time.monotonic()
    rules = EVERY_FAULT | {
        "seed": seed,
        "pipelining": server != "plain",
        "chunking": server == "chunking",
        "moody": server == "moody",
        "always_354": seed % 2 == 0,
        # All letters together take this long at the least, so that the kills fall among them.
        "slow": 1.0,
        "slow_seconds": 2 * (2.2 * KILLS) * 2 * CONNECTIONS / READERS,
    }
    with Judge(tmp_path / "judge", **rules) as sink:
        ledger = an_issue_to_send(tmp_path, database, sink.port, people, relay=f"connections: {CONNECTIONS}")
        kills = 0
        with Workers(tmp_path) as workers:
            workers.start(WORKERS)
            started = time.monotonic()
            until = time.monotonic() + PATIENCE
            seen, quiet_since = 0, time.monotonic()
            while (states := ledger.states())["sent"] < READERS:
                assert time.monotonic() < until, f"not done in time: {states}; {kills} kills"
                ledger.hurry()
                time.sleep(chance.uniform(0.1, 1.2))
                if (now_seen := sink.count()) > seen:
                    seen, quiet_since = now_seen, time.monotonic()
                quiet = time.monotonic() - quiet_since > QUIET
                if kills < KILLS and seen and (quiet_since > started or quiet):
                    all_at_once = chance.randrange(ALL_AT_ONCE_EVERY) == 0 or KILLS - kills <= WORKERS
                    if all_at_once:
                        kills += workers.kill_all()
                        ledger.let_leases_run_out()
                        workers.start(WORKERS)
                    else:
                        workers.kill(chance.randrange(WORKERS))
                        workers.start(1)
                        kills += 1
                    started = quiet_since = time.monotonic()
                elif kills >= KILLS and quiet:
                    # What the dead had taken is left, or a way out rests: as if a minute had passed.
                    assert set(workers.end_well()) == {0}
                    ledger.let_leases_run_out()
                    workers.start(WORKERS)
                    quiet_since = time.monotonic()
            codes = workers.end_well()
        verdict = judge(ledger, sink.kept(), people)
        verdict.wrong += [f"the server complains: {said}" for said in sink.complaints()[:5]]
    verdict.wrong += broken_sums(tmp_path)
    if verdict.by_kill > kills * CONNECTIONS * AHEAD[server]:
        verdict.wrong.append(f"{verdict.by_kill} doubles by {kills} kills: more than were on their way")
    print(  # noqa: T201 - what a soak is for
        f"{engine}, {server}, seed {seed}: {READERS} readers, {kills} kills, {verdict.doubles} doubles, all"
        f" explained but {len(verdict.wrong)}; {verdict.by_kill} by kills; {time.monotonic() - began:.0f} s"
    )
    assert verdict.wrong == []
    assert set(codes) == {0}
