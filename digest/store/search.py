"""Full-text search over the stories of public issues, newest first.

    a story's title, summary, section, sources → `terms` → story_words (FTS5, tsvector) → Found

The newest come first, not the likeliest: whoever searches an archive knows what they look for, the order is
the one that they see everywhere else, and a page costs the same however many stories there are.

An issue's stories are written in the transaction of its birth or correction. Issues from before there was an
index, or that were read by older rules, are caught up with by the service, some at a time.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Found, Issue, Story
from digest.store.codec import decode
from digest.store.database import Database
from digest.store.excerpts import marked
from digest.store.tables import issues, stories
from digest.store.terms import RULES, Term, terms_of, words_of

CHUNK = 50  # issues that are caught up with in one transaction
EXCERPT = 260  # characters
_PLACES = 10_000  # for the stories of one issue; there are never more
_MOST_WORDS = 2_000  # of a story that are looked at


class Search:
    """What was told, by its words."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, query: str, newsletter: str | None = None, *, before: int | None = None, limit: int = 20
    ) -> builtins.list[Found]:
        """Stories that have all words of the query, newest first; before: after the one with this id.

        A word of four letters or more finds longer ones that begin with it.
        """
        terms = terms_of(query)
        if not terms:
            return []
        asked = {"before": before if before is not None else 2**62, "limit": limit}
        if self._database.dialect == "sqlite":
            statement = (
                "SELECT rowid FROM story_words WHERE story_words MATCH :query AND rowid < :before "
                "ORDER BY rowid DESC LIMIT :limit"
            )
            query = _fts5(terms, newsletter)
        else:
            statement = (
                "SELECT id FROM story_words WHERE words @@ CAST(:query AS tsquery) AND id < :before "
                "ORDER BY id DESC LIMIT :limit"
            )
            query = _tsquery(terms, newsletter)
        async with self._database.reading() as connection:
            ids = (await connection.execute(text(statement), {**asked, "query": query})).scalars().all()
            rows = await connection.execute(
                select(stories, issues.c.path, issues.c.date)
                .join(issues, issues.c.id == stories.c.issue_id)
                .where(stories.c.id.in_(ids))
                .order_by(stories.c.id.desc())
            )
            return [
                Found(
                    id=row.id,
                    newsletter=row.newsletter,
                    path=row.path,
                    date=row.date,
                    number=row.number,
                    language=row.language,
                    source=row.source,
                    title=marked(row.title, terms),
                    excerpt=marked(row.summary, terms, EXCERPT),
                )
                for row in rows
            ]

    async def catch_up(self, *, chunk: int = CHUNK) -> int:
        """Read the stories of issues that are not in the index yet, newest first; how many issues."""

        async def work(connection: AsyncConnection) -> int:
            waiting = (
                select(issues)
                .where(issues.c.indexed < RULES)
                .order_by(issues.c.id.desc())
                .limit(chunk)
                .with_for_update(skip_locked=True)
            )
            rows = (await connection.execute(waiting)).all()
            for row in rows:
                told = decode(Issue, row.data).stories if row.public else ()
                await index(self._database, connection, row.id, row.newsletter, told)
            return len(rows)

        return await self._database.write(work)


async def index(
    database: Database, connection: AsyncConnection, issue_id: int, newsletter: str, told: Sequence[Story]
) -> None:
    """Let these be the stories by which an issue is found; none: it is not found."""
    await forget(database, connection, [issue_id])
    rows, found = [], []
    for number, story in enumerate(told[: _PLACES - 1], 1):
        id_ = issue_id * _PLACES + (_PLACES - number)  # the first story of the newest issue is the greatest
        source = story.lead.feed_title
        summary = " ".join(story.summary)
        rows.append(
            {
                "id": id_,
                "issue_id": issue_id,
                "newsletter": newsletter,
                "number": number,
                "language": story.language,
                "title": story.title,
                "summary": summary,
                "source": source,
            }
        )
        others = " ".join(each.feed_title for each in story.also)
        words = words_of("\n".join((story.title, summary, story.section, source, others)))
        found.append((id_, [word.text for word in words[:_MOST_WORDS]]))
    if rows:
        await connection.execute(insert(stories), rows)
        if database.dialect == "sqlite":
            await connection.execute(
                text("INSERT INTO story_words (rowid, scope, words) VALUES (:id, :scope, :words)"),
                [{"id": id_, "scope": _scope(newsletter), "words": " ".join(words)} for id_, words in found],
            )
        else:
            await connection.execute(
                text("INSERT INTO story_words (id, words) VALUES (:id, CAST(:words AS tsvector))"),
                [{"id": id_, "words": _tsvector(newsletter, words)} for id_, words in found],
            )
    await connection.execute(update(issues).where(issues.c.id == issue_id).values(indexed=RULES))


async def forget(database: Database, connection: AsyncConnection, issue_ids: Sequence[int]) -> None:
    """Let nobody find the stories of these issues."""
    key = "rowid" if database.dialect == "sqlite" else "id"
    for issue_id in issue_ids:
        first = issue_id * _PLACES
        await connection.execute(
            text(f"DELETE FROM story_words WHERE {key} >= :first AND {key} < :last"),  # noqa: S608 - two words of ours
            {"first": first, "last": first + _PLACES},
        )
    await connection.execute(delete(stories).where(stories.c.issue_id.in_(issue_ids)))


# ---------------------------------------------------------------- the languages of the two databases
#
# Terms hold letters and figures alone (`terms`), so that none of them can end a string or be a command.


def _scope(newsletter: str) -> str:
    """A slug as one word: `-` would cut it in two."""
    return f"n{newsletter.encode().hex()}"


def _fts5(terms: Sequence[Term], newsletter: str | None) -> str:
    said = [f'"{" ".join(term.words)}"{" *" if term.beginning else ""}' for term in terms]
    words = f"words : ({' AND '.join(said)})"
    return words if newsletter is None else f'scope : "{_scope(newsletter)}" AND {words}'


def _tsquery(terms: Sequence[Term], newsletter: str | None) -> str:
    said = []
    for term in terms:
        *others, last = term.words
        said.append(
            " <-> ".join([*(f"'{word}'" for word in others), f"'{last}'{':*' if term.beginning else ''}"])
        )
    scope = [] if newsletter is None else [f"'@{newsletter}'"]
    return " & ".join([*scope, *(f"({each})" for each in said)])


def _tsvector(newsletter: str, words: Sequence[str]) -> str:
    return " ".join([f"'@{newsletter}'", *(f"'{word}':{place}" for place, word in enumerate(words, 1))])
