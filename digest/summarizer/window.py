"""The fresh articles of a window, by number, with all that is asked about them: how alike, how heavy, how
central."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

from digest.model import Article, Newsletter, Story
from digest.summarizer.stories import (
    Floats,
    Item,
    Space,
    closest_of_rest,
    likeness,
    nearness_to_all,
    spaces,
)
from digest.summarizer.terms import terms

TOLD_LIKE = 0.25  # likeness from which an article follows up on a told story


class Window:
    """Made once for a draft; it does not change. `told` stories lend their words to the likeness."""

    def __init__(self, newsletter: Newsletter, articles: Sequence[Article], told: Sequence[Story]) -> None:
        self.newsletter = newsletter
        self.articles = tuple(articles)
        # The articles first, then what was told: that is only there for its words.
        self.items = (*map(_item, articles), *map(_told_item, told))
        self.spaces: Mapping[str, Space] = spaces(self.items)
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
        found = [False] * len(self.articles)
        for space in self.spaces.values():
            numbers = [number for number in space.numbers if number < len(self.articles)]
            values = closest_of_rest(space.vectors, len(numbers))
            for number, value in zip(numbers, values, strict=True):
                found[number] = value >= TOLD_LIKE
        return tuple(found)


def _item(article: Article) -> Item:
    return Item(
        language=article.language,
        title=article.title,
        terms=article.fingerprint.terms,
        time=article.published.timestamp(),
    )


def _told_item(story: Story) -> Item:
    language = story.language
    counts = Counter(terms(" ".join(story.summary), language))
    for term in terms(story.title, language):
        counts[term] += 2
    return Item(language=language, title=story.title, terms=counts)
