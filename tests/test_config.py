"""The admin's one file: what it may say, what becomes of it, and what editors and people are told of it."""

from __future__ import annotations

import gc
import math
import os
import re
import stat
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest

from digest.config import ConfigError, Keep, Settings, ensure_secret, load, reference, schema, shown
from digest.config.document import read
from digest.config.nodes import PureComposer
from digest.model import DigestError, Follow, NotFound, Offers, Retention

ROOT = Path(__file__).parent.parent
SECRET = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """host: the mail server. port: by default that of `security`. timeout: for each answer."""

    host: str
    port: int | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    connections: int = 4
    rate: str | None = None
    timeout: timedelta = timedelta(seconds=60)
    ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """How letters leave.

    transport: keep them here, or send them. smtp: the servers, in the order they are tried.
    """

    from_: str = field(metadata={"key": "from", "description": "Who writes."})
    transport: Literal["inbox", "smtp"] = "inbox"
    reply_to: str | None = None
    smtp: tuple[Server, ...] = ()
    dkim: dict[str, str] = field(default_factory=dict)
    json: bool = False  # a name that pydantic's models use themselves
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    entries: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Websub:
    timeout: timedelta = timedelta(seconds=20)


CHANNELS = {"email": Email, "feed": Feed, "webhook": Webhook, "websub": Websub}


def channel_settings(name: str) -> type:
    if name not in CHANNELS:
        raise NotFound(f"there is no channel {name}")
    return CHANNELS[name]


BASE = """\
site: {title: The Morning Post, url: "http://127.0.0.1:8080"}
email: {from: news@example.org}
newsletters:
  world:
    title: World in brief
    schedule: {at: "07:00", zone: Europe/Berlin}
    feeds: [examples/city.xml]
"""


def settings_of(folder: Path, text: str, *, read_opml: Any = None, **env: str) -> Settings:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, channel_settings=channel_settings, env=env, read_opml=read_opml)


# ---------------------------------------------------------------- the shipped example


def test_the_shipped_config_reads_the_sample_feeds() -> None:
    settings = load(ROOT / "config.yaml", channel_settings=channel_settings, env={})
    (world,) = settings.newsletters
    assert [(follow.url, follow.section, follow.weight, follow.first) for follow in world.follows] == [
        ("examples/feeds/city.xml", "Local", 2.0, None),
        ("examples/feeds/world.atom", "World", 1.0, None),
        ("examples/feeds/tech.json", "Science", 1.0, None),
        ("examples/feeds/stadt.xml", "Aus dem Hafen", 1.0, None),
        ("examples/feeds/sahifa.atom", "العربية", 1.0, None),
    ]
    assert all((ROOT / follow.url).is_file() for follow in world.follows)
    assert world.schedule.at == time(7)
    assert world.schedule.cadence == "daily"
    assert settings.channels["email"].transport == "inbox"
    assert settings.site.url == "http://127.0.0.1:8080"
    assert settings.database == f"sqlite:///{ROOT / 'subscribers.db'}"
    assert settings.notes == ()


def test_every_option_that_the_shipped_config_comments_out_would_be_accepted(tmp_path: Path) -> None:
    lines = []
    for line in (ROOT / "config.yaml").read_text(encoding="utf-8").splitlines():
        option = re.fullmatch(r"( *)# ((?:- |  )?(?:\{|https|- \{|[a-z_]+:|  - ).*)", line)
        prose = option is not None and option[2].startswith("first: how")
        lines.append(f"{option[1]}{option[2]}" if option and not prose else line)
    text = "\n".join(lines)
    assert text.count("\n#") < 8  # only the words at the top are left
    (tmp_path / "templates").mkdir()
    (tmp_path / "feeds.opml").write_text("<opml/>")
    (tmp_path / "dkim.pem").write_text("a key")
    settings = settings_of(
        tmp_path, text, read_opml=lambda raw: [Follow(url="https://a.example/f")], SMTP_PASSWORD="x"
    )
    (world,) = settings.newsletters
    assert len(world.follows) == 9
    assert settings.channels["email"].smtp[0].rate == "50/s"
    assert settings.channels["email"].smtp[0].password == "x"
    assert world.interests == ("harbour", "port authority")
    assert settings.web.trusted_proxies == ("127.0.0.1/32",)
    assert settings.templates == tmp_path / "templates"


