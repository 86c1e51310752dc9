"""The settings for people: as they would be written in the file, defaults filled in, secrets masked."""

from __future__ import annotations

import re
from typing import Any

from digest.config.choice import written
from digest.config.sections import plain
from digest.config.settings import Settings
from digest.model import Newsletter, Retention


def shown(settings: Settings) -> dict[str, Any]:
    """The settings as plain values, for people: as they would be written in the file, secrets masked."""
    database = _without_password(settings.database)
    return {
        "site": plain(settings.site),
        "database": database,
        "secret_file": None if settings.secret_file is None else str(settings.secret_file),
        **{name: plain(section) for name, section in sorted(settings.channels.items())},
        "newsletters": {
            newsletter.slug: _shown_newsletter(newsletter) for newsletter in settings.newsletters
        },
        "web": plain(settings.web),
        "fetch": {**plain(settings.fetch), "proxy": _without_password(settings.fetch.proxy)},
        "keep": plain(settings.keep),
        "report": plain(settings.report),
        "llm": plain(settings.llm),
        "templates": None if settings.templates is None else str(settings.templates),
        "hash": settings.hash,
    }


def _without_password(address: str | None) -> str | None:
    return address and re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", address)


def _kept(archive: Retention) -> str:
    if archive.issues is not None:
        return f"{archive.issues} issues"
    return "all" if archive.age is None else f"{archive.age.days}d"


def _shown_newsletter(newsletter: Newsletter) -> dict[str, Any]:
    values = plain(newsletter)
    days = newsletter.schedule.cadence
    return {
        **{name: values[name] for name in ("title", "description", "language")},
        "schedule": {**values["schedule"], "days": days.split(",") if "," in days else days},
        "feeds": [
            {
                **feed,
                "first": feed["first"] or "all",
                "include": written(follow.include),
                "exclude": written(follow.exclude),
            }
            for follow, feed in zip(newsletter.follows, values["follows"], strict=True)
        ],
        "stories": {
            "limit": newsletter.limit,
            "per_feed": newsletter.per_feed,
            "sections": values["per_section"],
            "include": written(newsletter.include),
            "exclude": written(newsletter.exclude),
        },
        **{
            name: values[name]
            for name in ("recipients", "channels", "subject", "catch_up", "unknown", "stale")
        },
        "archive": {"keep": _kept(newsletter.archive)},
        "readers": {**values["offers"], "cadences": list(newsletter.offers.cadences)},
        "interests": [
            {"words": words, "weight": newsletter.interest_weights.get(words, 1.0)}
            for words in newsletter.interests
        ],
    }
