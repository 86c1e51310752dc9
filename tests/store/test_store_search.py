"""What was told is found by its words, in any script, and a query is never a command."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update
from store_values import NOW, TODAY, born, newsletter, story, synced

from digest.model import Found, Issue, Piece, Retention
from digest.store import Store
from digest.store.excerpts import marked
from digest.store.tables import issues
from digest.store.terms import Term, terms_of, words_of


def titles(found: list[Found]) -> list[str]:
    return ["".join(piece.text for piece in one.title) for one in found]


async def told(store: Store, *stories: str, slug: str = "world", days: int = 0, **changes: object) -> Issue:
    return await born(
        store,
        slug,
        date=TODAY + timedelta(days=days),
        stories=tuple(replace(story(title), summary=("Nothing else.",)) for title in stories),
        **changes,
    )


STORIES = (
    "The bridges of Köln are closed",
    "Ένα λιμάνι στην Αθήνα",
    "Ёлка в Москве",
    "إغلاق المدرسةِ في القاهرة",
    "東京都は新しい橋を開く",
    "กรุงเทพมหานครเปิดสะพาน",
    "नई दिल्ली में पुल",
    "서울에서 다리가 열렸다",
    "Ｆｕｌｌ ｗｉｄｔｈ １２３",
    "It's Smørrebrød, encyclopædia & C++ 2026",
    "𠮷野家 is rare",
)


FOUND = (
    ("bridge", 0),
    ("BRIDGES koln", 0),
    ("closed the", 0),
    ("Αθηνα", 1),
    ("λιμανι", 1),
    ("елка", 2),
    ("МОСКВЕ", 2),
    ("اغلاق", 3),
    ("المدرسه", 3),
    ("المدرسة", 3),
    ("東京", 4),
    ("京都", 4),
    ("新しい橋", 4),
    ("橋", 4),
    ("く", 4),
    ("สะพาน", 5),
    ("दिल्ली", 6),
    ("서울", 7),
    ("다리", 7),
    ("full width 123", 8),
    ("smorrebrod", 9),
    ("Encyclopaedia", 9),
    ("c 2026", 9),
    ("𠮷野", 10),
)

NOT_FOUND = (
    "",
    " ",
    "¿?…",
    "bridges moscow",
    "bri",
    "東都",
    "橋新",
    '"',
    "'",
    'bridges" OR "x',
    "words : bridges NOT closed",
    "bridges NEAR zebra",
    "* OR 1=1",
    "'; DROP TABLE stories; --",
    "bridges') | ('x",
    "bridges & !closed & zebra",
    "bridges <-> zebra",
    "@world",
    "n776f726c64",
    "\0",
    "\ud800",
    "zebra" * 2_000,
    "zebra " * 2_000,
    "(" * 10_000,
)


@pytest.mark.asyncio
async def test_a_story_is_found_in_its_own_script_and_no_query_is_a_command(store: Store) -> None:
    await synced(store)
    await told(store, *STORIES)
    found = {query: titles(await store.search.find(query)) for query, _ in FOUND}
    assert found == {query: [STORIES[number]] for query, number in FOUND}
    for query in NOT_FOUND:
        assert await store.search.find(query) == [], query[:80]
        assert await store.search.find(query, "world") == [], query[:80]
    assert titles(await store.search.find("bridges", "world")) == [STORIES[0]]


@pytest.mark.asyncio
async def test_the_newest_come_first_page_by_page_and_each_newsletter_for_itself(store: Store) -> None:
    await synced(store, newsletter("world"), newsletter("a-b"), newsletter("a"))
    for day in range(3):
        await told(store, f"Rain one {day}", f"Rain two {day}", days=day)
    await told(store, "Rain over a-b", slug="a-b")
    await told(store, "Rain over a", slug="a")
    every = await store.search.find("rain")
    assert titles(every)[:3] == ["Rain over a", "Rain over a-b", "Rain one 2"]
    assert titles(await store.search.find("rain", "a")) == ["Rain over a"]
    assert titles(await store.search.find("rain", "a-b")) == ["Rain over a-b"]
    first = await store.search.find("rain", "world", limit=4)
    rest = await store.search.find("rain", "world", limit=4, before=first[-1].id)
    assert titles(first) == ["Rain one 2", "Rain two 2", "Rain one 1", "Rain two 1"]
    assert titles(rest) == ["Rain one 0", "Rain two 0"]
    assert (first[0].path, first[0].number, first[0].newsletter) == ("world/2026-11-24", 1, "world")


@pytest.mark.asyncio
async def test_a_correction_is_found_and_what_it_corrects_is_not(store: Store) -> None:
    await synced(store)
    issue = await told(store, "A goat is mayor", "Rain")
    corrected = replace(issue, revision=2, stories=(replace(issue.stories[0], title="A sheep is mayor"),))
    assert await store.issues.revise(corrected, now=NOW)
    assert titles(await store.search.find("mayor")) == ["A sheep is mayor"]
    assert await store.search.find("goat") == await store.search.find("rain") == []


@pytest.mark.asyncio
async def test_search_engines_hear_when_an_issue_was_corrected_last(store: Store) -> None:
    await synced(store)
    older = await told(store, "Rain")
    newer = await told(store, "Sun", days=1)
    later = NOW + timedelta(days=9)
    assert await store.issues.revise(replace(older, revision=2, updated_at=later), now=later)
    assert await store.shelves.addresses("world", limit=9) == [
        (newer.path, newer.composed_at),
        (older.path, later),
    ]


@pytest.mark.asyncio
async def test_issues_for_some_readers_alone_are_not_found(store: Store) -> None:
    await synced(store)
    await told(store, "A secret", public=False)
    assert await store.search.find("secret") == []
    assert await store.search.catch_up() == 0


@pytest.mark.asyncio
async def test_an_older_database_is_read_by_and_by(store: Store) -> None:
    """Issues from before there was an index have no words, and say so."""
    await synced(store)
    for day in range(3):
        await told(store, f"Rain {day}", days=day)

    async def forget(connection: object) -> None:
        for statement in ("DELETE FROM story_words", "DELETE FROM stories"):
            await connection.execute(text(statement))  # type: ignore[attr-defined]
        await connection.execute(update(issues).values(indexed=0))  # type: ignore[attr-defined]

    await store._database.write(forget)  # type: ignore[arg-type]
    assert await store.search.find("rain") == []
    assert await store.search.catch_up(chunk=2) == 2
    assert titles(await store.search.find("rain")) == ["Rain 2", "Rain 1"]
    assert await store.search.catch_up(chunk=2) == 1
    assert await store.search.catch_up(chunk=2) == 0
    assert len(await store.search.find("rain")) == 3


@pytest.mark.asyncio
async def test_what_is_shelved_is_in_no_list_and_no_search_until_it_is_kept_again(store: Store) -> None:
    await synced(store, newsletter("world"), newsletter("other"))
    for day in range(4):
        await told(store, f"Rain {day}", days=day)
    await told(store, "Rain elsewhere", slug="other")

    async def keep(**kept: object) -> None:
        while await store.shelves.keep(
            "world",
            Retention(**kept),
            today=TODAY + timedelta(days=3),
            now=NOW,  # type: ignore[arg-type]
        ):
            pass

    async def shown() -> list[str]:
        listed = [issue.path for issue in await store.issues.latest("world")]
        assert listed == [issue.path for issue in await store.shelves.newest("world", limit=9)]
        days = [path[-2:] for path in listed]
        assert titles(await store.search.find("rain", "world")) == [f"Rain {int(day) - 22}" for day in days]
        return days

    await keep()
    assert await shown() == ["25", "24", "23", "22"]
    await keep(issues=3)
    assert await shown() == ["25", "24", "23"]
    assert await store.shelves.is_shelved("world/2026-11-22")
    assert not await store.shelves.is_shelved("world/2026-11-23")
    assert not await store.shelves.is_shelved("other/2026-11-22")
    await keep(age=timedelta(days=1))
    assert await shown() == ["25", "24"]
    await keep(age=timedelta(days=9), issues=3)
    while await store.search.catch_up():
        pass
    assert await shown() == ["25", "24", "23"]
    await keep()
    while await store.search.catch_up():
        pass
    assert await shown() == ["25", "24", "23", "22"]
    assert titles(await store.search.find("elsewhere")) == ["Rain elsewhere"]


@pytest.mark.asyncio
async def test_issues_stand_under_their_year_and_month(store: Store) -> None:
    await synced(store)
    for days in (0, 1, 30, 400):
        await told(store, f"Story {days}", "Another", days=days)
    await told(store, "For some", days=2, public=False)
    months = [(one.year, one.month, one.issues) for one in await store.shelves.months("world")]
    assert months == [(2027, 12, 1), (2026, 12, 1), (2026, 11, 2)]
    first, last = TODAY.replace(day=1), TODAY.replace(day=30)
    listed = await store.shelves.between("world", first, last)
    assert [(one.headline, one.stories, one.language) for one in listed] == [
        ("Story 1", 2, "en"),
        ("Story 0", 2, "en"),
    ]
    assert listed[0].updated_at == NOW
    assert await store.shelves.months("nobody") == []


# ---------------------------------------------------------------- pure


def test_neighbouring_letters_are_words_where_no_spaces_are_set() -> None:
    assert [word.text for word in words_of("東京都 and")] == ["東京", "京都", "都", "and"]
    assert terms_of("東京都") == (Term(("東京", "京都"), beginning=False),)
    assert terms_of("橋") == (Term(("橋",), beginning=True),)


def test_a_query_has_an_end() -> None:
    assert len(terms_of(" ".join(f"w{number}" for number in range(10_000)))) == 12
    assert terms_of("x" * 10_000) == (Term(("x" * 64,), beginning=True),)


def test_an_excerpt_is_cut_around_the_first_mark() -> None:
    long = "word " * 100 + "the Bridges are closed " + "more " * 100
    pieces = marked(long, terms_of("bridge"), 120)
    assert [piece.text for piece in pieces if piece.marked] == ["Bridges"]
    assert pieces[0] == Piece(text="… ")
    assert pieces[-1] == Piece(text=" …")
    assert len("".join(piece.text for piece in pieces)) < 130


@settings(deadline=None)  # the first call makes the patterns
@given(st.text(max_size=80), st.text(max_size=20))
def test_marking_changes_no_letter(said: str, query: str) -> None:
    assert "".join(piece.text for piece in marked(said, terms_of(query))) == said


@given(st.text(max_size=40))
def test_words_are_letters_and_figures_alone(said: str) -> None:
    for term in terms_of(said):
        for word in term.words:
            assert word
            assert not set(word) & set("\"'\\:*&|!<>() \0")
