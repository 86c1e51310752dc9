"""Who we are to a relay, and whether it is the one that we mean: logins, certificates, pins."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any, Protocol

from digest.publishers import keys
from digest.publishers.base import Advice
from digest.publishers.relay import Relay
from digest.publishers.replies import RelayDown

COMMAND_SECONDS = 30.0
LONGEST_PASSWORD = 16_384  # bytes; access tokens are long


class Client(Protocol):
    """What a login needs of an SMTP client that has been greeted."""

    server_auth_methods: list[str]

    async def login(self, username: str, password: str, /) -> Any: ...
    async def auth_plain(self, username: str, password: str, /) -> Any: ...
    async def auth_login(self, username: str, password: str, /) -> Any: ...
    async def auth_crammd5(self, username: str, password: str, /) -> Any: ...
    async def auth_xoauth2(self, username: str, token: str, /) -> Any: ...


async def log_in(client: Client, relay: Relay) -> None:
    """Log in as the settings say, if they do. Raises ValueError or OSError in words that an admin can act on,
    and what the client raises when the server says no."""
    if relay.username is None:
        return
    ways = {
        "plain": client.auth_plain,
        "login": client.auth_login,
        "cram-md5": client.auth_crammd5,
        "xoauth2": client.auth_xoauth2,
    }
    if relay.auth != "auto" and relay.auth not in client.server_auth_methods:
        offered = ", ".join(client.server_auth_methods) or "none"
        raise ValueError(f"it does not offer {relay.auth}; it offers {offered}")
    await ways.get(relay.auth, client.login)(relay.username, await password_of(relay))


async def password_of(relay: Relay) -> str:
    """The password, or the access token, as it is now. Raises ValueError."""
    if relay.password_command:
        raw = await _printed(relay.password_command)
    elif relay.password_file is not None:
        try:
            raw = await asyncio.to_thread(relay.password_file.read_bytes)
        except OSError as error:
            raise ValueError(f"password_file cannot be read: {error.strerror}") from error
    else:
        return relay.password or ""
    try:
        password = raw[:LONGEST_PASSWORD].decode().strip()
    except UnicodeDecodeError as error:
        raise ValueError("the password is not text in UTF-8") from error
    if not password or not password.isprintable():
        raise ValueError("the password is empty, or more than one line")
    return password


async def _printed(command: Sequence[str]) -> bytes:
    """What the program prints. It inherits our environment, and nothing to read."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise ValueError(f"password_command cannot be run: {error.strerror}") from error
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            printed, _ = await process.communicate()
    except TimeoutError as error:
        raise ValueError(f"password_command took longer than {COMMAND_SECONDS:g} seconds") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ValueError(f"password_command ended with {process.returncode}")
    return printed


def in_the_clear(relays: Sequence[Relay]) -> list[Advice]:
    """A warning for each relay that is told a password which everybody on the way can read."""
    return [
        ("smtp", "warn", f"{relay.name}: the password goes there in the clear; use security: starttls or tls")
        for relay in relays
        if relay.security == "none" and relay.username is not None and relay.auth != "cram-md5"
        if relay.host not in ("localhost", "127.0.0.1", "::1")
    ]


# ---------------------------------------------------------------- certificates


def trust(relay: Relay) -> ssl.SSLContext:
    """Whom we believe to be this relay, and what we show it. Reads files. Raises RelayDown."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if relay.ca is not None:
            context.load_verify_locations(cafile=relay.ca)
    except OSError as error:  # an SSLError is one, too
        raise RelayDown(f"{relay.name}: cannot read {relay.ca}: {error}", relay=relay.name) from error
    try:
        if relay.cert is not None:
            # With a password of our own, OpenSSL asks nobody at the terminal for one.
            context.load_cert_chain(relay.cert, relay.key, password="")
    except (OSError, ValueError) as error:
        said = f"{relay.name}: cannot use the certificate {relay.cert}: {error}"
        raise RelayDown(said, relay=relay.name) from error
    if relay.pins:
        context.sslobject_class = _pinned(relay.pins)
    return context


def _pinned(pins: frozenset[str]) -> type[ssl.SSLObject]:
    """A connection whose handshake fails with another certificate than the pinned ones."""

    class Pinned(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()  # raises until it is through
            shown = self.getpeercert(binary_form=True)
            if shown is None or not pins & keys.pins(shown):
                error = ssl.SSLCertVerificationError(1, "not the pinned certificate")
                error.verify_code, error.verify_message = 1, "it is not the one that is pinned"
                raise error

    return Pinned
