"""Our sentences in the reader's language: gettext catalogues, ours and the admin's.

    the English sentence (the msgid) + a language tag → the sentence in that language, else in English

A catalogue is `locales/{language}/LC_MESSAGES/digest.po`: ours lie in the package, an admin's in the folder
of their own templates, where they win. A `.po` file is read when its language is first spoken; nothing has to
be compiled. Language tags come from configs, readers and browsers: they are looked up among the catalogues
that were found, and never become part of a path.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from digest.model import DigestError

SOURCE = "en"
"""The language that sentences are written in; it needs no catalogue."""

_CATALOGUE = Path("LC_MESSAGES", "digest.po")


class CatalogueError(DigestError):
    """A catalogue cannot be read; the text names it."""


class Catalogues:
    """All catalogues below some folders; of two that say the same, the one in the earlier folder is heard."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._folders = (*folders, Path(__file__).parent / "locales")
        found = {SOURCE, *(name for folder in self._folders for name in _names(folder))}
        self._known = {_spelled(name): name for name in sorted(found)}

    @property
    def languages(self) -> tuple[str, ...]:
        """The tags of the languages that we speak: `ar`, `de`, …, `pt-BR`."""
        return tuple(name.replace("_", "-") for name in self._known.values())

    def read(self) -> None:
        """Read what stands beside ours, so that a mistake is known at once. Raises CatalogueError."""
        for folder in self._folders[:-1]:
            for name in _names(folder):
                self._heard(name)

    def spoken(self, language: str) -> str:
        """The language in which we answer to a tag: the tag itself, or English where we do not know it.
        What is as exact as `de-AT` stays so: its dates are its own."""
        return language if self._nearest(language) else SOURCE

    def gettext(self, language: str, sentence: str) -> str:
        """The sentence in a language, else as it is."""
        return str(self._heard(language).gettext(sentence))

    def ngettext(self, language: str, one: str, many: str, number: int) -> str:
        """The form that the language has for this number."""
        return str(self._heard(language).ngettext(one, many, number))

    def _heard(self, language: str) -> NullTranslations:
        return _chain(self._folders, tuple(self._nearest(language)))

    def _nearest(self, language: str) -> list[str]:
        """The catalogues for a tag, the most exact one first."""
        parts = _spelled(language).split("_")
        tags = ("_".join(parts[:count]) for count in range(len(parts), 0, -1))
        return [self._known[tag] for tag in tags if tag in self._known]


def _spelled(tag: str) -> str:
    return tag.replace("-", "_").lower()


def _names(folder: Path) -> Iterator[str]:
    return (file.parts[-3] for file in folder.glob(f"*/{_CATALOGUE}"))


@lru_cache(maxsize=256)
def _chain(folders: tuple[Path, ...], names: tuple[str, ...]) -> NullTranslations:
    chain = NullTranslations()
    for name in reversed(names):
        for folder in reversed(folders):
            if (file := folder / name / _CATALOGUE).is_file():
                found = _read(file)
                found.add_fallback(chain)
                chain = found
    return chain


def _read(file: Path) -> GNUTranslations:
    """Raises CatalogueError. What is empty or marked `fuzzy` is not said."""
    compiled = io.BytesIO()
    try:
        with file.open("rb") as opened:
            write_mo(compiled, read_po(opened, abort_invalid=True))
        compiled.seek(0)
        return GNUTranslations(compiled)
    except (OSError, ValueError, PoFileError) as error:
        raise CatalogueError(f"{file}: {error}") from error


# ---------------------------------------------------------------- sentences in code


def msg(sentence: str) -> str:
    """Marks a sentence in code for the catalogues; it is translated where it is shown."""
    return sentence


def counted(one: str, many: str) -> tuple[str, str]:
    """Marks a sentence with a number in it, `%(num)s`."""
    return one, many


def filled(sentence: str, names: Mapping[str, object]) -> str:
    """A sentence with its places, `%(name)s`, filled in."""
    return sentence % names
