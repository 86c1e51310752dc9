"""Which lines belong to the page and not to the article."""

from __future__ import annotations

import pytest

from digest.summarizer.boilerplate import (
    is_cut_off,
    is_furniture,
    opens_tail,
    without_cut_mark,
    without_furniture,
)

FURNITURE = [
    "Leave a Comment",
    "Your email address will not be published. Required fields are marked *",
    "Save my name and email in this browser for the next time I comment.",
    "Scroll to Top",
    "↑ Back to top",
    "Share on Facebook",
    "Facebook Twitter Email",
    "Share this: Facebook | X | WhatsApp",
    "Related posts",
    "Read more: Five bridges you should see",
    "Sign up for our newsletter",
    "We use cookies to count our readers.",
    "© 2026 Marlow Bay City Desk. All rights reserved.",
    "Tags: bridges, harbour, transport",
    "By Orla Tennant",
    "By Orla Tennant and Edwin Prowse, Staff Writer",
    "Published: 20 November 2026, 07:30",
    "November 20, 2026",
    "20.11.2026",
    "3 min read",
    "12 Comments",
    "Photo: Creek Wardens",
    "(Photo: Creek Wardens, night camera)",
    "The post Harbour Bridge shut appeared first on City Desk.",
    "Advertisement",
    "Kommentar schreiben",
    "Lesen Sie auch: Die schönsten Brücken",
    "Das könnte Sie auch interessieren",
    "Ihre E-Mail-Adresse wird nicht veröffentlicht.",
    "Nach oben",
    "Foto: dpa",
    "Laisser un commentaire",
    "À lire aussi : les plus beaux ponts",
    "Votre adresse e-mail ne sera pas publiée.",
    "Deja un comentario",
    "Te puede interesar",
    "Leia também: a ponte",
    "Dodaj komentarz",
    "Zobacz także",
    "اترك تعليقاً",
    "لن يتم نشر عنوان بريدك الإلكتروني.",
    "اقرأ أيضاً",
    "相关文章",
    "関連記事",
    "Powered by WordPress",
    "If you value what we do, please consider making a donation to our newsroom.",
    "Listen and subscribe on Apple Podcasts, Spotify or wherever you get your podcasts.",
    "This episode is brought to you by Creek Mattresses.",
    "Get the best of the Courier delivered to your inbox every morning.",
    "Orla Tennant can be reached at 555-0100 or orla@a.example.",
    "Kommentare sind geschlossen.",
    "2 Antworten zu „Hafenbrücke gesperrt“",
    "Jeden Morgen das Beste aus dem Hafenboten direkt in Ihr Postfach.",
    "Weitere Informationen finden Sie auf unserer Website.",
    "Il vous reste 75 % de cet article à lire.",
    "Tu dirección de correo electrónico no será publicada.",
    "Compártelo: Facebook, Twitter",
    "Komentowanie zostało wyłączone.",
    "كن أول من يعلق",
    "Figure 2: The crack in the bearing",
    "Copyright 2026 The Courier",
]

ARTICLE = [
    "The bridge was closed on Friday after engineers found a crack.",
    "“Share the road,” said the mayor, “and leave a comment if you like.”",
    "By four in the morning the barriers were down.",
    "Cookies are what the bakery on Rope Street is known for.",
    "She read more than a hundred books that year.",
    "In November 2026 the city voted for the tram, and the first rails could be laid in 2028.",
    "Print is not dead, says the owner of the last press in town.",
    "Search teams found the boat at noon.",
    "About 340 households spent the night in the hall.",
    "Newsletter publishers met in Vienna.",
    "Leave a comment, she told the minister, and leave the room at once.",
    "Sign up for the crew, the carpenter says, and you will see the sea.",
    "The post office in the old harbour hall sells the tickets.",
    "Recent comments by the minister drew sharp criticism from the opposition.",
    "Related questions of insurance kept the lawyers busy until October.",
    "To receive the money, families have to prove where they lived.",
    "By continuing the war, the general lost the last of his friends.",
    "Copyright law protects the song until the year 2040.",
    "Figure skating begins in Oslo on Friday with the short programme.",
    "The company changed its privacy policy on Monday after a fine.",
    "The island can be reached at low tide by a causeway of stone.",
    "Donate blood, doctors urged the people of the town after the explosion.",
    "Auf Facebook kritisierte die Ministerin den Beschluss am Montag scharf.",
    "Weitere Informationen will die Polizei am Montag veröffentlichen.",
    "Das könnte auch an der Hitze der letzten Wochen liegen.",
    "Der Bericht wird nicht veröffentlicht, sagte der Sprecher.",
    "Sigue a la espera de un seguro el segundo barco de la bahía.",
    "Recibe el carpintero a los aprendices los sábados por la mañana.",
    "Retrouvez la coque, disaient les experts, et le reste suivra.",
    "Dołącz do załogi, mówili uczniom, chociaż żaden nie widział morza.",
    "تعليقات الوزير أثارت غضب المعارضة يوم الاثنين.",
    "Die Brücke bleibt mindestens drei Wochen gesperrt.",
    "Von der Sperrung sind 20.000 Menschen betroffen.",
    "Le pont restera fermé trois semaines.",
    "أُغلق جسر الميناء فجر الجمعة.",
    "市长昨天宣布关闭大桥。",
]


