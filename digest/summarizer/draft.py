"""An issue's draft from the articles of its window: what is news, what is one story, what goes in, and why.

Each article of the window gets exactly one decision, in words. The same articles in any order make the same
draft. Pure; runs in a worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from digest import timing
from digest.model import Article, Background, Decision, Draft, Follow, FollowState, Newsletter, Story, Told
from digest.summarizer import select
from digest.summarizer.memory import Memory
from digest.summarizer.opening import clamp, opening
from digest.summarizer.telling import about, about_copies, about_left, story_of
from digest.summarizer.tellings import copies, tellings
from digest.summarizer.terms import count_words
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
    memory = Memory(stories_told)
    follows = {follow.url: follow for follow in newsletter.follows}
    fresh: list[Article] = []
    kept_out: list[Decision] = []
    for article, state in sorted(candidates, key=lambda pair: (pair[0].id, pair[0].entry_id)):
        follow = follows.get(article.feed_url, Follow(url=article.feed_url))
        if reason := not_news(article, follow, state):
            kept_out.append(Decision(article_id=article.id, verdict="known", reason=reason))
        elif reason := memory.knows(article):
            kept_out.append(Decision(article_id=article.id, verdict="told", reason=reason))
        else:
            fresh.append(article)
    stories, decisions = _tell(Window(newsletter, fresh, stories_told), now)
    intro = opening(_headlines(stories), newsletter.language)
    size = count_words(intro) + sum(count_words(" ".join((story.title, *story.summary))) for story in stories)
    return Draft(
        stories=tuple(stories),
        decisions=(*decisions, *kept_out),
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
        f"It was published {article.published:%Y-%m-%d %H:%M} UTC, too long before we began to follow this "
        f"feed "
        f"({state.since:%Y-%m-%d %H:%M} UTC; its first window reaches {days:g} days back)."
    )


def _tell(window: Window, now: datetime) -> tuple[list[Story], list[Decision]]:
    aside = copies(window)
    found = {telling.key: telling for telling in tellings(window, aside, now)}
    ranked = [
        select.Ranked(
            key=telling.key,
            feed=window.articles[telling.lead].feed_url,
            section=window.section(telling.lead),
            score=telling.score,
        )
        for telling in found.values()
    ]
    chosen, left = select.select(ranked, limit=window.newsletter.limit, per_feed=window.newsletter.per_feed)
    place = {section: number for number, section in enumerate(window.sections)}
    chosen.sort(key=lambda each: (place.get(each.section, len(place)), -each.score, each.key))
    stories: list[Story] = []
    decisions: list[Decision] = []
    for each in chosen:
        story = story_of(window, found[each.key])
        stories.append(story)
        decisions.extend(about(window, found[each.key], story))
    for key in sorted(left, key=lambda key: (-found[key].score, key)):
        decisions.extend(about_left(window, found[key], left[key]))
    decisions.extend(about_copies(window, aside))
    return stories, decisions


def _headlines(stories: Sequence[Story]) -> list[str]:
    """The first story's, and then those of the two that matter most."""
    rest = sorted(stories[1:], key=lambda story: (-story.score, story.key))
    return [story.title for story in (*stories[:1], *rest[:2])]
