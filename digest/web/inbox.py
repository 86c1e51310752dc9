"""The local inbox: letters that were kept instead of sent, for whoever sits at this machine."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from digest.model import Letter
from digest.web.pages import Pages
from digest.web.security import CONTENT_POLICY, PRIVATE, is_local

# What a mail program would do with the letter's own markup: its styles and pictures, no scripts.
_LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'self'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_FRAMING = {"content-security-policy": f"{CONTENT_POLICY}; frame-src 'self'"}
_LARGEST = 2**63 - 1  # what a database holds as an id
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


async def letters(pages: Pages, request: Request) -> Response:
    if not is_local(request):
        return pages.message("missing", status=404, request=request)
    kept = await pages.lent.store.inbox.list(limit=200)
    return pages.private("inbox", language=pages.asked(request), letters=kept)


async def letter(pages: Pages, request: Request) -> Response:
    found = await _letter(pages, request)
    if found is None:
        return pages.message("missing", status=404, request=request)
    message = _parsed(found)
    answer = pages.private(
        "letter",
        language=pages.asked(request),
        letter=found,
        headers=[(name, str(value)) for name, value in message.items()],
        text=_part(message, "plain"),
        has_html=message.get_body(("html",)) is not None,
    )
    answer.headers.update(_FRAMING)
    return answer


async def letter_html(pages: Pages, request: Request) -> Response:
    """The HTML part alone, for the frame. Links open in a new tab: the frame itself may go nowhere."""
    found = await _letter(pages, request)
    if found is None:
        return pages.message("missing", status=404, request=request)
    html = _part(_parsed(found), "html")
    html = _HEAD.sub(lambda head: head.group() + '<base target="_blank">', html, count=1)
    return HTMLResponse(html, headers={**PRIVATE, "content-security-policy": _LETTER_POLICY})


async def letter_raw(pages: Pages, request: Request) -> Response:
    found = await _letter(pages, request)
    if found is None:
        return pages.message("missing", status=404, request=request)
    headers = {**PRIVATE, "content-disposition": f'attachment; filename="letter-{found.id}.eml"'}
    return Response(found.body, media_type="message/rfc822", headers=headers)


async def _letter(pages: Pages, request: Request) -> Letter | None:
    number = request.path_params["number"]
    if not is_local(request) or number > _LARGEST:
        return None
    return await pages.lent.store.inbox.get(number)


def _parsed(letter: Letter) -> EmailMessage:
    return message_from_bytes(letter.body, policy=policy.default)


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return "" if body is None else str(body.get_content())
