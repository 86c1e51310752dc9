"""A story as it stands in the letter, and for each of its articles the reason in words."""

from __future__ import annotations

from collections.abc import Sequence

from digest.model import Decision, Source, Story
from digest.summarizer.select import Left
from digest.summarizer.tellings import Copy, Telling
from digest.summarizer.threads import Repeat
from digest.summarizer.window import Window


def story_of(window: Window, telling: Telling) -> Story:
    """The lead's words, of an update those that are new; “also in …” names one article of each other
    publisher, the best first."""
    lead = window.articles[telling.lead]
    own = telling.news.sentences[telling.lead] if telling.news else ()
    summary = own or lead.summary
    return Story(
        key=telling.key,
        title=lead.title,
        url=lead.url,
        summary=tuple(sentence.text for sentence in summary),
        language=lead.language,
        section=window.section(telling.lead),
        image=lead.image,
        words=lead.words,
        lead=_source(window, telling.lead),
        also=tuple(_source(window, number) for number in _also(window, telling)),
        score=telling.score,
        terms=dict(telling.terms),
        update=telling.news is not None,
        places=tuple((sentence.start, sentence.end) for sentence in summary),
        earlier=telling.news.earlier if telling.news else None,
    )


def _also(window: Window, telling: Telling) -> list[int]:
    """One of each publisher that is not the lead's."""
    named = set(window.publishers(telling.lead))
    found = []
    for number in telling.members[1:]:
        publishers = window.publishers(number)
        if not publishers & named:
            found.append(number)
            named |= publishers
    return found


def about(window: Window, telling: Telling, story: Story) -> list[Decision]:
    """Why its articles are in."""
    publishers = 1 + len(story.also)
    told_by = f"told by {publishers} publishers, " if publishers > 1 else ""
    points = ", ".join(f"{name} {value:+.2f}" for name, value in telling.terms.items() if value)
    reason = f"In the letter{_as_update(telling)}: {told_by}{telling.score:.2f} points ({points})."
    found = [_lead(window, telling, "lead", reason)]
    named = {source.article_id for source in story.also}
    for number in telling.members[1:]:
        article = window.articles[number]
        where = (
            "named under “also in”"
            if article.id in named
            else "not named: one article of each other publisher is"
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


def _as_update(telling: Telling) -> str:
    if not telling.news:
        return ""
    earlier = telling.news.earlier
    return (
        f" as an update of “{earlier.title}” of {earlier.date:%Y-%m-%d} ("
        f"{1 - telling.news.known[telling.lead]:.0%} of its headline and first sentences is new)"
    )


def about_repeats(window: Window, found: Sequence[Repeat]) -> list[Decision]:
    """Why what was told before is out."""
    return [
        Decision(article_id=window.articles[each.number].id, verdict="told", reason=each.reason)
        for each in found
    ]


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