# ---------------------------------------------------------------- YAML 1.2


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("7:00", "7:00"), ("no", "no"), ("on", "on"), ("y", "y"), ("Yes", "Yes"), ("0777", "0777"),
        ("1_000", "1_000"), ("0x1F", 31), ("0o17", 15), ("2026-11-22", "2026-11-22"), (".inf", math.inf),
        ("true", True), ("FALSE", False), ("~", None), ("null", None), ("", None), ("12", 12), ("-3", -3),
        ("0", 0), ("+7", 7), ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), ("1.", 1.0), ("007.5", "007.5"),
        ("'12'", "12"), ('"true"', "true"), ("|-\n  12", "12"), ("'~'", "~"), ("9" * 30, "9" * 30),
    ],
)  # fmt: skip
def test_a_plain_word_means_what_yaml_1_2_says(written: str, meant: object) -> None:
    document = read(f"a: [x]\nkey: {written}\n".encode(), name="c", folder=Path(), env={})
    assert document.problems == []
    found = document.data.get("key")
    assert (found, type(found)) == (meant, type(meant))


def test_without_libyaml_the_same_is_read_and_said() -> None:
    raw = b"""\
a: [7:00, no, 12, 1.5, "x: ${V}", '${', !file nowhere]
b: &b
  c: text
  d: ~
a: 2
e: *b
f: !!int 3
"""
    with_libyaml = read(raw, name="c", folder=Path("/nowhere"), env={"V": "v"})
    pure = read(raw, name="c", folder=Path("/nowhere"), env={"V": "v"}, composer=PureComposer)
    assert pure.data == with_libyaml.data
    assert pure.problems == with_libyaml.problems
    assert len(pure.problems) == 4
    for bad in (b"a: [1", b"- " * 100, b"a: *x", b"a: &x [*x]"):
        with pytest.raises(ConfigError) as caught:
            read(bad, name="c", folder=Path(), env={}, composer=PureComposer)
        assert "c:" in str(caught.value)


def test_keys_are_always_words() -> None:
    document = read(b"1: a\nno: b\n0x1: c\n2026-11-22: d\n", name="c", folder=Path(), env={})
    assert document.data == {"1": "a", "no": "b", "0x1": "c", "2026-11-22": "d"}


def test_norway_is_a_language(tmp_path: Path) -> None:
    assert settings_of(tmp_path, BASE + "    language: iw-IL\n").newsletters[0].language == "he-IL"
    settings = settings_of(tmp_path, BASE + "    language: no\n")
    assert settings.newsletters[0].language == "no"


def test_an_alias_repeats_what_its_anchor_said(tmp_path: Path) -> None:
    text = BASE.replace("schedule: {", "schedule: &morning {") + (
        "  tech:\n    title: Tech\n    schedule: *morning\n    feeds: [tech.json]\n"
    )
    one, two = settings_of(tmp_path, text).newsletters
    assert one.schedule == two.schedule


def test_a_key_whose_items_are_all_commented_out_is_as_good_as_absent(tmp_path: Path) -> None:
    text = BASE + "    recipients:\n      # - you@example.org\n    stories:\n"
    assert settings_of(tmp_path, text).newsletters[0].recipients == ()


# ---------------------------------------------------------------- ${VAR} and !file


