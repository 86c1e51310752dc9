"""The service's own words, by key."""

from __future__ import annotations

import re

import pytest

from digest.render import Words
from digest.translations import Catalogues
from digest.wording import COUNTS, WORDS

WORDING = Words(Catalogues())


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ar"])
def test_every_word_and_every_count_can_be_said(language: str) -> None:
    for key, sentence in WORDS.items():
        places = re.findall(r"%\((\w+)\)s", sentence)
        said = WORDING.word(language, key, **{place: f"<{place}>" for place in places})
        assert all(f"<{place}>" in said for place in places), key
        assert "%" not in said, key
    for key in COUNTS:
        for number in (0, 1, 2, 5, 11, 100):
            assert "%" not in WORDING.plural(number, key, language), key


def test_an_unknown_language_is_spoken_to_in_english() -> None:
    assert WORDING.word("de-AT", "unsubscribe") == "Abbestellen"
    assert WORDING.word("pt_BR", "unsubscribe") == "Unsubscribe"
    with pytest.raises(KeyError):
        WORDING.word("en", "no such thing")


def test_words_and_counts_are_not_mixed_up() -> None:
    with pytest.raises(KeyError, match="counted"):
        WORDING.word("en", "stories")
    with pytest.raises(KeyError, match="not counted"):
        WORDING.plural(1, "unsubscribe", "en")
