"""What a bad config is told: every problem at once, each at its line and column, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from digest.config import ConfigError, load
from digest.model import FeedError, Follow, NotFound

BASE = """\
site:
  title: The Morning Post
  url: http://127.0.0.1:8080
email:
  from: news@example.org
newsletters:
  world:
    title: World in brief
    schedule: {at: "07:00", zone: Europe/Berlin}
    feeds:
      - examples/city.xml
      - {url: https://example.org/feed.xml, weight: 2}
    recipients: [you@example.org]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    host: str
    port: int | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    from_: str = field(metadata={"key": "from"})
    transport: Literal["inbox", "smtp"] = "inbox"
    smtp: tuple[Relay, ...] = ()
    greeting: str = ""

    def __post_init__(self) -> None:
        if self.transport == "smtp" and not self.smtp:
            raise ValueError("transport: smtp needs at least one server under smtp")
        if self.greeting.startswith("no "):
            raise ValueError(f"greeting {self.greeting!r} is rude")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    entries: int = 20


def channel_settings(name: str) -> type:
    known = {"email": Email, "feed": Feed}
    if name not in known:
        raise NotFound(f"there is no channel {name}")
    return known[name]


def read_opml(raw: bytes) -> Sequence[Follow]:
    if raw == b"gopher":
        return [Follow(url="gopher://x")]
    raise FeedError("this is not OPML")


def complaints(folder: Path, text: str, **env: str) -> list[str]:
    """The lines of the error, without the file's name, and with HERE for its folder."""
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, channel_settings=channel_settings, env=env, read_opml=read_opml)
    lines = str(caught.value).split("\n")
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:").replace(str(folder), "HERE") for line in lines]


