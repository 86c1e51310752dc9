"""Where we never connect: everything but globally routable unicast addresses.

The list is our own, from the IANA special-purpose registries: `ipaddress.is_global` has changed its mind
between versions of Python. Pure; connecting is the business of `net`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

_NOT_PUBLIC_4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata services of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

# Of IPv6 only 2000::/3 is global unicast. All that carries an IPv4 address within lies outside of it (mapped,
# compatible, NAT64) or is listed here (Teredo, 6to4): what is behind them cannot be seen from the outside.
_GLOBAL_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
        "3ffe::/16",  # 6bone, given back
    )
)


def is_public(address: Address) -> bool:
    """Whether it is a globally routable unicast address."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _NOT_PUBLIC_4)
    if address.scope_id is not None or address not in _GLOBAL_6:
        return False
    return not any(address in block for block in _NOT_PUBLIC_6)


def literal(host: str) -> Address | None:
    """The address that this host is, if it is one and not a name. Brackets of IPv6 are allowed."""
    if ":" not in host and not host[-1:].isdigit():
        return None  # what most hosts are, told quickly
    try:
        return ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


_NAME = re.compile(r"(?=.{1,254}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.ASCII)
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.ASCII)


def is_host(host: str) -> bool:
    """Whether a host, as an address was read, can be asked: a name, or an IP address as everybody writes it.

    Not the other ways of writing one that the system's resolver knows (`127.1`, `0x7f.1`, `017700000001`): no
    feed has them, and whoever looks only at how they are written cannot tell where they lead.
    """
    address = literal(host)
    if address is not None:
        return isinstance(address, IPv4Address) or address.scope_id is None
    return _NAME.fullmatch(host) is not None and _NUMBER.fullmatch(host) is None


class Allowed:
    """Hosts that the admin allows by name (`host` or `host:port`, also literal addresses): for these, and for
    nothing that merely shares their address, the guard is open."""

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self._hosts = frozenset(_split(host) for host in hosts)

    def __bool__(self) -> bool:
        return bool(self._hosts)

    def __contains__(self, place: tuple[str, int]) -> bool:
        if not self._hosts:
            return False
        host, port = place
        if (host, port) in self._hosts or (host, None) in self._hosts:
            return True
        host = _plain(host)
        return (host, port) in self._hosts or (host, None) in self._hosts


def _split(text: str) -> tuple[str, int | None]:
    if literal(text) is not None:
        return _plain(text), None
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal():
        return _plain(host), int(port)
    return _plain(text), None


def _plain(host: str) -> str:
    host = host.strip().lower().removesuffix(".")
    address = literal(host)
    if address is not None:
        return str(address)
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host
