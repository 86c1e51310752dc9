"""Our HMAC gives what that of the standard library gives, however often it is asked."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from digest.keyed import Keyed


@given(key=st.binary(max_size=200), messages=st.lists(st.binary(max_size=300), max_size=4))
def test_it_is_that_of_the_standard_library(key: bytes, messages: list[bytes]) -> None:
    keyed = Keyed(key)
    assert [keyed.digest(one) for one in messages] == [hmac.digest(key, one, "sha256") for one in messages]


def test_it_is_that_of_the_rfc() -> None:
    # RFC 4231 4.3 and 4.7: a short key, and one longer than a block
    short = Keyed(b"Jefe").digest(b"what do ya want for nothing?").hex()
    assert short == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    long = Keyed(b"\xaa" * 131).digest(b"Test Using Larger Than Block-Size Key - Hash Key First").hex()
    assert long == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