# What stands in BASE, what is written instead, and what is said about it.
CASES: list[tuple[str, str, list[str]]] = [
    (
        "  title: The Morning Post",
        "  titel: The Morning Post",
        [
            "2:3: site.titel: there is no such setting; did you mean title?",
        ],
    ),
    (
        "  title: The Morning Post",
        "  title: 2026",
        [
            "2:10: site.title: should be text; put it in quotes",
        ],
    ),
    (
        "  title: The Morning Post",
        '  title: ""',
        [
            "2:10: site.title: must not be empty",
        ],
    ),
    (
        "  title: The Morning Post",
        '  title: "two\\nlines"',
        [
            "2:10: site.title: must be one line, without control characters",
        ],
    ),
    (
        "  url: http://127.0.0.1:8080",
        "  url: 127.0.0.1:8080",
        [
            "3:8: site.url: should begin with https:// or http://; did you mean https://127.0.0.1:8080?",
        ],
    ),
    (
        "  url: http://127.0.0.1:8080",
        "  url: ftp://example.org",
        [
            "3:8: site.url: should begin with https:// or http://, not with ftp:",
        ],
    ),
    (
        "  url: http://127.0.0.1:8080",
        "  url: https://bob:pw@example.org",
        [
            "3:8: site.url: must not hold a user name or password; it is shown to everybody",
        ],
    ),
    (
        "  url: http://127.0.0.1:8080",
        "  url: https://example.org/?a=1",
        [
            "3:8: site.url: is the base of every link, and has no ? and no #",
        ],
    ),
    (
        "  url: http://127.0.0.1:8080",
        "  url: https://example.org:port",
        [
            "3:8: site.url: https://example.org:port is not an address: Port could not be cast to "
            "integer value as 'port'",
        ],
    ),
    (
        "  url: http://127.0.0.1:8080",
        "  url: https:///x",
        [
            "3:8: site.url: https:///x names no host",
        ],
    ),
    (
        "  url: http://127.0.0.1:8080\n",
        "",
        [
            "1:1: site.url: is missing; for example, url: https://news.example.org",
        ],
    ),
    (
        "site:",
        "stie:",
        [
            "1:1: stie: there is no such setting; did you mean site?",
        ],
    ),
    (
        "site:\n  title: The Morning Post\n  url: http://127.0.0.1:8080",
        "site: https://example.org",
        [
            "1:7: site: should be a mapping of settings",
        ],
    ),
    (
        "email:\n  from: news@example.org\n",
        "",
        [
            "1:1: email: is missing; newsletters.world goes out by it, and it must give: from",
        ],
    ),
    (
        "email:\n  from: news@example.org\n",
        "email:\n",
        [
            "4:1: email: is missing; newsletters.world goes out by it, and it must give: from",
        ],
    ),
    (
        "  from: news@example.org",
        "  form: news@example.org",
        [
            "5:3: email.form: there is no such setting; did you mean from?",
        ],
    ),
    (
        "  from: news@example.org",
        "  from: news@example.org\n  transport: smpt",
        [
            "6:14: email.transport: should be one of inbox, smtp; did you mean smtp?",
        ],
    ),
    (
        "  from: news@example.org",
        "  from: news@example.org\n  transport: smtp",
        [
            "5:3: email: transport: smtp needs at least one server under smtp",
        ],
    ),
    (
        "  from: news@example.org",
        "  from: news@example.org\n  smtp:\n"
        "    - {host: mail.example.org, port: many, security: ssl}\n    - {prot: 25}",
        [
            "7:38: email.smtp.0.port: should be a whole number",
            "7:54: email.smtp.0.security: should be one of starttls, tls, none",
            "8:7: email.smtp.1.host: is missing",
            "8:8: email.smtp.1.prot: there is no such setting; did you mean port?",
        ],
    ),
    (
        "  from: news@example.org",
        "  from: news@example.org\n  smtp: {host: mail.example.org}",
        [
            "6:9: email.smtp: should be a list, such as [a, b]",
        ],
    ),
    (
        "  world:",
        "  World News:",
        [
            "7:3: newsletters.World News: a newsletter's name is 1 to 64 of a-z, 0-9 and -; did you "
            "mean world-news?",
        ],
    ),
    (
        "  world:",
        "  feed:",
        [
            "7:3: newsletters.feed: feed is a word in our own URLs; choose another name",
        ],
    ),
    (
        "    title: World in brief",
        "    title: World in brief\n    title: Again",
        [
            "9:5: newsletters.world.title: is given twice; the first is in line 8",
        ],
    ),
    (
        'at: "07:00"',
        "at: 7",
        [
            '9:20: newsletters.world.schedule.at: should be a time of day, such as "07:00"',
        ],
    ),
    (
        'at: "07:00"',
        "at: 24:00",
        [
            '9:20: newsletters.world.schedule.at: should be a time of day, such as "07:00"',
        ],
    ),
    (
        "zone: Europe/Berlin",
        "zone: Europe/Berln",
        [
            "9:35: newsletters.world.schedule.zone: there is no time zone Europe/Berln; did you mean "
            "Europe/Berlin?",
        ],
    ),
    (
        "zone: Europe/Berlin",
        "zone: berlin",
        [
            "9:35: newsletters.world.schedule.zone: there is no time zone berlin; did you mean "
            "Europe/Berlin?",
        ],
    ),
    (
        "zone: Europe/Berlin",
        "zone: Europe",
        [
            "9:35: newsletters.world.schedule.zone: there is no time zone Europe; write one such as "
            "Europe/Berlin (IANA time zones)",
        ],
    ),
    (
        "zone: Europe/Berlin",
        "zone: ../../etc/passwd",
        [
            "9:35: newsletters.world.schedule.zone: there is no time zone ../../etc/passwd; write "
            "one such as Europe/Berlin (IANA time zones)",
        ],
    ),
    (
        ", zone: Europe/Berlin",
        "",
        [
            "9:5: newsletters.world.schedule.zone: is missing; for example, zone: Europe/Berlin",
        ],
    ),
    (
        "Europe/Berlin}",
        "Europe/Berlin, days: monthly}",
        [
            "9:56: newsletters.world.schedule.days: should be daily, weekdays, or a list of days "
            "such as [mon, thu]",
        ],
    ),
    (
        "Europe/Berlin}",
        "Europe/Berlin, days: [mon, thr]}",
        [
            "9:56: newsletters.world.schedule.days: thr is not a day; did you mean thu?",
        ],
    ),
    (
        "    feeds:\n",
        "    feeds:\n      - 12\n",
        [
            "11:9: newsletters.world.feeds.0: should be an address, a path, or a mapping with url or opml",
        ],
    ),
    (
        "weight: 2",
        "weight: heavy",
        [
            "12:53: newsletters.world.feeds.1.weight: should be a number",
        ],
    ),
    (
        "weight: 2",
        "weight: 0",
        [
            "12:53: newsletters.world.feeds.1.weight: should be more than 0",
        ],
    ),
    (
        "weight: 2",
        "weight: true",
        [
            "12:53: newsletters.world.feeds.1.weight: should be a number",
        ],
    ),
    (
        "weight: 2",
        "first: 2 weeks",
        [
            "12:52: newsletters.world.feeds.1.first: should be a duration, such as 2d or 12h, or the "
            "word all",
        ],
    ),
    (
        "weight: 2",
        "settle: soon",
        [
            "12:53: newsletters.world.feeds.1.settle: should be a duration, such as 2d, 12h or 30m",
        ],
    ),
    (
        "weight: 2",
        "wieght: 2",
        [
            "12:45: newsletters.world.feeds.1.wieght: there is no such setting; did you mean weight?",
        ],
    ),
    (
        "weight: 2",
        "colour: red",
        [
            "12:45: newsletters.world.feeds.1.colour: there is no such setting; known here: "
            "exclude, first, full_text, include, section, settle, title, url, weight",
        ],
    ),
    (
        "weight: 2",
        "full_text: perhaps",
        ["12:56: newsletters.world.feeds.1.full_text: should be true or false"],
    ),
    (
        "url: https://example.org/feed.xml",
        "uri: https://example.org/feed.xml",
        [
            "12:10: newsletters.world.feeds.1.uri: there is no such setting; did you mean url?",
        ],
    ),
    (
        "https://example.org/feed.xml",
        "htp://example.org/feed.xml",
        [
            "12:15: newsletters.world.feeds.1.url: should begin with https:// or http://, not with htp:",
        ],
    ),
    (
        "https://example.org/feed.xml",
        "feed://example.org/feed.xml",
        [
            "12:15: newsletters.world.feeds.1.url: feed: addresses are http ones; did you mean "
            "https://example.org/feed.xml?",
        ],
    ),
    (
        "https://example.org/feed.xml",
        "https://u:pw@example.org/feed.xml",
        [
            "12:15: newsletters.world.feeds.1.url: must not hold a user name or password; it is "
            "shown to everybody",
        ],
    ),
    (
        "https://example.org/feed.xml",
        "examples/city.xml",
        [
            "12:15: newsletters.world.feeds.1.url: is followed twice by this newsletter; the first "
            "is in line 11",
        ],
    ),
    (
        "- examples/city.xml",
        "- www.example.org/feed",
        [
            "11:9: newsletters.world.feeds.0: there is no local file www.example.org/feed; did you "
            "mean https://www.example.org/feed?",
        ],
    ),
    (
        "- examples/city.xml",
        "- file:///etc/passwd",
        [
            "11:9: newsletters.world.feeds.0: a local file is written as its path, without file:",
        ],
    ),
    (
        "- examples/city.xml",
        "- {opml: missing.opml}",
        [
            "11:16: newsletters.world.feeds.0.opml: the list missing.opml cannot be read: No such "
            "file or directory",
        ],
    ),
    (
        "- examples/city.xml",
        "- {opml: broken.opml}",
        [
            "11:16: newsletters.world.feeds.0.opml: the list broken.opml cannot be read: this is not OPML",
        ],
    ),
    (
        "- examples/city.xml",
        "- {opml: bad.opml}",
        [
            "11:16: newsletters.world.feeds.0.opml: the list bad.opml has a bad address, gopher://x: "
            "should begin with https:// or http://, not with gopher:",
        ],
    ),
    (
        "recipients: [you@example.org]",
        "recipients: [you@example.org, you(at)example.org]",
        [
            "13:35: newsletters.world.recipients.1: you(at)example.org is not an email address: An "
            "email address must have an @-sign.",
        ],
    ),
    (
        "recipients: [you@example.org]",
        "recipients: you@example.org",
        [
            "13:17: newsletters.world.recipients: should be a list, such as [a, b]",
        ],
    ),
    (
        "recipients: [you@example.org]",
        "channels: [emial]",
        [
            "13:16: newsletters.world.channels.0: there is no channel emial; did you mean email?",
        ],
    ),
    (
        "recipients: [you@example.org]",
        "channels: []\n    language: klingon_x!",
        [
            "13:15: newsletters.world.channels: must not be empty",
            "14:15: newsletters.world.language: klingon_x! is not a language tag, such as en, de or "
            "pt-BR (BCP 47)",
        ],
    ),
    (
        "recipients: [you@example.org]",
        "language: pt_BR",
        [
            "13:15: newsletters.world.language: language tags have hyphens; did you mean pt-BR?",
        ],
    ),
    (
        "recipients: [you@example.org]",
        "catch_up: colaesce",
        [
            "13:15: newsletters.world.catch_up: should be one of coalesce, skip, each; did you mean "
            "coalesce?",
        ],
    ),
    (
        "recipients: [you@example.org]",
        "readers: {cadences: [weekley], hours: true}",
        [
            "13:26: newsletters.world.readers.cadences.0: should be one of daily, weekdays, weekly; did you "
            "mean weekly?",
            "13:36: newsletters.world.readers.hours: there is no such setting; did you mean hour?",
        ],
    ),
    (
        "recipients: [you@example.org]",
        "stories: {limit: 0, per_feed: 1.5}",
        [
            "13:22: newsletters.world.stories.limit: should be at least 1",
            "13:35: newsletters.world.stories.per_feed: should be a whole number",
        ],
    ),
    (
        "recipients: [you@example.org]",
        "<<: *x",
        [
            "13:9: is not YAML: found undefined alias",
        ],
    ),
    (
        "site:",
        "database: mysql://localhost/x\nsite:",
        [
            "1:11: database: should be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
        ],
    ),
    (
        "site:",
        "database: sqlite:///:memory:\nsite:",
        [
            "1:28: is not YAML: mapping values are not allowed in this context",
        ],
    ),
    (
        "site:",
        "database: postgres://x/y\nsite:",
        [
            "1:11: database: should begin with postgresql://, not postgres://",
        ],
    ),
    (
        "site:",
        'secret: ""\nsite:',
        [
            "1:9: secret: is empty; nothing is ever signed with an empty key. Remove it to have one made",
        ],
    ),
    (
        "site:",
        "secret: short\nsite:",
        [
            "1:9: secret: is shorter than 32 characters; make one with: openssl rand -hex 32",
        ],
    ),
    (
        "site:",
        'secret: "${NONE}"\nsite:',
        [
            "1:9: secret: the environment has no NONE; set it, or write ${NONE:-default}",
        ],
    ),
    (
        "site:",
        "secret: !file empty.key\nsite:",
        [
            "1:9: secret: is empty; nothing is ever signed with an empty key. Remove it to have one made",
        ],
    ),
    (
        "site:",
        "templates: nowhere\nsite:",
        [
            "1:12: templates: there is no folder nowhere in HERE",
        ],
    ),
    (
        "site:",
        "keep: {deliveries: 30 days, article: 1d}\nsite:",
        [
            "1:20: keep.deliveries: should be a duration, such as 2d, 12h or 30m",
            "1:29: keep.article: there is no such setting; did you mean articles?",
        ],
    ),
    (
        "site:",
        'fetch: {allow: ["http://x"], timeout: 999999w}\nsite:',
        [
            "1:17: fetch.allow.0: should be the name or address of a host, without scheme or path",
            "1:39: fetch.timeout: is longer than ten years",
        ],
    ),
    (
        "site:",
        'fetch: {allow: ["a.example:0", "[::1]:99999"], proxy: "https://p.example:1"}\nsite:',
        [
            "1:17: fetch.allow.0: 0 is not a port; ports are 1 to 65535",
            "1:32: fetch.allow.1: 99999 is not a port; ports are 1 to 65535",
            "1:55: fetch.proxy: should be the address of an HTTP proxy, such as http://proxy.example.org:3128",
        ],
    ),
    (
        "site:",
        "fetch: {gap: 1m}\nsite:",
        ["1:8: fetch: gap: 10s at most; a feed must be asked while it is held for us"],
    ),
    (
        "site:",
        "web: {trusted_proxies: [10.0.0.0/33, proxy]}\nsite:",
        [
            "1:25: web.trusted_proxies.0: should be an IP address or network: '10.0.0.0/33' does not "
            "appear to be an IPv4 or IPv6 network",
            "1:38: web.trusted_proxies.1: should be an IP address or network: 'proxy' does not "
            "appear to be an IPv4 or IPv6 network",
        ],
    ),
    (
        "  title: The Morning Post",
        '  title: "${UNSET_TITLE}"',
        [
            "2:10: site.title: the environment has no UNSET_TITLE; set it, or write ${UNSET_TITLE:-default}",
        ],
    ),
    (
        "  title: The Morning Post",
        '  title: "${open"',
        [
            "2:10: site.title: ${ is not followed by NAME} or NAME:-default}; write $${ for a plain ${",
        ],
    ),
    (
        "  title: The Morning Post",
        "  title: !include x.yaml",
        [
            "2:10: site.title: the tag !include is not used here; only !file is",
        ],
    ),
    (
        "  title: The Morning Post",
        "  title: !file nothing.txt",
        [
            "2:10: site.title: there is no file nothing.txt in HERE",
        ],
    ),
    (
        "  title: The Morning Post",
        "  title: [a",
        [
            "3:6: is not YAML: while parsing a flow sequence, did not find expected ',' or ']'",
        ],
    ),
    (
        "  title: The Morning Post",
        "\ttitle: a",
        [
            "2:1: is not YAML: while scanning for the next token, found character that cannot start "
            "any token; indent with spaces, not with tabs",
        ],
    ),
    (
        "  title: The Morning Post",
        "  ? [a]\n  : b",
        [
            "1:1: site.title: is missing; for example, title: The Morning Post",
            "2:5: site: a key must be a word",
        ],
    ),
]


