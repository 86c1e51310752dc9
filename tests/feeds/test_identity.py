"""Which entry is which, and what is news."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from publisher_life import BOILERPLATE, Memory

from digest.feeds import doubles, identity
from digest.feeds.recognition import recognize
from digest.model import Entry, Feed, Follow, KnownEntry, Marks, NewEntry

NOW = datetime(2026, 11, 22, 12, 3, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FEED = Feed(id=1, url="https://a.example/feed", address="https://a.example/feed", next_poll_at=NOW)
POLLED = replace(FEED, last_ok_at=NOW - HOUR)
SITE = "https://a.example"


def entry(guid: str = "", **said: object) -> Entry:
    return Entry(**{"guid": guid, "url": f"{SITE}/{guid}", "title": guid, **said})  # type: ignore[arg-type]


def words(about: str) -> str:
    """Long enough to be a text; another one for each subject."""
    return " ".join(f"{word}{about}" for word in BOILERPLATE.split())


def post(name: str, day: float = 0, **changes: Any) -> Entry:
    """A post as most are: its own guid, link, title, words and a date, `day` days ago."""
    made = Entry(
        guid=f"id-{name}",
        url=f"{SITE}/{name}",
        title=f"About {name}",
        html=f"<p>{words(name)}</p>",
        published=NOW - day * DAY,
        comments=name,
    )
    return replace(made, **changes)


def bare(name: str, **changes: Any) -> Entry:
    """A post with a title and nothing else."""
    return post(name, **{"guid": "", "url": "", "html": "", "published": None, **changes})


def decide(
    feed: Feed,
    entries: Sequence[Entry],
    follows: Sequence[Follow] = (),
    known: Sequence[KnownEntry] = (),
    now: datetime = NOW,
) -> tuple[NewEntry, ...]:
    return identity.decide(feed, doubles.read(entries), known, follows, now=now)


def follow(first: timedelta | None = timedelta(days=2), **settings: timedelta) -> Follow:
    return Follow(url=FEED.url, first=first, **settings)


def polls(*documents: Sequence[Entry]) -> list[str]:
    """What each poll reports as new, by name, in the order of the document."""
    memory, feed, reported = Memory(), FEED, []
    for number, entries in enumerate(documents):
        told = doubles.read(entries)
        now = NOW + number * HOUR
        out = identity.decide(feed, told, memory.known(*identity.keys(told)), (), now=now)
        new = {each.entry.comments for each in out if each.known is None}
        reported.append(" ".join(sorted(new)))
        assert len(new) == sum(1 for each in out if each.known is None)
        memory.record(out)
        feed = replace(feed, last_ok_at=now)
    return reported


# ---------------------------------------------------------------- within a document


def test_a_guid_comes_from_the_feed_else_the_link_else_the_words() -> None:
    given = [entry("g"), entry(url=f"{SITE}/x"), entry(url="", title="words"), entry(url="", title="")]
    first, second, third = (each.entry.guid for each in doubles.read(given))
    assert (first, second) == ("g", f"{SITE}/x")
    assert third.startswith("sha256:")
    (again,) = doubles.read([entry(url="", title="words", published=NOW)])
    assert again.entry.guid == third


def test_a_link_that_several_give_names_none_and_neither_does_the_front_page() -> None:
    shared = doubles.read([entry(url=f"{SITE}/x", title="a"), entry(url=f"{SITE}/x?utm_id=1", title="b")])
    assert len({each.entry.guid for each in shared}) == 2
    (front,) = doubles.read([entry(url=SITE, title="a")])
    assert all(each.entry.guid.startswith("sha256:") for each in (*shared, front))


def titles(*entries: Entry) -> list[str]:
    return [each.entry.title for each in doubles.read(entries)]


A, B = post("a"), post("b", 1)


@pytest.mark.parametrize(
    "double",
    [
        pytest.param(A, id="the very same"),
        pytest.param(replace(A, title="Corrected", html="<p>Corrected.</p>"), id="another version of it"),
        pytest.param(replace(A, url=f"{SITE}/sport/a"), id="the same guid elsewhere"),
        pytest.param(replace(A, guid="other"), id="another guid"),
        pytest.param(
            replace(A, guid="other", html=words("new")), id="another guid and text, the same second"
        ),
        pytest.param(replace(A, guid="other", url=f"{SITE}/sport/a"), id="another guid and link"),
        pytest.param(replace(A, guid="", url=f"{SITE}/a?utm_source=x"), id="no guid, and noise in its link"),
    ],
)
def test_the_same_post_twice_is_one(double: Entry) -> None:
    assert titles(A, double, B) == [A.title, B.title]
    assert len(titles(double, A, B)) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            bare("a", guid="x", html=words("a")), bare("a", guid="y", html=words("a")), id="dateless"
        ),
        pytest.param(post("a", title=""), post("a", title="", guid="b", url=""), id="untitled"),
        pytest.param(
            bare("a", title="", html="Hi", published=NOW),
            bare("a", title="", html="Hi!", guid="b", published=NOW),
            id="short",
        ),
    ],
)
def test_with_less_to_go_by_the_same_words_are_the_same_post(one: Entry, other: Entry) -> None:
    assert len(doubles.read([one, other])) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(B, guid=A.guid), id="one guid for all"),
        pytest.param(replace(B, guid=A.guid, url=A.url), id="one guid and one link for all"),
        pytest.param(replace(A, guid=A.guid, url=B.url, published=B.published), id="a thread of the day"),
        pytest.param(replace(A, guid="b", url=B.url, published=B.published), id="a thread with guids"),
        pytest.param(replace(A, guid="b", published=B.published), id="a date that recurs, at one page"),
        pytest.param(replace(B, url=A.url), id="one link for all"),
        pytest.param(replace(B, title=A.title), id="one title for all"),
        pytest.param(replace(B, html=A.html, published=A.published), id="one text for all"),
        pytest.param(replace(A, guid="b", url=B.url, html=B.html), id="title and second, and nothing else"),
        pytest.param(replace(B, guid="", url=A.url, published=None), id="one link and no guid"),
    ],
)
def test_what_differs_is_two(other: Entry) -> None:
    one, two = doubles.read([A, other])
    assert one.entry.guid != two.entry.guid
    assert set(one.guids).isdisjoint(two.guids)
    # the order of the document must not decide which is which
    assert {each.entry.guid for each in doubles.read([other, A])} == {one.entry.guid, two.entry.guid}


def test_of_two_versions_the_one_that_says_it_is_newer_counts() -> None:
    old, new = replace(A, updated=NOW), replace(A, updated=NOW + HOUR, title="Corrected")
    assert titles(old, new) == titles(new, old) == ["Corrected"]
    assert titles(A, new) == [A.title]


def test_a_fragment_counts_where_it_tells_entries_apart() -> None:
    one, two = (post(name, url=f"{SITE}/changelog#{name}") for name in ("v1", "v2"))
    links = [each.marks.link for each in doubles.read([one, two])]
    assert len(set(links)) == 2
    (alone,) = doubles.read([one])
    assert alone.marks.link not in links
    assert alone.marks.link == doubles.read([replace(one, url=f"{SITE}/changelog")])[0].marks.link


def test_a_machine_that_dates_all_entries_with_the_time_of_asking_gives_no_dates() -> None:
    seconds = timedelta(seconds=1)
    machine = [post(name, published=NOW + number * seconds) for number, name in enumerate("abc")]
    assert [each.claimed for each in doubles.read(machine)] == [None] * 3
    assert [each.claimed for each in doubles.read(machine[:2])] == [NOW, NOW + seconds]
    one_day = [post(name, published=NOW.replace(hour=0, minute=0, second=0)) for name in "abc"]
    assert all(each.claimed for each in doubles.read(one_day))


def test_a_thousand_entries_of_one_kind_take_no_time() -> None:
    alike = [post(str(number), number, url=A.url, guid="x") for number in range(1_000)]
    assert len(doubles.read(alike)) == 1_000
    threads = [post("a", number, guid=str(number), html=A.html) for number in range(1_000)]
    assert len(doubles.read(threads)) == 1_000


# ---------------------------------------------------------------- between two polls

C = post("c", 2)
D = post("d", 3)
NEW = post("new", -0.01)


def again(*entries: Entry, **changes: Any) -> list[Entry]:
    return [replace(each, **changes) for each in entries]


def renamed(*entries: Entry, by: str = "other") -> list[Entry]:
    return [replace(each, guid=f"{by}-{each.comments}") for each in entries]


@pytest.mark.parametrize(
    "later",
    [
        pytest.param([A, B, C], id="unchanged"),
        pytest.param([C, A, B], id="in another order"),
        pytest.param([B], id="fewer"),
        pytest.param([replace(A, title="Corrected", html=words("x")), B, C], id="an edit"),
        pytest.param(
            [replace(A, title="Corrected", url=f"{SITE}/x"), B, C], id="another title in its address"
        ),
        pytest.param([replace(A, title="x", html=words("x"), url=f"{SITE}/x"), B, C], id="all but its date"),
        pytest.param([replace(A, title="x", html=words("x"), published=NOW + HOUR), B, C], id="a live blog"),
        pytest.param(renamed(A, B, C), id="other guids"),
        pytest.param([*renamed(A, B, C), A, B, C], id="other guids beside the old ones"),
        pytest.param([*renamed(A), B, C], id="one other guid"),
        pytest.param(again(A, B, C, guid=""), id="no guids any more"),
        pytest.param([replace(each, guid=each.url) for each in (A, B, C)], id="links as guids"),
        pytest.param(
            [replace(each, url=f"http://b.example/{each.comments}?utm_source=rss") for each in (A, B, C)],
            id="another server, and noise",
        ),
        pytest.param(
            [replace(each, url=f"{SITE}/archive/{each.comments}.html") for each in renamed(A, B, C)],
            id="other guids and addresses",
        ),
        pytest.param(
            [replace(each, url=f"{SITE}/archive/{each.comments}", html="") for each in renamed(A, B, C)],
            id="other guids and addresses, and no text any more",
        ),
        pytest.param(
            [replace(each, title=f"{each.title}, corrected") for each in renamed(A, B, C)],
            id="other guids and titles",
        ),
        pytest.param(
            [*renamed(B, C), replace(A, guid="x", html=words("x"), published=NOW + DAY)],
            id="other guids, and one with other text and date",
        ),
        pytest.param(
            [replace(A, guid="x", title="Another title", url=f"{SITE}/another-title"), B, C],
            id="another title, and the guid and link made of it",
        ),
        pytest.param([replace(A, guid="x", title="x", html=words("x")), B, C], id="its link and its second"),
        pytest.param([replace(A, guid="x", published=NOW + DAY), B, C], id="its link, title and text"),
        pytest.param([replace(A, guid="x", published=None), B, C], id="no date any more"),
        pytest.param(
            [replace(A, guid="x", title="x", published=None), B, C], id="no date, and another title"
        ),
        pytest.param(
            [replace(A, url=f"{SITE}/x", html=words("x")), replace(A, guid="x"), B, C],
            id="an edit elsewhere, and the old one beside it",
        ),
    ],
)
def test_what_was_told_before_is_not_new(later: list[Entry]) -> None:
    assert polls([A, B, C], later, [A, B, C], later) == ["a b c", "", "", ""]
    assert polls([A, B, C], [NEW, *later], [NEW, *later]) == ["a b c", "new", ""]


@pytest.mark.parametrize(
    "new",
    [
        pytest.param(NEW, id="a post"),
        pytest.param(replace(NEW, url=""), id="without a link"),
        pytest.param(replace(NEW, guid=""), id="without a guid"),
        pytest.param(replace(NEW, published=None), id="without a date"),
        pytest.param(replace(NEW, title=""), id="without a title"),
        pytest.param(replace(NEW, html=""), id="without a text"),
        pytest.param(replace(NEW, url=A.url), id="the link of another"),
        pytest.param(replace(NEW, title=A.title), id="the title of another"),
        pytest.param(replace(NEW, html=A.html), id="the text of another"),
        pytest.param(replace(NEW, published=A.published), id="the date of another"),
        pytest.param(replace(NEW, published=A.published, title=A.title), id="title and date of another"),
        pytest.param(replace(NEW, title=A.title, html=A.html), id="the thread of the day"),
        pytest.param(replace(NEW, url=A.url, title=A.title), id="the report of the day, on its page"),
        pytest.param(replace(NEW, guid=A.guid), id="the guid of another"),
        pytest.param(replace(NEW, guid=A.guid, html=""), id="the guid of another, and no text"),
    ],
)
def test_what_was_not_told_before_is_new_once(new: Entry) -> None:
    assert polls([A, B, C], [new, B, C], [new, B, C], [new, A, B, C]) == ["a b c", "new", "", ""]
    assert polls([A, B, C], [new, A, B, C], [new, A, B, C]) == ["a b c", "new", ""]
    changed = [new, *renamed(B, C, D)]
    assert polls([A, B, C, D], [A, B, C, D], [*changed, A]) == ["a b c d", "", "new"]


def test_a_page_without_guid_that_shows_another_thing_the_next_day_is_new() -> None:
    page = bare("a", url=f"{SITE}/word", html=words("a"), published=NOW)
    tomorrow = bare("b", url=f"{SITE}/word", html=words("b"), published=NOW + DAY)
    soon = replace(tomorrow, published=NOW + HOUR)
    assert polls([page], [page], [tomorrow], [page], [tomorrow]) == ["a", "", "b", "", ""]
    assert polls([page], [soon]) == ["a", ""], "an edit"
    counted = replace(tomorrow, url=f"{SITE}/word?utm_source=rss")
    assert polls([page], [counted], [page]) == ["a", "b", ""]


def test_where_guids_change_for_nothing_an_edit_is_no_new_page() -> None:
    page = bare("a", guid="1", url=f"{SITE}/report", html=words("a"))
    edited = replace(page, guid="3", html=words("b"))
    assert polls([page], [replace(page, guid="2")], [edited]) == ["a", "", ""]
    page, edited = replace(page, published=NOW), replace(edited, published=NOW + HOUR)
    assert polls([page], [replace(page, guid="2")], [edited]) == ["a", "", ""]
    tomorrow = replace(edited, published=NOW + DAY, comments="b")
    assert polls([page], [replace(page, guid="2")], [tomorrow]) == ["a", "", "b"]


def test_where_guids_change_by_noise_alone_a_page_of_the_day_is_new() -> None:
    def document(kind: str, *pages: Entry) -> list[Entry]:
        return [replace(each, guid=f"{kind}://a.example/id/{each.comments}") for each in (A, B, C, *pages)]

    page = post("page", 1, url=f"{SITE}/report", title="Report")
    tomorrow = post("tomorrow", 0, url=f"{SITE}/report", title="Report")
    assert polls(document("http", page), document("https", tomorrow)) == ["a b c page", "tomorrow"]


def test_a_title_that_is_dated_anew_at_each_poll_is_known_and_tomorrows_is_not() -> None:
    hours = [bare("a", guid=str(n), url=f"{SITE}/a", published=NOW + n * HOUR) for n in range(20)]
    assert polls(*([hour] for hour in hours)) == ["a", *[""] * 19]
    tomorrow = replace(hours[0], guid="x", published=NOW + DAY, comments="b")
    assert polls(hours[:1], [tomorrow]) == ["a", "b"]


def test_an_untitled_post_that_is_dated_anew_is_known_by_link_and_text() -> None:
    untitled = replace(A, title="")
    assert polls([untitled], [replace(untitled, guid="x", published=NOW + DAY)]) == ["a", ""]


def test_of_guids_that_change_the_first_and_the_latest_are_kept() -> None:
    edited = replace(A, title="x", html=words("x"), url=f"{SITE}/x", guid="third")
    names = [[replace(A, guid=guid)] for guid in ("first", "second", "third")]
    assert polls(*names, [edited]) == ["a", "", "", ""]


def test_a_page_with_a_new_guid_and_text_is_new_also_without_dates() -> None:
    reports = [bare("a", guid=name, url=f"{SITE}/report", html=words(name), comments=name) for name in "abc"]
    assert polls(*([report] for report in reports), reports[:1]) == ["a", "b", "c", ""]


@pytest.mark.parametrize("dated", [True, False])
def test_numbers_of_the_place_are_no_guids(dated: bool) -> None:
    def document(*names: str) -> list[Entry]:
        days = {"a": 3, "b": 2, "c": 1, "d": 0.5}
        return [
            post(name, guid=f"item-{place}", published=NOW - days[name] * DAY if dated else None)
            for place, name in enumerate(names)
        ]

    assert polls(
        document("b", "a"),
        document("c", "b", "a"),
        document("d", "c", "b"),
        document("b", "a"),
        document("d", "c"),
    ) == ["a b", "c", "d", "", ""]


def test_numbers_of_the_place_with_one_title_for_all_are_no_guids() -> None:
    def document(*names: str) -> list[Entry]:
        return [
            post(name, ord("z") - ord(name), guid=f"item-{place}", title="Update")
            for place, name in enumerate(names)
        ]

    assert polls(document("b", "a"), document("c", "b", "a"), document("d", "c"), document("b", "a")) == [
        "a b",
        "c",
        "d",
        "",
    ]


@pytest.mark.parametrize("link", [None, f"{SITE}/news", ""])
def test_one_guid_for_all_is_none(link: str | None) -> None:
    def document(*names: str) -> list[Entry]:
        days = {"a": 3, "b": 2, "c": 1, "d": 0.5}
        changes = {} if link is None else {"url": link}
        return [post(name, days[name], guid="0", **changes) for name in names]

    assert polls(
        document("b", "a"), document("c", "b", "a"), document("d"), document("b", "a"), document("d", "c")
    ) == ["a b", "c", "d", "", ""]


def test_a_guid_that_was_given_twice_is_never_believed_again() -> None:
    one, two, three = (post(name, day, guid="0", url=f"{SITE}/news") for day, name in enumerate("cba"))
    assert polls([three], [two, three], [one], [one]) == ["a", "b", "c", ""]


def test_a_guid_to_which_we_added_the_link_is_the_same_guid() -> None:
    on_the_hour = NOW.replace(minute=0, second=0)
    one, two = (post(name, guid="0", published=on_the_hour - hours * HOUR) for hours, name in enumerate("ba"))
    edited = replace(two, title="x", html=words("x"))
    assert polls([two], [one, edited]) == ["a", "b"]
    assert polls([one, two], [edited]) == ["a b", ""]


def test_one_guid_for_all_in_documents_of_one_entry_is_none_where_links_differ() -> None:
    one, two, three = (post(name, day, guid="0") for name, day in (("a", 2), ("b", 1), ("c", 0)))
    assert polls([one], [two], [one], [two], [three], [three]) == ["a", "b", "", "", "c", ""]


def test_a_revision_counted_in_the_guid_is_no_new_post() -> None:
    def version(number: int, **changes: Any) -> Entry:
        return post("a", guid=f"{SITE}/a#{number}", **changes)

    rewritten = version(3, title="Rewritten", html=words("x"), published=NOW + HOUR)
    assert polls([version(0), B], [version(1), B], [rewritten, B], [version(0), B]) == ["a b", "", "", ""]
    pages = [
        post(name, url=f"{SITE}/show", guid=f"{SITE}/show#{number}") for number, name in enumerate("abc")
    ]
    assert polls(pages[:2], pages) == ["a b", "c"], "a number that counts posts"


def test_guids_that_are_never_twice_the_same_bring_nothing_back() -> None:
    documents = [[NEW, A, B, C] if number > 3 else [A, B, C] for number in range(7)]
    random = [renamed(*entries, by=str(number)) for number, entries in enumerate(documents)]
    assert polls(*random) == ["a b c", "", "", "", "new", "", ""]


def test_two_servers_that_name_posts_differently_bring_nothing_back() -> None:
    one, other = [A, B, C], renamed(A, B, C)
    new, its = NEW, renamed(NEW)[0]
    edit = replace(its, title="Corrected", html=words("corrected"), updated=NOW + HOUR)
    turns = (one, other, one, [its, *other], [new, *one], [edit, *other], [new, *one], [edit, *other])
    assert polls(*turns) == ["a b c", "", "", "new", "", "", "", ""]


def test_a_shared_link_never_makes_one_of_two() -> None:
    episodes = [post(name, day, url=f"{SITE}/show") for day, name in enumerate("dcba")]
    assert polls(episodes[3:], episodes[2:], episodes[1:], renamed(*episodes)) == ["a", "b", "c", "d"]


def test_a_doubled_post_is_known_by_either_guid() -> None:
    double = replace(A, guid="second", url="")
    assert polls([A, double, B], [B], [double, B], [A, B]) == ["a b", "", "", ""]
    edited = replace(double, title="x", html=words("x"), published=None)
    assert polls([A, double, B], [edited, B], [A, B]) == ["a b", "", ""]


def test_what_the_feed_says_without_marks_in_the_store_is_known_by_its_guid_alone() -> None:
    old = KnownEntry(
        id=7, guid=A.guid, marks=Marks(), hash="of another kind", hashes=("of another kind",), published=NOW,
        unread=False,
    )  # fmt: skip
    (found,) = decide(POLLED, [A], known=[old])
    assert (found.known, found.revised, found.marked, found.news) == (7, False, True, False)
    assert (found.marks, found.claimed) == (doubles.read([A])[0].marks, A.published)


def test_many_entries_that_share_all_signs_are_compared_with_a_few() -> None:
    told = doubles.read([post(str(n), n, url=A.url, title=A.title, html=A.html) for n in range(1_000)])
    known = [
        KnownEntry(
            id=each.position + 1,
            guid=f"old-{each.entry.guid}",
            marks=replace(each.marks, said=None),
            hash="",
            hashes=("",),
            published=NOW,
            unread=False,
            claimed=NOW - 2_000 * DAY,
        )
        for each in told
    ]
    assert len(told) == 1_000
    began = time.process_time()
    assert all(match.known is None for match in recognize(told, known))
    assert time.process_time() - began < 0.7


# ---------------------------------------------------------------- what becomes of it


def known_as(*given: Entry, **changes: Any) -> list[KnownEntry]:
    """These, as a store that was told them remembers them."""
    memory = Memory()
    memory.record(decide(FEED, given))
    return [replace(row, **changes) for row in memory.rows.values()]


def test_a_known_entry_keeps_the_date_that_was_believed() -> None:
    (found,) = decide(POLLED, [A], [follow()], known_as(A, published=NOW - 9 * DAY))
    assert (found.known, found.published, found.dated, found.backlog) == (1, NOW - 9 * DAY, True, False)
    assert (found.revised, found.marked, found.also) == (False, False, "")


def test_another_guid_is_kept_as_a_second_one_and_marks_follow_the_entry() -> None:
    moved = replace(A, guid="other", url=f"{SITE}/moved")
    (found,) = decide(POLLED, [moved], known=known_as(A))
    assert (found.known, found.also, found.revised, found.marked) == (1, "other", True, True)
    (same,) = decide(POLLED, [replace(A, guid="other")], known=known_as(A))
    assert (same.also, same.revised, same.marked) == ("other", False, False)


def test_a_guid_that_names_another_entry_is_no_second_one() -> None:
    shifted = [replace(B, guid=A.guid), replace(A, guid="third")]
    found = {each.known: each.also for each in decide(POLLED, shifted, known=known_as(A, B))}
    assert found == {1: "", 2: "third"} or found == {2: "", 1: "third"}


EDIT = replace(A, title="Corrected")


@pytest.mark.parametrize(
    ("before", "after", "revised"),
    [
        pytest.param([A], A, False, id="nothing"),
        pytest.param([A], replace(A, published=NOW + HOUR, updated=NOW + HOUR), False, id="only dates"),
        pytest.param([A], EDIT, True, id="an edit"),
        pytest.param([A, EDIT], A, False, id="an old copy"),
        pytest.param([A, EDIT, replace(A, title="Third")], EDIT, False, id="an old copy of a revision"),
        pytest.param(
            [A, replace(EDIT, updated=NOW)], replace(A, updated=NOW + HOUR), True, id="taken back on purpose"
        ),
        pytest.param([A, replace(EDIT, updated=NOW)], replace(A, updated=NOW), False, id="not newer"),
        pytest.param(
            [replace(EDIT, updated=NOW)],
            replace(A, updated=NOW - HOUR),
            False,
            id="an older version, never seen",
        ),
        pytest.param([replace(A, updated=NOW)], replace(EDIT, updated=NOW), True, id="edited in silence"),
    ],
)
def test_what_is_a_revision(before: list[Entry], after: Entry, revised: bool) -> None:
    memory = Memory()
    for said in before:
        told = doubles.read([said])
        memory.record(identity.decide(POLLED, told, memory.known(*identity.keys(told)), (), now=NOW))
    told = doubles.read([after])
    (found,) = identity.decide(
        POLLED, told, memory.known(*identity.keys(told)), [follow(settle=HOUR)], now=NOW
    )
    assert found.revised is revised
    assert found.rest_until == (NOW + HOUR if revised else None), (
        "only what is new to us starts the rest again"
    )


def test_an_old_copy_does_not_undo_what_an_entry_is_recognized_by() -> None:
    copy = replace(A, guid="from another server")
    memory = Memory()
    for said in (A, EDIT):
        told = doubles.read([said])
        memory.record(identity.decide(POLLED, told, memory.known(*identity.keys(told)), (), now=NOW))
    (found,) = decide(POLLED, [copy], known=list(memory.rows.values()))
    assert (found.known, found.revised, found.marked, found.also) == (1, False, False, "from another server")
    (row,) = memory.rows.values()
    (found,) = decide(POLLED, [copy], known=[replace(row, other="yet another")])
    assert found.also == ""


def test_of_a_known_entry_that_stands_there_twice_the_one_with_its_guid_counts() -> None:
    copy = replace(A, guid="x", url=f"{SITE}/copy")
    for given in ([EDIT, copy], [copy, EDIT]):
        (found,) = decide(POLLED, given, known=known_as(A))
        assert (found.entry.title, found.revised) == ("Corrected", True)


# ---------------------------------------------------------------- what is news


def test_a_first_document_is_backlog_and_only_its_first_window_is_news() -> None:
    given = (
        entry("new", published=NOW - HOUR), entry("edge", published=NOW - timedelta(days=2)),
        entry("old", published=NOW - timedelta(days=3)),
    )  # fmt: skip
    found = {each.entry.guid: each for each in decide(FEED, given, [follow()])}
    assert {guid: each.news for guid, each in found.items()} == {"new": True, "edge": True, "old": False}
    assert all(each.backlog and each.dated for each in found.values())
    assert found["old"].published == NOW - timedelta(days=3)
    assert [each.position for each in found.values()] == [2, 1, 0]


def test_one_follower_who_wants_all_is_enough() -> None:
    given = [entry("old", published=NOW - timedelta(days=300))]
    assert decide(FEED, given, [follow(), follow(None)])[0].news


def test_of_a_first_document_without_dates_the_top_ten_are_news() -> None:
    given = [entry(str(number)) for number in range(15)]
    news = [each.position for each in decide(FEED, given, [follow()]) if each.news]
    assert sorted(news) == list(range(10))


def test_what_appears_later_is_news_whatever_it_claims() -> None:
    given = [entry("a", published=NOW - timedelta(days=900)), entry("b")]
    found = decide(POLLED, given, [follow()])
    assert all(each.news and not each.backlog for each in found)
    assert min(each.published for each in found) >= NOW - 2 * HOUR


def news(given: Sequence[Entry], known: Sequence[Entry], feed: Feed = POLLED) -> str:
    found = decide(feed, given, [follow(None)], known_as(*known))
    return " ".join(sorted(each.entry.comments for each in found if each.news))


def test_an_archive_that_a_feed_opens_is_known_and_not_news() -> None:
    opened = [post(f"old{number}", 40 + number) for number in range(5)]
    assert news([A, B, *opened], [A, B]) == ""
    assert news([NEW, A, *opened], [A]) == "new"
    found = decide(POLLED, [A, B, *opened], [follow(None)], known_as(A, B))
    assert sum(each.known is None for each in found) == 5, "recorded all the same"


def test_a_document_that_has_become_longer_brings_no_news_at_its_end() -> None:
    longer = [post(f"old{number}", 5 + number) for number in range(4)]
    assert news([NEW, A, B, C, *longer], [A, B, C]) == "new"
    assert news([A, B, C, *longer[:2]], [A, B, C]) == "old0 old1", "two are stragglers"


def test_a_straggler_is_news_for_a_month() -> None:
    assert news([A, post("late", 29), B], [A, B]) == "late"
    assert news([A, post("late", 31), B], [A, B]) == ""
    assert news([post("late", 31)], []) == "late", "nothing here says that it is old for this feed"
    assert news([post("late", 40), post("slow", 100)], [post("slow", 100)]) == "late"
    away = replace(POLLED, last_ok_at=NOW - 20 * DAY)
    assert news([post("missed", 40), A], [A], away) == "missed"
    assert news([post(str(day), day) for day in range(1, 9)] + [post("z", 21)], [post("z", 21)], away)


def test_the_oldest_comes_first_and_without_dates_the_lowest() -> None:
    given = (
        entry("b", published=NOW - HOUR), entry("c", published=NOW - 2 * HOUR), entry("x"), entry("y"),
        entry("d", published=NOW - HOUR),
    )  # fmt: skip
    found = decide(FEED, given, [follow()])
    assert [each.entry.guid for each in found] == ["c", "d", "b", "y", "x"]


def test_an_entry_rests_as_long_as_the_most_patient_follower_wants() -> None:
    follows = [follow(), follow(settle=HOUR), follow(settle=2 * HOUR)]
    assert decide(POLLED, [entry("a")], follows)[0].rest_until == NOW + 2 * HOUR
    assert decide(POLLED, [entry("a")], [follow()])[0].rest_until is None


def test_the_store_is_asked_for_every_guid_with_what_else_its_entry_is_known_by() -> None:
    told = doubles.read([A, replace(A, guid="second"), replace(B, guid="")])
    guids, marks = identity.keys(told)
    assert guids == (A.guid, "second", B.url)
    assert marks == (told[0].marks, told[0].marks, told[1].marks)
