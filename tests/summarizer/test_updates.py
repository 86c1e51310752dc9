"""Stories over days: what is news of a told story, what repeats it, and what is about something else."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from test_stories import BELL, OTTER, TRAM
from window_samples import NOW, article, composed, filler, newsletter, remembered, verdicts

from digest.model import Article, Draft, Follow, Story, Told
from digest.summarizer.stories import CUT, LINK
from digest.summarizer.updates import compare, known_from, names_in
from digest.summarizer.window import Window

A, B, C = (f"https://{name}.example/feed" for name in "abc")
LETTER = newsletter(A, B, C)

FLOOD = (
    "Two dead after river bursts its banks in Elmstead",
    "Two people died when the river Tarn burst its banks in Elmstead on Tuesday night. Firefighters pulled "
    "forty residents from the roofs of the lower town by boat. The mayor, Ida Brandt, asked everybody to "
    "stay away from the old mill. Schools stay closed until Thursday. The water stood two metres high in "
    "Market Street.",
)
FLOOD_TOO = (
    "Elmstead flood kills two, forty rescued from roofs",
    "Rescuers saved forty people from rooftops after the Tarn flooded the lower town of Elmstead late on "
    "Tuesday, killing two. Mayor Ida Brandt said nobody should go near the old mill. Lessons are cancelled "
    "until Thursday, and Market Street was under two metres of water.",
)
TOLL = (
    "Death toll of Elmstead flood rises to five",
    "Five people are now known to have died in the flood at Elmstead, police said on Wednesday. Divers "
    "found three bodies in a cellar of Weaver Lane in the morning. The river Tarn burst its banks on "
    "Tuesday night, and forty residents were pulled from roofs by boat. Mayor Ida Brandt said the lower "
    "town would need weeks to dry.",
)
CAUSE = (
    "Blocked sluice blamed for Elmstead flood",
    "A sluice gate that had not been serviced for nine years made the flood in Elmstead worse, the water "
    "board admitted on Thursday. Engineers found branches and a sunken barge wedged in it. Two people died "
    "when the Tarn burst its banks on Tuesday night, and divers found three bodies in a cellar of Weaver "
    "Lane. Prosecutor Jon Hale has opened an inquiry.",
)
REWRITE = (
    "Tarn floods Elmstead: two killed",
    "In Elmstead two people lost their lives when the Tarn flooded the lower town on Tuesday night. Forty "
    "residents were rescued from their roofs with boats. Market Street lay two metres under water. Mayor Ida "
    "Brandt warned people to keep away from the old mill; schools are closed until Thursday.",
)
RECAP = (
    "Elmstead flood: as it happened",
    "The river Tarn burst its banks in Elmstead on Tuesday night and two people died. Forty residents were "
    "taken from roofs by boat. Schools stay closed until Thursday, and the mayor asks everybody to keep "
    "away from the old mill.",
)
FIRE = (
    "Fire destroys timber yard in Elmstead",
    "A fire destroyed a timber yard at the edge of Elmstead on Wednesday. Forty firefighters from three "
    "towns fought the flames until noon. Nobody was hurt. The owner, Karl Osten, puts the damage at a "
    "million.",
)
OTHERS = (BELL, TRAM, OTTER)


def others(first: int) -> list[Article]:
    """What else a day brings."""
    return [
        article(first + number, f"{filler(first + number).split('.')[0]}", filler(first + number), feed=C)
        for number in range(12)
    ]


def told_days_ago(days: int, *texts: tuple[str, str], told: Sequence[Told] = ()) -> list[Told]:
    """What a letter of that many days ago told of these articles: the first of paper A, the next of B."""
    articles = [
        article(days * 1000 + number, *text, feed=(A, B, C)[number], hours=days * 24 + 2)
        for number, text in enumerate(texts)
    ]
    return remembered(composed(LETTER, articles, told), articles, days)


def today(told: Sequence[Told], *texts: tuple[str, str]) -> Draft:
    """A letter of these articles (numbers 1, 2, …), of papers B, A, C, and of what else there is."""
    articles = [article(number, *text, feed=(B, A, C)[number - 1]) for number, text in enumerate(texts, 1)]
    return composed(LETTER, [*articles, *others(50)], told)


def story_of(draft: Draft, number: int) -> Story:
    return next(story for story in draft.stories if story.lead.article_id == number)


def reason(draft: Draft, number: int) -> str:
    return next(each.reason for each in draft.decisions if each.article_id == number)


# ---------------------------------------------------------------- an update


def test_a_higher_toll_is_told_as_an_update_with_what_is_new() -> None:
    told = told_days_ago(1, FLOOD)
    story = story_of(today(told, TOLL), 1)
    assert story.update
    assert story.key == told[0].story.key
    assert story.earlier is not None
    assert (story.earlier.path, story.earlier.date) == (told[0].path, told[0].date)
    assert story.earlier.title == FLOOD[0]
    assert story.summary[0].startswith("Five people are now known to have died")
    assert not any("burst its banks" in sentence for sentence in story.summary)


def test_the_places_of_an_update_are_those_in_its_text() -> None:
    read = article(1, *TOLL, feed=B)
    story = story_of(composed(LETTER, [read, *others(50)], told_days_ago(1, FLOOD)), 1)
    assert [read.text[start:end] for start, end in story.places] == list(story.summary)


def test_the_reason_of_an_update_says_of_what_it_is_one() -> None:
    draft = today(told_days_ago(1, FLOOD), TOLL)
    assert f"as an update of “{FLOOD[0]}” of 2026-11-21" in reason(draft, 1)
    assert "% of its headline and first sentences is new" in reason(draft, 1)


def test_an_update_of_an_update_keeps_the_key_and_does_not_repeat_the_first_one() -> None:
    first = told_days_ago(3, FLOOD)
    second = told_days_ago(2, TOLL, told=first)
    assert second[0].story.update
    story = story_of(today([*second, *first], CAUSE), 1)
    assert story.key == first[0].story.key
    assert story.earlier is not None
    assert story.earlier.title == TOLL[0]
    assert any("sluice" in sentence for sentence in story.summary)
    assert not any("Weaver Lane" in sentence for sentence in story.summary)


def test_what_an_earlier_update_told_is_no_news() -> None:
    first = told_days_ago(3, FLOOD)
    second = told_days_ago(2, TOLL, told=first)
    rewritten = (
        "Flood toll in Elmstead now five",
        "Police now know of five people who died in the flood at Elmstead. Three bodies were found by "
        "divers in a cellar of Weaver Lane on Wednesday morning. The lower town will need weeks to dry, "
        "says the mayor, Ida Brandt.",
    )
    assert verdicts(today([*second, *first], rewritten))[1] == "told"
    assert verdicts(today(first, rewritten))[1] == "lead"


def test_an_update_is_led_by_the_one_that_says_most_that_is_new_and_the_repeat_is_left_out() -> None:
    draft = today(told_days_ago(1, FLOOD), REWRITE, TOLL)
    assert verdicts(draft)[1] == "told"
    assert story_of(draft, 2).update
    assert all(source.article_id != 1 for source in story_of(draft, 2).also)


def test_two_papers_with_the_same_news_make_one_update() -> None:
    toll_too = (
        "Elmstead: five now dead after flood",
        "Divers found three bodies in a flooded cellar in Weaver Lane in Elmstead on Wednesday morning, so "
        "that five people are now known to have died. The lower town will need weeks to dry, the mayor "
        "said.",
    )
    draft = today(told_days_ago(1, FLOOD), TOLL, toll_too)
    updates = [story for story in draft.stories if story.update]
    assert len(updates) == 1
    assert {updates[0].lead.article_id, *(source.article_id for source in updates[0].also)} == {1, 2}


def test_news_above_a_told_text_is_an_update_of_the_news_only() -> None:
    more = (
        "Death toll of Elmstead flood rises to five",
        "Five people are now known to have died in Elmstead, police said on Wednesday. Divers found three "
        "more "
        f"bodies in a cellar of Weaver Lane in the morning.\n{FLOOD[1]}",
    )
    story = story_of(today(told_days_ago(1, FLOOD), more), 1)
    assert story.update
    assert all("Tarn" not in sentence for sentence in story.summary)


def test_what_the_first_telling_said_stays_told_after_an_update() -> None:
    first = told_days_ago(3, FLOOD)
    short = (TOLL[0], ". ".join(TOLL[1].split(". ")[:2]) + ".")
    second = [replace(each, articles=()) for each in told_days_ago(2, TOLL, told=first)]
    assert second[0].story.update
    assert verdicts(today([*second, *first], REWRITE))[1] == "told"
    assert verdicts(today([*second, *first], short))[1] == "told"


def test_of_two_with_news_the_one_with_more_of_it_leads_whatever_its_weight() -> None:
    letter = newsletter(Follow(url=A, weight=5), B, C)
    articles = [article(1, *TOLL, feed=A), article(2, *CAUSE, feed=B), *others(50)]
    draft = composed(letter, articles, told_days_ago(1, FLOOD))
    update = next(story for story in draft.stories if story.update)
    assert (update.lead.article_id, [source.article_id for source in update.also]) == (2, [1])


def test_a_told_text_below_much_new_text_is_known_by_its_shingles() -> None:
    above = " ".join(filler(number) for number in range(100, 106))
    told = told_days_ago(1, FLOOD)
    story = story_of(today(told, ("Dikes of the north inspected", f"{above}\n{FLOOD[1]}")), 1)
    assert story.update
    assert story.key == told[0].story.key


def test_a_live_blog_is_never_an_update() -> None:
    story = story_of(today(told_days_ago(1, FLOOD), ("Elmstead flood: live updates", TOLL[1])), 1)
    assert (story.update, story.earlier) == (False, None)


def test_what_only_shares_the_town_and_the_rescuers_is_not_like_enough() -> None:
    text = (
        "Firefighters in Elmstead freed a cow from a well on Wednesday. Residents of the lower town had "
        "heard her through the night. A crane lifted the animal over a hedge. Farmer Karl Osten thanked "
        "them with cheese."
    )
    read = article(1, "Firefighters free cow from well in Elmstead", text, feed=B)
    told = told_days_ago(1, FLOOD)
    near = Window(LETTER, [read, *others(50)], told).near_told[0].max()
    assert LINK < near < CUT
    assert not story_of(composed(LETTER, [read, *others(50)], told), 1).update


def test_what_mentions_a_told_story_further_down_is_about_something_else() -> None:
    text = (
        "The playhouse hired Mara Quill as director from next season. She ran a small stage in Hollen for "
        f"six years. Her contract covers nine productions and a festival. Critics liked her Ibsen evenings.\n"
        f"{REWRITE[1]}"
    )
    other = ("Playhouse hires new director", text)
    told = told_days_ago(1, FLOOD, FLOOD_TOO)
    read = article(1, *other, feed=B)
    window = Window(LETTER, [read, *others(50)], told)
    assert window.near_told[0].max() > CUT  # so it is not because it is unlike
    assert not story_of(composed(LETTER, [read, *others(50)], told), 1).update


def test_below_a_headline_without_news_more_must_be_new() -> None:
    known = known_from([*FLOOD], "en")
    text = (
        "Two people died in Elmstead when the river Tarn burst its banks. Coroner Anna Vogel examined the "
        "victims in the hospital chapel, beside two colleagues from Hollen. Rescue dogs searched gardens, "
        "sheds and allotments behind the railway embankment."
    )
    silent = compare(article(1, "River Tarn bursts its banks in Elmstead", text), known)
    speaking = compare(article(1, "River Tarn: coroner examines victims", text), known)
    assert 0.4 < silent.known < 0.5
    assert (silent.news, speaking.news) == (False, True)


def test_stories_that_are_told_first_are_no_updates_and_have_places() -> None:
    draft = today((), FLOOD)
    story = story_of(draft, 1)
    assert (story.update, story.earlier) == (False, None)
    assert len(story.places) == len(story.summary)


def test_a_description_of_the_publisher_has_no_place() -> None:
    said = "The river Tarn has flooded the lower town of Elmstead, and two people are dead, the police say."
    read = article(1, *FLOOD, feed=A, description=f"<p>{said}</p>")
    assert [sentence.start for sentence in read.summary] == [-1]
    assert composed(LETTER, [read]).stories[0].places == ((-1, -1),)


def test_a_toll_that_rose_is_news_even_in_the_same_words() -> None:
    risen = tuple(each.replace("Two", "Five") for each in FLOOD)
    told = told_days_ago(1, FLOOD)
    story = story_of(today(told, (risen[0], risen[1])), 1)
    assert story.update
    assert story.summary[0].startswith("Five people died")
    assert verdicts(today(told, (risen[0], FLOOD[1])))[1] == "told"  # only the headline says so
    letter = newsletter(Follow(url=A, weight=5), B, C)
    both = [article(1, *FLOOD, feed=A, hours=9), article(2, risen[0], risen[1], feed=B, hours=1), *others(50)]
    assert verdicts(composed(letter, both))[2] != "copy"


def test_the_same_headline_over_quite_new_sentences_is_an_update() -> None:
    above = (
        "A sluice gate had not been serviced for nine years, the water board admitted. Engineers found "
        "branches and a sunken barge wedged in it."
    )
    story = story_of(today(told_days_ago(1, FLOOD), (FLOOD[0], f"{above} {FLOOD[1]}")), 1)
    assert story.update
    assert "sluice" in story.summary[0]


# ---------------------------------------------------------------- a repeat


@pytest.mark.parametrize("told", [(FLOOD,), (FLOOD, FLOOD_TOO)])
@pytest.mark.parametrize("again", [REWRITE, RECAP, FLOOD_TOO])
def test_the_same_in_other_words_is_told_and_says_how_much_was_known(
    told: Sequence[tuple[str, str]], again: tuple[str, str]
) -> None:
    draft = today(told_days_ago(1, *told), again)
    assert verdicts(draft)[1] == "told"
    assert "Already told as “" in reason(draft, 1)
    assert "%" in reason(draft, 1) or "the same" in reason(draft, 1)


@pytest.mark.parametrize(
    "again",
    [
        ("Tragedy in the lower town", FLOOD[1]),
        (FLOOD[0], FLOOD[1].replace("Firefighters", "Fire fighters").replace("two metres", "2 metres")),
        (FLOOD[0], f"(News wire) {FLOOD[1]} Send your pictures of the storm to our desk, please."),
        (FLOOD[0], f"{FLOOD[1]} {FLOOD_TOO[1]}"),
    ],
    ids=["only the headline is new", "a typo mended", "furniture around it", "longer, but nothing new"],
)
def test_a_told_text_with_little_changed_is_no_update(again: tuple[str, str]) -> None:
    assert verdicts(today(told_days_ago(1, FLOOD, FLOOD_TOO), again))[1] == "told"


def test_a_repeat_of_what_a_month_ago_told_is_not_looked_for() -> None:
    assert verdicts(today(told_days_ago(6, FLOOD), REWRITE))[1] == "lead"
    assert not story_of(today(told_days_ago(6, FLOOD), TOLL), 1).update


# ---------------------------------------------------------------- something else


@pytest.mark.parametrize("other", [FIRE, BELL, TRAM])
def test_another_event_in_the_same_town_is_a_story_of_its_own(other: tuple[str, str]) -> None:
    draft = today(told_days_ago(1, FLOOD), other)
    story = story_of(draft, 1)
    assert not story.update
    assert story.key != told_days_ago(1, FLOOD)[0].story.key


def test_the_order_of_articles_changes_nothing_about_updates() -> None:
    told = told_days_ago(1, FLOOD)
    articles = [
        article(1, *TOLL, feed=A),
        article(2, *REWRITE, feed=B),
        article(3, *CAUSE, feed=C),
        *others(50),
    ]
    expected = composed(LETTER, articles, told)
    for seed in range(3):
        mixed = random.Random(seed).sample(articles, len(articles))  # noqa: S311
        assert composed(LETTER, mixed, told) == expected


def test_without_the_told_articles_their_words_in_the_letter_are_remembered() -> None:
    pruned = [replace(each, articles=()) for each in told_days_ago(1, FLOOD)]
    assert verdicts(today(pruned, FLOOD))[1] == "told"
    story = story_of(today(pruned, TOLL), 1)
    assert story.update
    assert story.earlier is not None


def test_a_round_up_that_was_told_does_not_go_on() -> None:
    told = told_days_ago(1, ("Morning briefing: flood in Elmstead", FLOOD[1]))
    assert not any(story.update for story in today(told, TOLL).stories)


ELSEWHERE = (
    "Two dead after river bursts its banks in Hollen",
    "Two people died when the river Oder burst its banks in Hollen on Wednesday night. Firefighters pulled "
    "thirty residents from the roofs of the upper town by boat. The mayor, Tom Reis, asked everybody to "
    "stay away from the station. Schools stay closed until Friday. The water stood a metre high in Castle "
    "Street.",
)


def test_a_like_event_in_another_town_is_neither_a_repeat_nor_an_update() -> None:
    told = told_days_ago(1, FLOOD)
    story = story_of(today(told, ELSEWHERE), 1)
    assert (story.update, story.earlier) == (False, None)
    assert story.key != told[0].story.key


def test_of_two_like_events_an_update_goes_on_with_its_own() -> None:
    told = [*told_days_ago(2, FLOOD), *told_days_ago(1, ELSEWHERE)]
    assert len({each.story.key for each in told}) == 2
    story = story_of(today(told, TOLL), 1)
    assert story.earlier is not None
    assert story.earlier.title == FLOOD[0]


def test_whose_names_and_words_are_most_is_whose_update_it_is() -> None:
    told = [*told_days_ago(2, FLOOD), *told_days_ago(1, ELSEWHERE)]
    new = "Three more bodies were found in a cellar by divers on Thursday. Mayor {} sent pumps. {}."
    ours = new.format("Tom Reis", FLOOD[1].partition(". ")[0])
    theirs = new.format("Ida Brandt", ELSEWHERE[1].partition(". ")[0])
    for town, text, title in (("Elmstead", ours, FLOOD[0]), ("Hollen", theirs, ELSEWHERE[0])):
        story = story_of(today(told, (f"Divers find three more bodies in {town}", text)), 1)
        assert story.earlier is not None
        assert story.earlier.title == title


def test_a_group_of_two_like_events_is_sorted_article_by_article() -> None:
    told = told_days_ago(1, FLOOD)
    draft = today(told, TOLL, ELSEWHERE)
    assert story_of(draft, 1).update
    assert not story_of(draft, 2).update


def test_news_above_a_text_that_others_print_today_is_no_copy_of_it() -> None:
    news = (
        "Death toll of Elmstead flood rises to five",
        "Five people are now known to have died in Elmstead, police said on Wednesday. Divers found three "
        "more bodies in a cellar of Weaver Lane during the morning hours, and the search was called off in "
        "the "
        f"afternoon.\n{FLOOD[1]}",
    )
    articles = [article(1, *FLOOD, feed=A, hours=5), article(2, *news, feed=B, hours=1), *others(50)]
    heavy = newsletter(Follow(url=A, weight=5), B, C)  # so that it would be the first that is kept
    assert verdicts(composed(heavy, articles))[2] == "also"
    late = composed(LETTER, articles, told_days_ago(1, FLOOD_TOO))
    assert verdicts(late)[1] == "copy"  # all of it stands below the news
    assert story_of(late, 2).update


@pytest.mark.parametrize(
    ("sentence", "language", "names"),
    [
        ("On Monday Ida Brandt left Hollen’s mill.", "en", {"Ida", "Brandt", "Hollen"}),
        ("Ein Feuer hat am Montag in Hollen die Turnhalle zerstört.", "de", {"Hollen"}),
        ("Am Abend sprach Ida Brandt vor der Presse.", "de", {"Ida", "Brandt"}),
        ("Wczoraj w Warszawie padał deszcz.", "pl", {"Warszawie"}),
        ("وقع الحادث في المدينة مساء أمس.", "ar", set()),
    ],
)
def test_names_are_words_with_a_capital_inside_a_sentence(
    sentence: str, language: str, names: set[str]
) -> None:
    assert names_in(sentence, language) == names


def test_in_a_language_of_compounds_another_compound_is_another_word() -> None:
    known = known_from(["45 Feuerwehrleute löschten den Brand in Hollen."], "de")
    assert known.new_terms("Feuerwerk war die Brandursache.") == (2, 2)
    assert known.new_terms("Die Feuerwehrleute löschten einen Brand.") == (0, 3)


# ---------------------------------------------------------------- what is new, by itself


def test_numbers_and_names_that_were_not_told_are_news() -> None:
    known = known_from([*FLOOD], "en")
    sentences = [each.text for each in compare(article(1, *TOLL), known).sentences]
    assert sentences[:2] == [
        "Five people are now known to have died in the flood at Elmstead, police said on Wednesday.",
        "Divers found three bodies in a cellar of Weaver Lane in the morning.",
    ]


def test_a_text_that_is_known_has_no_news_and_one_about_something_else_is_not_related() -> None:
    known = known_from([*FLOOD], "en")
    same, else_ = compare(article(1, *FLOOD), known), compare(article(2, *BELL), known)
    assert (same.known, same.sentences, same.news, same.related) == (1.0, (), False, True)
    assert else_.known < 0.2
    assert not else_.related


def test_updates_are_found_in_other_languages() -> None:
    told = (
        "Zwei Tote nach Hochwasser in Elmstadt",
        "Zwei Menschen starben, als die Tarn am Dienstagabend in Elmstadt über die Ufer trat. Die Feuerwehr"
        " holte vierzig Bewohner mit Booten von den Dächern der Unterstadt. Bürgermeisterin Ida Brandt bat "
        "alle, die alte Mühle zu meiden.",
    )
    new = (
        "Hochwasser in Elmstadt: Zahl der Toten steigt auf fünf",
        "Nach dem Hochwasser in Elmstadt sind nun fünf Tote bekannt, wie die Polizei am Mittwoch mitteilte."
        " Taucher fanden drei Leichen in einem Keller der Webergasse. Die Tarn war am Dienstagabend über "
        "die Ufer getreten.",
    )
    known = known_from(told, "de")
    found = compare(article(1, *new, language="de"), known)
    assert found.news
    assert found.related
    assert not any("über die Ufer" in each.text for each in found.sentences)
    assert not compare(article(2, told[0], told[1], language="de"), known).news


@pytest.mark.parametrize(
    "text", ["", "😀 😀 😀", "word " * 50_000, "{{7*7}} <b>", "\u202eنص عربي قصير هنا", "1 2 3"]
)
def test_strange_texts_are_compared_without_an_error(text: str) -> None:
    known = known_from([text[:100], "Two people died."], "en")
    read = replace(article(1, "Strange", "Some words stand here."), text=text)
    assert 0.0 <= compare(read, known).known <= 1.0
    assert 0.0 <= compare(read, known_from([], "")).known <= 1.0


def test_a_told_story_may_go_on_for_four_days_since_it_was_told_last() -> None:
    first = told_days_ago(2, FLOOD)
    second = told_days_ago(1, TOLL, told=first)
    long_ago = [replace(each, composed_at=NOW - timedelta(days=9)) for each in first]
    lately = [replace(each, composed_at=NOW - timedelta(days=3)) for each in second]
    assert story_of(today([*lately, *long_ago], CAUSE), 1).key == first[0].story.key
    assert not story_of(today(long_ago, CAUSE), 1).update


def test_an_update_weighs_less_than_what_is_quite_new() -> None:
    assert story_of(today(told_days_ago(1, FLOOD), TOLL), 1).terms["told"] == -0.5
    assert story_of(today((), TOLL), 1).terms["told"] == 0.0


def test_an_id_used_again_for_another_story_does_not_take_the_key_of_an_update() -> None:
    told_article = article(900, *FLOOD, feed=A, guid="17", url="")
    told = remembered(composed(LETTER, [told_article]), [told_article])
    articles = [article(1, *TOLL, feed=B), article(2, *BELL, feed=A, guid="17", url=""), *others(50)]
    draft = composed(LETTER, articles, told)
    assert len({story.key for story in draft.stories}) == len(draft.stories)
    assert sorted(verdicts(draft)) == sorted(each.id for each in articles)
    assert story_of(draft, 1).update
    assert not story_of(draft, 2).update
