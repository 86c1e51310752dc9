"""The first pass: what a list says, whoever wrote it, and what is wrong with it, line by line."""

from __future__ import annotations

import hashlib
import io
from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.roster import BadFile, Checked, Person, Problem, Spool, check
from digest.roster.cells import neutral, plain

NOW = datetime(2026, 11, 28, tzinfo=UTC)
Found = tuple[Checked, list[Person], list[Problem]]


def mark_of(address: str) -> bytes:
    return hashlib.sha256(address.casefold().encode()).digest()


def checked(data: str | bytes, newsletter: str = "world", **named: str) -> Found:
    problems: list[Problem] = []
    with closing(Spool(mark_of)) as spool:
        found = check(
            io.BytesIO(data.encode() if isinstance(data, str) else data),
            spool,
            newsletter=newsletter,
            known=frozenset({"world", "town"}),
            named=named,
            languages=frozenset({"en", "de", "pt-BR"}),
            now=NOW,
            note=problems.append,
            progress=lambda read: None,
        )
        people = sorted((person for _, person in spool.take()), key=lambda person: person.line)
    return found, people, problems


def addresses(data: str | bytes, **named: str) -> list[str]:
    return [person.address for person in checked(data, **named)[1]]


@pytest.mark.parametrize(
    "data",
    [
        "ann@example.org\nben@example.org\n",
        "email\nann@example.org\nben@example.org",
        "Name,E-Mail\nAnn,ann@example.org\nBen,ben@example.org\n",
        'Name;Email Address\r\n"Doe, Ann";ann@example.org\r\nBen;ben@example.org\r\n',
        "name\temail\nAnn; the first, of many\tann@example.org\nBen\tben@example.org\n",
        "sep=;\nemail;name\nann@example.org;Ann\nben@example.org;Ben\n",
        "\n\nemail\n\nann@example.org\n  \nben@example.org\n",
        "address,email\n1 Street,ann@example.org\n2 Street,ben@example.org\n",
        'email,note\nann@example.org,"two\nlines"\nben@example.org,"say ""hello"""\n',
        "Ann,ann@example.org\nBen,ben@example.org\n",
        "email,address\nann@example.org\nben@example.org,2 Street\n",
        "\ufeffemail\nann@example.org\nben@example.org\n",
        "email\nann@example.org\nben@example.org\n".encode("utf-16"),
    ],
)
def test_lists_of_many_programs_are_understood(data: str | bytes) -> None:
    assert addresses(data) == ["ann@example.org", "ben@example.org"]


def test_a_column_can_be_named_by_its_head_or_its_number() -> None:
    assert addresses("Wer;Kontakt\nAnn;ann@example.org\n", email="Kontakt") == ["ann@example.org"]
    assert addresses("Wer;Kontakt\nAnn;ann@example.org\n", email="2") == ["ann@example.org"]
    with pytest.raises(BadFile, match="there is no such column; there are Wer, Kontakt"):
        addresses("Wer;Kontakt\nAnn;ann@example.org\n", email="Mail")
    for figure in ("²", "٢"):  # digits that are no number of a column
        with pytest.raises(BadFile, match="there is no such column"):
            addresses("Wer;Kontakt\nAnn;ann@example.org\n", email=figure)
    with pytest.raises(BadFile, match="no column is called email"):
        addresses("Wer;Kontakt\nAnn;ann@example.org\n")


