"""Where the pages listen, and whether anybody else can reach that."""

from __future__ import annotations

import ipaddress
import socket

from digest.model import DigestError


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises DigestError in words, such as for a port in use."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise DigestError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; try another --host or --port"
        ) from error
    return listening


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
