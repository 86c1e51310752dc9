"""Which articles are copies, and which tell the same story."""

from __future__ import annotations

import random
import time

import pytest

from digest.model import Background
from digest.summarizer.fingerprint import fingerprint
from digest.summarizer.stories import (
    Item,
    average_link,
    group,
    is_round_up,
    joined,
    near_copies,
    resettled,
    spaces,
)

BRIDGE = (
    "Harbour Bridge shut after crack is found",
    "The Harbour Bridge was closed to all traffic on Friday after engineers found a long crack in the "
    "bearing of its "
    "swinging span. The city expects repairs to take three weeks. A free shuttle boat carries people across.",
)
BRIDGE_TOO = (
    "Cracked bearing closes swing bridge in Marlow Bay",
    "Marlow Bay was cut in two when its swing bridge was taken out of service because of a crack in a "
    "bearing. Engineers "
    "closed the Harbour Bridge before dawn on Friday; the ministry expects weeks of repairs. Boats carry "
    "people across.",
)
BELL = (
    "Stolen bell comes home after forty years",
    "The smallest bell of the parish church, missing since 1986, stood outside the vestry door in a "
    "wheelbarrow. A note "
    "said sorry for the delay. The ringers had left a pause for its note ever since the night of the theft.",
)
TRAM = (
    "Voters say yes to the tram",
    "More than half of the voters approved a tram line from the station to the university hill. The first "
    "rails could "
    "be laid in two years. The shopkeepers of Rope Street want written promises about the works.",
)
OTTER = (
    "Otters breed in the creek again",
    "A night camera behind the old paper mill filmed a mother otter teaching three pups to swim. Wardens "
    "ask walkers to "
    "keep dogs on a lead until the spring. Trout and kingfishers had come back first.",
)
DAY = (BRIDGE, BELL, TRAM, BRIDGE_TOO, OTTER)


def item(title: str, text: str, language: str = "en", at: float = 0.0) -> Item:
    return Item(language=language, title=title, terms=fingerprint(text, title, language).terms, time=at)


# ---------------------------------------------------------------- copies


def prints(*texts: str) -> list[tuple[int, ...]]:
    return [fingerprint(text, "", "en").shingles for text in texts]


def test_a_copy_with_furniture_an_edited_one_and_an_excerpt_are_copies() -> None:
    original = BRIDGE[1]
    framed = (
        f"By our own correspondent in the harbour. {original} Follow us for more news of this kind every day."
    )
    edited = original.replace("long crack", "very long crack").replace("three weeks", "a month")
    excerpt = original.partition(". ")[0]
    found = joined(5, near_copies(prints(original, framed, edited, excerpt, BELL[1])))
    assert found == [0, 0, 0, 0, 4]


def test_two_articles_about_one_event_are_no_copies() -> None:
    assert near_copies(prints(BRIDGE[1], BRIDGE_TOO[1])) == []


def test_a_sentence_that_everybody_prints_makes_no_copies() -> None:
    motto = "This service of the northern wire is made possible by the readers of all our papers."
    texts = [f"{motto} {' '.join(f'unique{number}x{place}' for place in range(8))}" for number in range(60)]
    assert near_copies(prints(*texts)) == []


def test_very_short_texts_are_never_near_copies() -> None:
    assert near_copies(prints("Sunny with some clouds today", "Sunny with some clouds today")) == []


def test_nothing_at_all_is_no_error() -> None:
    assert near_copies([]) == []
    assert near_copies([(), ()]) == []
    assert group([]) == []


def test_pairs_join_into_chains() -> None:
    assert joined(6, [(4, 5), (1, 2), (2, 4)]) == [0, 1, 1, 3, 1, 1]


# ---------------------------------------------------------------- stories


def test_the_same_event_in_other_words_is_one_story() -> None:
    assert group([item(*each) for each in DAY]) == [[0, 3], [1], [2], [4]]


def test_languages_stay_apart() -> None:
    assert group([item(*BRIDGE), item(*BRIDGE_TOO, language="de")]) == [[0], [1]]


def test_a_round_up_glues_nothing() -> None:
    everything = ("Morning briefing: bridge, bell and tram", " ".join(text for _, text in DAY))
    found = group([*(item(*each) for each in DAY), item(*everything)])
    assert [5] in found
    assert [0, 3] in found


@pytest.mark.parametrize(
    "title",
    ["Morning briefing", "Storm: live updates", "The week in pictures", "Newsblog: Sturm",
     "Liveticker", "Revue de presse",
     "Minuto a minuto: la tormenta", "أبرز العناوين"],
)  # fmt: skip
def test_round_ups_are_known(title: str) -> None:
    assert is_round_up(title)


@pytest.mark.parametrize(
    "title", ["Alive and well", "Delivery vans update fleet", "The brief life of a mayfly"]
)
def test_other_headlines_are_no_round_ups(title: str) -> None:
    assert not is_round_up(title)


def test_bare_headlines_are_grouped_too() -> None:
    titles = [
        "Harbour Bridge closed after crack found",
        "Crack closes Harbour Bridge",
        "Church bell returned after forty years",
        "Otters seen in mill creek",
        "Potato resists blight",
        "Herring quota cut by ministers",
    ]
    assert group([item(title, "") for title in titles])[0] == [0, 1]


def test_the_order_of_articles_does_not_change_the_stories() -> None:
    items = [item(*each) for each in DAY]
    expected = {frozenset(items[number].title for number in each) for each in group(items)}
    for seed in range(5):
        mixed = random.Random(seed).sample(items, len(items))  # noqa: S311
        assert {frozenset(mixed[number].title for number in each) for each in group(mixed)} == expected