@pytest.mark.parametrize("line", FURNITURE)
def test_furniture_is_known(line: str) -> None:
    assert is_furniture(line)


@pytest.mark.parametrize("line", ARTICLE)
def test_an_article_keeps_its_sentences(line: str) -> None:
    assert not is_furniture(line)


def test_a_paragraph_is_never_furniture_whatever_it_begins_with() -> None:
    paragraph = "Share prices fell. " + "The market closed lower than at any time since the spring. " * 6
    assert not is_furniture(paragraph)


def test_teasers_below_related_posts_go_with_their_heading() -> None:
    story = ["The bridge was closed on Friday after engineers found a crack in its bearing."] * 4
    page = [*story, "Related posts", "Five bridges to see", "Tram vote today", "About the ferry"]
    assert without_furniture(page) == story


def test_an_article_goes_on_after_a_teaser_in_its_middle() -> None:
    before = ["A long paragraph that stands before the teaser, as they do in many papers of today."] * 4
    after = ["And here the article goes on with a whole sentence that nobody would want to lose."] * 2
    assert without_furniture([*before, "Don’t miss", "Ten best cakes [PICTURES]", *after]) == [
        *before,
        *after,
    ]


def test_comments_of_readers_are_not_the_article() -> None:
    story = ["The bridge was closed on Friday after engineers found a crack in its bearing."] * 5
    page = [*story, "3 Comments", "Comments", "Nice. I always knew that it would break one day, honestly."]
    assert without_furniture(page) == story


def test_a_heading_at_the_top_opens_no_tail() -> None:
    lines = [
        "Comments",
        "The prime minister’s comments drew a sharp answer from the opposition on Friday evening.",
    ]
    assert lines[1] in without_furniture(lines)


@pytest.mark.parametrize(
    ("line", "kind"), [("Leave a Reply", "comments"), ("You may also like", "teasers"), ("The end", "")]
)
def test_headings_say_what_follows(line: str, kind: str) -> None:
    assert opens_tail(line) == kind


@pytest.mark.parametrize(
    "text",
    ["It began on Friday […]", "It began on Friday [...]", "It began…",
     "It began. Read more", "It began. Continue reading →",
     "Es begann. Weiterlesen »", "Ça commence. Lire la suite"],
)  # fmt: skip
def test_a_cut_text_is_known_and_its_mark_removed(text: str) -> None:
    assert is_cut_off(text)
    assert not is_cut_off(without_cut_mark(text) + ".")


@pytest.mark.parametrize("text", ["It began on Friday.", "He wants to read more books.", ""])
def test_a_whole_text_is_not_called_cut(text: str) -> None:
    assert not is_cut_off(text)


def test_who_wrote_it_does_not_belong_to_it() -> None:
    story = ["The bridge was closed on Friday after engineers found a crack in its bearing."] * 4
    bio = "Orla Tennant is a reporter who has covered the harbour for the Courier since 2009."
    assert without_furniture([*story, "About the author", "She knows every ship by name."]) == story
    assert without_furniture([*story, bio]) == story
    assert without_furniture([story[0], bio, *story[1:]]) == [story[0], bio, *story[1:]]


@pytest.mark.parametrize(
    ("line", "kind"),
    [("3 Comments", "comments"), ("Related posts", "teasers"), ("Über die Autorin", "author"),
     ("Read also: Five bridges you should see", ""), ("More from the north came later that day.", "")],
)  # fmt: skip
def test_a_line_that_says_more_opens_no_tail(line: str, kind: str) -> None:
    assert opens_tail(line) == kind