def test_variables_are_filled_in_after_parsing(tmp_path: Path) -> None:
    text = (
        BASE.replace("World in brief", '"${A}: [${B:-two}] ${C:-}$${A} $A"')
        + '    stories: {limit: "${N}"}\n    description: ${A}\n'
    )
    world = settings_of(tmp_path, text, A="x: {y}", B="", N="7").newsletters[0]
    assert world.title == "x: {y}: [two] ${A} $A"
    assert world.limit == 7
    assert world.description == "x: {y}"


def test_a_variable_may_be_empty_but_not_absent(tmp_path: Path) -> None:
    text = BASE + '    description: "${EMPTY}"\n'
    assert settings_of(tmp_path, text, EMPTY="").newsletters[0].description == ""
    with pytest.raises(ConfigError, match="the environment has no EMPTY"):
        settings_of(tmp_path, text)


def test_a_file_is_read_beside_the_config_and_nothing_in_it_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / "about.txt").write_text("five ${A} [x\n")
    text = BASE + "    description: !file about.txt\n    subject: !file ${NAME}.txt\n"
    world = settings_of(tmp_path, text, NAME="about").newsletters[0]
    assert world.description == world.subject == "five ${A} [x"


# ---------------------------------------------------------------- newsletters and feeds


def test_every_setting_of_a_newsletter_arrives(tmp_path: Path) -> None:
    text = """\
site: {title: T, url: https://News.example.org/base/, postal_address: "1 Street\\n10115 Berlin"}
email: {from: news@example.org}
newsletters:
  a-1:
    title: "  A  "
    description: About
    language: PT_br
    schedule: {at: 6:05, zone: America/New_York, days: [thu, mon, mon]}
    feeds:
      - https://example.org/feed.xml?a=1&b=2
      - {url: feeds/local.xml, title: L, section: S, weight: 0.5, first: 12h, settle: 30m}
      - {url: https://b.example/f, first: all, settle: 0}
    stories: {limit: 5, per_feed: 1}
    recipients: [You@Example.org, bob@example.org]
    channels: [feed, feed]
    subject: "{{ date }}"
    catch_up: each
    unknown: hold
    interests: [tram, Storm Odile]
""".replace("PT_br", "pt-br")
    settings = settings_of(tmp_path, text)
    (newsletter,) = settings.newsletters
    assert settings.site.url == "https://News.example.org/base"
    assert settings.site.postal_address == "1 Street\n10115 Berlin"
    assert (newsletter.slug, newsletter.title, newsletter.language) == ("a-1", "A", "pt-BR")
    assert (newsletter.schedule.at, newsletter.schedule.cadence) == (time(6, 5), "mon,thu")
    assert newsletter.follows == (
        Follow(url="https://example.org/feed.xml?a=1&b=2"),
        Follow(
            url="feeds/local.xml",
            title="L",
            section="S",
            weight=0.5,
            first=timedelta(hours=12),
            settle=timedelta(minutes=30),
        ),
        Follow(url="https://b.example/f", first=None),
    )
    assert (newsletter.limit, newsletter.per_feed) == (5, 1)
    assert newsletter.recipients == ("You@example.org", "bob@example.org")
    assert newsletter.channels == ("feed",)
    assert (newsletter.subject, newsletter.catch_up, newsletter.unknown) == ("{{ date }}", "each", "hold")
    assert newsletter.interests == ("tram", "Storm Odile")


def test_what_is_not_said_has_the_models_own_default(tmp_path: Path) -> None:
    newsletter = settings_of(tmp_path, BASE).newsletters[0]
    bare = type(newsletter)(slug="world", title="World in brief", schedule=newsletter.schedule)
    assert replace(newsletter, follows=()) == bare
    assert newsletter.follows == (Follow(url="examples/city.xml"),)


@pytest.mark.parametrize(
    ("days", "cadence"),
    [
        ("daily", "daily"),
        ("weekdays", "weekdays"),
        ("[sun]", "sun"),
        ("[fri, thu, wed, tue, mon]", "weekdays"),
    ],
)
def test_days_are_words_or_a_list(tmp_path: Path, days: str, cadence: str) -> None:
    text = BASE.replace("Europe/Berlin}", f"Europe/Berlin, days: {days}}}")
    assert settings_of(tmp_path, text).newsletters[0].schedule.cadence == cadence


