"""The service's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from babel import Locale

from digest.wording import FALLBACK, WORDING, Phrase, phrase

LANGUAGES = ("en", "de", "fr", "es", "ar")


def gaps(found: Phrase) -> set[str]:
    text = found if isinstance(found, str) else found["other"]
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_places(language: str) -> None:
    assert WORDING[language].keys() == WORDING[FALLBACK].keys()
    for key, found in WORDING[language].items():
        assert gaps(found) == gaps(WORDING[FALLBACK][key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_counted_has_every_form_of_its_language(language: str) -> None:
    forms = {*Locale(language).plural_form.rules, "other"}
    for key, found in WORDING[language].items():
        if isinstance(found, Mapping):
            assert set(found) == forms, key


def test_a_tag_is_spoken_to_in_its_language_and_an_unknown_one_in_english() -> None:
    assert phrase("de-AT", "unsubscribe") == ("de", "Abbestellen")
    assert phrase("pt_BR", "unsubscribe") == ("en", "Unsubscribe")
    with pytest.raises(KeyError):
        phrase("en", "no such thing")
