"""Lines of text files: known encodings only, and a line that never ends is passed over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.roster.lines import LONGEST, PASSED_OVER, BadFile, Lines


def read(data: bytes, size: int = 7) -> list[str]:
    return list(Lines(data[at : at + size] for at in range(0, len(data), size)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@given(
    lines=st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=9)),
    size=st.integers(1, 20),
)
def test_every_line_comes_whole_however_the_blocks_fall(
    encoding: str, end: str, lines: list[str], size: int
) -> None:
    lines = ["email", *lines, "x"]
    data = end.join(lines).encode(encoding)
    assert read(data, size) == [f"{line}\n" for line in lines]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("data", "line", "says"),
    [
        ("a\nb\nbjörn\n".encode("latin-1"), 3, "this is not UTF-8"),
        (b"a\r\nb\r\n\xff", 3, "this is not UTF-8"),
        (b"a\rb\rc\xff", 3, "this is not UTF-8"),
        (b"\xff\xfea\x00\n\x00b", 2, "this is not UTF-16"),
        ("email\n".encode("utf-16-le"), 1, "UTF-16 without its mark"),
        ("email\n".encode("utf-32"), 1, "UTF-32"),
        (b"PK\x03\x04xxxx", 1, "a spreadsheet"),
    ],
)
def test_another_encoding_is_refused_with_its_line(data: bytes, size: int, line: int, says: str) -> None:
    with pytest.raises(BadFile, match=says) as caught:
        read(data, size)
    assert caught.value.line == line


def test_a_line_that_is_too_long_is_passed_over_and_the_next_one_read() -> None:
    long = b"a" * (LONGEST + 1)
    lines = Lines([b"one\n", long[:9], long[9:], b"aaa", b"\ntwo\n" + long + b"\nthree"])
    assert list(lines) == ["one\n", PASSED_OVER, "two\n", PASSED_OVER, "three\n"]
    assert lines.overlong == {2, 4}


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_lines_that_were_given_can_be_looked_at_again(size: int) -> None:
    long = "b" * (LONGEST + 1)
    text = f"one\n\n{long}\nfour"
    lines = Lines(text.encode()[at : at + size] for at in range(0, len(text), size))
    for count, _ in enumerate(lines, 1):
        for some in range(1, count + 1):
            assert lines.last(some) == "\n".join(text.split("\n")[count - some : count])


def test_only_so_much_is_kept_to_be_looked_at_again() -> None:
    line = b"a" * 1_000 + b"\n"
    lines = Lines(line * 100 for _ in range(20))
    for count, _ in enumerate(lines, 1):
        kept = lines.last(min(count, 500))
        assert kept is not None
        assert len(kept) == min(count, 500) * 1_001 - 1
    assert lines.last(1_500) is None


def test_a_line_without_end_takes_no_memory() -> None:
    import tracemalloc

    block = b"a" * 262_144
    tracemalloc.start()
    assert list(Lines(block for _ in range(400))) == [PASSED_OVER]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
