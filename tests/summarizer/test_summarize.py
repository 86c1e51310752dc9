"""A summary: whole sentences of the article, each with its place, and none that is a scrap."""

from __future__ import annotations

import pytest

from digest.summarizer.quotes import is_torn
from digest.summarizer.scraps import is_scrap, leans
from digest.summarizer.summarize import MAX_CHARS, summarize

TEXT = """By Orla Tennant
Published: 20 November 2026, 07:30
The Harbour Bridge was closed to all traffic early on Friday after engineers found a crack in its bearing.
However, nobody was hurt. He said so at once. “We were lucky.
We will stay lucky,” the mayor told the council.
The city expects the bridge to stay shut for three weeks while a new bearing is cast in the north.
Photo: Creek Wardens
A free shuttle boat for people and bicycles leaves Customs Quay every quarter of an hour until midnight.
Why does it matter? Sign up for our newsletter.
The bridge of 1931 carries 20,000 vehicles a day and opens for every ship bound for the upper docks."""
TITLE = "Harbour Bridge closed for three weeks after crack is found"


def told(text: str, **options: object) -> list[str]:
    return [sentence.text for sentence in summarize(text, language="en", **options)]  # type: ignore[arg-type]


def test_a_summary_says_what_the_article_is_about() -> None:
    found = told(TEXT, title=TITLE)
    assert found[0].startswith("The Harbour Bridge was closed to all traffic")
    assert (
        "The city expects the bridge to stay shut for three weeks while a new bearing is cast in the north."
        in found
    )
    assert 2 <= len(found) <= 3


def test_every_sentence_stands_at_its_place_in_the_text() -> None:
    found = summarize(TEXT, title=TITLE, language="en")
    assert [TEXT[each.start : each.end] for each in found] == [each.text for each in found]
    assert [each.start for each in found] == sorted(each.start for each in found)


def test_scraps_are_never_told() -> None:
    everything = " ".join(told(TEXT, title=TITLE, max_sentences=20, max_chars=5_000))
    for scrap in ("Orla Tennant", "Published", "Photo", "newsletter"):
        assert scrap not in everything


def test_half_of_a_quotation_is_not_told_while_whole_sentences_can_be() -> None:
    assert not [each for each in told(TEXT, title=TITLE) if is_torn(each)]


def test_a_summary_does_not_begin_with_however() -> None:
    text = (
        "However, the harbour bridge crack was larger than engineers thought it was. "
        "He blamed the harbour bridge crack on salt. "
        "Divers measured the harbour bridge crack twice on Friday morning. "
        "The council meets on Monday to decide about the repair of the bridge. "
        "A shuttle boat will carry passengers to the other side in the meantime."
    )
    lines = "The weather was fine over the whole bay on that Friday morning.\n" + text
    found = told(lines, title="Harbour bridge crack larger than thought", max_sentences=2)
    assert not leans(found[0], "en")


@pytest.mark.parametrize("limit", [60, 120, 200, MAX_CHARS])
def test_a_summary_keeps_to_its_length_without_cutting_a_sentence(limit: int) -> None:
    found = told(TEXT, title=TITLE, max_chars=limit)
    assert len(" ".join(found)) <= limit
    assert all(each in TEXT for each in found)


def test_the_same_thing_is_not_told_twice() -> None:
    line = "The council closed the old harbour bridge on Friday because of a crack."
    again = "Because of a crack the council closed the old harbour bridge on Friday."
    other = "Ferries take people across the bay every quarter of an hour until midnight."
    found = told(f"{line} {again} {other}", title="Old harbour bridge closed", max_sentences=2)
    assert not {line, again} <= set(found)


def test_a_good_description_is_the_summary() -> None:
    own = "Engineers found a long crack in the bearing on Thursday. The city expects three weeks of repairs."
    found = summarize(TEXT, title=TITLE, language="en", description=own)
    assert " ".join(each.text for each in found) == own
    assert all((each.start, each.end) == (-1, -1) for each in found)