@pytest.mark.parametrize(
    ("readers", "offers"),
    [
        ("", Offers()),
        ("{hour: false}", Offers(hour=False)),
        ("{cadences: [weekly, daily, weekly]}", Offers(cadences=("weekly", "daily"))),
        ("{cadences: [], hour: false}", Offers(cadences=(), hour=False)),
    ],
)
def test_a_newsletter_says_what_its_readers_may_choose(tmp_path: Path, readers: str, offers: Offers) -> None:
    text = BASE + (f"    readers: {readers}\n" if readers else "")
    (newsletter,) = settings_of(tmp_path, text).newsletters
    assert newsletter.offers == offers


def test_what_readers_may_choose_decides_no_issue(tmp_path: Path) -> None:
    """Two processes of which one knows a new offer already make the same issues."""
    narrow = settings_of(tmp_path, BASE + "    readers: {hour: false}\n")
    assert narrow.hash == settings_of(tmp_path, BASE).hash


def test_an_address_that_is_given_twice_gets_one_letter_and_a_note(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path, BASE + "    recipients: [Bob@example.org, a@b.example, bob@EXAMPLE.org]\n"
    )
    assert settings.newsletters[0].recipients == ("Bob@example.org", "a@b.example")
    assert [str(note) for note in settings.notes] == [
        f"{tmp_path}/config.yaml:8:48: newsletters.world.recipients.2: "
        "is in this list already; it gets one letter"
    ]


def test_an_opml_file_is_followed_and_what_the_config_says_of_a_feed_wins(tmp_path: Path) -> None:
    (tmp_path / "many.opml").write_bytes(b"<opml/>")
    seen: list[bytes] = []

    def read_opml(raw: bytes) -> Sequence[Follow]:
        seen.append(raw)
        return [
            Follow(url="https://a.example/f", section="Folder"),
            Follow(url="examples/city.xml", section="No"),
        ]

    text = BASE.replace("[examples/city.xml]", "[{opml: many.opml}, {url: examples/city.xml, section: Yes}]")
    settings = settings_of(tmp_path, text, read_opml=read_opml)
    assert seen == [b"<opml/>"]
    assert {follow.url: follow.section for follow in settings.newsletters[0].follows} == {
        "examples/city.xml": "Yes",
        "https://a.example/f": "Folder",
    }
    assert [ref.path for ref in settings.lists["world"]] == [tmp_path / "many.opml"]


def test_full_text_is_wanted_by_feed_or_by_list(tmp_path: Path) -> None:
    (tmp_path / "many.opml").write_bytes(b"<opml/>")

    def read_opml(raw: bytes) -> Sequence[Follow]:
        return [Follow(url="https://a.example/f"), Follow(url="https://b.example/f")]

    text = BASE.replace(
        "[examples/city.xml]",
        "[{opml: many.opml, full_text: true}, {url: https://b.example/f}, "
        "{url: x.xml, full_text: true}, y.xml]",
    )
    [newsletter] = settings_of(tmp_path, text, read_opml=read_opml).newsletters
    assert {follow.url: follow.full_text for follow in newsletter.follows} == {
        "https://a.example/f": True,
        "https://b.example/f": False,
        "x.xml": True,
        "y.xml": False,
    }


def test_a_config_can_be_checked_before_it_is_written(tmp_path: Path) -> None:
    settings_of(tmp_path, BASE)
    path, read = tmp_path / "config.yaml", {"channel_settings": channel_settings, "env": {}}
    changed = BASE.replace("World in brief", "The world").encode()
    assert load(path, raw=changed, **read).newsletters[0].title == "The world"
    assert load(path, **read).newsletters[0].title == "World in brief"
    with pytest.raises(ConfigError, match="is not YAML"):
        load(path, raw=b"{", **read)


