"""A world of news made from a seed: papers, days and events, and for every article which event it tells and
which facts. What a digest makes of it can be counted, for nobody has to guess what was news.

An event breaks in one paper, is told by others in other words, and is copied where an agency wrote it; some
tell it a day late. On later days there are updates, each with one new fact, recaps without any, a correction.
Papers carry oddities, too, that nobody else has. Their feeds hold the last days' items again; now and then an
item comes under another guid or another link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from random import Random

from news_words import AGAIN, ASIDES, KINDS, NOISE, Fact, Kind

FIRST = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
"""07:00 in Berlin on the first day of the world: what a paper prints on a day stands before that hour."""
DAY = timedelta(days=1)
HELD = 3
"""Days that an item stays in its feed."""
PAPERS = {
    "en": ("courier", "lantern", "echo", "mirror", "gazette", "star", "herald", "post"),
    "de": ("talbote", "blatt", "rundschau", "anzeiger"),
}
AGENCY = {"en": "North Wire", "de": "Nordpresse"}
DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}
_ONSET = ("Br", "D", "F", "G", "H", "K", "L", "M", "N", "P", "R", "S", "St", "T", "V", "W", "Tr", "Gr")
_MIDDLE = ("a", "e", "i", "o", "u", "ar", "el", "in", "or", "un", "al", "er")
_CODA = ("ndel", "sk", "mmer", "tten", "rby", "lgard", "nsted", "vik", "ldau", "ppen", "ttau", "rnow")
_FIRST_NAMES = ("Ada", "Bela", "Cora", "Dario", "Edda", "Falk", "Greta", "Hugo", "Ines", "Jori", "Kai",
                "Lena", "Milo", "Nora", "Otis", "Pia", "Rolf", "Sina", "Tilo", "Uma")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """starts: the number of its first day. values: what its slots are filled with. weight: how many papers
    tell it on the first day, copies counted."""

    key: str
    kind: Kind
    starts: int
    values: Mapping[str, str]
    weight: int

    def marker(self, fact: str) -> str:
        """What must stand in a text that tells this fact."""
        [found] = [each for each in (*self.kind.facts, *self.kind.later, self.kind.fix) if each.name == fact]
        return self.values[found.marker]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An article with its truth. role: break, rewrite, copy, late, update, recap, fix or noise."""

    paper: str
    day: int
    title: str
    text: str
    published: datetime
    event: str
    facts: frozenset[str]
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A title is unique in its paper: by both an article is found in here again."""

    days: int
    papers: Mapping[str, str]  # name → language
    events: Mapping[str, Event]
    items: tuple[Item, ...]
    seed: int

    def item(self, paper: str, title: str) -> Item:
        [found] = [each for each in self.items if (each.paper, each.title) == (paper, title)]
        return found

    def feeds(self, day: int) -> dict[str, bytes]:
        """The documents of that morning, by paper."""
        return {paper: _rss(self, paper, day) for paper in self.papers}


def world(seed: int, *, days: int = 10, papers: int = 12, events: int = 14, noise: int = 6) -> World:
    """The same world for the same arguments. papers: a third of them write German."""
    random = Random(seed)  # noqa: S311 - no secrets
    german = max(2, papers // 3)
    names = dict.fromkeys(PAPERS["de"][:german], "de")
    names |= dict.fromkeys(PAPERS["en"][: papers - len(names)], "en")
    used: set[str] = set()
    items: list[Item] = []
    found: dict[str, Event] = {}
    # Scene by scene, so that two events of one kind are as far apart as there is room for.
    order = [(kind, number) for number in range(2) for kind in KINDS]
    for number, (kind, scene) in enumerate(order[:events]):
        starts = number * max(1, days - 3) // max(1, min(events, len(order)))
        event, told = _event(random, f"{kind.name}-{scene}", kind, scene, starts, names, days, used)
        found[event.key] = event
        items += told
    oddities = [(language, *words) for language, of_it in NOISE.items() for words in of_it]
    for number, (language, title, text) in enumerate(random.sample(oddities, min(noise, len(oddities)))):
        paper = random.choice([name for name, of in names.items() if of == language])
        values = _values(random, language, used)
        day = random.randrange(days)
        key = f"noise-{number}"
        items.append(
            Item(
                paper=paper,
                day=day,
                title=title.format(**values),
                text=text.format(**values),
                published=_moment(random, day),
                event=key,
                facts=frozenset({key}),
                role="noise",
            )
        )
    items.sort(key=lambda item: (item.published, item.paper, item.title))
    keys = {(item.paper, item.title) for item in items}
    assert len(keys) == len(items), "a title stands twice in a paper"
    return World(days=days, papers=names, events=found, items=tuple(items), seed=seed)


# ---------------------------------------------------------------- one event


def _event(
    random: Random, key: str, kind: Kind, scene: int, starts: int, papers: Mapping[str, str], days: int,
    used: set[str],
) -> tuple[Event, list[Item]]:  # fmt: skip
    """The event and all that is ever written about it."""
    values = {**kind.scenes[scene], **_values(random, kind.language, used)}
    values |= {f"cap_{name}": value[:1].upper() + value[1:] for name, value in list(values.items())}
    values["harm_cap"] = values.get("cap_harm", "")
    values["day"] = DAYS[kind.language][(FIRST + (starts - 1) * DAY).weekday()]
    ours = [name for name, language in papers.items() if language == kind.language]
    random.shuffle(ours)
    first = ours[: random.randint(2, len(ours))]
    writer = _Writer(random, key, kind, values, scene)
    items = [writer.breaking(first[0], starts, "break")]
    wire = writer.wire()
    for paper in first[1:]:
        if random.random() < 0.35:
            items.append(writer.copy(paper, starts, wire))
        elif random.random() < 0.2 and starts + 1 < days:
            items.append(writer.breaking(paper, starts + 1, "late"))
        else:
            items.append(writer.breaking(paper, starts, "rewrite"))
    told = {fact.name for fact in kind.facts}
    if random.random() < 0.5 and starts + 1 < days:
        items.append(writer.update(random.choice(ours), starts + 1, kind.fix, told, role="fix"))
    day = starts
    for fact in kind.later:
        day += random.choice((1, 1, 2))
        tellers = random.sample(ours, random.randint(1, min(3, len(ours)))) if day < days else ()
        items += [writer.update(paper, day, fact, told) for paper in tellers]
        told.add(fact.name)
    for paper in ours:
        if random.random() < 0.4 and starts + 1 < days:
            items.append(writer.recap(paper, random.randrange(starts + 1, min(starts + 4, days))))
    event = Event(
        key=key, kind=kind, starts=starts, values=values, weight=sum(item.day == starts for item in items)
    )
    return event, items


class _Writer:
    """Writes about one event, each time in other words."""

    def __init__(self, random: Random, key: str, kind: Kind, values: Mapping[str, str], scene: int) -> None:
        self._random = random
        self._key = key
        self._kind = kind
        self._values = values
        self._scene = scene
        self._titles: dict[str, set[str]] = {}

    def breaking(self, paper: str, day: int, role: str) -> Item:
        facts = [self._kind.facts[0], *self._random.sample(self._kind.facts[1:], len(self._kind.facts) - 1)]
        lines = [*map(self._say, facts), *self._colours(2)]
        return self._item(paper, day, self._title(paper, self._kind.titles), lines, facts, role)

    def wire(self) -> str:
        """The agency's text, which some print as it is."""
        lines = [fact.ways[0] for fact in self._kind.facts] + list(self._ours(self._kind.colour))
        return " ".join(line.format(**self._values) for line in lines)

    def copy(self, paper: str, day: int, wire: str) -> Item:
        agency = AGENCY[self._kind.language]
        text = f"{self._values['town'].upper()} ({agency}). {wire}"
        if self._random.random() < 0.5:
            text += " " + self._random.choice(ASIDES[self._kind.language])
        title = self._title(paper, self._kind.titles)
        return self._item(paper, day, title, [text], self._kind.facts, "copy")

    def update(self, paper: str, day: int, fact: Fact, told: set[str], role: str = "update") -> Item:
        """The new fact first, and then what it is about: in other words, or as the agency had it."""
        before = [each for each in (*self._kind.facts, *self._kind.later) if each.name in told]
        lines = [self._say(fact), *self._ours(fact.more)]
        if self._random.random() < 0.25:
            again = list(self._kind.facts)
            lines.append(self.wire())
        else:
            again = [before[0], *self._random.sample(before[1:], 1)]
            lines += [*map(self._say, again), *self._colours(1)]
        return self._item(paper, day, self._title(paper, fact.titles), lines, [fact, *again], role)

    def recap(self, paper: str, day: int) -> Item:
        facts = list(self._kind.facts)
        lines = [*map(self._say, facts), *self._colours(1)]
        title = self._title(paper, AGAIN[self._kind.language])
        return self._item(paper, day, title, lines, facts, "recap")

    def _ours(self, lines: Sequence[str]) -> Sequence[str]:
        """What belongs to this scene, and not to the other events of the kind."""
        each = len(lines) // len(self._kind.scenes)
        return lines[self._scene * each : (self._scene + 1) * each]

    def _say(self, fact: Fact) -> str:
        return self._random.choice(fact.ways)

    def _colours(self, count: int) -> list[str]:
        own = self._random.sample(list(self._ours(self._kind.colour)), count)
        return [*own, self._random.choice(ASIDES[self._kind.language])]

    def _title(self, paper: str, ways: Sequence[str]) -> str:
        """One that this paper has not had; days later it finds another word or two."""
        for number in range(99):
            made = self._random.choice(ways).format(**self._values)
            made = made[:1].upper() + made[1:] + (f" ({number // 9 + 1})" if number > 8 else "")
            if made not in self._titles.setdefault(paper, set()):
                self._titles[paper].add(made)
                return made
        raise AssertionError("no title left")

    def _item(
        self, paper: str, day: int, title: str, lines: Sequence[str], facts: Sequence[Fact], role: str
    ) -> Item:
        return Item(
            paper=paper,
            day=day,
            title=title,
            text=_sentences(" ".join(line.format(**self._values) for line in lines)),
            published=_moment(self._random, day),
            event=self._key,
            facts=frozenset(fact.name for fact in facts),
            role=role,
        )


