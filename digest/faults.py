"""What went wrong on the way, in words for the admin: what happened, to whom, and what to do."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from digest.unpack import CannotUnpack
from digest.ways import NotPublic

FAULTS = (aiohttp.ClientError, HttpProcessingError, OSError, CannotUnpack, ValueError)
"""All that asking may raise."""


def in_words(error: Exception, place: str) -> str:
    for cause in _causes(error):
        if isinstance(cause, NotPublic):
            return (
                f"{cause.host} is not a public address on the internet; if you mean to read it, "
                f"add {cause.host!r} to fetch.allow in config.yaml"
            )
        if isinstance(cause, socket.gaierror):
            return f"the name {place} leads nowhere (DNS): check the url, or our own connection"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"no connection to the proxy {error.host}: check fetch.proxy in config.yaml"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy does not connect us to {place} (it says {error.status}): check fetch.proxy"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate of {place} is not valid: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientSSLError):
        return f"no secure connection to {place}: it does not speak TLS as it should"
    if isinstance(error, aiohttp.ServerTimeoutError):
        return f"{place} did not take the connection in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to {place}: {error.os_error.strerror or 'refused'}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return f"{place} closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return f"the connection to {place} broke in the middle of the answer"
    if isinstance(error, CannotUnpack):
        return f"the answer of {place} could not be unpacked: {error}"
    if isinstance(error, aiohttp.InvalidURL):
        return f"{place} is not a host that we can ask: check the url"
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
        return f"the answer of {place} breaks the rules of HTTP: its publisher must mend the server"
    return f"the connection to {place} failed ({type(error).__name__})"


def leads_inside(error: Exception) -> bool:
    """Whether this is the guard's refusal."""
    return any(isinstance(cause, NotPublic) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    inner = [getattr(error, "os_error", None), error.__cause__, *getattr(error, "exceptions", ())]
    for cause in inner:
        if cause is not None and cause is not error:
            yield from _causes(cause)