def test_a_group_over_a_week_is_cut_more_strictly() -> None:
    day = 86_400.0
    close = group(
        [item(*BRIDGE, at=day), item(*BRIDGE_TOO, at=2 * day), *(item(*each) for each in (BELL, TRAM, OTTER))]
    )
    far = group(
        [item(*BRIDGE, at=day), item(*BRIDGE_TOO, at=9 * day), *(item(*each) for each in (BELL, TRAM, OTTER))]
    )
    assert [0, 1] in close
    assert len(far) >= len(close)


def test_average_link_does_not_chain() -> None:
    import numpy as np

    chain = np.eye(4, dtype=np.float32)
    for number in range(3):
        chain[number, number + 1] = chain[number + 1, number] = 0.3
    assert average_link(chain, 0.2) == [[0, 1], [2, 3]]


def test_an_item_moves_to_the_group_that_it_is_nearer_to() -> None:
    import numpy as np

    alike = np.full((6, 6), 0.05, dtype=np.float32)
    alike[:3, :3] = alike[3:, 3:] = 0.5
    alike[2, :2] = alike[:2, 2] = 0.2  # the third one was joined too early
    alike[2, 3:] = alike[3:, 2] = 0.5
    assert resettled(alike, [[0, 1, 2], [3, 4, 5]]) == [[0, 1], [2, 3, 4, 5]]


def test_a_lonely_item_joins_a_group_that_is_like_it_but_not_one_that_is_not() -> None:
    import numpy as np

    alike = np.full((5, 5), 0.4, dtype=np.float32)
    alike[3, :] = alike[:, 3] = 0.18
    alike[4, :] = alike[:, 4] = 0.1
    assert resettled(alike, [[0, 1, 2], [3], [4]]) == [[0, 1, 2, 3], [4]]


def test_who_came_late_is_taken_in_by_many() -> None:
    def made_of(name: str, core: range, own: int) -> Item:
        words = [*(f"core{n}" for n in core), *(f"{name}{n}" for n in range(own))]
        return Item(language="en", title=name, terms=dict.fromkeys(words, 1))

    many = [made_of(f"many{n}", range(12), 8) for n in range(6)]
    late = made_of("late", range(9), 20)
    apart = [made_of(f"apart{n}", range(0), 26) for n in range(9)]
    assert [0, 1, 2, 3, 4, 5, 6] in group([*many, late, *apart])


def test_a_few_do_not_draw_members_from_many() -> None:
    import numpy as np

    alike = np.full((12, 12), 0.3, dtype=np.float32)
    alike[1:10, 10:] = alike[10:, 1:10] = 0.05
    alike[0, 10:] = alike[10:, 0] = 0.35  # a little nearer to the two than to the nine
    groups = [list(range(10)), [10, 11]]
    assert resettled(alike, groups) == groups


def test_a_small_window_knows_from_before_which_words_are_common() -> None:
    routine = "minister government statement press office"
    first = item("Ferry", f"{routine} ferry timetable pier dock sailors island")
    other = item("Library", f"{routine} library lending shelves readers novels archive")
    assert group([first, other]) == [[0, 1]]
    terms = dict.fromkeys(item("", routine).terms, 900)
    known = spaces([first, other], Background(articles={"en": 1_000}, terms={"en": terms}))
    assert group([first, other], known) == [[0], [1]]


def test_no_background_and_an_empty_one_are_the_same() -> None:
    items = [item(*each) for each in DAY]
    vectors = [spaces(items, known)["en"].vectors for known in (None, Background())]
    assert vectors[0].weights.tolist() == vectors[1].weights.tolist()


def test_five_thousand_articles_are_grouped_in_a_few_seconds() -> None:
    chance = random.Random(7)  # noqa: S311  (nothing secret)
    common = [f"common{number}" for number in range(400)]
    rare = [f"rare{number}" for number in range(20_000)]
    items = []
    for _ in range(1_700):
        core = chance.sample(rare, 25)
        for _ in range(3):
            terms = dict.fromkeys(
                chance.sample(common, 40) + chance.sample(core, 18) + chance.sample(rare, 30), 1
            )
            items.append(Item(language="en", title="", terms=terms))
    items = items[:5_000]
    started = time.process_time()
    found = group(items)
    assert time.process_time() - started < 12  # 2 s on an idle core
    assert sorted(number for each in found for number in each) == list(range(5_000))
    together = sum(each[0] // 3 == each[-1] // 3 for each in found if len(each) > 1)
    assert together > 1_500


def test_thousands_of_equal_headlines_are_one_story_at_once() -> None:
    # headlines that differ in a word, and 4,000 that do not differ at all
    equal = [item("Your horoscope for today", "")] * 4_000
    others = [
        item(f"Your horoscope for today and the sign of the {word}", "") for word in ("crab", "lion", "ram")
    ]
    started = time.process_time()
    found = group([*equal, *others, item(*BELL)])
    assert time.process_time() - started < 3  # 0.1 s on an idle core
    assert found[0][:4_000] == list(range(4_000))
    assert found[-1] == [4_003]


def test_equal_items_weigh_as_many_as_they_are() -> None:
    import numpy as np

    alike = np.array(
        [[1.0, 0.4, 0.3], [0.4, 1.0, 0.1], [0.3, 0.1, 1.0]],
        dtype=np.float32,
    )
    assert average_link(alike, 0.19) == [[0, 1, 2]]  # (0.3 + 0.1) / 2 for the third
    assert average_link(alike, 0.19, [1, 5, 1]) == [[0, 1], [2]]  # (0.3 + 5 × 0.1) / 6