def test_ten_thousand_feeds_are_read_and_the_garbage_collector_is_left_as_it_was(tmp_path: Path) -> None:
    feeds = "".join(
        f"      - {{url: https://example.org/{n}/feed.xml, title: Feed {n}, section: Local, weight: 2}}\n"
        for n in range(10_000)
    )
    settings = settings_of(tmp_path, BASE.replace(" [examples/city.xml]\n", "\n" + feeds))
    assert len(settings.newsletters[0].follows) == 10_000
    assert settings.newsletters[0].follows[9_999].url == "https://example.org/9999/feed.xml"
    assert gc.isenabled()


# ---------------------------------------------------------------- channels


def test_a_channels_section_becomes_its_own_settings(tmp_path: Path) -> None:
    text = BASE.replace(
        "email: {from: news@example.org}",
        'email: {from: "A <a@b.example>", transport: smtp, json: true, headers: {X-A: b}, smtp: ['
        "{host: one, port: 587, timeout: 2m, ca: certs/ca.pem}, {host: two, security: tls, rate: 50/s}]}",
    )
    assert settings_of(tmp_path, text).channels["email"] == Email(
        from_="A <a@b.example>",
        transport="smtp",
        json=True,
        headers={"X-A": "b"},
        smtp=(
            Server(host="one", port=587, timeout=timedelta(minutes=2), ca=tmp_path / "certs/ca.pem"),
            Server(host="two", security="tls", rate="50/s"),
        ),
    )


def test_a_channel_without_required_settings_needs_no_section(tmp_path: Path) -> None:
    assert settings_of(tmp_path, BASE).channels == {"email": Email(from_="news@example.org"), "feed": Feed()}


def test_a_channel_that_no_newsletter_uses_needs_no_section(tmp_path: Path) -> None:
    text = BASE.replace("email: {from: news@example.org}\n", "") + "    channels: [feed]\n"
    assert settings_of(tmp_path, text).channels == {"feed": Feed()}


def test_a_new_channel_is_known_by_its_name_alone(tmp_path: Path) -> None:
    text = BASE + "    channels: [webhook]\nwebhook: {url: https://example.org/hook}\n"
    settings = settings_of(tmp_path, text)
    assert settings.channels["webhook"] == Webhook(url="https://example.org/hook")
    assert settings.channels["email"] == Email(from_="news@example.org")


# ---------------------------------------------------------------- the other sections


def test_the_other_sections_have_defaults_and_arrive(tmp_path: Path) -> None:
    bare = settings_of(tmp_path, BASE)
    assert bare.keep == Keep(deliveries=timedelta(days=30), articles=timedelta(days=90))
    assert (bare.web.trusted_proxies, bare.fetch.allow, bare.templates) == ((), (), None)
    full = settings_of(
        tmp_path,
        BASE + "web: {trusted_proxies: [10.0.0.0/8, '::1']}\nkeep: {deliveries: 1w}\n"
        "fetch: {allow: [Intranet.Example.org, '[::1]', 127.0.0.1, 'A.example:8080', '[::1]:81'],\n"
        "  user_agent: Us/1.0, timeout: 5s, gap: 0s, proxy: 'http://us:word@proxy.example:3128/'}\n",
    )
    assert full.web.trusted_proxies == ("10.0.0.0/8", "::1/128")
    assert full.keep == Keep(deliveries=timedelta(days=7))
    assert full.fetch.allow == (
        "intranet.example.org", "::1", "127.0.0.1", "a.example:8080", "[::1]:81",
    )  # fmt: skip
    assert (bare.fetch.gap, bare.fetch.proxy) == (timedelta(seconds=1), None)
    assert (full.fetch.gap, full.fetch.proxy) == (timedelta(0), "http://us:word@proxy.example:3128")
    assert shown(full)["fetch"]["proxy"] == "http://us:…@proxy.example:3128"
    assert (full.fetch.user_agent, full.fetch.timeout) == ("Us/1.0", timedelta(seconds=5))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:///letters.db", "sqlite:///{folder}/letters.db"),
        ("sqlite:////var/lib/digest.db", "sqlite:////var/lib/digest.db"),
        ("postgresql://u:${PW}@db.example.org/digest", "postgresql://u:s3cret@db.example.org/digest"),
    ],
)
def test_a_database_file_lies_beside_the_config(tmp_path: Path, written: str, meant: str) -> None:
    settings = settings_of(tmp_path, f'database: "{written}"\n' + BASE, PW="s3cret")
    assert settings.database == meant.format(folder=tmp_path)
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(shown(settings))


