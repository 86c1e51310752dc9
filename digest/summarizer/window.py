"""The fresh articles of a window, by number, with all that is asked about them: how alike, how heavy, how
central."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from digest.model import Article, Background, Newsletter, Story, Told
from digest.summarizer.fingerprint import TITLE_WEIGHT
from digest.summarizer.likeness import Floats, likeness, likeness_to_rest, nearness_to_all
from digest.summarizer.publisher import publisher_of
from digest.summarizer.stories import BARE_FACTOR, Item, Space, is_bare, spaces
from digest.summarizer.terms import terms

TOLD_LIKE = 0.25  # likeness from which an article follows up on a told story


class Window:
    """Made once for a draft; it does not change. What was told lends its words to the likeness, and is there
    to be compared with."""

    def __init__(
        self,
        newsletter: Newsletter,
        articles: Sequence[Article],
        told: Sequence[Told] = (),
        background: Background | None = None,
    ) -> None:
        self.newsletter = newsletter
        self.articles = tuple(articles)
        # The articles first, then what was told.
        kept = [(number, item) for number, each in enumerate(told) for item in _told_items(each)]
        self.items = (*map(_item, articles), *(item for _, item in kept))
        self._told = len(told)
        self._told_by = tuple(number for number, _ in kept)
        self.spaces: Mapping[str, Space] = spaces(self.items, background)
        self.volume = Counter(article.feed_url for article in articles)
        self._follows = {follow.url: follow for follow in newsletter.follows}
        self._place = {
            number: (language, place)
            for language, space in self.spaces.items()
            for place, number in enumerate(space.numbers)
        }

    def alike(self, members: Sequence[int]) -> Floats:
        """Cosines of articles of one language with one another."""
        language = self._place[members[0]][0]
        return likeness(self.spaces[language].vectors, [self._place[number][1] for number in members])

    def like(self, left: int, right: int) -> float:
        """Cosine of two articles; 0 for two languages."""
        (language, a), (other, b) = self._place[left], self._place[right]
        return self.spaces[language].vectors.cosine(a, b) if language == other else 0.0

    def weight(self, feed_url: str) -> float:
        follow = self._follows.get(feed_url)
        return follow.weight if follow else 1.0

    def section(self, number: int) -> str:
        follow = self._follows.get(self.articles[number].feed_url)
        return (follow.section or "") if follow else ""

    def feed_title(self, number: int) -> str:
        article = self.articles[number]
        follow = self._follows.get(article.feed_url)
        return (follow.title if follow else None) or article.feed_title or article.feed_url

    @cached_property
    def sections(self) -> tuple[str, ...]:
        """In the order of the newsletter's follows."""
        return tuple(dict.fromkeys(follow.section or "" for follow in self.newsletter.follows))

    @cached_property
    def centrality(self) -> tuple[float, ...]:
        """For each article how much of the window is like it: 1 for the most."""
        found = [0.0] * len(self.articles)
        for space in self.spaces.values():
            numbers = [number for number in space.numbers if number < len(self.articles)]
            for number, value in zip(numbers, nearness_to_all(space.vectors, len(numbers)), strict=True):
                found[number] = value
        most = max(found, default=0.0) or 1.0
        return tuple(round(value / most, 5) for value in found)

    @cached_property
    def follows_up(self) -> tuple[bool, ...]:
        """For each article whether it is about something that was told before."""
        return tuple((self._near(np.max).max(axis=1, initial=0.0) >= TOLD_LIKE).tolist())

    @cached_property
    def near_told(self) -> Floats:
        """The average likeness of each article (row) to what is kept of each telling (column, in the order in
        which `told` was given)."""
        return self._near(np.mean)

    def _near(self, over: Callable[..., Floats]) -> Floats:
        count = len(self.articles)
        found = np.zeros((count, self._told), dtype=np.float32)
        for space, cosines in self._cosines:
            own = [number for number in space.numbers if number < count]
            parts: dict[int, list[int]] = defaultdict(list)
            for place, number in enumerate(space.numbers[len(own) :]):
                parts[self._told_by[number - count]].append(place)
            for telling, chosen in parts.items():
                found[own, telling] = over(cosines[:, chosen], axis=1)
        return found

    @cached_property
    def _cosines(self) -> list[tuple[Space, Floats]]:
        """Per language: those of the articles with what was told."""
        found = []
        for space in self.spaces.values():
            count = sum(number < len(self.articles) for number in space.numbers)
            bare = np.array([is_bare(self.items[number]) for number in space.numbers])
            cosines = likeness_to_rest(space.vectors, count)
            cosines *= 1 + (BARE_FACTOR - 1) * np.outer(bare[:count], bare[count:])
            found.append((space, cosines))
        return found

    def publishers(self, number: int) -> frozenset[str]:
        """Who stands behind an article: the house of its feed, and that of its page."""
        article = self.articles[number]
        page = publisher_of(article.url)
        return frozenset((publisher_of(article.feed_url), *((page,) if page != article.url else ())))


def _item(article: Article) -> Item:
    return Item(
        language=article.language,
        title=article.title,
        terms=article.fingerprint.terms,
        time=article.published.timestamp(),
    )


def _told_items(told: Told) -> list[Item]:
    """The articles that it was told from, or its own words when they are gone."""
    return [_item(article) for article in told.articles] or [_told_item(told.story)]


def _told_item(story: Story) -> Item:
    language = story.language
    counts = Counter(terms(" ".join(story.summary), language))
    for term in terms(story.title, language):
        counts[term] += TITLE_WEIGHT
    return Item(language=language, title=story.title, terms=counts)
