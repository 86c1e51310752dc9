"""Filters, interests and limits of sections in config.yaml: what they become, what is said of bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.config import Settings, load, schema, shown
from digest.model import Filter
from test_config_errors import BASE, channel_settings, complaints

GIVEN = """\
    stories:
      sections: {Local: 3}
      include: [harbour, {category: sport, language: pt-br}]
      exclude:
        - horoscope
        - {regex: 'live ?blog', where: title}
        - {words: port authority, author: Ann, feed: https://example.org/feed.xml}
    interests: [ferry, {words: port authority, weight: 2.5}]
"""


def settings_of(folder: Path, text: str, **env: str) -> Settings:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, channel_settings=channel_settings, env=env)


def notes(settings: Settings) -> list[str]:
    return [str(note).partition("config.yaml:")[2] for note in settings.notes]


def test_filters_and_interests_arrive(tmp_path: Path) -> None:
    feed = "weight: 2, section: Local, exclude: [advert]"
    (world,) = settings_of(tmp_path, BASE.replace("weight: 2", feed) + GIVEN).newsletters
    assert world.per_section == {"Local": 3}
    assert world.include == (Filter(words="harbour"), Filter(category="sport", language="pt-BR"))
    assert world.exclude == (
        Filter(words="horoscope"),
        Filter(regex="live ?blog", where="title"),
        Filter(words="port authority", author="Ann", feed="https://example.org/feed.xml"),
    )
    assert (world.interests, world.interest_weights) == (("ferry", "port authority"), {"port authority": 2.5})
    assert [follow.exclude for follow in world.follows] == [(), (Filter(words="advert"),)]


def test_another_filter_is_another_config(tmp_path: Path) -> None:
    one = settings_of(tmp_path, BASE + "    stories: {exclude: [a]}\n").hash
    assert settings_of(tmp_path, BASE + "    stories: {exclude: [b]}\n").hash != one


def test_the_config_is_shown_as_it_was_written(tmp_path: Path) -> None:
    world = shown(settings_of(tmp_path, BASE + GIVEN))["newsletters"]["world"]
    assert world["interests"][1] == {"words": "port authority", "weight": 2.5}
    assert world["stories"]["exclude"][:2] == ["horoscope", {"regex": "live ?blog", "where": "title"}]
    assert world["feeds"][1]["exclude"] == []
    assert world["stories"]["sections"] == {"Local": 3}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("stories: {exclude: ['(a+']}", None),  # plain words, not a pattern
        ("stories: {exclude: [{regex: '(a+'}]}",
         "13:33: newsletters.world.stories.exclude.0.regex: is no pattern: missing ) at position 3"),
        ("stories: {exclude: [{regex: ''}]}",
         "13:33: newsletters.world.stories.exclude.0.regex: must not be empty; an empty pattern matches "
         "everything"),
        ("stories: {exclude: [{regex: '((x{500}){500}){500}'}]}",
         "13:33: newsletters.world.stories.exclude.0.regex: is no pattern: it repeats things 125,000,000 "
         "times; 10,000 is the most"),
        ("stories: {exclude: [{where: title}]}",
         "13:25: newsletters.world.stories.exclude.0: says nothing; a filter needs words, regex, category, "
         "author, language or feed"),
        ("stories: {exclude: [{word: ferry}]}",
         "13:26: newsletters.world.stories.exclude.0.word: there is no such setting; did you mean words?"),
        ("stories: {exclude: [{words: ferry, where: titel}]}",
         "13:47: newsletters.world.stories.exclude.0.where: should be one of title, text, any; did you mean "
         "title?"),
        ("stories: {exclude: [{language: english}]}",
         "13:36: newsletters.world.stories.exclude.0.language: english is not a language tag, such as en, de "
         "or pt-BR (BCP 47)"),
        ("stories: {include: [2026]}",
         "13:25: newsletters.world.stories.include.0: should be words, in quotes if they look like a number, "
         "or a mapping such as {words: …}"),
        ("stories: {include: ferry}",
         "13:24: newsletters.world.stories.include: should be a list, such as [a, b]"),
        ("stories: {sections: {Local: 0}}",
         "13:33: newsletters.world.stories.sections.Local: should be at least 1"),
        ("interests: [{words: ferry, weight: 0}]",
         "13:40: newsletters.world.interests.0.weight: should be more than 0"),
        ("interests: [{weight: 2}]", "13:17: newsletters.world.interests.0.words: is missing"),
    ],
)  # fmt: skip
def test_a_bad_filter_is_told_its_place_and_its_fault(tmp_path: Path, given: str, said: str | None) -> None:
    text = BASE.replace("recipients: [you@example.org]", given)
    if said is None:
        assert notes(settings_of(tmp_path, text)) == []
    else:
        assert complaints(tmp_path, text) == [said]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("stories: {exclude: ['']}",
         ["13:25: newsletters.world.stories.exclude.0: has no words; it never matches"]),
        ("stories: {exclude: ['${NOTHING:-}', {words: ferry, category: '…'}]}",
         ["13:25: newsletters.world.stories.exclude.0: has no words; it never matches",
          "13:41: newsletters.world.stories.exclude.1: has no words; it never matches"]),
        ("stories: {exclude: [{feed: 'https://other.example/feed'}]}",
         ["13:25: newsletters.world.stories.exclude.0: this newsletter follows no such feed; it never "
          "matches"]),
        ("stories: {exclude: [{category: sport, where: title}]}",
         ["13:25: newsletters.world.stories.exclude.0: where is for words and regex, and this has neither; "
          "it changes nothing"]),
        ("stories: {include: [ferry], exclude: [ferry]}",
         ["13:25: newsletters.world.stories.include.0: is excluded as well; nothing gets in by it"]),
        ("stories: {sections: {Lokal: 2}}",
         ["13:33: newsletters.world.stories.sections.Lokal: no feed of this newsletter is in this section; "
          "did you mean Local?"]),
        ("interests: ['?!']", ["13:17: newsletters.world.interests.0: has no words; it never counts"]),
        ("stories: {exclude: [C++, R&D, '🔥', 东京, {feed: City desk}]}", []),
    ],
)  # fmt: skip
def test_what_can_never_match_is_noted(tmp_path: Path, given: str, said: list[str]) -> None:
    text = BASE.replace("recipients: [you@example.org]", given).replace("weight: 2", "section: Local")
    assert notes(settings_of(tmp_path, text)) == said


def test_a_filter_of_a_feed_is_noted_at_its_own_place(tmp_path: Path) -> None:
    said = notes(settings_of(tmp_path, BASE.replace("weight: 2", "include: ['—']")))
    assert said == ["12:55: newsletters.world.feeds.1.include.0: has no words; it never matches"]


def test_a_pattern_from_the_environment_is_not_repeated(tmp_path: Path) -> None:
    text = BASE + '    stories: {exclude: [{regex: "(${PASSWORD}"}]}\n'
    assert "hunter" not in "".join(complaints(tmp_path, text, PASSWORD="hunter-2"))


def test_editors_are_told_both_forms_of_a_filter() -> None:
    text = str(schema(channel_settings))
    for word in ("'regex'", "'where'", "InterestFile", "FilterFile"):
        assert word in text