def _sentences(text: str) -> str:
    """Each begins with a capital, whatever a slot began with."""
    return ". ".join(part[:1].upper() + part[1:] for part in text.split(". "))


def _values(random: Random, language: str, used: set[str]) -> dict[str, str]:
    """Names and numbers that no other event has."""
    return {
        "town": _fresh(used, lambda: random.choice(_ONSET) + random.choice(_MIDDLE) + random.choice(_CODA)),
        "person": _fresh(used, lambda: f"{random.choice(_FIRST_NAMES)} {_surname(random)}"),
        "witness": _fresh(used, lambda: f"{random.choice(_FIRST_NAMES)} {_surname(random)}"),
        "year": _fresh(used, lambda: str(random.randint(612, 1689))),
        **{f"n{number}": _fresh(used, lambda: _number(random, language)) for number in range(1, 6)},
    }


def _surname(random: Random) -> str:
    return random.choice(_ONSET) + random.choice(_MIDDLE) + random.choice(("nz", "rk", "ssing", "lde", "mpf"))


def _number(random: Random, language: str) -> str:
    thousands, rest = divmod(random.randint(1_101, 98_999), 1000)
    return f"{thousands}{',' if language == 'en' else '.'}{rest:03}"


def _fresh(used: set[str], make: object) -> str:
    while (made := make()) in used:  # type: ignore[operator]
        pass
    used.add(made)
    return str(made)


