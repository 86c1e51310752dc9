"""The preferences page: the link at the foot of every letter.

A letter may be forwarded. So this page shows the address masked and lets one do what does little harm: choose
when letters come and in which language, pause, leave. A newsletter more has to be confirmed by mail; whatever
shows, moves or destroys data waits behind a link that is mailed to the address (`manage`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from digest.languages import is_placed
from digest.model import (
    WEEKDAYS,
    DigestError,
    NotFound,
    Publication,
    Schedule,
    Subscription,
    SubscriptionStatus,
)
from digest.translations import msg
from digest.web import leaving, wishes
from digest.web.forms import read_form
from digest.web.gate import Gate, sign_up
from digest.web.lent import WebLent
from digest.web.pages import Pages, plausible_slug
from digest.web.tokens import READING, language_of, subscription_of
from digest.web.wishes import Problem

log = logging.getLogger(__name__)

MAILS = ("rhythm", "pause", "resume", "mail", "join", "link")
"""What promises letters. (Where nothing is mailed, only whoever holds a letter from before is told.)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Another newsletter of the site, and how this person stands to it. status: empty for not at all; token:
    of its own preferences, empty if there are none."""

    publication: Publication
    status: str = ""
    rhythm: Schedule | None = None
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """What the fields of the forms show: what is so, or what was typed."""

    cadence: str
    day: str
    at: str
    zone: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a form. about: the newsletter that was joined or left. typed: the form as it was sent."""

    done: str = ""
    problem: Problem | None = None
    about: Publication | None = None
    typed: Mapping[str, str] | None = None


async def preferences_page(pages: Pages, request: Request) -> Response:
    subscription = await subscription_of(pages.lent, request, "preferences")
    if subscription is None or "@" not in subscription.address:  # nobody, or one who was erased
        return pages.message("broken_link", status=404, request=request)
    return await _page(pages, request, subscription, Outcome())


async def preferences(gate: Gate, pages: Pages, request: Request) -> Response:
    """`action` says which of the forms was sent."""
    lent = pages.lent
    subscription = await subscription_of(lent, request, "preferences")
    if subscription is None or "@" not in subscription.address:  # nobody, or one who was erased
        return pages.message("broken_link", status=404, request=request)
    form = await read_form(request)
    if form.get("action") == "leave":
        return await leaving.leave_and_say_goodbye(pages, request, subscription.id, "preferences page")
    outcome = await _act(gate, pages, request, subscription, form)
    current = await lent.store.subscriptions.get(subscription.id) or subscription
    return await _page(pages, request, current, replace(outcome, typed=form if outcome.problem else None))


async def _act(
    gate: Gate, pages: Pages, request: Request, subscription: Subscription, form: Mapping[str, str]
) -> Outcome:
    lent = pages.lent
    if form.get("action") in MAILS and await lent.store.subscriptions.is_suppressed(subscription.address):
        return _refused(wishes.NOT_MAILED)
    match form.get("action"):
        case "rhythm":
            return await _choose(lent, subscription, form)
        case "pause":
            until = wishes.read_pause(form.get("until", ""), _today(lent, subscription))
            if isinstance(until, Problem):
                return Outcome(problem=until)
            await lent.store.subscriptions.pause(subscription.id, until, lent.clock())
            return Outcome(done="paused")
        case "resume":
            await lent.store.subscriptions.resume(subscription.id, lent.clock())
            return Outcome(done="resumed")
        case "mail":
            await lent.store.subscriptions.by_mail(subscription.id, True, lent.clock())
            return Outcome(done="mail")
        case "language":
            return await _speak(pages, subscription, form.get("language", ""))
        case "join" | "drop" as action:
            about = await _named(lent, form.get("newsletter", ""))
            if about is None:
                return _not_understood()
            if action == "drop":
                return await _drop(lent, request, subscription, about)
            return await _join(gate, lent, request, subscription, about)
        case "link":
            mailed = await lent.store.subscriptions.request_manage(subscription.id, lent.clock())
            return Outcome(done="link") if mailed else _refused(wishes.TOO_OFTEN)
    return _not_understood()


def _not_understood() -> Outcome:
    return _refused(msg("That was not understood. Please use the buttons below."))


def _refused(sentence: str) -> Outcome:
    return Outcome(problem=Problem(field="action", sentence=sentence))


async def _choose(lent: WebLent, subscription: Subscription, form: Mapping[str, str]) -> Outcome:
    newsletter = (await lent.store.newsletters.get(subscription.newsletter)).newsletter
    wished = wishes.read_rhythm(form, newsletter, subscription.rhythm)
    if isinstance(wished, Problem):
        return Outcome(problem=wished)
    try:
        await lent.store.subscriptions.choose(subscription.id, wished, now=lent.clock())
    except NotFound:
        raise
    except DigestError as error:  # what is offered changed while the form was open
        log.info("rhythm refused", extra={"newsletter": newsletter.slug, "why": str(error)})
        return Outcome(problem=Problem(field="cadence", sentence=msg("Please choose one of these.")))
    return Outcome(done="rhythm")


