"""From a template to an answer: the few things every page shares."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from digest.translations import Catalogues
from digest.web.accepted import preferred
from digest.web.conditional import Conditions, verdict
from digest.web.gate import OPENED, stamp
from digest.web.lent import WebLent
from digest.web.security import PRIVATE, image_url, masked, web_url

# The hidden field alone: what somebody typed may look like the mark, too (a `<` or `"` of theirs is escaped).
_STAMPED = re.compile(r'<input\b[^>]*\bname="opened"[^>]*>')
_SLUG = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)


def plausible_slug(text: str) -> bool:
    return _SLUG.fullmatch(text) is not None


def local(url: str) -> str:
    """The path of one of our own URLs. Pages link to one another by path alone, so that they (and the
    policy `form-action 'self'`) also hold under another name of the host, such as `localhost`."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Renders pages. stylesheet, icon: where they are found, under `base`; that changes with their content.

    static: the pages become files: there is no search, and forms are sent to the service.
    """

    lent: WebLent
    stylesheet: str
    icon: str
    static: bool = False

    def render(self, name: str, *, language: str = "", **context: Any) -> str:
        """language: which our words are wanted in; by default that of the newsletter in the context."""
        lent = self.lent
        if not language and context.get("newsletter"):
            language = context["newsletter"].language
        return lent.renderer.page(
            f"{name}.html",
            language=self.speaks.spoken(language),
            site=lent.site,
            links=lent.links,
            stylesheet=self.base + self.stylesheet,
            icon=self.base + self.icon,
            local=local,
            static=self.static,
            web_url=web_url,
            image_url=image_url,
            masked=masked,
            **context,
        )

    def public(self, request: Request, name: str, *, vary: str = "", **context: Any) -> Response:
        """A page for everyone, with a validator: a second look costs no bytes. vary: the header of the
        request that decided about it."""
        text = self.render(name, **context)
        etag = f'"{hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]}"'
        if OPENED in text:  # it differs in when it was opened, and in nothing that is worth sending it again
            etag = f"W/{etag}"
        headers = {"etag": etag, "cache-control": "public, max-age=60"} | ({"vary": vary} if vary else {})
        asked = Conditions(if_none_match=_joined(request, "if-none-match"))
        if verdict(asked, etag=etag, last_modified=None) == "not modified":
            return Response(status_code=304, headers=headers)
        return HTMLResponse(self._opened(text), headers=headers)

    def private(self, name: str, *, status: int = 200, opened: str = "", **context: Any) -> Response:
        """A page for one person: an answer to a form, or anything behind a token. opened: the stamp of the
        page whose form this one shows again."""
        html = self._opened(self.render(name, **context), opened)
        return HTMLResponse(html, status_code=status, headers=PRIVATE)

    def _opened(self, html: str, opened: str = "") -> str:
        """The page with the moment at which it was opened, or that of an earlier one."""
        if OPENED not in html:
            return html
        lent = self.lent
        at = opened or (stamp(lent.clock(), lent.ip_key) if lent.stamps else "")
        return _STAMPED.sub(lambda field: field[0].replace(OPENED, at), html)

    def message(
        self,
        kind: str,
        *,
        status: int,
        request: Request | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A page that says in plain words what is the matter: `missing`, `broken_link`, `later`, …

        It is about no newsletter, so it speaks as the browser of the `request` asks.
        """
        language = "" if request is None else self.asked(request)
        html = self.render("message", language=language, kind=kind)
        return HTMLResponse(html, status_code=status, headers={**PRIVATE, **(headers or {})})

    @property
    def base(self) -> str:
        """What stands before our own paths where `site.url` has a path of its own; mostly empty."""
        return local(self.lent.links.home()).rstrip("/")

    @property
    def speaks(self) -> Catalogues:
        return self.lent.renderer.words.catalogues

    def asked(self, request: Request, otherwise: str = "") -> str:
        """The language that the browser would like best among ours. An answer in it has to say
        `Vary: Accept-Language` if anybody may keep it."""
        return preferred(_joined(request, "accept-language") or "", self.speaks.languages) or otherwise


def _joined(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    return ", ".join(values) if values else None
