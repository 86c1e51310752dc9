"""A story as it stands in the letter, and for each of its articles the reason in words."""

from __future__ import annotations

from collections.abc import Sequence

from digest.model import Decision, Source, Story
from digest.summarizer.select import Left
from digest.summarizer.tellings import Copy, Telling
from digest.summarizer.window import Window


def story_of(window: Window, telling: Telling) -> Story:
    """The lead's words; “also in …” names one article of each other feed, the closest first."""
    lead = window.articles[telling.lead]
    also: dict[str, Source] = {}
    for number in telling.members[1:]:
        feed = window.articles[number].feed_url
        if feed != lead.feed_url and feed not in also:
            also[feed] = _source(window, number)
    return Story(
        key=telling.key,
        title=lead.title,
        url=lead.url,
        summary=tuple(sentence.text for sentence in lead.summary),
        language=lead.language,
        section=window.section(telling.lead),
        image=lead.image,
        words=lead.words,
        lead=_source(window, telling.lead),
        also=tuple(also.values()),
        score=telling.score,
        terms=dict(telling.terms),
    )


def about(window: Window, telling: Telling, story: Story) -> list[Decision]:
    """Why its articles are in."""
    feeds = len({window.articles[number].feed_url for number in telling.members})
    told_by = f"told by {feeds} feeds, " if feeds > 1 else ""
    points = ", ".join(f"{name} {value:+.2f}" for name, value in telling.terms.items() if value)
    found = [
        _lead(window, telling, "lead", f"In the letter: {told_by}{telling.score:.2f} points ({points}).")
    ]
    named = {source.article_id for source in story.also}
    for number in telling.members[1:]:
        article = window.articles[number]
        where = (
            "named under “also in”" if article.id in named else "not named: one article of each other feed is"
        )
        found.append(
            Decision(
                article_id=article.id,
                verdict="also",
                reason=f"Tells the same story as “{story.title}” (likeness "
                f"{window.like(telling.lead, number):.2f}); {where}.",
                story=telling.key,
            )
        )
    return found


def about_left(window: Window, telling: Telling, why: Left) -> list[Decision]:
    """Why its articles stayed out."""
    title = window.articles[telling.lead].title
    found = [_lead(window, telling, why.verdict, why.reason)]
    found.extend(
        Decision(
            article_id=window.articles[number].id,
            verdict=why.verdict,
            reason=f"Tells the same story as “{title}” (likeness {window.like(telling.lead, number):.2f}), "
            f"which stayed out. {why.reason}",
            story=telling.key,
        )
        for number in telling.members[1:]
    )
    return found


def about_copies(window: Window, found: Sequence[Copy]) -> list[Decision]:
    """Why the copies are out."""
    decisions = []
    for copy in found:
        kept = f"“{window.articles[copy.of].title}” ({window.feed_title(copy.of)})"
        decisions.append(
            Decision(
                article_id=window.articles[copy.number].id,
                verdict="copy",
                reason=f"A copy of {kept}: {copy.how}.",
            )
        )
    return decisions


def _lead(window: Window, telling: Telling, verdict: str, reason: str) -> Decision:
    return Decision(
        article_id=window.articles[telling.lead].id,
        verdict=verdict,
        reason=reason,
        story=telling.key,
        score=telling.score,
        terms=dict(telling.terms),
    )


def _source(window: Window, number: int) -> Source:
    article = window.articles[number]
    return Source(
        article_id=article.id,
        feed_url=article.feed_url,
        feed_title=window.feed_title(number),
        title=article.title,
        url=article.url,
        authors=article.authors,
        language=article.language,
        published=article.published,
    )
