"""The section `email` of config.yaml: what may be written there, and what is said of what may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from digest.config import ConfigError
from digest.service import load
from dkim_keys import ed_key, rsa_key

BASE = """\
site: {title: Post, url: "https://post.example.org"}
secret: "0123456789abcdef0123456789abcdef"
newsletters:
  world: {title: World, schedule: {at: "07:00", zone: UTC}, feeds: [https://example.org/feed.xml]}
email:
  from: news@example.org
"""


def read(folder: Path, lines: str) -> Any:
    """The settings of `email` with these lines, beside two keys."""
    (folder / "dkim.pem").write_text(rsa_key().key)
    (folder / "ed.pem").write_text(ed_key().key)
    path = folder / "config.yaml"
    path.write_text(BASE + "".join(f"  {line}\n" for line in lines.splitlines()))
    return load(path, env={}).channels["email"]


def told(folder: Path, lines: str) -> str:
    """What is said of them, without the name of the file."""
    with pytest.raises(ConfigError) as error:
        read(folder, lines)
    return str(error.value).replace(f"{folder / 'config.yaml'}:", "")


ONE = "{domain: example.org, selector: s1, key: !file dkim.pem}"
OTHER = "{domain: example.org, selector: s2, key: !file ed.pem}"


def test_letters_are_signed_with_one_key_or_several(tmp_path: Path) -> None:
    assert read(tmp_path, "").keys == ()
    assert [key.selector for key in read(tmp_path, f"dkim: {ONE}").keys] == ["s1"]
    assert [key.selector for key in read(tmp_path, f"dkim: [{ONE}, {OTHER}]").keys] == ["s1", "s2"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("dkim: yes", "7:9: email.dkim: should be a mapping of settings or a list"),
        ("dkim: {domain: example.org, selector: s1}", "7:3: email.dkim.key: is missing"),
        ("dkim: [{domain: example.org, selector: s1}]", "7:10: email.dkim.0.key: is missing"),
        (
            "dkim: {domain: example.org, selector: s1, key: dkim.pem}",
            "7:9: email.dkim: key is not a private key in PEM; write key: !file dkim.pem",
        ),
        (
            "dkim: {domain: example.org, selectr: s1, key: !file dkim.pem}",
            "7:31: email.dkim.selectr: there is no such setting; did you mean selector?",
        ),
        (f"dkim: [{ONE}, {ONE}]", "6:3: email: dkim: two keys have the same domain and selector"),
    ],
)
def test_a_bad_key_is_told_its_place_and_its_fault(tmp_path: Path, lines: str, said: str) -> None:
    assert told(tmp_path, lines) == said
