"""Goodbyes while letters go: of readers, of issues, of workers, of those who bring an issue about."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from judge_sink import Judge
from outsider import OUR_TREE, Workers, an_issue_to_send, broken_sums, digest, judge

SHORT = os.environ.get("SOAK") == "short"
READERS = 80 if SHORT else 1000
OBEYED_WITHIN = 1.0  # seconds
SLOWEST = (
    3.0  # until a letter is answered, and so until the next one on its connection, whose intent is there
)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_who_has_left_gets_no_letter_a_second_later(
    tmp_path: Path, request: pytest.FixtureRequest, engine: str
) -> None:
    database = "sqlite:///subscribers.db" if engine == "sqlite" else request.getfixturevalue("postgres_url")
    people = [f"reader{number}@example.org" for number in range(READERS)]
    left: dict[str, float] = {}
    with Judge(tmp_path / "judge", slow=1.0, slow_seconds=SLOWEST) as sink:
        ledger = an_issue_to_send(tmp_path, database, sink.port, people, relay="connections: 4")
        with Workers(tmp_path) as workers:
            workers.start(2)
            until = time.monotonic() + 240
            while ledger.states()["sent"] + ledger.states()["suppressed"] < READERS:
                assert time.monotonic() < until, ledger.states()
                waiting = ledger.rows(
                    "SELECT recipient FROM deliveries WHERE channel = 'email' AND state = 'pending'"
                    " ORDER BY id LIMIT 60"
                )
                for (who,) in waiting[8::17]:  # just before their turn, and later
                    digest(tmp_path, "subscribers", "remove", who)
                    left[who] = time.time()
                time.sleep(0.2)
                ledger.hurry()
            assert workers.end_well() == [0, 0]
        intents = ledger.rows(
            "SELECT d.recipient, max(e.at) FROM delivery_events AS e JOIN deliveries AS d"
            " ON d.id = e.delivery_id WHERE e.state = 'attempting' GROUP BY d.recipient"
        )
        late = [
            f"{who}: an intent {at / 1e6 - left[who]:.1f} s later"
            for who, at in intents
            if who in left and at / 1e6 - left[who] > OBEYED_WITHIN
        ]
        late += [
            f"{one.recipient}: {one.at - left[one.recipient]:.1f} s later"
            for one in sink.kept()
            if one.recipient in left and one.at - left[one.recipient] > OBEYED_WITHIN + 2 * SLOWEST
        ]
        got = {one.recipient for one in sink.kept()}
    wrong = judge(ledger, sink.kept(), sorted(set(people) - set(left) | got), exact=False).wrong
    wrong = [one for one in wrong if "suppressed" not in one]
    meant = {who for who, _ in intents}
    assert SHORT or meant & set(left), "nobody left in the very moment; the test shows nothing"
    print(f"{engine}: {len(left)} left, of whom {len(got & set(left))} had their letter by then")  # noqa: T201
    assert left
    assert late == []
    assert wrong + broken_sums(tmp_path) == []


@pytest.mark.skipif(SHORT, reason="it waits for 20 seconds: the long form")
def test_a_worker_that_is_asked_to_end_does_so_within_30_seconds_whatever_the_server_does(
    tmp_path: Path,
) -> None:
    """The server has the letters and does not answer: they are in doubt then, and nothing else."""
    people = [f"reader{number}@example.org" for number in range(20)]
    with Judge(tmp_path / "judge", slow=1.0, slow_seconds=4000.0) as sink:
        ledger = an_issue_to_send(tmp_path, "sqlite:///subscribers.db", sink.port, people)
        with Workers(tmp_path) as workers:
            workers.start(1)
            until = time.monotonic() + 60
            while sink.count() < 4:
                assert time.monotonic() < until
                time.sleep(0.1)
            time.sleep(0.5)
            began = time.monotonic()
            assert workers.end_well(40) == [0]
            took = time.monotonic() - began
        assert took < 30
        states = ledger.states()
        # Those with their body on the way, and those announced behind them: nobody else.
        assert 4 <= states["unknown"] + states["attempting"] <= 8, states
        assert sum(states.values()) == 20
        held = ledger.rows("SELECT count(*) FROM deliveries WHERE lease_until > 0 AND state = 'pending'")
        assert held == [(0,)], "what was not begun was not given back"
        ledger.let_leases_run_out()
        sink.be()
        with Workers(tmp_path) as workers:
            began = time.monotonic()
            workers.start(1)
            while ledger.states()["sent"] < 20:
                assert time.monotonic() - began < 60, ledger.states()
                ledger.hurry()
                time.sleep(0.2)
            assert workers.end_well() == [0]
        found = judge(ledger, sink.kept(), people, exact=False)
        assert found.wrong == []
        assert found.doubles == 4
    print(f"asked to end: {took:.1f} s")  # noqa: T201


def test_an_issue_whose_birth_is_killed_is_born_once_and_whole(tmp_path: Path) -> None:
    chance = random.Random(3)  # noqa: S311 - moments, not secrets
    people = [f"reader{number}@example.org" for number in range(2_000 if SHORT else 60_000)]
    ledger = an_issue_to_send(tmp_path, "sqlite:///subscribers.db", 1, people, compose=False)
    kills = 0
    for _ in range(4 if SHORT else 12):
        process = subprocess.Popen(
            [sys.executable, "-m", "digest", "compose", "--now"],
            cwd=tmp_path, env={**os.environ, **OUR_TREE},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            process.wait(chance.uniform(0.8, 2.2))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            kills += 1
        claimed = ledger.rows(
            "SELECT count(*) FROM deliveries d JOIN issues i ON i.id = d.issue_id"
            " WHERE i.recipients IS NULL AND d.lease_until > 0"
        )
        assert claimed == [(0,)]
    digest(tmp_path, "compose", "--now")
    digest(tmp_path, "compose")
    counts = Counter(
        who for (who,) in ledger.rows("SELECT recipient FROM deliveries WHERE channel = 'email'")
    )
    assert set(counts) == set(people)
    assert set(counts.values()) == {1}
    assert broken_sums(tmp_path) == []
    print(f"births: {kills} kills")  # noqa: T201
