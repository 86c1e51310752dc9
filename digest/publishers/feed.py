"""The channel `feed`: what feed readers poll, built anew whenever an issue comes out.

    issues → archives that are full → newest issues → (worker) → feed_documents → documents in the store

The document that readers subscribe to holds the newest issues; older ones stand in archive documents (RFC
5005), so many in each, which are linked one to the next and never change once they are there, but for
corrections. Publishing twice is harmless: the same bytes change nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from itertools import zip_longest
from typing import Literal
from urllib.parse import quote, urlsplit

from digest import __version__
from digest.model import (
    Delivery,
    Document,
    FeedArchive,
    Issue,
    Newsletter,
    NotFound,
    NotReady,
    Publication,
    PublishError,
    Receipt,
)
from digest.packing import pack
from digest.publishers.base import Audience, Lent
from digest.publishers.feed_content import Order, Place, is_near
from digest.publishers.feed_documents import CONTENT_TYPES, FORMS, Form, build
from digest.render import RenderError, renderer
from digest.workers import WorkerFailed

log = logging.getLogger(__name__)

BUILD_SECONDS = 60.0
PACKED_AT_ONCE = 6
LARGEST_ARCHIVE = 50
EMPTY = " and nothing in it"
_IN_ADDRESSES = ":/?#[]@!$&'()*+,;=%~"
TEMPLATES = ("feed_issue.html", "feed_story.html", "icon.svg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the feeds show.

    items: what one entry is; `issues` is one entry for each issue, `stories` one for each story.
    entries: how many of the newest a feed holds; of stories, as many whole issues as it takes. What is older
    stands in archives that feed readers can follow.
    """

    items: Literal["issues", "stories"] = "issues"
    entries: int = 20

    def __post_init__(self) -> None:
        if not 1 <= self.entries <= 500:
            raise ValueError(f"entries must be between 1 and 500, not {self.entries}")