@pytest.mark.parametrize(("good", "bad", "said"), CASES)
def test_a_bad_setting_is_told_its_place_and_its_fault(
    tmp_path: Path, good: str, bad: str, said: list[str]
) -> None:
    (tmp_path / "empty.key").touch()
    (tmp_path / "broken.opml").write_text("x")
    (tmp_path / "bad.opml").write_text("gopher")
    assert good in BASE
    assert complaints(tmp_path, BASE.replace(good, bad, 1)) == said


def test_all_problems_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        BASE.replace("title: The Morning Post", 'title: "${NAME}"')
        .replace("from:", "form:")
        .replace("Berlin", "Berln")
        .replace("weight: 2", "weight: no\n        , wieght: 3, wieght: 4")
        .replace("you@example.org", "you")
    )
    assert [line.split(": ")[:2] for line in complaints(tmp_path, text)] == [
        ["2:10", "site.title"],
        ["5:3", "email.form"],
        ["9:35", "newsletters.world.schedule.zone"],
        ["12:53", "newsletters.world.feeds.1.weight"],
        ["13:11", "newsletters.world.feeds.1.wieght"],
        ["13:22", "newsletters.world.feeds.1.wieght"],
        ["14:18", "newsletters.world.recipients.0"],
    ]


def test_a_key_that_is_given_twice_names_the_line_of_the_first(tmp_path: Path) -> None:
    assert complaints(tmp_path, BASE + "site: {title: a}\n") == [
        "14:1: site: is given twice; the first is in line 1"
    ]