@pytest.mark.parametrize(
    ("data", "line", "says"),
    [
        ("", 1, "empty"),
        ("\n \n", 1, "empty"),
        ('email,name\nann@example.org,"Ann\nben@example.org,Ben\n', 2, "never closed"),
        ('email,name\nann@example.org,"' + "x\n" * 70_000 + '"\n', 2, "never closed"),
        ("email\nann@example.org\nbjörn@example.org\n".encode("latin-1"), 3, "not UTF-8"),
        (b"\0\0\0\0", 1, "UTF-16"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_with_the_line(
    data: str | bytes, line: int, says: str
) -> None:
    with pytest.raises(BadFile, match=says) as caught:
        checked(data)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("not an address,,,", "@-sign"),
        (",Bo,,", "the address is missing"),
        ('"ann@example.org"x,,,', "closing quote"),
        ('ann@example.org,"\nben@example.org,",,', "is a quote missing"),
        ("ann@example.org,b\0b,,", "NUL"),
        ("ann@example.org," + "b" * 70_000 + ",,", "too long"),
        ("ann@example.org,,,01/02/2024", "is no date"),
        ("ann@example.org,,,2031-01-01", "nobody can have agreed"),
        ("ann@example.org\r\nBcc: eve@example.org,,,", ""),
    ],
)
def test_a_bad_line_is_told_with_its_number_and_the_others_are_read(line: str, says: str) -> None:
    data = f"email,name,status,confirmed_at\nzoe@example.org,,,\n{line}\nyan@example.org,,,\n"
    found, people, problems = checked(data)
    if says:
        assert [problem.line for problem in problems] == [3]
        assert says in problems[0].reason
        assert found.bad == 1
        assert [person.address for person in people] == ["zoe@example.org", "yan@example.org"]
    else:
        assert [problem.line for problem in problems] == [4]


@pytest.mark.parametrize(
    "line",
    [
        '"ann@example.org"x,,left,',
        '"Doe ""Ann"" <Ann@Example.org>"x,,left,',
        '"two\nlines"x,|ann@example.org|,left,',
        'x,"\nann@example.org,left,",,',
        "ann@exam\0ple.org,,left,",
        "ann@example.org," + "b" * 70_000 + ",left,",
        "b" * 300_000 + ",ann@example.org,left,",
        "Doe, Ann,ann@example.org,left,",
        "ann@example.org (left),,,",
        "'ann@example.org',,left,",
        "mailto:ann@example.org?,,left,",
        "ann@example.org.,,left,",
        "Ann <ann@example.org>,,left,",
        "ann\u200b@example.org,,left,",
    ],
)
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("newsletter", ["world", ""])
def test_nobody_is_taken_in_who_stands_in_a_line_that_cannot_be_read(
    line: str, first: bool, newsletter: str
) -> None:
    """It may have said that they left."""
    good = "ann@example.org,,active,world"
    lines = ["zoe@example.org,,,world", *((good, line) if first else (line, good)), "yan@example.org,,,world"]
    found, people, problems = checked("\n".join(["email,name,status,newsletter", *lines]), newsletter)
    standing = {person.address: person.status for person in people}
    assert standing == {
        "zoe@example.org": "active",
        "ann@example.org": "unknown",
        "yan@example.org": "active",
    }
    (problem,) = problems
    assert (problem.line, found.bad) == (4 if first else 3, 1)
    assert "is not added by another line either" in problem.reason


def test_a_line_that_cannot_be_read_concerns_only_who_stands_in_it() -> None:
    head = "email,name,owner,confirmed_at\n"
    good = "ann@example.org,,,\nben@example.org,,,\n"
    for bad, kept in (
        (",,ann@example.org,", "active"),  # whose address is missing is somebody else
        ("ann@example.org,,,2031-01-01", "active"),  # what is wrong is the date
        (",Bo,x,ann@example.org,", "unknown"),  # everything has slipped
    ):
        _, people, problems = checked(f"{head}{bad}\n{good}")
        assert {person.address: person.status for person in people}["ann@example.org"] == kept, bad
        assert {person.address: person.status for person in people}["ben@example.org"] == "active"
        assert [problem.line for problem in problems if problem.kind == "bad"] == [2]


def test_a_line_that_is_too_long_to_be_looked_at_again_stops_the_list() -> None:
    with pytest.raises(BadFile, match="nobody can tell who stands in it") as caught:
        checked("email\nann@example.org\n" + "x," * 1_000_000 + "\nben@example.org\n")
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("status", "word"),
    [
        *(
            (word, "left")
            for word in (
                *("left", "Unsubscribed", "opt-out", "opted out", "hard bounce", "archived", "cleaned"),
                *("FALSE", "spam complaint", "by_bounces", "inactive"),
            )
        ),
        *((word, "pending") for word in ("pending", "unactivated", "non-subscribed", "Never Subscribed")),
        *((word, "paused") for word in ("paused", "by_user")),
        *((word, "active") for word in ("", " Active ", "subscribed", "enabled", "premium", "1", "yes")),
        *((word, "unknown") for word in ("perhaps", "past_due", "2", "gone fishing", "x" * 5_000)),
    ],
)
def test_a_status_is_known_in_the_words_of_many_programs(status: str, word: str) -> None:
    found, [person], _ = checked(f"email,status\nann@example.org,{status}\n")
    assert (person.status, found.bad) == (word, word == "unknown")