@pytest.mark.parametrize(
    "description",
    [
        "Too short.",
        "Engineers found a long crack in the bearing on Thursday and the city expects that the repair will "
        "[…]",
        "Engineers found a long crack in the bearing on Thursday and the city expects a very long repair "
        "of it",
        "The Harbour Bridge was closed to all traffic early on Friday after engineers found a crack in its "
        "bearing.",
        "word " * 200 + "end.",
    ],
)
def test_a_poor_description_is_not_the_summary(description: str) -> None:
    assert all(
        each.start >= 0 for each in summarize(TEXT, title=TITLE, language="en", description=description)
    )


@pytest.mark.parametrize(
    ("language", "text", "first"),
    [
        ("zh", "港口大桥周五清晨因轴承出现裂缝而关闭交通。市政府预计维修至少需要三周时间。",
         "港口大桥"),
        ("ar", "أُغلق جسر الميناء فجر الجمعة بعد اكتشاف شرخ في محوره. وتتوقع المدينة ثلاثة أسابيع من العمل.",
         "أُغلق"),
        ("de", "Die Hafenbrücke ist seit Freitag gesperrt, weil ein Lager riss. Es dauert drei Wochen.",
         "Die Hafenbrücke"),
        ("hi", "पुल शुक्रवार सुबह दरार मिलने के बाद बंद कर दिया गया। मरम्मत में तीन सप्ताह लग सकते हैं।", "पुल"),
    ],
)  # fmt: skip
def test_other_languages_are_told_in_whole_sentences(language: str, text: str, first: str) -> None:
    found = summarize(text, language=language)
    assert found
    assert found[0].text.startswith(first)
    assert all(each.text[-1] in ".。।" and text[each.start : each.end] == each.text for each in found)


@pytest.mark.parametrize(
    "text", ["", " ", "...", "😀 " * 2_000, "1 2\n3 4\n5 6", "word " * 100_000, "w" * 100_000]
)
def test_a_text_without_sentences_gives_nothing_rather_than_half_of_one(text: str) -> None:
    assert summarize(text, language="en") == ()


def test_a_short_text_without_a_full_stop_is_told_whole() -> None:
    assert told("Sunny spells, 21 degrees, light wind from the west") == [
        "Sunny spells, 21 degrees, light wind from the west"
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "By Ann Example",
        "Updated: 12 May 2026",
        "Photo: dpa",
        "Share this article",
        "Oh no.",
        "© Reuters",
        "12:30",
    ],
)
def test_scraps_are_known(sentence: str) -> None:
    assert is_scrap(sentence)


@pytest.mark.parametrize(
    ("language", "sentence", "leaning"),
    [
        ("en", "However, it rained.", True),
        ("en", "He said nothing.", True),
        ("en", "It’s over.", True),
        ("en", "“But why?” she asked.", True),
        ("de", "Aber es regnete.", True),
        ("de", "Das ist zu wenig.", True),
        ("de", "Das Unternehmen schweigt.", False),
        ("fr", "Cependant, il pleuvait.", True),
        ("fr", "En 2019, il pleuvait.", False),
        ("it", "Il sindaco tace.", False),
        ("nl", "En toen regende het.", True),
        ("vi", "Ông nói rằng trời mưa.", True),
        ("vi", "Ông Minh nói rằng trời mưa.", False),
        ("zh", "但是天下雨了。", True),
        ("ar", "وأضاف أن المطر هطل.", True),
        ("en", "On Friday it rained.", False),
        ("en", "Hello to all readers.", False),
        ("en", "Butter is dear.", False),
        ("en", "Italy won.", False),
        ("de", "Erfurt gewinnt.", False),
    ],
)
def test_sentences_that_lean_on_others_are_known(language: str, sentence: str, leaning: bool) -> None:
    assert leans(sentence, language) is leaning


