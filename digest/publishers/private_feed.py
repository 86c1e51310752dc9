"""The feed of one reader: the issues that were born for them, at an address that only they know.

Nothing of it is stored. It is written when its reader asks and has not got it yet; the web looks at the
validator first. It names no hub and no archives: whoever knows its address can read it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from urllib.parse import urlsplit

from digest import __version__
from digest.model import Publication, Subscription
from digest.publishers.base import Lent
from digest.publishers.feed_content import FORMS, Form, Order, Place
from digest.publishers.feed_documents import CONTENT_TYPES, build_one
from digest.render import renderer

BUILD_SECONDS = 30.0
KEPT = 32  # the bodies that were asked for last: a reader without memory must not cost a worker each time


class PrivateFeeds:
    """Writes private feeds. entries: how many of the newest issues one holds."""

    content_types: Mapping[Form, str] = CONTENT_TYPES

    def __init__(self, lent: Lent, entries: int) -> None:
        self.entries = entries
        self._lent = lent
        self._kept: OrderedDict[tuple[str, Form], bytes] = OrderedDict()

    def validator(
        self, publication: Publication, reader: Subscription, born: Sequence[tuple[int, int]]
    ) -> str:
        """An entity tag without its quotes, the same for the same content. born: (issue, revision)."""
        newsletter, site = publication.newsletter, self._lent.site
        said = (newsletter.title, newsletter.description, newsletter.language, newsletter.schedule.zone)
        template = renderer(self._lent.templates).source("pages/feed_issue.html")
        made_with = (__version__, said, site.title, site.url, template, reader.id, reader.feed_number, *born)
        return sha256(repr(made_with).encode(errors="replace")).hexdigest()[:32]

    async def write(
        self, publication: Publication, reader: Subscription, form: Form, born: Sequence[tuple[int, int]]
    ) -> bytes:
        """The document. Raises WorkerFailed, RenderError, NotReady."""
        key = (self.validator(publication, reader, born), form)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        lent, slug = self._lent, publication.newsletter.slug
        token = lent.links.token("feed", reader.id, number=reader.feed_number)
        authority = publication.tag_authority or urlsplit(lent.site.url).hostname or "localhost"
        day = publication.tag_date or reader.created_at.date()
        order = Order(
            newsletter=publication.newsletter,
            issues=[await lent.store.issues.get(issue_id) for issue_id, _ in born],
            id=lent.links.tag(authority, day, f"{slug}/private/{_nameless(reader, lent)}"),
            since=reader.created_at,
            place=Place(addresses={each: lent.links.private_feed(slug, token, each) for each in FORMS}),
            site=lent.site,
            links=lent.links,
            templates=lent.templates,
        )
        body = await lent.workers.run(build_one, order, form, timeout=BUILD_SECONDS)
        self._kept[key] = body
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return body


def _nameless(reader: Subscription, lent: Lent) -> str:
    """A name for the id of this reader's feed that stays when its address is renewed and tells nothing."""
    return lent.links.message_id(f"private feed {reader.id}", "x")[1:17]
