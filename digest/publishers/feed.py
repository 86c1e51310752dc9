"""The channel `feed`: what feed readers poll, built anew whenever an issue comes out.

    issues → (worker) → feed_documents → documents in the store, served from there

Publishing twice is harmless: the same bytes change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from urllib.parse import urlsplit

from digest.model import Delivery, Document, Issue, Newsletter, NotFound, NotReady, PublishError, Receipt
from digest.publishers.base import Audience, Lent
from digest.publishers.feed_documents import CONTENT_TYPES, FORMS, build
from digest.render import RenderError
from digest.workers import WorkerFailed

BUILD_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the feeds show.

    items: what one entry is; `issues` is one entry for each issue.
    entries: how many of the newest a feed holds.
    """

    items: Literal["issues"] = "issues"
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
            changed = await self.refresh(delivery.recipient)
        except NotFound as error:
            raise PublishError(str(error), permanent=True, relay="feed") from error
        except (WorkerFailed, RenderError) as error:
            raise PublishError(f"the feeds were not built: {error}", relay="feed") from error
        except NotReady as error:
            raise PublishError(str(error), counts=False, relay="feed") from error
        return Receipt(relay="feed", reply=f"{changed} of {len(FORMS)} documents changed")

    async def refresh(self, slug: str) -> int:
        """Bring a newsletter's feeds up to date, empty ones before the first issue; how many changed.

        Raises NotFound.
        """
        changed = 0
        issues = await self._newest(slug)
        while True:
            changed += await self._put(slug, issues)
            seen, issues = issues, await self._newest(slug)
            # Another process may have published a later issue while we built: the last to look gets it right.
            if [(i.id, i.revision) for i in issues] == [(i.id, i.revision) for i in seen]:
                return changed

    async def close(self) -> None:
        """Nothing is held open."""

    async def _newest(self, slug: str) -> list[Issue]:
        newest: list[Issue] = await self._lent.store.issues.latest(
            slug, limit=self._settings.entries, public=True
        )
        return newest

    async def _put(self, slug: str, issues: Sequence[Issue]) -> int:
        lent = self._lent
        publication = await lent.store.newsletters.get(slug)
        since = min(edition.created_at for edition in await lent.store.newsletters.editions(slug))
        # Authority and date are fixed by the first issue; until then a feed without entries says where it is.
        authority = publication.tag_authority or urlsplit(lent.site.url).hostname or "localhost"
        documents = await lent.workers.run(
            build,
            publication.newsletter,
            issues,
            lent.site,
            lent.links,
            lent.links.tag(authority, publication.tag_date or since.date(), slug),
            since,
            lent.templates,
            timeout=BUILD_SECONDS,
        )
        now = lent.clock().replace(microsecond=0)  # HTTP dates have no more
        return sum(
            [
                await lent.store.documents.put(
                    Document(
                        path=f"/{slug}/feed.{form}",
                        newsletter=slug,
                        content_type=CONTENT_TYPES[form],
                        body=body,
                        etag=f'"{sha256(body).hexdigest()[:32]}"',
                        last_modified=now,
                    )
                )
                for form, body in documents.items()
            ]
        )