@pytest.mark.parametrize(
    ("sentence", "before", "torn"),
    [
        ("“We were lucky.", "", True),
        ("“We were lucky,” he said.", "", False),
        ("We will go on.", "“We were lucky. ", True),
        ("„Wir hatten Glück“, sagte er.", "", False),
        ("„Wir hatten Glück.", "", True),
        ('"Straight marks," she said.', "", False),
        ('"Straight marks.', "", True),
        ("A bridge (of 1931) is shut.", "", False),
        ("A bridge (of 1931 is shut.", "", True),
    ],
)
def test_torn_quotations_are_known(sentence: str, before: str, torn: bool) -> None:
    assert is_torn(sentence, before) is torn


@pytest.mark.parametrize(
    "sentence",
    [
        "The bakery on Rope Street sells cookies in the shape of otters.",
        "Viewers who subscribe pay five crowns a month.",
        "Eleven schools will sign up for the trial in January.",
        "By Friday the water had gone.",
    ],
)
def test_sentences_with_words_of_furniture_in_them_are_no_scraps(sentence: str) -> None:
    assert not is_scrap(sentence)


QUOTED = {
    "en": ("“We had luck. Nobody was on the bridge,” the mayor of the town told the council on Friday.", "“"),
    "de": (
        "„Wir hatten Glück. Niemand war auf der Brücke“, sagte die Bürgermeisterin am Freitag dem Rat.",
        "„",
    ),
    "fr": ("« Nous avons eu de la chance. Le pont était vide », a dit le maire au conseil vendredi.", "«"),
    "es": ('"Tuvimos suerte. El puente estaba vacío", dijo la alcaldesa de la ciudad el viernes.', '"'),
    "ja": ("「運がよかった。橋には誰もいなかった」と市長は金曜日に議会で述べた。", "「"),
}
OTHERS = {
    "en": ["The bridge over the harbour stays shut for three weeks.", "Boats carry people across the bay."],
    "de": ["Die Brücke über den Hafen bleibt drei Wochen gesperrt.", "Boote bringen die Menschen hinüber."],
    "fr": ["Le pont du port restera fermé trois semaines.", "Des bateaux font traverser les habitants."],
    "es": [
        "El puente del puerto seguirá cerrado tres semanas.",
        "Unos barcos llevan a la gente al otro lado.",
    ],
    "ja": ["港の橋は三週間にわたって閉鎖される。", "船が住民を対岸まで運んでいる。"],
}


@pytest.mark.parametrize("language", QUOTED)
@pytest.mark.parametrize("where", [0, 1, 2])
def test_a_quotation_is_told_whole_or_not_at_all(language: str, where: int) -> None:
    quoted, mark = QUOTED[language]
    lines = OTHERS[language][:]
    lines.insert(where, quoted)
    text = ("" if language == "ja" else " ").join(lines)
    found = summarize(text, language=language, title=quoted[5:40], max_sentences=2)
    assert found
    for sentence in found:
        assert not is_torn(sentence.text)
        assert mark not in sentence.text or sentence.text == quoted
        assert "".join(text[sentence.start : sentence.end].split()) == "".join(sentence.text.split())


def test_a_quotation_at_the_beginning_is_told_when_it_matters() -> None:
    quoted, _ = QUOTED["en"]
    assert (
        told(quoted + " " + " ".join(OTHERS["en"]), title="Mayor tells council: nobody was on the bridge")[0]
        == quoted
    )


def test_a_sentence_that_leans_comes_with_the_one_before_it() -> None:
    text = (
        "The city closed the harbour bridge on Friday after a crack was found in it. "
        "Edwin Prowse has painted bridges for forty years and knows every bolt of it. "
        "He saw the crack in the harbour bridge first, and the city closed it at his word. "
        "Boats carry people across the bay every quarter of an hour until midnight."
    )
    found = told(text, title="He saw the crack in the harbour bridge first", max_sentences=3, max_chars=900)
    for place, sentence in enumerate(found):
        if leans(sentence, "en"):
            assert text.index(sentence) == text.index(found[place - 1]) + len(found[place - 1]) + 1


