"""The bytes of pages as text, whatever is said of them."""

from __future__ import annotations

import pytest

from digest.summarizer.charset import decoded

SAID = {
    "ru": "Мост через гавань закрыли в пятницу после того, как инженеры нашли трещину. ",
    "pl": "Most nad zatoką zamknięto w piątek po tym, jak inżynierowie znaleźli pęknięcie. ",
    "ja": "港の橋は金曜日に閉鎖されました。技術者が亀裂を発見したためです。",
    "zh": "港口大桥周五关闭，因为工程师发现了裂缝。",
    "ko": "항구 다리는 금요일에 폐쇄되었다. 기술자들이 균열을 발견했다.",
    "de": "Die Brücke wurde für Schiffe geschlossen, sagte der Bürgermeister, das sei „schön“. ",
}


def page(language: str, codec: str, declared: str) -> bytes:
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if declared else ""
    return f'<html lang="{language}"><head>{meta}</head><p>{SAID[language] * 20}</p>'.encode(codec)


@pytest.mark.parametrize("where", ["header", "page", "both, and the header lies"])
@pytest.mark.parametrize(
    ("language", "codec", "name"),
    [
        ("ru", "cp1251", "windows-1251"),
        ("ru", "koi8-r", "KOI8-R"),
        ("pl", "cp1250", "windows-1250"),
        ("pl", "iso8859-2", "iso-8859-2"),
        ("ja", "cp932", "Shift_JIS"),
        ("ja", "euc_jp", "x-euc-jp"),
        ("ja", "iso2022_jp", "iso-2022-jp"),
        ("zh", "gb18030", "gb2312"),
        ("ko", "cp949", "euc-kr"),
        ("de", "cp1252", "iso-8859-1"),
        ("de", "utf-8", "utf-8"),
    ],
)
def test_what_is_declared_is_believed(language: str, codec: str, name: str, where: str) -> None:
    body = page(language, codec, "" if where == "header" else name)
    header = {"header": f"text/html;charset={name}", "page": "text/html"}.get(
        where, "text/html; charset=utf-8"
    )
    assert SAID[language] * 20 in decoded(body, header)


@pytest.mark.parametrize(
    ("language", "codec"),
    [
        ("ru", "cp1251"), ("ru", "koi8-r"), ("pl", "cp1250"), ("ja", "cp932"), ("ja", "euc_jp"),
        ("zh", "gb18030"), ("ko", "cp949"), ("de", "cp1252"), ("de", "utf-8-sig"), ("ru", "utf-16"),
        ("ru", "utf-16-le"), ("zh", "utf-16-be"),
    ],
)  # fmt: skip
def test_what_nobody_declares_is_found_out(language: str, codec: str) -> None:
    assert SAID[language] * 20 in decoded(page(language, codec, ""))


@pytest.mark.parametrize(
    ("language", "codec", "name"), [("zh", "gb18030", "gbk"), ("ja", "cp932", "sjis"), ("ru", "utf-8", "")]
)
def test_a_character_cut_in_two_spoils_nothing_else(language: str, codec: str, name: str) -> None:
    whole = page(language, codec, name).removesuffix(b"</p>").removesuffix(b" ")
    last = SAID[language].strip()[-1]
    assert decoded(whole[:-1]).rstrip("\ufffd").endswith((SAID[language] * 20).strip().removesuffix(last))


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1251", "gb2312"])
def test_characters_of_utf_8_that_are_all_in_place_are_no_chance(declared: str) -> None:
    text = "Für die Züge über die Brücke: größere Räder, schönere Türen, süßere Brötchen, bäuerliche Gäste."
    body = f'<meta charset="{declared}"><p>{text}</p>'.encode()
    assert text in decoded(body)
    assert text in decoded(body[:-2], f"text/html; charset={declared}")


def test_one_bad_byte_makes_no_other_encoding() -> None:
    body = page("ru", "utf-8", "utf-8").replace(b"</p>", b"\xe4</p>")
    assert SAID["ru"] * 20 in decoded(body)


@pytest.mark.parametrize(
    "name", ["undefined", "punycode", "base64", "idna", "unicode_escape", "utf-7", "utf-16", "x" * 900]
)  # fmt: skip
def test_a_strange_name_of_an_encoding_does_no_harm(name: str) -> None:
    assert "Br\u00fccke" in decoded(page("de", "cp1252", name))


@pytest.mark.parametrize("body", [b"", b"\xff", b"\xff\xfe", b"\xff\xfe\x00", bytes(range(256)) * 1000])
def test_any_bytes_become_some_text(body: bytes) -> None:
    assert isinstance(decoded(body, "text/html; charset=" + "x" * 500), str)
