"""The language of a text: declared, unless the text plainly is another."""

from __future__ import annotations

import pytest

from digest.summarizer.language import detect, language_of, normalized

ENGLISH = (
    "The council closed the old harbour bridge on Friday because of a crack that engineers had found in it."
)
GERMAN = (
    "Die Stadt hat die alte Hafenbrücke am Freitag gesperrt, weil Ingenieure einen Riss darin gefunden haben."
)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("en-GB", "en"), ("PT_br", "pt"), (" de ", "de"), ("", ""), ("?", ""), ("iw-IL", "he")],
)
def test_a_tag_is_its_language(tag: str, expected: str) -> None:
    assert normalized(tag) == expected


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        (ENGLISH, "en-US", "en"),
        (ENGLISH, "", "en"),
        (GERMAN, "", "de"),
        (GERMAN, "en", "de"),  # a feed may say what it likes
        ("Hallo Welt", "en", "en"),  # too short to know better
        ("市长昨天宣布关闭大桥，居民表示理解。", "en", "zh"),
        ("橋は昨日閉鎖されました。市長は仕方がないと述べた。", "zh", "ja"),
        ("다리는 어제 폐쇄되었다. 시장은 어쩔 수 없다고 말했다.", "", "ko"),
        ("أُغلق جسر الميناء فجر الجمعة بعد اكتشاف شرخ في محوره، وتتوقع المدينة أن يبقى مغلقاً.", "en", "ar"),
        ("😀 123 — !", "fr", "fr"),
        ("😀 123 — !", "", "und"),
        ("", "", "und"),
        ("for i in range(10): print(i);\n" * 20, "en", "en"),
    ],
)  # fmt: skip
def test_the_language_of_a_text(text: str, declared: str, expected: str) -> None:
    assert detect(text, declared) == expected


@pytest.mark.parametrize(
    ("title", "text", "declared", "expected"),
    [
        ("The best of the week for everybody", GERMAN, "", "de"),
        ("The best of the week for everybody", GERMAN, "en", "de"),
        ("Best of", GERMAN, "de", "de"),
        ("Hallo Welt", "", "de", "de"),
        ("Das Beste der Woche", ENGLISH, "de", "en"),
        ("市长昨天宣布关闭大桥", "", "", "zh"),
        ("Bridge shut", "جسر", "en", "en"),
    ],
)
def test_a_title_in_another_language_does_not_decide(
    title: str, text: str, declared: str, expected: str
) -> None:
    assert language_of(title, text, declared) == expected
