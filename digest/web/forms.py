"""What was typed into a form, as text.

Forms are UTF-8, raw or percent-encoded, whatever their sender declares. Bytes that are none become U+FFFD,
which no address may hold: a wrong byte is asked for again, and never guessed to be a letter.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import suppress
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

MOST_FIELDS = 12

_CHARSET = re.compile(r";\s*charset\s*=[^;]*", re.ASCII | re.IGNORECASE)


async def read_form(request: Request) -> dict[str, str]:
    """The fields. Raises HTTPException for what is no form, or too large a one, and ClientDisconnect when its
    sender hangs up."""
    return await _parsed(request, await request.body())


async def read_clumsy_form(request: Request) -> dict[str, str]:
    """The fields, as far as they came and can be read: a clumsy mail client must still get out. Raises
    HTTPException for too large a form."""
    body = bytearray()
    with suppress(ClientDisconnect):
        async for chunk in request.stream():
            body += chunk
    try:
        return await _parsed(request, bytes(body))
    except HTTPException:
        return {}


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


async def _parsed(request: Request, body: bytes) -> dict[str, str]:
    content_type = request.headers.get("content-type", "")
    match content_type.partition(";")[0].strip().lower():
        case "application/x-www-form-urlencoded":
            return _url_encoded(body)
        case "multipart/form-data":
            return await _multipart(_CHARSET.sub("", content_type), body)
    return {}


def _url_encoded(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(_text(body), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:  # too many
        raise HTTPException(400) from error


async def _multipart(content_type: str, body: bytes) -> dict[str, str]:
    """A file is no field of ours."""

    async def stream() -> AsyncGenerator[bytes, None]:
        yield _text(body).encode("utf-8")

    headers = Headers({"content-type": content_type})
    try:
        form = await MultiPartParser(headers, stream(), max_files=0, max_fields=MOST_FIELDS).parse()
    except MultiPartException as error:
        raise HTTPException(400) from error
    return {name: value for name, value in form.items() if isinstance(value, str)}