# ---------------------------------------------------------------- the secret


@pytest.mark.parametrize("line", ["", "secret: !file secret.key\n"])
def test_a_missing_secret_is_made_once_for_its_owner_only(tmp_path: Path, line: str) -> None:
    settings = settings_of(tmp_path, line + BASE)
    path = tmp_path / "secret.key"
    assert (settings.secret, settings.secret_file) == (b"", path)
    assert not path.exists()  # reading the config makes nothing
    made = ensure_secret(settings)
    assert re.fullmatch(rb"[0-9a-f]{64}", made.secret)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ensure_secret(settings).secret == made.secret
    assert settings_of(tmp_path, line + BASE).secret == made.secret
    assert sorted(item.name for item in tmp_path.iterdir()) == ["config.yaml", "secret.key"]


def test_processes_that_start_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, BASE)
    found: list[bytes] = []
    together = threading.Barrier(8)

    def start() -> None:
        together.wait()
        found.append(ensure_secret(settings).secret)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_secret_may_stand_in_the_environment(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, 'secret: "${KEY}"\n' + BASE, KEY=SECRET)
    assert settings.secret == SECRET.encode()
    assert settings.secret_file is None
    assert ensure_secret(settings) is settings
    assert SECRET not in repr(settings)
    assert SECRET not in str(shown(settings))


def test_an_empty_or_short_file_is_never_signed_with(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, BASE)
    (tmp_path / "secret.key").write_text("short\n")
    with pytest.raises(DigestError, match="shorter than 32 characters"):
        ensure_secret(settings)
    with pytest.raises(ConfigError, match="secret: is shorter than 32 characters"):
        settings_of(tmp_path, BASE)


def test_a_secret_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "secret: !file nowhere/secret.key\n" + BASE)
    with pytest.raises(DigestError, match=f"cannot be kept in {tmp_path}/nowhere/secret.key: No such file"):
        ensure_secret(settings)


def test_of_a_list_of_secrets_the_first_signs_and_all_others_are_former(tmp_path: Path) -> None:
    (tmp_path / "old.key").write_text("o" * 40 + "\n")
    line = f'secret: ["${{KEY}}", !file old.key, {"p" * 32}, "${{KEY}}"]\n'
    settings = settings_of(tmp_path, line + BASE, KEY=SECRET)
    assert settings.secret == SECRET.encode()
    assert settings.former_secrets == (b"o" * 40, b"p" * 32)
    assert ensure_secret(settings) is settings
    for text in (repr(settings), str(shown(settings))):
        assert "oooo" not in text
        assert "pppp" not in text