def test_every_reserved_word_of_our_urls_is_refused_as_a_name(tmp_path: Path) -> None:
    pages = ["admin", "dev", "feed", "feeds", "healthz", "i", "inbox", "metrics", "opml", "readyz", "static"]
    for word in [*pages, "subscribe", "confirm", "unsubscribe", "preferences"]:
        said = complaints(tmp_path, BASE.replace("world:", f"{word}:"))
        assert said == [f"7:3: newsletters.{word}: {word} is a word in our own URLs; choose another name"]


@pytest.mark.parametrize("name", ["a_b", "a" * 65, "Ä", "a.b", "a/b", "a b"])
def test_a_name_that_would_not_fit_a_url_is_refused(tmp_path: Path, name: str) -> None:
    (said,) = complaints(tmp_path, BASE.replace("  world:", f'  "{name}":'))
    assert said.startswith(f"7:3: newsletters.{name}: a newsletter's name is 1 to 64 of a-z, 0-9 and -")


# ---------------------------------------------------------------- files that are no config at all


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "1:1: newsletters: is missing; for example, newsletters: {world: "),
        (b"- a\n", "1:1: should be a mapping of settings, such as `site:` and `newsletters:`"),
        (b"just text", "1:1: should be a mapping of settings"),
        (b"site: caf\xe9\n", "1:10: is not text in UTF-8"),
        (b"a: b\nc: d\xff", "2:5: is not text in UTF-8"),
        ("a: é\x07".encode(), "1:5: the character U+0007 may not stand in YAML"),
        (b"a: 1\n--- \nb: 2\n", "2:1: is not YAML: expected a single document in the stream"),
        (b"a: &x [*x]\n", "1:4: contains itself, by an alias"),
        (b"a: *x\n", "1:4: is not YAML: found undefined alias"),
        (
            b"a: [${X}]\n",
            "1:6: is not YAML: while parsing a flow sequence, did not find expected ',' or ']'; ",
        ),
        (b"[" * 200_000, "1:1: is nested more than 40 deep"),
        (b"- " * 200_000, "1:1: is nested more than 40 deep"),
        (
            b"a0: &a0 []\n" + b"".join(b"a%d: &a%d [*a%d]\n" % (n, n, n - 1) for n in range(1, 5000)),
            "41:6: is nested more than 40 deep, with its aliases followed",
        ),
        (
            b"a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
            + b"".join(
                b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 9)
            ),
            "6:5: is more than 1000000 values, with its aliases followed",
        ),
    ],
)
def test_a_file_that_is_no_config_is_told_so(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load(path, channel_settings=channel_settings, env={})
    assert str(caught.value).startswith(f"{path}:{said}")


def test_a_file_that_is_not_there_is_told_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "config.yaml", channel_settings=channel_settings, env={})
    assert str(caught.value) == f"{tmp_path}/config.yaml: there is no such file; `digest init` writes one"
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path, channel_settings=channel_settings, env={})


