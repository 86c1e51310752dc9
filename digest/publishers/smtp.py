"""How a mail server is reached: connected to, secured, greeted, logged in to. Then our conversation begins.

aiosmtplib's door. Security is what the settings say and never less: a server that does not offer STARTTLS, or
shows a certificate that does not verify, gets nothing. aiosmtplib waits for the answer to each command, so
with it a letter takes four round trips: it hands its transport over when the login is done.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPTimeoutError

from digest.publishers.conversation import Conversation
from digest.publishers.login import log_in, trust
from digest.publishers.relay import Relay
from digest.publishers.replies import RelayDown, reply_line
from digest.publishers.wire import Wire


async def dial(relay: Relay, ehlo: str, *, verdict: float) -> Wire:
    """Connect, secure, greet and log in. verdict: seconds for the answer to a body. Raises RelayDown in words
    an admin can act on."""
    context = await asyncio.to_thread(trust, relay) if relay.security != "none" else None
    timeout = relay.timeout.total_seconds()
    client = SMTP(
        hostname=relay.host,
        port=relay.door,
        local_hostname=ehlo,
        timeout=timeout,
        use_tls=relay.security == "tls",
        start_tls=relay.security == "starttls",
        tls_context=context,
    )
    doing = "connecting"
    try:
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            doing = "greeting"
            await client.ehlo()
        doing = "logging in"
        await log_in(client, relay)
        return _take_over(client, relay, timeout=timeout, verdict=verdict)
    except (SMTPException, OSError, ValueError) as error:  # ValueError: a host that IDNA cannot write
        client.close()
        raise RelayDown(f"{relay.name}: {doing} failed: {_why(error)}", relay=relay.name) from error
    except BaseException:
        client.close()
        raise


def _take_over(client: SMTP, relay: Relay, *, timeout: float, verdict: float) -> Wire:
    """The transport under our own protocol. What the library has read and not used is heard by us: an answer
    to nothing must not be taken for one to our first command."""
    transport, protocol = client.transport, client.protocol
    if transport is None or protocol is None or transport.is_closing():
        raise ConnectionResetError("the connection was lost")
    talk = Conversation(dict(client.esmtp_extensions), relay=relay.name)
    heard = bytes(protocol._buffer)
    # uvloop's transports are none by their class, only by what they can do.
    return Wire(cast(asyncio.Transport, transport), talk, timeout=timeout, verdict=verdict, heard=heard)


def _why(error: BaseException) -> str:
    """The reason in plain words."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted: {inner.verify_message}"
        inner = inner.__cause__
    if isinstance(error, SMTPResponseException):
        return f"it answered {reply_line(error.code, error.message)}"
    if isinstance(error, SMTPTimeoutError | TimeoutError):
        return "no answer in time"
    if "STARTTLS extension not supported" in str(error):
        return "it does not offer STARTTLS; nothing is sent in the clear unless `security: none` says so"
    return str(error) or type(error).__name__
