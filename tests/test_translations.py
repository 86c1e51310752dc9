"""The catalogues: complete, sound, and found by the tags that people use."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from digest.render import Renderer, RenderError
from digest.translations import CatalogueError, Catalogues

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "digest" / "locales"
TRANSLATED = ("ar", "de", "es", "fr")
COUNTED = {"ngettext": (1, 2), "counted": (1, 2)}
KEYWORDS = {"_": None, "gettext": None, "msg": None, **COUNTED}

Sentence = str | tuple[str, ...]


@cache
def in_source() -> dict[str, Sentence]:
    """Every sentence of code and templates, as `make translations` finds them."""
    options = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}
    found: dict[str, Sentence] = {}
    for folder, method, chosen in (("digest", "python", {}), ("templates", "jinja2", options)):
        pattern = "**.py" if method == "python" else "**.*"
        rows = extract_from_dir(
            ROOT / folder, [(pattern, method)], {pattern: chosen}, keywords=KEYWORDS, comment_tags=()
        )
        for _file, _line, sentence, _comments, _context in rows:
            found[sentence if isinstance(sentence, str) else sentence[0]] = sentence
    return found


def catalogue(language: str) -> Catalog:
    with (SHIPPED / language / "LC_MESSAGES" / "digest.po").open("rb") as opened:
        return read_po(opened, locale=language, abort_invalid=True)


def messages(language: str) -> Iterator[Message]:
    return (message for message in catalogue(language) if message.id)


def forms(sentence: Sentence) -> tuple[str, ...]:
    return (sentence,) if isinstance(sentence, str) else tuple(sentence)


def places(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_of_code_and_templates_is_translated(language: str) -> None:
    said = {forms(message.id)[0]: message for message in messages(language)}
    wanted = in_source()
    assert len(wanted) > 90
    assert [sentence for sentence in wanted if sentence not in said] == []
    assert [sentence for sentence in said if sentence not in wanted] == []
    for sentence, message in said.items():
        assert not message.fuzzy, sentence
        assert all(forms(message.string)), sentence


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_translation_keeps_the_places_and_adds_no_markup(language: str) -> None:
    for message in messages(language):
        wanted = places(forms(message.id)[-1])
        for number, text in enumerate(forms(message.string)):
            if (
                isinstance(message.id, str) or number > 2
            ):  # “one story” and “two” may be said without a figure
                assert places(text) == wanted, text
            assert places(text) <= wanted, text
            assert not re.search(r"[<>&]|%(?!\(\w+\)s)", text), text


@pytest.mark.parametrize(("language", "count"), [("ar", 6), ("de", 2), ("es", 2), ("fr", 2)])
def test_what_is_counted_has_every_form_of_its_language(language: str, count: int) -> None:
    counted = [message for message in messages(language) if not isinstance(message.id, str)]
    assert counted
    assert catalogue(language).num_plurals == count
    assert {len(message.string) for message in counted} == {count}


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_is_not_the_english_sentence(language: str) -> None:
    same = {forms(m.id)[0] for m in messages(language) if forms(m.id)[0] == forms(m.string)[0]}
    assert {sentence for sentence in same if len(sentence.split()) > 2} == set()


def test_make_translations_gathers_by_the_same_words() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "-k msg -k counted:1,2" in makefile
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["babel"][
        "mappings"
    ]
    assert [(one["method"], one["pattern"]) for one in mappings] == [
        ("python", "digest/**.py"),
        ("jinja2", "templates/**.*"),
    ]


# ---------------------------------------------------------------- tags


@pytest.mark.parametrize(
    ("tag", "sentence", "spoken"),
    [
        ("de", "Abbestellen", "de"),
        ("DE", "Abbestellen", "DE"),
        ("de-AT", "Abbestellen", "de-AT"),
        ("de_CH", "Abbestellen", "de_CH"),
        ("fr-Latn-CA", "Se désabonner", "fr-Latn-CA"),
        ("en-GB", "Unsubscribe", "en-GB"),
        ("pt", "Unsubscribe", "en"),
        ("", "Unsubscribe", "en"),
        ("../../de", "Unsubscribe", "en"),
        ("de/../fr", "Unsubscribe", "en"),
        ("d", "Unsubscribe", "en"),
    ],
)
def test_a_tag_finds_the_nearest_catalogue_or_english(tag: str, sentence: str, spoken: str) -> None:
    ours = Catalogues()
    assert ours.gettext(tag, "Unsubscribe") == sentence
    assert ours.spoken(tag) == spoken


def test_we_speak_five_languages() -> None:
    assert Catalogues().languages == ("ar", "de", "en", "es", "fr")


# ---------------------------------------------------------------- an admin's own


def put(folder: Path, language: str, text: str) -> Path:
    file = folder / "locales" / language / "LC_MESSAGES" / "digest.po"
    file.parent.mkdir(parents=True)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    file.write_text(head + text, encoding="utf-8", errors="surrogateescape")
    return file


def test_an_admin_may_say_it_otherwise_and_speak_another_language(tmp_path: Path) -> None:
    put(tmp_path, "de", 'msgid "Unsubscribe"\nmsgstr "Tschüss sagen"\n')
    put(tmp_path, "pt_BR", 'msgid "Unsubscribe"\nmsgstr "Cancelar"\n')
    words = Renderer(tmp_path).words
    assert words.word("de", "unsubscribe") == "Tschüss sagen"
    assert words.word("de", "preferences") == "Einstellungen"
    assert words.word("pt-BR", "unsubscribe") == "Cancelar"
    assert words.word("pt-PT", "unsubscribe") == "Unsubscribe"
    assert "pt-BR" in words.catalogues.languages


def test_a_fuzzy_or_empty_translation_is_not_said(tmp_path: Path) -> None:
    put(tmp_path, "de", '#, fuzzy\nmsgid "Unsubscribe"\nmsgstr "Wohl kaum"\n\nmsgid "Feed"\nmsgstr ""\n')
    words = Renderer(tmp_path).words
    assert words.word("de", "unsubscribe") == "Abbestellen"
    assert words.word("fr", "feed") == "Flux"


@pytest.mark.parametrize("text", ['msgid "Unsubscribe"\nnonsense\n', 'msgid "\udcff"\nmsgstr "x"\n'])
def test_a_catalogue_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    file = put(tmp_path, "de", text)
    with pytest.raises(CatalogueError, match=re.escape(str(file))):
        Catalogues([tmp_path / "locales"]).gettext("de", "Unsubscribe")
    with pytest.raises(RenderError, match=re.escape(str(file))):
        Renderer(tmp_path)


def test_a_template_is_filled_in_the_language_of_its_context(tmp_path: Path) -> None:
    page = tmp_path / "pages" / "a.html"
    page.parent.mkdir()
    page.write_text(
        "{{ _('Unsubscribe') }} {% trans who=name %}Back to {{ who }}{% endtrans %}"
        "{% from 'b.html' import m with context %}{{ m() }}"
    )
    page = tmp_path / "b.html"
    page.write_text("{% macro m() %}{{ _('Goodbye') }}{% endmacro %}")
    renderer = Renderer(tmp_path)
    made = renderer.page("a.html", language="de", name="<b>%(x)s 50%")
    assert made == "Abbestellen Back to &lt;b&gt;%(x)s 50%Auf Wiedersehen"
    assert renderer.page("a.html", name="").startswith("Unsubscribe")


def test_help_reads_no_catalogue() -> None:
    program = "import sys, digest.cli; print('babel' in sys.modules, 'digest.translations' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