def test_a_question_does_not_open_a_summary() -> None:
    text = (
        "Why was the harbour bridge closed on Friday without a word to anybody in town? "
        "The city found a crack in the bearing of the bridge and feared for the ships below. "
        "Boats carry people across the bay every quarter of an hour until midnight. "
        "The council meets on Monday and decides about the money for the repair. "
        "A new bearing is cast in the north and comes by ship in three weeks."
    )
    found = told(text, title="Why the harbour bridge was closed on Friday")
    assert not found[0].endswith("?")


POOR = {
    "teaser": "Find out why the city closed the old harbour bridge and what it means for all of us today.",
    "need to know": "Here’s what you need to know about the crack in the harbour bridge and the ferries"
    " of the bay.",
    "click": "The bridge is shut for three weeks. Click here to see the pictures of the crack in its"
    " bearing.",
    "our": "Read our full story about the bridge, the crack, the engineers and the long repair that"
    " follows it.",
    "site": "The Marlow Bay Courier is an independent news site covering the town, the bay and the"
    " country around.",
    "bio": "Orla Tennant is a reporter at the Courier, where she has covered the harbour and its"
    " bridges since 2009.",
    "other language": "Ingenieure fanden am Donnerstag einen langen Riss im Lager. Die Stadt rechnet mit drei"
    " Wochen.",
    "half a quotation": "Engineers found a long crack on Thursday. “We were lucky to find it in time, said"
    " the engineer.",
    "leans": "However, engineers found another crack on Thursday and expect that the repair takes three"
    " more weeks.",
    "question": "How could a crack in the bearing of the harbour bridge stay unseen for so long by its"
    " engineers?",
    "letter": "Sign up for our newsletter to get the latest on the bridge, the ferries and the harbour"
    " every morning.",
    "German teaser": "Erfahren Sie hier, warum die Stadt die Brücke sperrt und wie lange die Arbeiten daran"
    " dauern werden.",
}


@pytest.mark.parametrize("kind", POOR)
def test_a_description_that_tells_nothing_is_not_the_summary(kind: str) -> None:
    found = summarize(TEXT, title=TITLE, language="en", description=POOR[kind])
    assert found
    assert all(each.start >= 0 for each in found)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Dr. Ann Example met Mr. Prowse at 5 p.m. on Friday near St. Mary’s church in the old town."),
        (
            "en",
            "Gov. Tennant and Sen. Prowse asked the U.S. government for No. 4 of the plan, i.e. a new pier.",
        ),
        (
            "de",
            "Prof. Dr. Müller traf am 3. Mai z. B. Herrn Prowse von der Hafen-AG bzw. deren Anwalt in Köln.",
        ),
        ("fr", "M. Dupont et Mme Martin ont rencontré le Dr Leroy, av. Foch, vers 5 h. du matin, à Paris."),
        (
            "es",
            "El Sr. Ruiz y la Dra. Gómez se vieron con Ud. en la Av. Colón n.º 5 de la ciudad el viernes.",
        ),
        (
            "it",
            "Il sig. Rossi e la dott.ssa Verdi hanno incontrato il prof. Bianchi in via Roma n. 5 venerdì.",
        ),
        ("pt", "O Sr. Silva e a Dra. Souza encontraram o Prof. Lima na Av. Brasil, n. 5, na sexta-feira."),
        (
            "nl",
            "Mr. De Vries en dr. Bakker spraken o.a. met prof. Smit over art. 5 van de wet, d.w.z. de boete.",
        ),
        ("pl", "Prof. Kowalski i dr Nowak spotkali się m.in. z inż. Lisem przy ul. Długiej 5 w piątek rano."),
    ],
)
def test_an_abbreviation_cuts_no_sentence(language: str, text: str) -> None:
    found = summarize(text, language=language)
    assert [each.text for each in found] == [text]
