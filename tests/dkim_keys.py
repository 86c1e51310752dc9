"""Keys made for the tests, and DNS as it would answer for them."""

from __future__ import annotations

from functools import cache

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from digest.publishers.dkim import Dkim


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@cache
def rsa_key(bits: int = 2048, domain: str = "example.org") -> Dkim:
    return Dkim(domain=domain, selector=f"r{bits}", key=pem(rsa.generate_private_key(65537, bits)))


@cache
def ed_key(domain: str = "example.org") -> Dkim:
    return Dkim(domain=domain, selector="ed", key=pem(ed25519.Ed25519PrivateKey.generate()))


def verifies(letter: bytes, *keys: Dkim) -> bool:
    """Whether dkimpy accepts the letter's signatures, one of each key and in their order."""
    dns = {f"{key.place}.".encode(): key.record().encode() for key in keys}
    return all(
        dkim.DKIM(letter).verify(idx=place, dnsfunc=lambda name, timeout=5: dns.get(name))
        for place in range(len(keys))
    )
