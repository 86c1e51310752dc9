"""Which text the bytes of a feed are: what is declared, what is not, and what is declared wrongly."""

from __future__ import annotations

import time

import pytest

from digest.feeds.decoding import to_text
from digest.feeds.guessing import guess, is_mostly_utf8
from digest.model import FeedError

# A sentence or two, as they stand in feeds; every codec that was ever in use for its language.
SAMPLES = {
    "Russian": (
        "Сегодня утром в столице прошла пресс-конференция, на которой министр рассказал о планах.",
        ["cp1251", "koi8-r", "iso8859-5", "cp866"],
    ),
    "Ukrainian": ("Мешканці міста сподіваються, що ремонт доріг завершиться до осені.", ["cp1251", "koi8-u"]),
    "Bulgarian": ("Гражданите се надяват ремонтът на пътищата да завърши до есента.", ["cp1251"]),
    "Greek": ("Οι κάτοικοι ελπίζουν ότι τα έργα θα τελειώσουν το φθινόπωρο.", ["cp1253", "iso8859-7"]),
    "Hebrew": ("תושבי העיר מקווים שעבודות הכביש יסתיימו לפני החורף.", ["cp1255", "iso8859-8"]),
    "Arabic": ("ويأمل سكان المدينة أن تنتهي أعمال الطرق قبل الشتاء.", ["cp1256", "iso8859-6"]),
    "Thai": ("ประชาชนหวังว่างานถนนจะเสร็จก่อนฤดูหนาว", ["cp874"]),
    "Chinese": ("今天上午在首都举行了一次大型会议，部长介绍了政府的计划。", ["gb2312", "gb18030"]),
    "Taiwanese": ("今天上午在首都舉行了一次大型會議，部長介紹了政府的計畫。", ["big5"]),
    "Japanese": (
        "今朝、首都で大きな会議が開かれ、大臣が政府の計画について話しました。",
        ["shift_jis", "euc_jp"],
    ),
    "Korean": ("시민들은 도로 공사가 겨울 전에 끝나기를 바라고 있다.", ["euc_kr"]),
    "Polish": (
        "Mieszkańcy mają nadzieję, że remont dróg zakończy się przed końcem jesieni. Więcej w artykule.",
        ["cp1250", "iso8859-2"],
    ),
    "Czech": (
        "Obyvatelé doufají, že oprava silnic skončí před koncem podzimu. Více podrobností najdete v článku.",
        ["cp1250", "iso8859-2"],
    ),
    "Hungarian": (
        "A lakók remélik, hogy az útfelújítás az ősz vége előtt befejeződik. További részletek a cikkben.",
        ["cp1250", "iso8859-2"],
    ),
    "Turkish": ("Şehir sakinleri yol çalışmalarının sonbahar bitmeden tamamlanacağını umuyor.", ["cp1254"]),
    "German": ("Die Bürger hoffen, dass die Straßenarbeiten früher abgeschlossen werden können.", ["cp1252"]),
    "French": ("Les habitants espèrent que les travaux seront terminés avant l’été, où ça ?", ["cp1252"]),
    "Spanish": ("Los vecinos esperan que las obras terminen este año. ¿Qué pasará después?", ["cp1252"]),
    "Portuguese": ("Não há informações sobre a conclusão; são questões e opções.", ["cp1252"]),
    "Swedish": (
        "Invånarna hoppas att vägarbetet blir klart före höstens slut, både små och stora.",
        ["cp1252"],
    ),
}
CASES = [(name, codec) for name, (_, codecs) in SAMPLES.items() for codec in codecs]


def feed(text: str, declaration: str) -> str:
    item = f"<item><title>{text[:40]}</title><link>http://s.example/1</link><description>{text}</description></item>"
    return f'<?xml version="1.0"{declaration}?><rss version="2.0"><channel>{item}</channel></rss>'


@pytest.mark.parametrize(("name", "codec"), CASES)
@pytest.mark.parametrize("declaration", ["", ' encoding="utf-8"'])
def test_what_is_not_declared_or_declared_wrongly_is_guessed(name: str, codec: str, declaration: str) -> None:
    text = feed(SAMPLES[name][0], declaration)
    assert to_text(text.encode(codec), "text/xml") == text
    assert to_text(text.encode(codec), "application/rss+xml; charset=UTF-8") == text


@pytest.mark.parametrize(("name", "codec"), CASES)
def test_what_is_declared_truly_is_believed(name: str, codec: str) -> None:
    text = feed(SAMPLES[name][0], f' encoding="{codec}"')
    assert to_text(text.encode(codec), "text/xml") == text


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_utf_8_is_never_guessed(name: str) -> None:
    text = feed(SAMPLES[name][0], "")
    assert to_text(text.encode(), "text/xml; charset=windows-1251") == text


def test_a_few_bytes_of_windows_1252_do_not_spoil_a_document_in_utf_8() -> None:
    body = feed("Привет, мир: “Größe” и café", "").encode()
    spoiled = body.replace(b"</channel>", b"It\x92s \x80 5 \x96 na\xefve</channel>")
    assert to_text(spoiled, "") == body.decode().replace("</channel>", "It’s € 5 – naïve</channel>")


@pytest.mark.parametrize(
    "text", ["It’s “quoted” – a naïve café…", "one é only", "Ann’s", "50 €", "Müller’s rôle", "São José"]
)
def test_an_english_text_with_a_few_odd_bytes_is_windows_1252(text: str) -> None:
    whole = feed("The quick brown fox jumps over the lazy dog again. " + text, "")
    assert to_text(whole.encode("cp1252"), "") == whole


def test_half_a_document_is_still_text() -> None:
    body = feed("Größe", "").encode()
    assert to_text(body[: body.index(b"\xb6")], "").endswith("Gr")


def test_mostly_means_more_characters_than_odd_bytes() -> None:
    assert is_mostly_utf8("é".encode() + b"\xe9")
    assert not is_mostly_utf8("é".encode() + b"\xe9\xe8")
    assert not is_mostly_utf8("Привет".encode("cp1251"))


def test_bytes_without_any_sense_are_taken_for_something_and_take_no_time() -> None:
    body = b"<rss>" + bytes(range(128, 256)) * 80_000
    start = time.process_time()
    assert to_text(body, "").startswith("<rss>")
    assert guess(body)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("body", "what"), [(b"\x89PNG\r\n\x1a\n", "PNG"), (b"%PDF-1.7", "PDF"), (b"\x01\x02\x03" * 50, "binary")]
)
def test_what_is_no_text_is_named(body: bytes, what: str) -> None:
    with pytest.raises(FeedError, match=what):
        to_text(body, "")
