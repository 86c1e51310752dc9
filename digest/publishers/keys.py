"""Keys and certificates: private keys that sign letters, and what is published or pinned of them.

cryptography's door. Pure: a key is the text of a PEM file, not its path.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

SMALLEST_RSA = 1024  # RFC 8301 3.2: verifiers do not look at signatures of shorter keys
GOOD_RSA = 2048
LARGEST_RSA = 4096  # nor need they at those of longer ones

_PKCS1 = padding.PKCS1v15()
_SHA256 = hashes.SHA256()


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key that can make DKIM signatures. bits: of an RSA key; None for Ed25519."""

    algorithm: Literal["rsa-sha256", "ed25519-sha256"]
    bits: int | None
    _key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    @classmethod
    def of(cls, pem: str) -> SigningKey:
        """Raises ValueError in words an admin can act on; nothing of the key is repeated in them."""
        if "-----BEGIN" not in pem:
            raise ValueError("key is not a private key in PEM; write key: !file dkim.pem")
        if "PUBLIC KEY-----" in pem or "CERTIFICATE-----" in pem:
            raise ValueError("key is a public one; letters are signed with the private key")
        try:
            key = serialization.load_pem_private_key(pem.encode(), password=None)
        except TypeError as error:
            raise ValueError("key is locked with a password; write it without one") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("key cannot be read: it is broken, or of a kind that is not used") from error
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return cls(algorithm="ed25519-sha256", bits=None, _key=key)
        if not isinstance(key, rsa.RSAPrivateKey):
            # ValueError as for everything that an admin can get wrong in the settings.
            raise ValueError("key must be an RSA or an Ed25519 one; others are not used for DKIM")  # noqa: TRY004
        if not SMALLEST_RSA <= key.key_size <= LARGEST_RSA:
            raise ValueError(
                f"key has {key.key_size} bits; use 2048 (openssl genrsa -out dkim.pem 2048),"
                f" never less than {SMALLEST_RSA} nor more than {LARGEST_RSA}"
            )
        return cls(algorithm="rsa-sha256", bits=key.key_size, _key=key)

    def sign(self, data: bytes) -> bytes:
        """The same bytes for the same data, always: both kinds of signatures are without chance."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, _PKCS1, _SHA256)
        return self._key.sign(hashlib.sha256(data).digest())  # RFC 8463 3: of the hash, with pure Ed25519

    def record(self) -> str:
        """What DNS has to say of it (RFC 6376 3.6.1, RFC 8463 4)."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            public = self._key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
        raw = self._key.public_key().public_bytes_raw()
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"


def pins(certificate: bytes) -> frozenset[str]:
    """What a certificate (DER) may be pinned by, in hexadecimal: the SHA-256 of the whole of it, and of its
    public key (SubjectPublicKeyInfo), which stays the same when it is renewed with the same key."""
    public = (
        x509.load_der_x509_certificate(certificate)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return frozenset(hashlib.sha256(each).hexdigest() for each in (certificate, public))