def _moment(random: Random, day: int) -> datetime:
    """Some time in the day before that morning."""
    return FIRST + day * DAY - timedelta(minutes=random.randint(20, 23 * 60))


# ---------------------------------------------------------------- feeds


def _rss(world: World, paper: str, day: int) -> bytes:
    shown = [item for item in world.items if item.paper == paper and day - HELD < item.day <= day]
    items = "".join(
        _entry(world, item, day) for item in sorted(shown, key=lambda x: x.published, reverse=True)
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>The {paper}</title>'
        f"<link>https://{paper}.example.org/</link><description>News</description>"
        f"<language>{world.papers[paper]}</language>{items}</channel></rss>"
    ).encode()


def _entry(world: World, item: Item, day: int) -> str:
    number = world.items.index(item)
    link = f"https://{item.paper}.example.org/news/{number}"
    guid = f"tag:{item.paper}.example.org,2026:{number}"
    # Of some items one or the other is not the same on the day after: the paper changed its program.
    oddity = Random(f"{world.seed} {number}").choice(("guid", "link", "both", "", "", "", "", "", "", ""))  # noqa: S311
    if day > item.day:
        guid += "-v2" if oddity in ("guid", "both") else ""
        link += "?ref=rss" if oddity == "link" else ".html" if oddity == "both" else ""
    return (
        f'<item><guid isPermaLink="false">{guid}</guid><link>{escape(link)}</link>'
        f"<title>{escape(item.title)}</title><pubDate>{format_datetime(item.published)}</pubDate>"
        f"<description>{escape('<p>' + escape(item.text, quote=False) + '</p>')}</description></item>"
    )


def of_event(items: Sequence[Item]) -> Iterator[tuple[str, list[Item]]]:
    """The events of these items, each with its own."""
    for key in dict.fromkeys(item.event for item in items):
        yield key, [item for item in items if item.event == key]
