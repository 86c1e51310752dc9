"""Templates filled in."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from digest.languages import direction, leaning, local_date, local_time, when
from digest.model import Issue, Newsletter, Publication
from digest.render import (
    LetterText,
    ReaderLinks,
    Renderer,
    RenderError,
    renderer,
    sections,
    shipped,
    told,
)
from digest.typeset import columns
from letter_samples import (
    ALAM,
    ARABIC,
    HOSTILE,
    LINKS,
    LONG,
    MARKED,
    MIXED,
    ONE,
    SAMPLES,
    SITE,
    UPDATED,
    WORLD,
    issue,
    story,
)

word, plural = renderer(None).words.word, renderer(None).words.plural

READER = ReaderLinks(
    unsubscribe=LINKS.unsubscribe(LINKS.token("unsubscribe", 7)),
    preferences=LINKS.preferences(LINKS.token("preferences", 7)),
)
CHROMIUM = Path("/usr/bin/chromium")


def letter(issue: Issue, newsletter: Newsletter, folder: Path | None = None) -> LetterText:
    return renderer(folder).letter(issue, newsletter, SITE, LINKS, reader=READER)


class Elements(HTMLParser):
    """The elements of a document with their attributes, and its visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        self._hidden += tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


def admins(folder: Path, name: str, template: str) -> Path:
    """An admin's folder with one template of their own."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(template, encoding="utf-8")
    return folder


# ---------------------------------------------------------------- the letter in HTML


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_letter_is_one_column_of_600_px_in_presentation_tables(sample: str) -> None:
    html = letter(*SAMPLES[sample]).html
    tables = Elements(html).all("table")
    assert tables
    assert all(table["role"] == "presentation" for table in tables)
    assert sum("max-width:600px" in table.get("style", "").replace(" ", "") for table in tables) == 2
    assert html.count('<!--[if mso]><table role="presentation" width="600"') == 1


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_text_has_its_own_styles_with_line_heights_in_px(sample: str) -> None:
    elements = Elements(letter(*SAMPLES[sample]).html)
    texts = [each for tag in ("h1", "h2", "h3", "p") for each in elements.all(tag)]
    assert len(texts) > 5
    for each in texts:
        assert re.search(r"line-height: ?\d+px", each["style"]), each
        assert re.search(r"font-family: ?[^;]*(serif|sans-serif)", each["style"]), each
        assert re.search(r"color: ?#[0-9a-f]{6}", each["style"]), each


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_letter_has_nothing_that_mail_clients_drop_or_that_follows_the_reader(sample: str) -> None:
    shown, newsletter = SAMPLES[sample]
    html = letter(shown, newsletter).html
    elements = Elements(html)
    names = {tag for tag, _ in elements.found}
    assert not names & {"svg", "script", "link", "form", "iframe", "video", "audio", "object", "base"}
    for forbidden in ("data:", "@import", "@font-face", "var(", "flex", "grid", "url(", "position:"):
        assert forbidden not in html.replace("data-", ""), forbidden
    stories = shown.stories
    ours = {
        READER.unsubscribe,
        READER.preferences,
        LINKS.issue(shown.path),
        LINKS.newsletter(newsletter.slug),
    }
    theirs = {each.url for each in stories} | {also.url for each in stories for also in each.also}
    assert {a["href"] for a in elements.all("a")} == ours | theirs | {LINKS.feed(newsletter.slug, "atom")}
    pictures = elements.all("img")
    assert [each["src"] for each in pictures] == [
        each.image for section in sections(stories) for each in section.stories if each.image
    ]
    for picture in pictures:
        assert int(picture["width"]) > 1
        assert int(picture["height"]) > 1
        assert picture["alt"]


def test_the_wrapper_tells_language_direction_and_what_it_is() -> None:
    for shown, newsletter, way in ((MIXED, WORLD, "ltr"), (ARABIC, ALAM, "rtl")):
        elements = Elements(letter(shown, newsletter).html)
        (wrapper,) = [each for each in elements.all("div") if each.get("role") == "article"]
        assert wrapper["aria-roledescription"] == "email"
        assert wrapper["aria-label"] == shown.subject
        assert (wrapper["lang"], wrapper["dir"]) == (newsletter.language, way)


def test_a_letter_says_everything_about_its_stories() -> None:
    text = Elements(letter(MIXED, WORLD).html).text.replace("\u00a0", " ")
    for said in (
        "World in brief",
        "Sunday, November 22, 2026 · 4 stories · 5 min read",
        "A stolen bell comes home, and night trains return.",
        "Local",
        "Little Gwen returns",
        "“Sorry for the delay,” said a note in capital letters.",
        "City desk · Winifred Sato · Nov 22, 7:09 AM",  # Berlin's clock
        "Also in Northern Wire, ",
        "صحيفة الميناء",
        "Update",
        "This letter comes to you because your address is subscribed to World in brief.",
        "Unsubscribe",
        "Preferences",
        "View in browser",
        "Feed",
        "The Morning Post",
        "1 Example Street, 10115 Berlin, Germany",
    ):
        assert said in text, said


def test_the_preheader_tells_what_else_is_in_the_letter_and_is_not_seen() -> None:
    html = letter(MIXED, WORLD).html
    hidden = re.search(r'<div style="display:none[^>]*>([^<]*)', html)
    assert hidden is not None
    assert hidden[1].startswith("Also in this letter: Die alte Eisenbahnbrücke")
    alone = re.search(r'<div style="display:none[^>]*>([^<]*)', letter(ONE, WORLD).html)
    assert alone is not None
    assert alone[1].startswith("The council voted nine to two")


BEFORE = "https://news.example.org/world/2026-11-20/"


def test_an_update_says_so_and_leads_to_where_it_was_told() -> None:
    made = letter(MARKED, WORLD)
    elements = Elements(made.html)
    assert [each["href"] for each in elements.all("a")].count(BEFORE) == 1
    assert elements.text.count("Update") == 2
    assert elements.text.count("Update · last told on November 20") == 1  # the other one has no place to show
    assert "Update: Die alte Eisenbahnbrücke" in made.text.replace("\n", " ")
    assert re.search(r"last told on November 20 \[\d\]", made.text)
    assert f"] {BEFORE}" in made.text


def test_a_summary_of_a_model_is_named_as_one() -> None:
    made = letter(MARKED, WORLD)
    said = "Summary written by a language model (small-<b>model)"
    assert Elements(made.html).text.count(said) == 1
    assert made.text.count(said) == 1
    assert "language model" not in letter(MIXED, WORLD).html


@pytest.mark.parametrize(
    ("language", "told_before", "written"),
    [
        ("en", "last told on November 20", "Summary written by a language model (small-<b>model)"),
        ("de", "zuletzt gemeldet am 20. November", "Zusammenfassung von einem Sprachmodell geschrieben"),
        ("fr", "déjà raconté le 20 novembre", "Résumé écrit par un modèle de langage"),
        ("es", "contado por última vez el 20 de noviembre", "Resumen escrito por un modelo de lenguaje"),
        ("ar", "ورد آخر مرة في 20 نوفمبر", "كتب هذا الملخص نموذج لغوي"),
    ],
)
def test_marks_are_in_the_language_of_the_letter_and_on_pages_in_that_of_the_story(
    language: str, told_before: str, written: str
) -> None:
    newsletter = replace(WORLD, language=language)
    found = issue(newsletter, replace(UPDATED, language=language))
    made = letter(found, newsletter)
    context = {"issue": found, "newsletter": newsletter, "links": LINKS}
    page = renderer().page(
        "issue.html",
        language=language,
        data="",
        static=False,
        is_long=False,
        **context,
        site=SITE,
        publication=Publication(newsletter=newsletter),
        stylesheet="/site.css",
        icon="/icon.svg",
        local=str,
        web_url=str,
        image_url=str,
        older=None,
        newer=None,
        email="",
        problem="",
    )
    for text in (made.html, page, renderer().page("feed_issue.html", **context)):
        shown = Elements(text)
        assert told_before in shown.text
        assert written in shown.text
        assert BEFORE in [each["href"] for each in shown.all("a")]
    assert told_before in made.text


def test_a_long_word_in_a_headline_is_broken_and_not_the_page() -> None:
    assert "overflow-wrap: anywhere" in letter(LONG, WORLD).html


def test_dark_mode_has_a_style_block_of_its_own() -> None:
    blocks = re.findall(r"<style>(.*?)</style>", letter(MIXED, WORLD).html, re.DOTALL)
    assert len(blocks) == 2
    assert "prefers-color-scheme" not in blocks[0]
    assert "@media (max-width: 480px)" in blocks[0]
    assert blocks[1].count("@media") == 1
    assert "@media (prefers-color-scheme: dark)" in blocks[1]
    assert "[data-ogsc] .ink" in blocks[1]
    assert "[data-ogsb] .paper" in blocks[1]


def test_a_story_in_another_language_is_named_and_runs_its_own_way() -> None:
    html = letter(MIXED, WORLD).html
    assert '<div lang="de">' in html
    arabic = html[re.search(r'<div (dir="rtl" lang="ar"|lang="ar" dir="rtl")>', html).end() :]  # type: ignore[union-attr]
    assert "text-align: right" in arabic[: arabic.index("</h3>")]
    assert 'align="left"' in arabic[: arabic.index("</p>")]  # the picture stands at the line's end
    assert '<span dir="rtl">صحيفة الميناء</span>\u200e' in html


def test_a_right_to_left_newsletter_is_mirrored() -> None:
    html = letter(ARABIC, ALAM).html
    assert "text-align: left" not in html
    assert "text-align: right" in html
    assert html.startswith('<!DOCTYPE html><html lang="ar" dir="rtl"')
    assert "الأحد، 22 نوفمبر 2026" in html
    assert "12 خبرًا" in html.replace("\u00a0", " ").replace("&nbsp;", " ")
    assert '<span dir="ltr">1 Example Street, 10115 Berlin, Germany</span>' in html


def test_a_letter_of_one_story_has_no_sections_and_no_empty_lines() -> None:
    elements = Elements(letter(ONE, WORLD).html)
    assert "1 story ·" in elements.text.replace("\u00a0", " ")
    assert len(elements.all("h2")) == 1
    assert not elements.all("h3")
    assert not elements.all("img")


@pytest.mark.parametrize("sample", ["long", "arabic"])
def test_twelve_stories_stay_far_below_what_gmail_clips(sample: str) -> None:
    assert len(letter(*SAMPLES[sample]).html.encode()) < 60_000


def test_no_link_of_the_readers_own_no_word_of_it() -> None:
    shown = renderer(None).letter(MIXED, WORLD, SITE, LINKS, reader=ReaderLinks())
    assert "Unsubscribe" not in shown.html + shown.text
    assert "Preferences" not in shown.html + shown.text
    assert "View in browser" in shown.text


# ---------------------------------------------------------------- the letter in text


@pytest.mark.parametrize("sample", [*SAMPLES, "hostile"])
def test_the_text_keeps_to_72_columns_but_for_links(sample: str) -> None:
    shown, newsletter = SAMPLES.get(sample, (HOSTILE, WORLD))
    text = letter(shown, newsletter).text
    for line in text.splitlines():
        assert columns(line) <= 72 or "https://" in line, line
    assert "\n\n\n" not in text
    assert text.endswith("\n")


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_text_tells_the_same_stories_in_the_same_order_as_the_html(sample: str) -> None:
    shown, newsletter = SAMPLES[sample]
    made = letter(shown, newsletter)
    flat, seen = " ".join(made.text.split()), Elements(made.html).text
    seen = " ".join(seen[seen.index(newsletter.title) :].split())
    stories = [each for section in sections(shown.stories) for each in section.stories]
    for where in (flat, seen):
        place = 0
        for each in stories:
            place = where.index(told(each), where.index(each.title, place))


def test_links_are_numbered_in_order_and_listed_once() -> None:
    text = letter(MIXED, WORLD).text
    listed = re.findall(r"^\[(\d+)\] (\S+)$", text, re.MULTILINE)
    assert [number for number, _ in listed] == ["1", "2", "3", "4", "5", "6"]
    assert [url for _, url in listed][:3] == [
        "https://wire.example.net/2026/11/22/1?a=1&b=2",
        "https://northern.example/bell",
        "https://mina.example/bell",
    ]
    body = text[: text.index("\nLinks\n")]
    assert re.findall(r"\[(\d+)\]", body) == [number for number, _ in listed]
    assert f"Unsubscribe: {READER.unsubscribe}\n" in text
    assert f"Preferences: {READER.preferences}\n" in text


# ---------------------------------------------------------------- what feeds say is text


def test_markup_templates_and_bad_links_of_a_feed_come_out_as_text() -> None:
    made = letter(HOSTILE, WORLD)
    elements = Elements(made.html)
    assert "{{ 7 * 7 }} {% raw %}" in made.html
    assert "{{ 7 * 7 }} {% raw %}" in made.text
    assert "<script>alert(1)</script>" in elements.text
    assert "<script>alert(1)</script>" in made.text
    assert "{{ issue }} <b>intro</b>" in elements.text
    names = {tag for tag, _ in elements.found}
    assert not names & {"script", "img", "b", "i"}
    assert len(elements.all("h1")) == 1
    assert "javascript:" not in made.text
    assert "vbscript:" not in made.html + made.text
    assert {a["href"].split(":")[0] for a in elements.all("a")} == {"https"}
    assert "https://ok.example/%22%3E%3Cb%3E" in {a["href"] for a in elements.all("a")}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u202e]", made.html + made.text)


def test_a_line_break_in_a_title_does_not_make_a_line_of_the_text() -> None:
    shown = issue(WORLD, story(1, "A title\r\n\r\nUnsubscribe: https://evil.example", "Words."))
    text = letter(shown, WORLD).text
    assert "A title Unsubscribe: https://evil.example [1]\n" in text


# ---------------------------------------------------------------- the admin's templates


def test_an_admin_may_change_one_block_and_keep_the_rest(tmp_path: Path) -> None:
    folder = admins(
        tmp_path,
        "letters/issue.html",
        '{% set subject = issue.subject %}{% extends "letters/layout.html" %}'
        '{% block content %}<tr><td class="ink">{{ issue.intro }}</td></tr>{% endblock %}',
    )
    made = letter(MIXED, WORLD, folder)
    assert 'color: #23211e;">A stolen bell comes home' in made.html  # with the shipped styles
    assert "Little Gwen" not in made.html.split("</head>")[1].split('<div style="display:none')[1]
    assert "Little Gwen" in made.text  # the shipped one


@pytest.mark.parametrize(
    ("template", "place", "reason"),
    [
        ("<p>\n\n{{ nothing }}", "issue.html:3", "'nothing' is undefined"),
        ("<p>\n{{ issue.nothing }}", "issue.html:2", "nothing"),
        ("<p>\n{% if %}", "issue.html:2", "Expected an expression"),
        ("\n{{ issue.title + 1 }}", "issue.html:2", "TypeError"),
        ("\n\n\n{{ issue.date|plural('stories', 'en') }}", "issue.html:4", ""),
        ("{{ word('en', 'no_such_word') }}", "issue.html:1", "no_such_word"),
        ("{{ ''.__class__.__mro__ }}", "issue.html:1", "unsafe"),
        ("{{ issue.stories.__class__.__init__.__globals__ }}", "issue.html:1", "unsafe"),
        ("\n{% include 'gone.html' %}", "issue.html:2", "gone.html"),
        ("\n{{ range(10**9)|list }}", "issue.html:2", "OverflowError"),
    ],
)
def test_an_error_in_an_admins_template_names_file_and_line(
    tmp_path: Path, template: str, place: str, reason: str
) -> None:
    folder = admins(tmp_path, "letters/issue.html", template)
    with pytest.raises(RenderError) as caught:
        letter(MIXED, WORLD, folder)
    assert str(folder / "letters" / place) in str(caught.value)
    assert reason in str(caught.value)


def test_an_error_in_an_included_template_names_that_one(tmp_path: Path) -> None:
    folder = admins(tmp_path, "letters/issue.html", "{% include 'letters/part.html' %}")
    admins(folder, "letters/part.html", "\n{{ gone }}")
    with pytest.raises(RenderError, match=r"part\.html:2: 'gone' is undefined"):
        letter(MIXED, WORLD, folder)


def test_an_unknown_page_and_an_unknown_notice_are_said_plainly() -> None:
    with pytest.raises(RenderError, match=r"pages/nowhere\.html"):
        renderer(None).page("nowhere.html")
    with pytest.raises(RenderError, match="'tango'"):
        renderer(None).notice("tango", "en", site=SITE)


def test_pages_and_xml_are_escaped_and_text_is_not(tmp_path: Path) -> None:
    for name in ("a.html", "a.xml", "a.svg", "a.txt", "a.css"):
        admins(tmp_path, f"pages/{name}", "{{ words }}")
    filled = {name: Renderer(tmp_path).page(f"a.{name}", words="<b>&\x00") for name in ("html", "xml", "svg")}
    assert set(filled.values()) == {"&lt;b&gt;&amp;"}
    assert Renderer(tmp_path).page("a.txt", words="<b>&\x00") == "<b>&"


def test_styles_are_never_fetched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/a.css"
        folder = admins(
            tmp_path, "letters/issue.html", f'<html><head><link rel="stylesheet" href="{url}"></head></html>'
        )
        letter(MIXED, WORLD, folder)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_renderer_is_made_once_a_folder(tmp_path: Path) -> None:
    assert renderer(tmp_path) is renderer(tmp_path)
    assert renderer(tmp_path) is not renderer(None)


def test_the_same_issue_is_the_same_letter() -> None:
    fresh = Renderer(None).letter(MIXED, WORLD, SITE, LINKS, reader=READER)
    assert fresh == letter(MIXED, WORLD)


def test_an_installed_package_finds_its_templates_within_itself(tmp_path: Path) -> None:
    package = tmp_path / "digest"
    package.mkdir()
    for name in (
        "__init__",
        "keyed",
        "languages",
        "links",
        "model",
        "render",
        "translations",
        "typeset",
        "wording",
    ):
        shutil.copy(shipped().parent / "digest" / f"{name}.py", package)
    shutil.copytree(shipped(), package / "templates")
    program = "from digest.render import shipped; print(shipped())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == package / "templates"


# ---------------------------------------------------------------- notices


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ar", "pt"])
@pytest.mark.parametrize("kind", ["confirm", "goodbye", "test"])
def test_a_notice_says_what_it_is_about_in_its_language(kind: str, language: str) -> None:
    url = "https://news.example.org/confirm/abc"
    made = renderer(None).notice(kind, language, site=SITE, newsletter="World <in> brief", url=url)
    assert made.subject == word(language, f"{kind}_subject", newsletter="World <in> brief", site=SITE.title)
    elements = Elements(made.html)
    assert url in {a["href"] for a in elements.all("a")}
    assert f"\n{url}\n" in made.text
    for key in ("title", "action", "note"):
        assert word(language, f"{kind}_{key}") in elements.text
        assert word(language, f"{kind}_{key}").split()[0] in made.text
    for shown in (elements.text, made.text):
        assert SITE.postal_address in shown
    assert "unsubscribe" not in made.html.lower()
    assert (wrapper := elements.all("html")[0])["lang"] == language
    assert wrapper["dir"] == ("rtl" if language == "ar" else "ltr")
    assert all(columns(line) <= 72 for line in made.text.splitlines())


@pytest.mark.parametrize("kind", ["manage", "address"])
def test_a_letter_about_ones_own_data_has_one_link(kind: str) -> None:
    url = "https://news.example.org/preferences/manage/abc"
    made = renderer(None).notice(kind, "en", site=SITE, newsletter="World <in> brief", url=url)
    assert [a["href"] for a in Elements(made.html).all("a")] == [url]
    assert f"\n{url}\n" in made.text
    assert all(columns(line) <= 72 for line in made.text.splitlines())


def test_a_letter_to_the_old_address_has_no_link_that_could_be_forwarded() -> None:
    made = renderer(None).notice("moved", "en", site=SITE, newsletter="World", url="")
    assert Elements(made.html).all("a") == []
    assert "new address" in made.text


@pytest.mark.parametrize("lines", [(), ("The bridge <is> closed", "صحيفة المرفأ اليوم")])
def test_a_welcome_tells_the_latest_issue_and_how_to_leave(lines: tuple[str, ...]) -> None:
    made = renderer(None).notice(
        "welcome",
        "en",
        site=SITE,
        newsletter="World",
        tongue="en",
        url="https://news.example.org/world/2026-11-22/",
        lines=lines,
        preferences="https://news.example.org/preferences/p",
        unsubscribe="https://news.example.org/unsubscribe/u",
    )
    assert [a["href"] for a in Elements(made.html).all("a")] == [
        "https://news.example.org/world/2026-11-22/",
        "https://news.example.org/preferences/p",
        "https://news.example.org/unsubscribe/u",
    ]
    assert ("This is what the latest issue tells" in made.text) is bool(lines)
    assert "<is>" not in made.html
    for text in lines:
        assert text in made.text


def test_a_report_lists_its_lines() -> None:
    made = renderer(None).notice("report", "en", site=SITE, title="2 feeds <fail>", lines=["a & b", "c"])
    assert made.subject == "The Morning Post: 2 feeds <fail>"
    assert "a &amp; b" in made.html
    assert "2 feeds <fail>" in Elements(made.html).text
    assert "\na & b\n\nc\n" in made.text
    assert "<a " not in made.html


def test_a_test_letter_without_an_issue_has_no_button() -> None:
    assert "<a " not in renderer(None).notice("test", "en", site=SITE).html


# ---------------------------------------------------------------- subjects


def test_the_subject_is_one_line_of_at_most_70_characters_cut_at_a_word() -> None:
    lead = story(
        1, "The council voted nine\r\nto two on Friday to replace the\x00 diesel cranes on the east quay"
    )
    subject = renderer(None).subject("{{ lead.title }}", lead=lead)
    assert subject == "The council voted nine to two on Friday to replace the diesel cranes…"
    assert len(subject) <= 70


def test_a_title_in_a_subject_is_neither_escaped_nor_filled_in() -> None:
    subject = renderer(None).subject("{{ lead.title }} & more", lead=story(1, "{{ 7*7 }} <b> ‘x’"))
    assert subject == "{{ 7*7 }} <b> ‘x’ & more"


def test_a_subject_may_hold_a_date_and_a_count() -> None:
    template = (
        "{{ date|date(newsletter.language, style='day') }}: {{ stories|length|plural('stories', 'en') }}"
    )
    made = renderer(None).subject(template, date=date(2026, 11, 22), newsletter=WORLD, stories=MIXED.stories)
    assert made == "Nov\u00a022: 4 stories" or made == "Nov 22: 4 stories"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ lead.tittle }}", "subject:1: .*tittle"),
        ("{{ lead", "subject:1: "),
        ("{{ lead.__class__ }}", "subject:1: .*unsafe"),
    ],
)
def test_a_bad_subject_template_is_said_plainly(template: str, message: str) -> None:
    with pytest.raises(RenderError, match=message):
        renderer(None).subject(template, lead=story(1, "x"))


# ---------------------------------------------------------------- languages


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "ltr"),
        ("de-AT", "ltr"),
        ("ar", "rtl"),
        ("ar-EG", "rtl"),
        ("he", "rtl"),
        ("fa_IR", "rtl"),
        ("ur", "rtl"),
        ("ps", "rtl"),
        ("dv", "rtl"),
        ("yi", "rtl"),
        ("ku-Arab", "rtl"),
        ("az-Arab-IR", "rtl"),
        ("uz-Latn", "ltr"),
        ("ar-Latn", "ltr"),
        ("zh-Hant-TW", "ltr"),
        ("", "ltr"),
        ("xx-nonsense", "ltr"),
        ("../../etc", "ltr"),
    ],
)
def test_languages_run_as_cldr_says(language: str, expected: str) -> None:
    assert direction(language) == expected


def test_a_name_runs_as_its_first_letter_does() -> None:
    assert leaning("123 صحيفة", "en") == "rtl"
    assert leaning("1 Example Street", "ar") == "ltr"
    assert leaning("— 42", "ar") == "rtl"


def test_numbers_take_the_form_of_the_language() -> None:
    assert [plural(number, "stories", "en") for number in (0, 1, 2)] == ["0 stories", "1 story", "2 stories"]
    assert [plural(number, "stories", "fr") for number in (0, 1, 2)] == [
        "0 article",
        "1 article",
        "2 articles",
    ]
    assert [plural(number, "stories", "ar") for number in (0, 1, 2, 3, 11, 100)] == [
        "لا أخبار",
        "خبر واحد",
        "خبران",
        "3 أخبار",
        "11 خبرًا",
        "100 خبر",
    ]
    assert plural(1, "stories", "ja") == "1 story"  # English words follow English rules


def test_dates_are_in_the_language_and_the_zone() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert local_date(late, "de", "Europe/Berlin") == "Montag, 23. November 2026"
    assert local_date(late, "en-GB", "UTC", "long") == "22 November 2026"
    assert local_date(date(2026, 11, 22), "es") == "domingo, 22 de noviembre de 2026"
    assert local_date(late, "de", "Europe/Berlin", "day") == "23. Nov."
    assert local_time(late, "de", "Europe/Berlin") == "00:30"
    assert when(late, "en", "UTC").replace("\u00a0", " ") == "Nov 22, 11:30 PM"
    assert " " not in when(late, "fr", "UTC")  # it is never broken over two lines


def test_sections_come_in_the_order_of_their_first_story() -> None:
    found = sections(
        (replace(LONG.stories[0], section="B"), LONG.stories[5], replace(LONG.stories[1], section="B"))
    )
    assert [(section.title, len(section.stories)) for section in found] == [("B", 2), ("World", 1)]


def test_chinese_sentences_are_joined_without_a_space() -> None:
    assert told(story(1, "x", "第一。", "第二。", language="zh-Hans")) == "第一。第二。"
    assert told(story(1, "x", "One.", "Two.")) == "One. Two."


# ---------------------------------------------------------------- in a browser


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed")
def test_no_letter_is_wider_than_a_phone(tmp_path: Path) -> None:
    for name, (shown, newsletter) in SAMPLES.items():
        html = re.sub(r"https://img\.[^\"]*", "", letter(shown, newsletter).html)
        (tmp_path / f"{name}.html").write_text(html, encoding="utf-8")
    frames = "".join(f'<iframe id="{name}" src="{name}.html" width="360"></iframe>' for name in SAMPLES)
    measure = (
        "onload = () => { document.body.textContent = [...document.querySelectorAll('iframe')]"
        ".map(frame => frame.id + '=' + frame.contentDocument.documentElement.scrollWidth).join(' ') }"
    )
    (tmp_path / "all.html").write_text(
        f"<style>iframe {{ border: 0 }}</style><body>{frames}<script>{measure}</script>", encoding="utf-8"
    )
    done = subprocess.run(
        [
            CHROMIUM,
            *("--headless", "--no-sandbox", "--disable-quic", "--disable-background-networking"),
            *("--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars"),
            *("--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"),
            f"file://{tmp_path / 'all.html'}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    widths = dict(re.findall(r"(\w+)=(\d+)", done.stdout))
    assert widths == dict.fromkeys(SAMPLES, "360")


def test_pages_are_compiled_before_they_are_asked_for_and_a_broken_one_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "home.html").write_text("{% if %}")
    (tmp_path / "pages" / "search.html").write_bytes(b"\xff")
    ready = Renderer(tmp_path)
    ready.make_ready()
    compiled = {template.name for template in ready._environment.cache.values()}
    assert {"pages/layout.html", "pages/preferences.html", "pages/issue.html"} <= compiled
    with pytest.raises(RenderError, match="home"):
        ready.page("home.html")
