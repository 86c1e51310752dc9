"""An entry becomes an article: its text, language, summary and fingerprint.

Runs in killable workers, where the heavy libraries are loaded; importing this module costs nothing.
"""

from __future__ import annotations

from dataclasses import replace

from digest.model import Article, Fetched, Fingerprint, Sentence, UnreadEntry

LONGEST_TITLE = 300  # characters: a headline, and not a page of them


def read_entry(unread: UnreadEntry, page: Fetched | None = None) -> Article:
    """The article that an entry holds. Bad content makes a poor article, never an error.

    page: what is at the entry's address, for a feed that tells only the beginning.
    """
    from digest import html
    from digest.summarizer.extract import Body, extract, fragment_text
    from digest.summarizer.fingerprint import fingerprint
    from digest.summarizer.images import image_of
    from digest.summarizer.language import language_of
    from digest.summarizer.page import read_page
    from digest.summarizer.summarize import summarize
    from digest.summarizer.terms import count_words
    from digest.summarizer.walls import said_without_walls

    entry = unread.entry
    body = extract(entry)
    added = read_page(entry, body, page) if page is not None else None
    if added is not None and added.text:
        body = Body(text=added.text, source="page")
    body = replace(body, text=html.unstacked(body.text))
    title = html.plain(entry.title) or (added.title if added else "") or headline(body.text)
    title = title or unread.feed_title
    declared = entry.language or unread.feed_language or (added.language if added else "")
    language = language_of(title, body.text if body.source != "title" else "", declared)
    description = ""
    if entry.description:
        description = said_without_walls(fragment_text(entry.description, title)).replace("\n", " ")
        description = html.unstacked(description)
    summary: tuple[Sentence, ...] = ()
    if body.source != "title":
        summary = summarize(body.text, title=title, language=language, description=description)
    return _article(
        unread,
        title=title,
        language=language,
        text=body.text,
        words=count_words(body.text),
        summary=summary,
        source=body.source,
        image=image_of(entry, added.image if added else "", feed=unread.feed_url),
        fingerprint=fingerprint(body.text if body.source != "title" else "", title, language),
    )


def read_title(unread: UnreadEntry) -> Article:
    """The article when its content cost a worker its life: its title, and nothing that takes time."""
    from digest import html
    from digest.summarizer.fingerprint import fingerprint
    from digest.summarizer.language import UNKNOWN, normalized

    entry = unread.entry
    title = html.plain(entry.title[:1_000]) or unread.feed_title
    language = normalized(entry.language) or normalized(unread.feed_language) or UNKNOWN
    return _article(
        unread,
        title=title,
        language=language,
        text=title,
        words=len(title.split()),
        summary=(),
        source="title",
        image="",
        fingerprint=fingerprint("", title, language),
    )


def headline(text: str) -> str:
    """A title for an entry that has none: how its text begins."""
    from digest.summarizer.opening import clamp

    return clamp(text.partition("\n")[0].strip(), 80)


def _article(
    unread: UnreadEntry,
    *,
    title: str,
    language: str,
    text: str,
    words: int,
    summary: tuple[Sentence, ...],
    source: str,
    image: str,
    fingerprint: Fingerprint,
) -> Article:
    from digest import html
    from digest.html import plain
    from digest.typeset import clamp

    entry = unread.entry
    return Article(
        entry_id=unread.id,
        feed_id=unread.feed_id,
        feed_url=unread.feed_url,
        feed_title=html.unstacked(plain(unread.feed_title)),
        guid=entry.guid,
        url=entry.url,
        title=clamp(html.unstacked(title), LONGEST_TITLE),
        authors=tuple(filter(None, (html.unstacked(plain(author)) for author in entry.authors))),
        categories=tuple(filter(None, (plain(category) for category in entry.categories))),
        language=language,
        text=text,
        words=words,
        summary=summary,
        source=source,
        image=image,
        published=unread.published,
        dated=unread.dated,
        received_at=unread.received_at,
        backlog=unread.backlog,
        position=unread.position,
        fingerprint=fingerprint,
    )