class Publisher:
    """Puts the feeds of a newsletter into the store, whenever one of its issues comes out."""

    channel = "feed"
    audience: Audience = "newsletter"
    concurrency = 2

    def __init__(self, settings: Settings, lent: Lent) -> None:
        self._settings = settings
        self._lent = lent

    async def prepare(self, issue: Issue, newsletter: Newsletter) -> bytes | None:
        """Nothing: a feed shows several issues, and is built when one of them is published."""
        return None

    async def connect(self) -> None:
        """Nothing: the store is the way out."""

    async def publish(self, delivery: Delivery) -> Receipt:
        """Build the feeds of the delivery's newsletter anew; doing it twice gives the same bytes."""
        try:
            changed, looked_at = await self._bring_up_to_date(delivery.recipient, delivery.issue_id)
        except NotFound as error:
            raise PublishError(str(error), permanent=True, relay="feed") from error
        except (WorkerFailed, RenderError) as error:
            raise PublishError(f"the feeds were not built: {error}", relay="feed") from error
        except NotReady as error:
            raise PublishError(str(error), counts=False, relay="feed") from error
        return Receipt(relay="feed", reply=f"{changed} of {looked_at} documents changed")

    async def refresh(self, slug: str) -> int:
        """Bring a newsletter's feeds up to date, empty ones before the first issue; how many changed.

        Raises NotFound.
        """
        changed, _ = await self._bring_up_to_date(slug, None)
        return changed

    async def close(self) -> None:
        """Nothing is held open."""

    async def _bring_up_to_date(self, slug: str, issue_id: int | None) -> tuple[int, int]:
        """How many documents changed, of how many that were built. issue_id: the one that is new, or was
        corrected. The archives first: the newest document leads to them."""
        store = self._lent.store
        publication = await store.newsletters.get(slug)
        await self._close_archives(slug)
        archives = await store.feed_archives.list(slug)
        there_are = set(await store.documents.paths(slug))
        corrected = await store.issues.corrected(slug)
        changed = looked_at = 0
        last: FeedArchive | None = None
        for archive, later in zip_longest(archives, archives[1:]):
            revised = [each for each in corrected if archive.after < each[0] <= archive.through]
            following = later if last is None else None
            made = self._made_with(publication, last, following, revised)
            holds = issue_id is not None and archive.after < issue_id <= archive.through
            own = {f"/{slug}/feed/{archive.number}.{form}" for form in FORMS}
            stands = archive.made == made and own <= there_are
            if (stands or archive.made == made + EMPTY) and not holds:
                made = archive.made
            else:
                there = partial(store.issues.between, slug, after=archive.after, through=archive.through)
                if await there():
                    place = partial(self._archive_place, archive, last, following)
                    changed += await self._build(publication, there, place)
                else:
                    made += EMPTY
                    changed += await self._take_away(archive)
                looked_at += len(FORMS)
                await store.feed_archives.made(archive, made)
            if not made.endswith(EMPTY):
                last = archive
        changed += await self._build(
            publication,
            partial(self._newest, slug),
            partial(self._newest_place, publication.newsletter, last),
        )
        await self._pack(slug)
        return changed, looked_at + len(FORMS)

    async def _take_away(self, archive: FeedArchive) -> int:
        """All of its issues have left the archive, so the chain goes past it."""
        documents = self._lent.store.documents
        return sum(
            [await documents.remove(f"/{archive.newsletter}/feed/{archive.number}.{form}") for form in FORMS]
        )

    async def _pack(self, slug: str) -> None:
        """Pack what is new as small as it goes, once and for all who ask. Not packed is no harm: whoever asks
        gets it packed a little less well, and the next round packs it."""
        documents = self._lent.store.documents
        while unpacked := await documents.unpacked(slug, limit=PACKED_AT_ONCE):
            bodies = [document.body for document in unpacked]
            try:
                packed = await self._lent.workers.run(pack, bodies, timeout=BUILD_SECONDS)
            except WorkerFailed as error:
                log.warning("feeds not packed", extra={"newsletter": slug, "error": str(error)})
                return
            for document, (small, smaller) in zip(unpacked, packed, strict=True):
                await documents.pack(replace(document, gzip=small, brotli=smaller))

    # ------------------------------------------------------------ which issues, and where

    async def _close_archives(self, slug: str) -> None:
        """Give issues that no archive holds an archive of their own as soon as there are enough of them; they
        stay in the newest document as long as it has room."""
        store, size = self._lent.store, self._archive_size()
        archives = await store.feed_archives.list(slug)
        left = await store.issues.ids_after(slug, archives[-1].through if archives else 0)
        for number in range(len(left) // size):
            await store.feed_archives.add(slug, len(archives) + number + 1, left[(number + 1) * size - 1])

    def _archive_size(self) -> int:
        """How many issues: never more than the newest document shows, or some would stand in neither."""
        return 1 if self._settings.items == "stories" else min(self._settings.entries, LARGEST_ARCHIVE)

    async def _newest(self, slug: str) -> list[Issue]:
        newest: list[Issue] = await self._lent.store.issues.latest(
            slug, limit=self._settings.entries, public=True
        )
        if self._settings.items == "stories":
            entries = 0
            for number, issue in enumerate(newest, 1):
                entries += len(issue.stories)
                if entries >= self._settings.entries:
                    return newest[:number]
        return newest

    async def _earlier(self, slug: str, issues: Sequence[Issue]) -> list[Issue]:
        """The issues that came out shortly before the oldest of these: its date may depend on them."""
        found: list[Issue] = []
        oldest = min(issues, key=lambda issue: issue.id, default=None)
        while oldest is not None:
            older = await self._lent.store.issues.latest(slug, limit=1, before=oldest.id, public=True)
            if not older or not is_near(older[0], oldest):
                break
            oldest = older[0]
            found.append(oldest)
        return found

    def _newest_place(self, newsletter: Newsletter, last: FeedArchive | None) -> tuple[str, Place]:
        links = self._lent.links
        place = Place(
            addresses={form: links.feed(newsletter.slug, form) for form in FORMS},
            previous=self._archive_addresses(last),
            hub=newsletter.hub,
        )
        return f"/{newsletter.slug}/feed", place

    def _archive_place(
        self, archive: FeedArchive, before: FeedArchive | None, following: FeedArchive | None
    ) -> tuple[str, Place]:
        links = self._lent.links
        place = Place(
            addresses=self._archive_addresses(archive),
            previous=self._archive_addresses(before),
            following=self._archive_addresses(following),
            current={form: links.feed(archive.newsletter, form) for form in FORMS},
        )
        return f"/{archive.newsletter}/feed/{archive.number}", place

    def _archive_addresses(self, archive: FeedArchive | None) -> dict[Form, str]:
        if archive is None:
            return {}
        links = self._lent.links
        return {form: links.feed_archive(archive.newsletter, archive.number, form) for form in FORMS}

    # ------------------------------------------------------------ building

    async def _build(
        self,
        publication: Publication,
        look: Callable[[], Awaitable[list[Issue]]],
        placed: Callable[[], tuple[str, Place]],
    ) -> int:
        """One document in its forms; how many of them changed."""
        changed = 0
        issues = await look()
        while True:
            changed += await self._put(publication, issues, *placed())
            seen, issues = issues, await look()
            # Another process may have published a later issue while we built: the last to look gets it right.
            if [(i.id, i.revision) for i in issues] == [(i.id, i.revision) for i in seen]:
                return changed

    async def _put(self, publication: Publication, issues: Sequence[Issue], stem: str, place: Place) -> int:
        lent, slug = self._lent, publication.newsletter.slug
        since = min(edition.created_at for edition in await lent.store.newsletters.editions(slug))
        # Authority and date are fixed by the first issue; until then a feed without entries says where it is.
        authority = publication.tag_authority or urlsplit(lent.site.url).hostname or "localhost"
        order = Order(
            newsletter=publication.newsletter,
            issues=await lent.store.shelves.linked(issues),
            earlier=await self._earlier(slug, issues),
            items=self._settings.items,
            id=lent.links.tag(authority, publication.tag_date or since.date(), slug),
            since=since,
            place=place,
            site=lent.site,
            links=lent.links,
            templates=lent.templates,
        )
        documents = await lent.workers.run(build, order, timeout=BUILD_SECONDS)
        now = lent.clock().replace(microsecond=0)  # HTTP dates have no more
        changed = 0
        for form, body in documents.items():
            document = Document(
                path=f"{stem}.{form}",
                newsletter=slug,
                content_type=CONTENT_TYPES[form],
                body=body,
                etag=f'"{sha256(body).hexdigest()[:32]}"',
                last_modified=now,
                links=_link_header(place, form),
            )
            changed += await lent.store.documents.put(document)
        return changed

    def _made_with(
        self,
        publication: Publication,
        before: FeedArchive | None,
        following: FeedArchive | None,
        revised: Sequence[tuple[int, int]],
    ) -> str:
        """A fingerprint of all that an archive is made of: while it is the same, the documents are not built
        again. An issue changes only by a correction. revised: (issue, revision) of those in it that were."""
        newsletter, lent = publication.newsletter, self._lent
        said = (newsletter.title, newsletter.description, newsletter.language, newsletter.schedule.zone)
        ours = (lent.site.title, lent.site.url, publication.tag_authority, publication.tag_date)
        words = [renderer(lent.templates).source(f"pages/{name}") for name in TEMPLATES]
        number = before.number if before else 0
        followed = [f"before {following.number}"] if following else []
        made_with = (__version__, self._settings.items, said, ours, words, number, *followed, *revised)
        return sha256(repr(made_with).encode(errors="replace")).hexdigest()[:32]


def _link_header(place: Place, form: Form) -> str:
    """Where a hub is looked for first (WebSub, section 4)."""
    if not place.hub:
        return ""
    itself = quote(place.addresses[form], safe=_IN_ADDRESSES)  # a host may be written in any letters
    return f'<{place.hub}>; rel="hub", <{itself}>; rel="self"'