@pytest.mark.parametrize(
    ("head", "no", "yes"),
    [
        ("type", "unsubscribed", "regular"),  # Buttondown
        ("subscriber_type", "removed", "premium"),
        ("unsubscribed_at", "2026-01-02T03:04:05Z", ""),  # beehiiv
        ("UNSUB_TIME", "2026-01-02 03:04:05", ""),  # Mailchimp
        ("CLEAN_TIME", "2026-01-02 03:04:05", ""),
        ("subscribed_to_emails", "false", "true"),  # Ghost
        ("deleted_at", "2026-01-02T03:04:05.000Z", ""),
        ("email_disabled", "true", "false"),  # Substack
        ("status", "blocklisted", "enabled"),  # listmonk
        ("subscription_status", "unsubscribed", "confirmed"),
        ("state", "cancelled", "active"),  # Kit
        ("delivery_status", "by_bounces", "enabled"),  # Mailman
        ("left_at", "2026-01-02T03:04:05+00:00", ""),
        ("Email Opt Out", "TRUE", "FALSE"),
        ("Unsubscribed", "yes", "no"),
        ("unsubscribed on", "02/01/2026", "0000-00-00 00:00:00"),
        ("deleted_at", "2026-01-02", "NULL"),
        ("Subscribed?", "no", "yes"),
        ("(un)subscribed:", "x", ""),
        ("Unsubscribe date (UTC)", "2/1/2026 10:00", "0000-00-00"),
        ("opted_out_of_marketing", "true", "false"),
        ("Abgemeldet am", "02.01.2026", ""),
        ("désabonné", "oui", "non"),
    ],
)
def test_who_left_by_the_columns_of_many_programs_is_not_a_reader(head: str, no: str, yes: str) -> None:
    data = f"id,email,created,{head}\n1,ann@example.org,2026-01-01,{no}\n2,ben@example.org,2026-01-01,{yes}\n"
    _, people, problems = checked(data)
    assert [person.status for person in people] == ["left", "active"]
    assert problems == []


def test_who_never_confirmed_is_not_a_reader() -> None:
    for column in (
        *("type,unactivated", "confirmed,0", "status,non-subscribed", "Opt-in,no", "opted in?,FALSE"),
        *(
            "marketing_consent,no",
            "Accepts Email Marketing,no",
            "Consent to our newsletter,No",
            "Bestätigt,nein",
        ),
    ):
        head, word = column.split(",")
        [person] = checked(f"email,{head}\nann@example.org,{word}\n")[1]
        assert person.status == "pending"


def test_a_column_about_consent_that_is_not_known_says_nothing_but_no() -> None:
    for column in ("optin_ip,203.0.113.9", "consent_text,I want letters", "unsubscribe link,/u/1"):
        head, word = column.split(",")
        _, [person], problems = checked(f"email,{head}\nann@example.org,{word}\n")
        assert person.status == "active"
        assert problems == []


def test_of_several_columns_the_worst_word_counts() -> None:
    data = (
        "email,status,subscribed_to_emails,unsubscribed_at,confirmed\n"
        "ann@example.org,active,true,,1\n"
        "ben@example.org,active,false,,1\n"
        "cleo@example.org,active,true,2026-01-02,1\n"
        "dora@example.org,active,true,,0\n"
        "eve@example.org,perhaps,true,2026-01-02,0\n"
    )
    found, people, _ = checked(data)
    assert [person.status for person in people] == ["active", "left", "left", "pending", "left"]
    assert found.bad == 0


def test_free_readers_of_a_program_with_paid_ones_are_readers() -> None:
    data = (
        "email,active_subscription,expiry,plan,email_disabled,created_at\n"
        "ann@example.org,false,,other,false,2026-01-02T03:04:05Z\n"
    )
    assert [person.status for person in checked(data)[1]] == ["active"]


def test_a_column_where_people_live_is_no_status() -> None:
    lived = "email,State\nann@example.org,NO\nben@example.org,\ncleo@example.org,Ohio\n"
    _, people, problems = checked(lived)
    assert [person.status for person in people] == ["active"] * 3
    assert problems == []
    mixed = lived + "dora@example.org,Cancelled\n"
    says = r"`State` may say who left: 'Cancelled' .* not 'NO' in line 2.*--column status=$"
    with pytest.raises(BadFile, match=says) as caught:
        checked(mixed)
    assert caught.value.line == 5
    assert [person.status for person in checked(mixed, status="")[1]] == ["active"] * 4
    _, people, problems = checked(mixed, status="State")
    assert [person.status for person in people] == ["left", "active", "unknown", "left"]
    assert [problem.line for problem in problems] == [4]


@pytest.mark.parametrize(
    "data",
    [
        "email,Zustand\nann@example.org,active\nben@example.org,unsubscribed\ncleo@example.org,?\n",
        "ann@example.org,active\nben@example.org,unsubscribed\n",
    ],
)
def test_a_column_that_looks_like_a_status_and_is_not_known_is_asked_for(data: str) -> None:
    with pytest.raises(BadFile, match=r"may say who left: 'active' is .*--column status=(Zustand|2);"):
        checked(data)
    assert len(addresses(data, status="")) == data.count("@")
    _, people, _ = checked(data, status="2")
    assert [person.status for person in people][:2] == ["active", "left"]


