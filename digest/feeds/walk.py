"""What the quick reader keeps in mind while it walks over a document. Pure.

feedparser hears a document as a stream of events and remembers a few things between them: in which entry it
is, at what depth the last title stood, whether content has come. We walk over a tree and remember the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from digest.feeds.mending import joined
from digest.feeds.mending import mended as mend
from digest.feeds.names import Names, Unusual
from digest.feeds.reading import Said

Element = Any  # lxml's, which has no types of its own
Attributes = dict[str, str]
Action = Callable[["Walk", Element, int], None]
OddDate = Callable[[str], Any]

_MOST_ATTRIBUTES = 200  # to read all takes the square of their number


class Walk:
    """The state of one walk. `feed`, `version` and `entries` are what was found so far.

    actions: what to do at an element of a name; left: the names that only feedparser should read.
    base: the address that relative ones are resolved against. odd_date: reads the dates that we do not.
    scoped: it may hold an xml:base or xml:lang. sound: no text in it can need mending. `mended`: some did.
    """

    def __init__(
        self,
        names: Names,
        actions: Mapping[str, Action],
        left: frozenset[str],
        *,
        base: str,
        odd_date: OddDate,
        scoped: bool,
        sound: bool,
    ) -> None:
        self.names = names
        self.is_rdf = False
        self.feed: Said = {}
        self.version = ""
        self.entries: list[Said] = []
        self.entry: Said | None = None
        self.in_feed = False
        self.has_content = False
        self.title_depth = -1
        self.depths: dict[str, int] = {}
        self.base = base
        self.lang: str | None = None
        self.simple: dict[str, object] = {}
        self.hours: list[str] = []
        self.days: list[str] = []
        self.odd_date = odd_date
        self._actions = actions
        self._left = left
        self._scoped = scoped
        self._sound = sound
        self.mended = False
        self._learned: dict[str, Action] = {}

    @property
    def is_atom(self) -> bool:
        return self.version.startswith("atom")

    @property
    def context(self) -> Said:
        return self.feed if self.entry is None else self.entry

    # ------------------------------------------------------------ walking

    def children(self, parent: Element, depth: int) -> None:
        """Do what is to be done at each child; depth is theirs."""
        learned, scoped = self._learned, self._scoped
        for element in parent:
            tag = element.tag
            action = learned.get(tag) or self._learn(tag)
            if scoped and element.attrib:
                base, lang = self.base, self.lang
                self.enter(self.attributes(element))
                action(self, element, depth)
                self.base, self.lang = base, lang
            else:
                action(self, element, depth)

    def _learn(self, tag: str) -> Action:
        name = self.names.of(tag)
        if name in self._left:
            raise Unusual(name)
        action = self._learned[tag] = self._actions.get(name, unknown)
        return action

    def means_something(self, tag: str) -> bool:
        """Would an element of this name change anything, wherever it stands?"""
        name = self.names.of(tag)
        return name in self._actions or name in self._left

    def enter(self, attributes: Attributes) -> None:
        """From here on, another base or language may hold."""
        base = attributes.get("xml:base", attributes.get("base"))
        if base:
            found = joined(self.base, base)
            if found.strip().split(":", 1)[0] not in ("http", "https", "wais"):
                raise Unusual("a base that is no web address")
            self.base = found
        lang = attributes.get("xml:lang", attributes.get("lang"))
        if lang is not None:
            self.lang = lang or None

    # ------------------------------------------------------------ reading

    def attributes(self, element: Element) -> Attributes:
        count = len(element.attrib)
        if not count:
            return {}
        if count > _MOST_ATTRIBUTES:
            raise Unusual("very many attributes")
        found: Attributes = {}
        more: Attributes = {}
        for key, value in element.items():
            name = key
            if key[0] == "{":
                prefix, name = self.names.of_attribute(key)
                more[f"{prefix}:{name}".lower()] = value
                if prefix in ("xml", "rdf", "xlink"):
                    continue
            name = name.lower()
            found[name] = value.lower() if name in ("rel", "type") else value
        return {**found, **more} if more else found

    def text(self, element: Element) -> str:
        if len(element):
            raise Unusual("elements within a text")
        return (element.text or "").strip()

    def words(self, element: Element) -> str:
        """Its text without the defects that feedparser mends."""
        if len(element):
            raise Unusual("elements within a text")
        text: str = (element.text or "").strip()
        return text if self._sound else self.mend(text)

    def mend(self, text: str) -> str:
        if self._sound:
            return text
        found = mend(text)
        self.mended = self.mended or found != text
        return found

    def address(self, element: Element) -> str:
        text = self.text(element)
        return self.mend(joined(self.base, text)) if text else ""

    # ------------------------------------------------------------ remembering

    def store(self, name: str, value: object, depth: int) -> None:
        """In an entry, what stands higher up wins, and the last of equals; in a feed, the last wins."""
        if self.entry is not None:
            old = self.depths.get(name)
            if old is None or depth <= old:
                self.depths[name] = depth
                self.entry[name] = value
        elif self.in_feed:
            self.feed[name] = value

    def detail(self, name: str, parameters: Said) -> None:
        if self.entry is not None or self.in_feed:
            self.context[f"{name}_detail"] = parameters


def unknown(walk: Walk, element: Element, depth: int) -> None:
    """An element that means nothing to us may hold others that do."""
    if len(element):
        walk.children(element, depth + 1)


def own_text(element: Element) -> str:
    """What stands in an element, but not in its parts."""
    return "".join((element.text or "", *(child.tail or "" for child in element))).strip()
