"""The weekly letter to the people who run this: which feeds need a look, and what went out.

Off until somebody is named under `report.to`. It goes through the ledger like every letter, under a key of
its week and its recipient: however many workers there are, however often they are restarted, it is sent once.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from digest import timing
from digest.feeds.health import SICK, Health, health, is_passing
from digest.line import Line
from digest.model import DeliveryState, FeedStatus, Schedule
from digest.typeset import host

log = logging.getLogger(__name__)

KIND = "report"
LANGUAGE = "en"  # what is said of feeds has no other language
WEEK = timedelta(days=7)
GRACE = timedelta(days=3)  # a letter that was due while we were down is made up for so long
MOST = 30  # feeds told under one heading: a letter of 10,000 lines is read by nobody

HEADINGS = {
    "failing": "Cannot be read",
    "gone": "Gone for good",
    "empty": "Nothing in them",
    "silent": "Gone silent",
    "moved": "Moved",
}

# ---------------------------------------------------------------- what it says, pure


def tell(
    states: Sequence[FeedStatus], now: datetime, *, issues: int, letters: dict[str, int]
) -> dict[str, Any]:
    """The letter's words, as plain values: `title`, `lines`, and `groups` of feeds that need a look.

    issues: how many came out in the last seven days; letters: what became of theirs, by state.
    """
    found = [(state, health(state.feed, now)) for state in states]
    sick = [
        (state, said)
        for state, said in found
        if said.sick and not (said.kind == "failing" and is_passing(state.feed, now))
    ]
    groups = []
    for kind in SICK:
        these = [(state, said) for state, said in sick if said.kind == kind]
        if these:
            feeds = [_told(state, said) for state, said in these[:MOST]]
            groups.append({"title": HEADINGS[kind], "feeds": feeds, "more": len(these) - len(feeds)})
    well = all(said.kind == "ok" for _, said in found)
    lines = [_feeds_line(found, len(sick)), _issues_line(issues, letters)]
    return {
        "title": _title(len(states), len(sick), well=well),
        "lines": [line for line in lines if line],
        "groups": groups,
    }


def _title(all_feeds: int, sick: int, *, well: bool) -> str:
    if not all_feeds:
        return "No feeds yet"
    if not sick:
        return "All feeds are well" if well else "No feed needs a look"
    return f"{sick} of {all_feeds} feeds {'needs' if sick == 1 else 'need'} a look"


def _feeds_line(found: Sequence[tuple[FeedStatus, Health]], sick: int) -> str:
    counted = Counter(said.kind for _, said in found)
    passing = sum(counted[kind] for kind in SICK) - sick
    parts = [f"{counted['ok']} of {len(found)} feeds are well."] if sick or passing or counted["new"] else []
    if found and not parts:
        all_feeds = "The one feed answers" if len(found) == 1 else f"All {len(found)} feeds answer"
        parts = [f"{all_feeds}, and none is silent for longer than is its habit."]
    if passing:
        parts.append(f"{passing} could not be read just now, which often passes and is not told below.")
    if counted["new"]:
        parts.append(f"{counted['new']} {'was' if counted['new'] == 1 else 'were'} not asked yet.")
    return " ".join(parts)


def _issues_line(issues: int, letters: dict[str, int]) -> str:
    if not issues:
        return "In the last seven days no issue came out."
    sent = letters.get(DeliveryState.SENT, 0)
    failed = letters.get(DeliveryState.FAILED, 0) + letters.get(DeliveryState.UNKNOWN, 0)
    out = f"In the last seven days {_counted(issues, 'issue')} and {_counted(sent, 'letter')} went out"
    return f"{out}; {failed:,} could not be delivered (`digest issues list`)." if failed else f"{out}."


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _told(state: FeedStatus, said: Health) -> dict[str, str]:
    feed = state.feed
    told = {
        "name": feed.title or host(feed.url) or feed.url,
        "url": feed.url,
        "page": feed.site_url,
        "where": ", ".join(state.newsletters),
        "words": _sentence(said.words),
        "advice": said.advice,
    }
    return {key: _without_passwords(text) for key, text in told.items()}


def _sentence(words: str) -> str:
    first = words.partition(" ")[0]
    words = words if "." in first else words[:1].upper() + words[1:]  # the name of a host stays as it is
    return words if words.endswith(".") else f"{words}."


def _without_passwords(text: str) -> str:
    """A letter travels further than a config file."""
    return re.sub(r"(https?://)[^/@\s]*@", r"\1", text)


# ---------------------------------------------------------------- when it goes out


async def draft(line: Line, now: datetime) -> dict[str, Any]:
    """This moment's letter; stored and sent nowhere."""
    letters: Counter[str] = Counter()
    issues = await line.store.issues.composed_since(now - WEEK)
    for issue_id in issues:
        for channel, counted in (await line.store.issues.progress(issue_id)).items():
            publisher = line.publishers.get(channel)
            if publisher is not None and publisher.audience == "readers":
                letters.update(counted)
    states = await line.store.feeds.list()
    return tell(states, now, issues=len(issues), letters=dict(letters))


async def file_due(line: Line, schedule: Schedule, to: Sequence[str], now: datetime) -> int:
    """Put this week's letter into the ledger for everybody who has not got it; how many are new."""
    slots = list(timing.slots_between(schedule, now - GRACE, now))
    if not slots or not to:
        return 0
    year, week, _ = slots[-1][0].isocalendar()
    keys = {address: f"{KIND}:{year}-W{week:02}:{_stand_in(address)}" for address in to}
    missing = [address for address, key in keys.items() if not await line.store.notices.has(key)]
    if not missing:
        return 0
    data, filed = await draft(line, now), 0
    for address in missing:
        notice = await line.store.notices.create(
            kind=KIND, key=keys[address], recipient=address, newsletter="", data=data, now=now
        )
        filed += notice is not None
    if filed:
        log.info("report filed", extra={"week": f"{year}-W{week:02}", "letters": filed})
    return filed


def _stand_in(address: str) -> str:
    """Keys stay when a person is erased: none holds an address."""
    return hashlib.sha256(address.casefold().encode()).hexdigest()[:16]
