"""What goes into an issue, as the file says it: filters and interests, each as a word or as a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from digest.config.document import Loc
from digest.config.kinds import OURS, TEMPLATE, Language, Line, Weight, line, wrong
from digest.config.problems import suggestion
from digest.matching import pieces
from digest.model import Filter, Follow
from digest.patterns import PatternError, check

WORDS, FILTER, INTEREST = "<words>", "<filter>", "<interest>"  # the forms of an item
MOST = 200  # filters in a list


def _words(text: str) -> str:
    """Words may be missing, as when a variable is empty: then nothing is found, and a note says so."""
    return line(text) if text.strip() else ""


def _pattern(text: str) -> str:
    if not text:
        raise wrong("must not be empty; an empty pattern matches everything")
    if len(text) > 500:
        raise wrong("is longer than 500 characters")
    try:
        check(text)
    except PatternError as error:
        raise wrong("is no pattern: {reason}", reason=str(error)) from error
    return text


Words = Annotated[str, AfterValidator(_words)]
Pattern = Annotated[
    str, AfterValidator(_pattern), WithJsonSchema({"type": "string", "x-type": "regular expression"})
]


class FilterFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    words: Words | None = Field(None, description="All of these words, whole, in any order.")
    regex: Pattern | None = Field(None, description="A regular expression; case does not matter.")
    category: Words | None = Field(None, description="All of these words in one of its categories.")
    author: Words | None = Field(None, description="All of these words in the name of one of its authors.")
    language: Language | None = Field(None, description="The language it is written in.")
    feed: Line | None = Field(None, description="The feed it came with: its address, or its title.")
    where: Literal["title", "text", "any"] = Field(
        "any", description="Where `words` and `regex` look; `any` adds categories and authors."
    )


class InterestFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    words: Words = Field(description="A word, or words that stand near each other.")
    weight: Weight = Field(1.0, description="How much more, or less, it counts than the others.")


def _not_empty(given: FilterFile) -> FilterFile:
    if not given.model_fields_set - {"where"}:
        raise wrong("says nothing; a filter needs words, regex, category, author, language or feed")
    return given


def _form(mapping: str) -> Any:
    def form(value: Any) -> str | None:
        if isinstance(value, str):
            return WORDS
        return mapping if isinstance(value, dict) else None

    said = "should be words, in quotes if they look like a number, or a mapping such as {words: …}"
    return Discriminator(
        form,
        custom_error_type=OURS,
        custom_error_message=said,
        custom_error_context={TEMPLATE: said},
    )


FilterItem = Annotated[
    Annotated[Words, Tag(WORDS)] | Annotated[FilterFile, AfterValidator(_not_empty), Tag(FILTER)],
    _form(FILTER),
]
InterestItem = Annotated[
    Annotated[Words, Tag(WORDS)] | Annotated[InterestFile, Tag(INTEREST)], _form(INTEREST)
]
Filters = Annotated[tuple[FilterItem, ...], Field(max_length=MOST)]


def filters(items: Sequence[str | FilterFile]) -> tuple[Filter, ...]:
    """As the rest of the house knows them."""
    return tuple(
        Filter(words=item)
        if isinstance(item, str)
        else Filter(
            words=item.words or "",
            regex=item.regex or "",
            category=item.category or "",
            author=item.author or "",
            language=item.language or "",
            feed=item.feed or "",
            where=item.where,
        )
        for item in items
    )


def interests(items: Sequence[str | InterestFile]) -> tuple[tuple[str, ...], dict[str, float]]:
    """The words, each once, and the weights of those that do not count 1. What has no words is left out."""
    found: dict[str, float] = {}
    for item in items:
        words, weight = (item, 1.0) if isinstance(item, str) else (item.words, item.weight)
        if pieces(words):
            found[words] = max(weight, found.get(words, 0.0))
    return tuple(found), {words: weight for words, weight in found.items() if weight != 1.0}


def written(given: Sequence[Filter]) -> list[Any]:
    """As the file has them."""
    return [_written(each) for each in given]


def _written(given: Filter) -> str | dict[str, str]:
    parts = {item.name: getattr(given, item.name) for item in fields(given)}
    said = {name: value for name, value in parts.items() if value and (name, value) != ("where", "any")}
    return given.words if said.keys() <= {"words"} else said


# ---------------------------------------------------------------- what to know and need not mend


def odd_filters(
    loc: Loc, include: Sequence[Filter], exclude: Sequence[Filter], follows: Sequence[Follow]
) -> Iterator[tuple[Loc, str]]:
    """Filters that can never match, and what gets in by none of them."""
    for name, given in (("include", include), ("exclude", exclude)):
        for number, each in enumerate(given):
            place = (*loc, name, number)
            if said := _never(each, follows):
                yield place, said
            elif each.where != "any" and not (each.words or each.regex):
                yield place, "where is for words and regex, and this has neither; it changes nothing"
            elif name == "include" and each in exclude:
                yield place, "is excluded as well; nothing gets in by it"


def odd_interests(loc: Loc, items: Sequence[str | InterestFile]) -> Iterator[tuple[Loc, str]]:
    for number, item in enumerate(items):
        if not pieces(item if isinstance(item, str) else item.words):
            yield (*loc, number), "has no words; it never counts"


def _never(given: Filter, follows: Sequence[Follow]) -> str:
    parts = [part for part in (given.words, given.category, given.author) if part]
    if not all(map(pieces, parts)) or given == Filter(where=given.where):
        return "has no words; it never matches"
    known = {name for follow in follows for name in (follow.url, follow.title or "")}
    if "://" in given.feed and given.feed not in known:
        return "this newsletter follows no such feed; it never matches"
    return ""


def odd_sections(loc: Loc, sections: Sequence[str], follows: Sequence[Follow]) -> Iterator[tuple[Loc, str]]:
    """Limits for sections that no feed is in."""
    known = sorted({follow.section for follow in follows if follow.section})
    for name in sections:
        if name not in known:
            hint = f"; {suggestion(name, known, otherwise='there are')}" if known else ""
            yield (*loc, name), f"no feed of this newsletter is in this section{hint}"
