"""Pages in the languages that we speak: nothing of ours is left in English, each part says what it is in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from personal_pages import personal_pages
from web_house import PORT, SITE, House

from digest.render import renderer
from digest.web.accepted import preferred

OPEN, SHUT = "⟦", "⟧"
NOT_OURS = ("bdi", "time", "option", "textarea", "pre", "script")
SHIPPED = Path(__file__).parents[2] / "digest" / "locales"


# ---------------------------------------------------------------- every sentence comes from the catalogue


def marked_catalogue(folder: Path, language: str) -> Path:
    """A folder of templates whose catalogue says the English sentences in brackets."""
    with (SHIPPED / language / "LC_MESSAGES" / "digest.po").open("rb") as opened:
        shipped = read_po(opened, locale=language)
    marked = Catalog(locale=language)
    for message in shipped:
        if isinstance(message.id, tuple):
            marked.add(message.id, tuple(f"{OPEN}{message.id[1]}{SHUT}" for _ in message.string))
        elif message.id:
            marked.add(message.id, f"{OPEN}{message.id}{SHUT}")
    file = folder / "locales" / language / "LC_MESSAGES" / "digest.po"
    file.parent.mkdir(parents=True)
    with file.open("wb") as opened:
        write_po(opened, marked)
    return folder


@dataclass
class Unmarked(HTMLParser):
    """What a page says outside of the brackets. Names, addresses, dates and the options that CLDR names are
    not ours to say: they stand in `bdi`, `time` and `option`."""

    known: tuple[str, ...]
    depth: int = 0
    skipped: int = 0
    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in NOT_OURS:
            self.skipped += 1
        named = dict(attrs)
        for name in ("aria-label", "alt", "placeholder", "label"):
            if named.get(name):
                self.said(f"{named[name]}")
        if tag == "iframe":
            self.said(f"{named['title']}")

    def handle_endtag(self, tag: str) -> None:
        if tag in NOT_OURS:
            self.skipped -= 1

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.said(data)

    def said(self, text: str) -> None:
        for name in self.known:
            text = text.replace(name, "")
        outside = ""
        for character in text:
            if character == OPEN:
                self.depth += 1
            elif character == SHUT:
                self.depth -= 1
            elif self.depth == 0:
                outside += character
        if re.search(r"[^\W\d_]", outside):
            self.found.append(outside.strip())


@pytest.mark.asyncio
@pytest.mark.parametrize("language", ["de", "ar"])
async def test_nothing_of_ours_on_a_page_stands_outside_of_the_catalogue(
    house: House, tmp_path: Path, language: str
) -> None:
    templates = renderer(marked_catalogue(tmp_path, language))
    seen = 0
    async for name, page in personal_pages(house, language=language, renderer=templates):
        reader = Unmarked(known=(SITE.title, "World in brief", "Yesterday’s paper", "UTC", "JSON", "OPML"))
        reader.feed(page.text)
        assert OPEN in page.text, name
        assert reader.found == [], name
        assert reader.depth == 0, name
        seen += 1
    assert seen > 25


@pytest.mark.asyncio
async def test_nothing_of_ours_on_a_newsletters_pages_stands_outside_of_the_catalogue(
    house: House, tmp_path: Path
) -> None:
    known = (
        "نوفمبر",
        PORT.title,
        PORT.description,
        SITE.title,
        "معرض الكتاب",
        "محلي",
        "What happened, in a few words.",
    )
    told = ("The first sentence. And a second one.", "Atom", "RSS", "JSON Feed", "OPML", "you@example.org")
    templates = renderer(marked_catalogue(tmp_path, "ar"))
    async with house.client(renderer=templates) as web:
        for path in (
            "/port/",
            "/port/2026-11-22/",
            "/port/?before=1",
            "/port/archive/",
            "/port/archive/2026/11/",
        ):
            page = await web.get(path)
            reader = Unmarked(known=(*known, *told))
            reader.feed(page.text)
            assert reader.found == [], path
        asked = await web.post("/port/subscribe", data={"email": "not one"})
        quick = await web.post("/port/subscribe", data={"email": "a@example.org", "opened": "x"})
        front = await web.get("/", headers={"accept-language": "ar"})
        everywhere = await web.get("/search?q=bees", headers={"accept-language": "ar"})
    for answer in (asked, quick, front):
        reader = Unmarked(known=(*known, *told, "World in brief", "One letter a day.", "Yesterday’s paper"))
        reader.feed(re.sub(r'<ul class="headlines">.*?</ul>', "", answer.text, flags=re.DOTALL))
        assert reader.found == []
    assert front.headers["vary"] == "accept-language"
    assert everywhere.headers["vary"] == "accept-language"
    assert 'lang="ar"' in everywhere.text


@pytest.mark.asyncio
@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ar"])
async def test_every_page_says_its_language_and_direction_and_is_sound_html(
    house: House, language: str
) -> None:
    way = "rtl" if language == "ar" else "ltr"
    async for name, page in personal_pages(house, language=language):
        assert f'<html lang="{language}" dir="{way}">' in page.text, name
        assert Sound.problems(page.text) == [], name


class Sound(HTMLParser):
    """The basics of sound HTML: elements closed in order, ids once, labels that lead somewhere, one h1."""

    VOID = frozenset(("br", "hr", "img", "input", "link", "meta"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.wanted: list[str] = []
        self.count: dict[str, int] = {}

    @classmethod
    def problems(cls, html: str) -> list[str]:
        reader = cls()
        reader.feed(html)
        twice = {each for each in reader.ids if reader.ids.count(each) > 1}
        missing = set(reader.wanted) - set(reader.ids)
        reader.wrong += [f"id {each} twice" for each in sorted(twice)]
        reader.wrong += [f"nothing has the id {each}" for each in sorted(missing)]
        if reader.count.get("h1") != 1 or reader.count.get("main") != 1 or reader.count.get("title") != 1:
            reader.wrong.append("one h1, one main, one title")
        return reader.wrong + [f"{each} is never closed" for each in reader.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if len(named) < len(attrs):
            self.wrong.append(f"an attribute of {tag} twice")
        self.count[tag] = self.count.get(tag, 0) + 1
        if named.get("id"):
            self.ids.append(f"{named['id']}")
        for name in ("for", "aria-labelledby", "aria-describedby"):
            self.wanted += f"{named.get(name) or ''}".split()
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.open:
            self.wrong.append(f"{tag} is closed and was never open")
        elif self.open.pop() != tag:
            self.wrong.append(f"{tag} is closed before what stands in it")


# ---------------------------------------------------------------- whose language


@pytest.mark.asyncio
async def test_a_newsletters_pages_speak_its_language_and_unknown_ones_english(house: House) -> None:
    async with house.client() as web:
        arabic = await web.post("/port/subscribe", data={"email": "neu@example.org"})
    assert '<html lang="ar" dir="rtl">' in arabic.text


@pytest.mark.asyncio
async def test_the_readers_own_choice_goes_before_the_newsletters_language(house: House) -> None:
    path = f"/preferences/{house.token('preferences', 'active')}"
    async with house.client() as web:
        await web.post(path, data={"action": "language", "language": "fr"})
        page = await web.get(path)
        leave = await web.get(f"/unsubscribe/{house.token('unsubscribe', 'active')}")
        await web.post(path, data={"action": "language", "language": ""})
        again = await web.get(path)
    assert '<html lang="fr" dir="ltr">' in page.text
    assert "Préférences" in page.text
    assert "Se désabonner" in leave.text
    assert '<html lang="en" dir="ltr">' in again.text


@pytest.mark.asyncio
async def test_messages_speak_as_the_browser_asks(house: House) -> None:
    async with house.client() as web:
        german = await web.get("/nobody/", headers={"accept-language": "nl, de-AT;q=0.8, en;q=0.5"})
        plain = await web.get("/nobody/")
    assert "Hier ist nichts" in german.text
    assert '<html lang="de" dir="ltr">' in german.text
    assert "There is nothing here" in plain.text


OURS = ("ar", "de", "en", "es", "fr", "pt-BR")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ""),
        ("de", "de"),
        ("DE-at, en;q=0.5", "de"),
        ("en;q=0.5, fr;q=0.9", "fr"),
        ("fr;q=0.5, en;q=0.5", "fr"),
        ("fr;q=0, es", "es"),
        ("fr;q=0", ""),
        ("nl, it", ""),
        ("*", ""),
        ("nl, *;q=0.5", ""),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("zh-Hant-TW, ar-EG-x-y;q=0.3", "ar"),
        ("de ; q = 0.8 , fr;q=0.7", "de"),
        ("de;q=2, fr", "fr"),
        ("de;q=abc, fr;q=0.1", "fr"),
        ("de\x00, fr", "fr"),
        ("-, ,,;, de", "de"),
        ("x" * 5000 + ", de", ""),
        ("../../etc/passwd, es", "es"),
        ("a-" * 400, ""),
    ],
)
def test_what_a_browser_asks_for_is_read_leniently(header: str, expected: str) -> None:
    assert preferred(header, OURS) == expected