def test_the_first_of_a_list_is_made_when_its_file_is_missing_and_the_others_are_not(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"secret: [!file new.key, {'o' * 32}]\n" + BASE)
    made = ensure_secret(settings)
    assert (tmp_path / "new.key").read_text().strip().encode() == made.secret
    assert made.former_secrets == (b"o" * 32,)
    with pytest.raises(ConfigError, match=r"secret\.1: there is no file gone\.key"):
        settings_of(tmp_path, "secret: [!file new.key, !file gone.key]\n" + BASE)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("secret: []", "secret: is empty; nothing is ever signed with an empty key"),
        (f"secret: [short, {'o' * 32}]", "secret: is shorter than 32 characters"),
        (f"secret: [{'o' * 32}, short]", "secret.1: is shorter than 32 characters"),
        (f'secret: [{"o" * 32}, ""]', "secret.1: is empty"),
        (f"secret: [{'o' * 32}, [x]]", "secret.1: should be text"),
        (f"secret: [{'o' * 32}, 12345]", "secret.1: should be text"),
    ],
)
def test_a_bad_secret_of_a_list_is_named_by_its_place(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        settings_of(tmp_path, line + "\n" + BASE)


def test_sign_ups_have_limits_that_an_admin_can_set(tmp_path: Path) -> None:
    usual = settings_of(tmp_path, BASE).web.signup
    assert (usual.per_address, usual.per_network, usual.in_total) == (60, 300, 1000)
    set_ = settings_of(tmp_path, BASE + "web: {signup: {per_address: 5, fill_time: 0}}\n").web.signup
    assert (set_.per_address, set_.fill_time) == (5, timedelta(0))
    with pytest.raises(ConfigError, match="fill_time: 1m at most"):
        settings_of(tmp_path, BASE + "web: {signup: {fill_time: 2m}}\n")


# ---------------------------------------------------------------- what decides the composing


def test_the_hash_is_of_what_decides_an_issue_and_of_nothing_else(tmp_path: Path) -> None:
    first = settings_of(tmp_path, BASE).hash
    same = [
        "# a comment\n" + BASE,
        f"secret: {SECRET}\n" + BASE,
        BASE + "    recipients: [you@example.org]\n",
        BASE.replace("news@example.org", "other@example.org"),
        BASE + "keep: {articles: 10d}\n",
        "database: sqlite:///other.db\n" + BASE,
    ]
    assert {settings_of(tmp_path, text).hash for text in same} == {first}
    others = [
        BASE.replace("World in brief", "World"),
        BASE.replace("07:00", "08:00"),
        BASE.replace("[examples/city.xml]", "[{url: examples/city.xml, weight: 2}]"),
        BASE + "    stories: {limit: 11}\n",
        BASE.replace("Morning", "Evening"),
    ]
    assert len({first, *(settings_of(tmp_path, text).hash for text in others)}) == 6


# ---------------------------------------------------------------- for people and editors


def test_what_is_shown_reads_like_the_file_with_secrets_masked(tmp_path: Path) -> None:
    text = BASE.replace(
        "{from: news@example.org}", "{from: a@b.example, smtp: [{host: m, username: u, password: hunter2}]}"
    ).replace("[examples/city.xml]", "[{url: a.xml, first: all}, b.xml]")
    values = shown(settings_of(tmp_path, text))
    assert values["email"]["from"] == "a@b.example"
    assert values["email"]["smtp"][0]["password"] == "…"
    assert values["email"]["smtp"][0]["timeout"] == "1m"
    world = values["newsletters"]["world"]
    assert world["schedule"] == {"at": "07:00", "zone": "Europe/Berlin", "days": "daily"}
    assert [feed["first"] for feed in world["feeds"]] == ["all", "2d"]
    assert values["keep"] == {"deliveries": "30d", "articles": "90d"}


def checked(text: str) -> list[str]:
    """What an editor says of this file."""
    document = read(text.encode(), name="c", folder=ROOT, env={"X": "x"})
    validator = jsonschema.Draft202012Validator(schema(channel_settings))
    return sorted(error.message for error in validator.iter_errors(document.data))


def test_the_schema_is_valid_and_accepts_the_shipped_config() -> None:
    jsonschema.Draft202012Validator.check_schema(schema(channel_settings))
    assert (
        checked((ROOT / "config.yaml").read_text(encoding="utf-8").replace("!file secret.key", SECRET)) == []
    )


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("site: {", "site: {titel: x, "),
        ("site: {", "sites: {}\nsite: {"),
        ("email: {", "email: {form: x, "),
        ("title: World in brief", "title: World in brief\n    full_text: true"),
        ("schedule: {", "schedule: {hour: 7, "),
        ("[examples/city.xml]", "[{url: a.xml, wieght: 2}]"),
        ("[examples/city.xml]", "[{opml: a.opml, url: a.xml}]"),
        ("[examples/city.xml]", "[12]"),
        ("07:00", "24:00"),
        ("  world:", "  World:"),
        ("Europe/Berlin}", "Europe/Berlin, days: never}"),
        ("email: {", "email: {transport: pigeon, "),
        ("email: {from: news@example.org}", "email: {}"),
        ("title: The Morning Post, ", ""),
    ],
)
def test_the_schema_refuses_what_the_config_refuses(tmp_path: Path, good: str, bad: str) -> None:
    assert checked(BASE) == []
    assert good in BASE
    assert checked(BASE.replace(good, bad)) != []
    with pytest.raises(ConfigError):
        settings_of(tmp_path, BASE.replace(good, bad))


