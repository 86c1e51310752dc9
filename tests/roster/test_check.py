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
        ("ann@example.org,,perhaps,", "status 'perhaps' is not known"),
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
