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


# ---------------------------------------------------------------- relays


def relay(folder: Path, more: str) -> Any:
    return read(folder, f"transport: smtp\nsmtp: [{{host: mail.example.org, {more}}}]").smtp[0]


def test_everything_about_a_relay_can_be_written(tmp_path: Path) -> None:
    found = relay(
        tmp_path,
        "username: news, password_command: [pass, show, mail], auth: xoauth2, rate: [50/s, 9000/h, 50000/d],"
        " priority: 1, weight: 2.5, messages: 100, cert: our.pem, key: our.key,"
        f' pin: "{"AB:" * 31}AB", warm_up: {{start: 50, factor: 2, days: 4}},'
        ' domains: {gmail.com: {connections: 2, rate: 20/m}, "*": {rate: [200/m, 2000/h]}}',
    )
    assert found.password_command == ("pass", "show", "mail")
    assert found.rate == ("50/s", "9000/h", "50000/d")
    assert found.cert == tmp_path / "our.pem"
    assert found.pins == {"ab" * 32}
    assert found.warm_up_plan == (50, 100, 200, 400)
    assert found.limit_for("gmail.com").connections == 2
    assert found.limit_for("example.org").rate == ("200/m", "2000/h")


def test_a_warm_up_may_be_a_list_of_days_or_grow_by_a_number(tmp_path: Path) -> None:
    assert relay(tmp_path, "warm_up: [50, 100]").warm_up_plan == (50, 100)
    assert relay(tmp_path, "warm_up: {start: 50, factor: 1, more: 25, days: 3}").warm_up_plan == (50, 75, 100)
    assert relay(tmp_path, "port: 25").warm_up_plan == ()
    assert relay(tmp_path, "port: 25").limit_for("example.org") is None


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("rate: 5/w", ": rate must be a number of letters per s, m, h or d, such as 50/s, not '5/w'"),
        ("rate: [5/m, 6/m]", ": rate says two numbers for the same time"),
        ("rate: {a: 1}", ".rate: should be a plain value or a list"),
        ("auth: ntlm", ".auth: should be one of auto, plain, login, cram-md5, xoauth2"),
        ("auth: plain", ": auth is plain, but there is no username"),
        ("username: x", ": username and password belong together: give both or neither"),
        (
            "password_file: t, username: x, password: y",
            ": password, password_file and password_command: give",
        ),
        ("auth: xoauth2, username: x, password: y, security: none", ": auth is xoauth2, and security none;"),
        ("key: our.key", ": key is the key of cert, and there is no cert"),
        ("pin: abc", ": pin must be a SHA-256 in hexadecimal: 64 of 0-9 and a-f"),
        ("cert: our.pem, security: none", ": security is none: there is no certificate to show or to pin"),
        ("messages: -1", ": messages must not be below 0, not -1"),
        ("weight: 0", ": weight must be more than 0, at most 1000, not 0"),
        (
            "domains: {Gmail.com: {rate: 1/m}}",
            ": domains: 'Gmail.com' is no domain in small letters, such as",
        ),
        ("domains: {gmail.com: {}}", ".domains.gmail.com: a domain's limit says connections, rate, or both"),
        (
            "domains: {gmail.com: {rat: 1/m}}",
            ".domains.gmail.com.rat: there is no such setting; did you mean",
        ),
        ("warm_up: {start: 0}", ".warm_up: start must be at least 1, not 0"),
        ("warm_up: {start: 5, factor: 0.5}", ".warm_up: factor must be between 1 and 10, not 0.5"),
        ("warm_up: [5, 0]", ": warm_up must be letters for each day, at least 1"),
        ("warm_up: 50", ".warm_up: should be a mapping of settings or a list"),
    ],
)
def test_a_relay_that_cannot_work_is_told_its_place_and_its_fault(
    tmp_path: Path, more: str, said: str
) -> None:
    place, _, text = told(tmp_path, f"transport: smtp\nsmtp: [{{host: a.example, {more}}}]").partition(" ")
    assert place.startswith("8:")
    assert text.startswith(f"email.smtp.0{said}")