def test_the_schema_lets_a_variable_stand_for_a_number_or_a_word() -> None:
    text = BASE + "    stories: {limit: '$${N}'}\n    catch_up: '$${HOW:-skip}'\n"
    assert checked(text) == []


def test_the_reference_lists_every_setting_with_type_default_and_meaning() -> None:
    text = reference(channel_settings)
    for row in [
        "| `site.url` | URL | required | Public base of every link. Change it before you mail anyone. |",
        "| `newsletters.NAME.schedule.zone` | time zone | required | IANA time zone. |",
        "| `newsletters.NAME.stories.limit` | whole number | `12` | Stories in an issue, at most. |",
        "| `newsletters.NAME.catch_up` | `coalesce` or `skip` or `each` | `coalesce` | ",
        "| `newsletters.NAME.feeds[].opml` | path | required | ",
        "| `newsletters.NAME.feeds[].settle` | duration | `0` | ",
        "| `email.from` | text | required | Who writes. |",
        "| `email.smtp[].timeout` | duration | `1m` | For each answer. |",
        "| `email.smtp[].port` | whole number |  | By default that of `security`. |",
        "| `keep.deliveries` | duration | `30d` | How long single deliveries are kept; their counts stay. |",
        "| `feed.entries` | whole number | `20` |  |",
    ]:
        assert row in text, row
    ours = [
        line
        for line in text.splitlines()
        if line.startswith("| `") and not line.startswith(("| `email", "| `feed"))
    ]
    assert len(ours) > 40
    assert not [line for line in ours if line.endswith("|  |")], "each setting of ours says what it means"


def test_reading_a_config_changes_nothing_around_it(tmp_path: Path) -> None:
    before = dict(os.environ)
    settings_of(tmp_path, BASE)
    assert [item.name for item in tmp_path.iterdir()] == ["config.yaml"]
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("all", Retention()),
        ("2y", Retention(age=timedelta(days=730))),
        ("90 d", Retention(age=timedelta(days=90))),
        ("500 issues", Retention(issues=500)),
        ("1 issue", Retention(issues=1)),
    ],
)
def test_an_archive_is_kept_by_age_or_number(tmp_path: Path, written: str, kept: Retention) -> None:
    text = BASE.rstrip() + f"\n    archive: {{keep: {written}}}\n"
    assert settings_of(tmp_path, text).newsletters[-1].archive == kept


@pytest.mark.parametrize("written", ["0d", "0 issues", "2", "-1d", "12h", "101y", "500 stories", "{}", "''"])
def test_an_archive_that_would_keep_nothing_is_refused(tmp_path: Path, written: str) -> None:
    text = BASE.rstrip() + f"\n    archive: {{keep: {written}}}\n"
    with pytest.raises(ConfigError, match=r"archive\.keep"):
        settings_of(tmp_path, text)