async def _speak(pages: Pages, subscription: Subscription, language: str) -> Outcome:
    if language and language not in pages.speaks.languages:
        return Outcome(
            problem=Problem(field="language", sentence=msg("Please choose a language from the list."))
        )
    await pages.lent.store.subscriptions.speak(subscription.id, language)
    return Outcome(done="language")


async def _named(lent: WebLent, slug: str) -> Publication | None:
    if not plausible_slug(slug):
        return None
    try:
        return await lent.store.newsletters.get(slug)
    except NotFound:
        return None


async def _join(
    gate: Gate, lent: WebLent, request: Request, subscription: Subscription, about: Publication
) -> Outcome:
    """Ask for another newsletter, by the way that the form on its own page takes."""
    if about.retired_at is not None:
        return _refused(msg("This newsletter is no longer published."))
    slug, address = about.newsletter.slug, subscription.address
    has = await lent.store.subscriptions.of(address)
    if any(one.newsletter == slug and one.status in READING for one in has):
        return Outcome(done="has", about=about)
    if await lent.store.signups.is_full(slug, address) or not await sign_up(
        gate, lent, request, slug, address, "preferences page"
    ):
        return _refused(wishes.TOO_OFTEN)
    return Outcome(done="asked", about=about)


async def _drop(lent: WebLent, request: Request, subscription: Subscription, about: Publication) -> Outcome:
    """Leave another newsletter than the letter was of."""
    for one in await lent.store.subscriptions.of(subscription.address):
        if one.newsletter == about.newsletter.slug:
            await leaving.leave(lent, request, one.id, "preferences page")
    return Outcome(done="dropped", about=about)


# ---------------------------------------------------------------- the page


async def _page(pages: Pages, request: Request, subscription: Subscription, outcome: Outcome) -> Response:
    lent = pages.lent
    publication = await lent.store.newsletters.get(subscription.newsletter)
    newsletter = publication.newsletter
    today = _today(lent, subscription)
    language = language_of(subscription, newsletter)
    zones = (newsletter.schedule.zone, subscription.rhythm.zone)
    return pages.private(
        "preferences",
        status=422 if outcome.problem else 200,
        language=language,
        publication=publication,
        newsletter=newsletter,
        subscription=subscription,
        token=request.path_params["token"],
        done=outcome.done,
        problem=outcome.problem,
        about=outcome.about.newsletter if outcome.about else None,
        wished=_wished(subscription, publication, today, outcome.typed or {}),
        cadences=wishes.cadences(newsletter),
        weekdays=WEEKDAYS,
        more_zones=[zone for zone in dict.fromkeys((*zones, "UTC")) if not is_placed(zone)],
        earliest=(today + timedelta(days=1)).isoformat(),
        latest=(today + wishes.LONGEST_PAUSE).isoformat(),
        languages=pages.speaks.languages,
        others=await _others(lent, subscription),
        not_mailed=wishes.NOT_MAILED
        if await lent.store.subscriptions.is_suppressed(subscription.address)
        else "",
    )


def _wished(
    subscription: Subscription, publication: Publication, today: date, typed: Mapping[str, str]
) -> Wished:
    """Fields of a form that was not sent show what is so."""
    rhythm = subscription.rhythm
    weekday = rhythm.cadence if rhythm.cadence in WEEKDAYS else WEEKDAYS[0]
    return Wished(
        cadence=typed.get("cadence", wishes.chosen(rhythm, publication.newsletter)),
        day=typed.get("day", weekday),
        at=typed.get("at", f"{rhythm.at:%H:%M}")[:20],
        zone=typed.get("zone", rhythm.zone),
        until=typed.get("until", (today + timedelta(days=14)).isoformat())[:20],
    )


async def _others(lent: WebLent, subscription: Subscription) -> list[Other]:
    """All other newsletters that come out, and those that this person still has; theirs first."""
    has = {one.newsletter: one for one in await lent.store.subscriptions.of(subscription.address)}
    found: list[Other] = []
    for publication in await lent.store.newsletters.all():
        slug = publication.newsletter.slug
        one = has.get(slug)
        if slug == subscription.newsletter:
            continue
        if one is not None and one.status in READING:
            token = lent.links.token("preferences", one.id)
            found.append(
                Other(publication=publication, status=one.status, rhythm=one.rhythm.schedule, token=token)
            )
        elif publication.retired_at is None:
            pending = one is not None and one.status is SubscriptionStatus.PENDING
            found.append(Other(publication=publication, status="pending" if pending else ""))
    return sorted(found, key=lambda other: not other.token)


def _today(lent: WebLent, subscription: Subscription) -> date:
    """The date where the reader is, by the zone of their letters."""
    return lent.clock().astimezone(ZoneInfo(subscription.rhythm.zone)).date()