def test_a_few_words_in_another_column_are_no_status() -> None:
    data = "email,remark\nann@example.org,left\nben@example.org,likes tea\ncleo@example.org,likes milk\n"
    assert [person.status for person in checked(data)[1]] == ["active"] * 3


def test_the_column_of_a_date_of_leaving_can_be_named_and_unnamed() -> None:
    data = "email,Austritt,deleted_at\nann@example.org,2026-01-02,\nben@example.org,,2026-01-02\n"
    assert [one.status for one in checked(data)[1]] == ["active", "left"]
    assert [one.status for one in checked(data, left_at="Austritt")[1]] == ["left", "active"]
    assert [one.status for one in checked(data, left_at="")[1]] == ["active", "active"]
    _, [ann, _], [problem] = checked(data.replace("2026-01-02,\n", "soon,\n"), left_at="Austritt")
    assert (ann.status, problem.line) == ("unknown", 2)
    assert "'soon' in the column `Austritt`" in problem.reason


@pytest.mark.parametrize("words", [("active", "perhaps"), ("perhaps", "active")])
def test_a_word_that_nobody_knows_counts_against_the_address(words: tuple[str, str]) -> None:
    first, second = words
    data = f"email,status\nann@example.org,{first}\nANN@example.org,{second}\n"
    found, [person], problems = checked(data)
    assert (person.status, found.bad) == ("unknown", 1)
    [bad] = [one for one in problems if one.kind == "bad"]
    assert (bad.line, bad.address.lower()) == (2 + words.index("perhaps"), "ann@example.org")
    [person] = checked("email,status\nann@example.org,perhaps\nann@example.org,left\n")[1]
    assert person.status == "left"


def test_a_no_counts_also_when_the_rest_of_its_line_is_bad() -> None:
    data = "email,status,confirmed_at\nann@example.org,active,\nann@example.org,left,01/02/2024\n"
    found, [ann], _ = checked(data)
    assert (ann.status, found.bad) == ("left", 0)


def test_an_address_counts_once_in_any_spelling_and_a_no_in_any_line_counts() -> None:
    data = (
        "email,status\nAnn@Example.org,active\nann@example.org,active\n"
        "ben@example.org,active\nBEN@example.org,unsubscribed\n"
    )
    found, people, problems = checked(data)
    assert [(person.address, person.status) for person in people] == [
        ("Ann@example.org", "active"),
        ("ben@example.org", "left"),
    ]
    assert (found.people, found.doubles) == (2, 2)
    assert [(problem.line, problem.reason) for problem in problems] == [
        (3, "the same address as in line 2"),
        (5, "the same address as in line 4"),
    ]


def test_a_line_tells_when_and_how_somebody_agreed() -> None:
    _, [person], _ = checked(
        "email,confirmed_at,source,status,paused_until\n"
        "ann@example.org,2024-05-01T08:00:00+02:00,paper form,paused,2027-01-02\n"
    )
    assert person == Person(
        2,
        "ann@example.org",
        newsletter="world",
        status="paused",
        confirmed_at=datetime(2024, 5, 1, 6, tzinfo=UTC),
        paused_until=date(2027, 1, 2),
        note="paper form",
    )


def test_a_language_that_we_speak_is_read_and_any_other_word_is_passed_over() -> None:
    tags = ("de", "DE", "de_AT", "pt-br", "German", "sv", "")
    lines = "".join(f"a{number}@example.org,{tag}\n" for number, tag in enumerate(tags))
    _, people, problems = checked(f"email,language\n{lines}")
    assert [person.language for person in people] == ["de", "de", "de", "pt-BR", "", "", ""]
    assert problems == []


def test_lines_about_another_newsletter_are_not_taken_for_this_one() -> None:
    data = "email,newsletter\nann@example.org,world\nann@example.org,town\nben@example.org,moon\n"
    found, people, problems = checked(data)
    assert (found.people, found.others, found.bad) == (1, 2, 0)
    assert [problem.line for problem in problems] == [3, 4]
    found, people, problems = checked(data, newsletter="")
    assert [person.newsletter for person in people] == ["world", "town"]
    assert (found.bad, problems[0].line) == (1, 4)


def test_going_on_behind_a_place_passes_over_nobody() -> None:
    with closing(Spool(mark_of)) as spool:
        for line in range(1, 100):
            spool.put(Person(line, f"a{line}@example.org"), "world")
        assert spool.sort() == 99
        everybody = list(spool.take())
        for number, (place, _) in enumerate(everybody, 1):
            assert list(spool.take(place)) == everybody[number:]


@given(st.text(max_size=8) | st.text("'=+-@\t\r\n＝", max_size=5))
def test_no_cell_is_a_formula_and_each_comes_back(cell: str) -> None:
    assert neutral(cell)[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
    assert plain(neutral(cell)) == cell