# ---------------------------------------------------------------- what no message may say


def test_a_message_about_a_hidden_value_still_says_what_is_wrong(tmp_path: Path) -> None:
    text = BASE.replace("zone: Europe/Berlin", 'zone: "${Z}"').replace("you@example.org", '"${A}"')
    assert complaints(tmp_path, 'secret: "${S}"\n' + text, Z="Berlin/Europe", A="you", S="short") == [
        "1:9: secret: is shorter than 32 characters; make one with: openssl rand -hex 32",
        "10:35: newsletters.world.schedule.zone: there is no time zone …; …",
        "14:18: newsletters.world.recipients.0: … is not an email address: …",
    ]
    rude = BASE.replace("from: news@example.org", 'from: news@example.org\n  greeting: "no ${WHO}"')
    assert complaints(tmp_path, rude, WHO="hunter") == [
        "5:3: email: is refused, in words that would repeat a value from the environment or a file"
    ]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("zone: Europe/Berlin", 'zone: "${PASSWORD}"'),
        ("you@example.org", '"${PASSWORD}"'),
        ("you@example.org", '"x${PASSWORD}y"'),
        ("https://example.org/feed.xml", '"ftp${PASSWORD}://example.org"'),
        ("url: http://127.0.0.1:8080", 'url: "https://${PASSWORD}:80x"'),
        ("url: http://127.0.0.1:8080", 'url: "${PASSWORD}"'),
        ("title: The Morning Post", "title: The Morning Post\ndatabase: !file password"),
        ("  world:", '  world:\n    channels: ["${PASSWORD}"]'),
        ("  world:", '  world:\n    language: "${PASSWORD}!"'),
        ("  world:", '  world:\n    schedule: {days: ["${PASSWORD}"]}'),
        ("from: news@example.org", 'from: news@example.org\n  transport: "${PASSWORD}"'),
        ("from: news@example.org", 'from: news@example.org\n  greeting: "no ${PASSWORD}"'),
        ("from: news@example.org", 'from: news@example.org\n  smtp: [{host: m, port: "${PASSWORD}"}]'),
        ("from: news@example.org", 'from: news@example.org\n  transport: smtp\n  greeting: "${PASSWORD}"'),
        ("site:", 'secret: "${PASSWORD}"\nsite:'),
        ("site:", 'fetch: {allow: ["${PASSWORD}/"], timeout: "${PASSWORD}"}\nsite:'),
        ("site:", 'web: {trusted_proxies: ["${PASSWORD}"]}\nsite:'),
        ("site:", 'templates: "${PASSWORD}"\nsite:'),
        ("- examples/city.xml", '- {opml: "${PASSWORD}"}'),
    ],
)
def test_no_message_repeats_what_came_from_the_environment_or_a_file(
    tmp_path: Path, good: str, bad: str
) -> None:
    (tmp_path / "password").write_text("hunter-2-hunter")
    assert good in BASE
    said = "\n".join(complaints(tmp_path, BASE.replace(good, bad, 1), PASSWORD="hunter-2-hunter"))
    assert "hunter" not in said
