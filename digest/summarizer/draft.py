"""An issue's draft from the articles of its window: what is news, what is one story, what goes in, and why.

    known → filtered → told → copies → stories → rank → select

Each article of the window gets exactly one decision, in words. The same articles in any order make the same
draft. Pure; runs in a worker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime

from digest import timing
from digest.model import Article, Background, Decision, Draft, Follow, FollowState, Newsletter, Story, Told
from digest.summarizer import select
from digest.summarizer.filters import Filters
from digest.summarizer.images import placeholders
from digest.summarizer.memory import Memory
from digest.summarizer.opening import clamp, opening
from digest.summarizer.telling import about, about_copies, about_left, about_repeats, story_of
from digest.summarizer.tellings import Telling, copies, tellings, with_lead
from digest.summarizer.terms import count_words
from digest.summarizer.threads import threads
from digest.summarizer.window import Window

SUBJECT = 70  # characters: what a phone shows of a subject


def compose(
    newsletter: Newsletter,
    candidates: Sequence[tuple[Article, FollowState]],
    told: Sequence[Told],
    now: datetime,
    background: Background | None = None,
) -> Draft:
    """The stories in the order of the letter, and every decision."""
    stories_told = [each.story for each in told]
    memory = Memory(told, now)
    filters = Filters(newsletter)
    follows = {follow.url: follow for follow in newsletter.follows}
    fresh: list[Article] = []
    kept_out: list[Decision] = []
    notes: dict[int, str] = {}
    for article, state in sorted(candidates, key=lambda pair: (pair[0].id, pair[0].entry_id)):
        follow = follows.get(article.feed_url, Follow(url=article.feed_url))
        if reason := not_news(article, follow, state):
            kept_out.append(Decision(article_id=article.id, verdict="known", reason=reason))
            continue
        sifted = filters.sift(article, follow)
        if sifted.note:
            notes[article.id] = sifted.note
        if sifted.reason:
            kept_out.append(Decision(article_id=article.id, verdict="filtered", reason=sifted.reason))
        elif reason := memory.knows(article):
            kept_out.append(Decision(article_id=article.id, verdict="told", reason=reason))
        else:
            fresh.append(article)
    stories, decisions = _tell(Window(newsletter, fresh, told, background), told, memory, now)
    stories = _with_own_pictures(stories, placeholders((article for article, _ in candidates), stories_told))
    intro = opening_of(stories, newsletter.language)
    size = count_words(intro) + sum(count_words(" ".join((story.title, *story.summary))) for story in stories)
    return Draft(
        stories=tuple(stories),
        decisions=tuple(_noted(each, notes) for each in (*decisions, *kept_out)),
        subject=clamp(stories[0].title, SUBJECT) if stories else "",
        intro=intro,
        words=size,
        minutes=timing.reading_minutes(size, newsletter.language),
    )


def not_news(article: Article, follow: Follow, state: FollowState) -> str:
    """Why this newsletter may not tell it; empty when it may."""
    if timing.is_news(
        article.published,
        article.dated,
        article.backlog,
        article.position,
        article.received_at,
        first=follow.first,
        since=state.since,
    ):
        return ""
    if not article.dated:
        return f"It stood at place {article.position + 1} of a feed without dates when we began to follow it."
    days = (follow.first.total_seconds() if follow.first else 0) / 86_400
    return (
        f"It was published {article.published:%Y-%m-%d %H:%M} UTC, too long before we began to follow "
        f"this feed ({state.since:%Y-%m-%d %H:%M} UTC; its first window reaches {days:g} days back)."
    )


def _tell(
    window: Window, told: Sequence[Told], memory: Memory, now: datetime
) -> tuple[list[Story], list[Decision]]:
    aside = copies(window)
    kin = {number: key for number, article in enumerate(window.articles) if (key := memory.kin(article))}
    made, repeats = tellings(window, aside, now, threads(told, now), kin)
    found = {telling.key: telling for telling in made}
    newsletter = window.newsletter
    caps = select.Caps(
        limit=newsletter.limit, per_feed=newsletter.per_feed, per_section=newsletter.per_section
    )
    chosen, left = select.select([_ranked(window, telling) for telling in found.values()], caps)
    led = [_led(window, found[each.key], each.lead.number, now) for each in chosen]
    place = {section: number for number, section in enumerate(window.sections)}

    def rank_in_letter(telling: Telling) -> tuple[int, float, str]:
        return place.get(window.section(telling.lead), len(place)), -telling.score, telling.key

    stories: list[Story] = []
    decisions: list[Decision] = []
    for telling in sorted(led, key=rank_in_letter):
        story = story_of(window, telling)
        stories.append(story)
        decisions.extend(about(window, telling, story))
    for key in sorted(left, key=lambda key: (-found[key].score, key)):
        decisions.extend(about_left(window, found[key], left[key]))
    decisions.extend(about_copies(window, aside))
    decisions.extend(about_repeats(window, repeats))
    return stories, decisions


def _ranked(window: Window, telling: Telling) -> select.Ranked:
    def lead(number: int) -> select.Lead:
        return select.Lead(
            number=number, feed=window.articles[number].feed_url, section=window.section(number)
        )

    others = tuple(map(lead, telling.members[1:]))
    return select.Ranked(key=telling.key, lead=lead(telling.lead), score=telling.score, others=others)


def _led(window: Window, telling: Telling, number: int, now: datetime) -> Telling:
    return telling if number == telling.lead else with_lead(window, telling, number, now)


def _with_own_pictures(stories: Sequence[Story], common: Set[tuple[str, str]]) -> list[Story]:
    """Without the pictures that a feed puts beside everything."""
    return [
        replace(story, image="") if (story.lead.feed_url, story.image) in common else story
        for story in stories
    ]


def _noted(decision: Decision, notes: Mapping[int, str]) -> Decision:
    """With what could not be found out about its article."""
    note = notes.get(decision.article_id, "")
    return replace(decision, reason=f"{decision.reason} {note}") if note else decision


def opening_of(stories: Sequence[Story], language: str) -> str:
    """The line that an issue with these stories begins with: the first one's headline, and then those of the
    two that matter most."""
    rest = sorted(stories[1:], key=lambda story: (-story.score, story.key))
    return opening([story.title for story in (*stories[:1], *rest[:2])], language)
