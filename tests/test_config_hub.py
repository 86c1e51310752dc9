"""The hub of a newsletter: one line in the config, and the channel that tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.config import ConfigError
from digest.model import Newsletter
from digest.service import load

BASE = """\
site: {title: The Morning Post, url: "https://post.example.org"}
email: {from: news@example.org}
secret: a secret of thirty-two characters, or more
newsletters:
  world:
    title: World in brief
    schedule: {at: "07:00", zone: Europe/Berlin}
    feeds: [https://example.org/feed.xml]
"""


def newsletter_of(folder: Path, more: str) -> Newsletter:
    path = folder / "config.yaml"
    path.write_text(BASE + more, encoding="utf-8")
    [newsletter] = load(path, env={}).newsletters
    return newsletter


def test_a_hub_brings_its_channel_along(tmp_path: Path) -> None:
    found = newsletter_of(tmp_path, "    hub: https://hub.example/publish?key=1\n")
    assert (found.hub, found.channels) == (
        "https://hub.example/publish?key=1",
        ("email", "feed", "websub"),
    )
    found = newsletter_of(
        tmp_path, "    hub: https://hub.example/\n    channels: [feed, websub]\nwebsub: {timeout: 5s}\n"
    )
    assert found.channels == ("feed", "websub")
    assert newsletter_of(tmp_path, "").channels == ("email", "feed")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("    hub: hub.example\n", "did you mean https://hub.example?"),
        ("    hub: ftp://hub.example/\n", "should begin with https:// or http://"),
        ("    hub: https://me:key@hub.example/\n", "must not hold a user name or password"),
        ("    hub: https://hub.example/#top\n", "without #"),
        ('    hub: "https://hub.example/\\">"\n', "without # and without signs"),
        ("    hub: https://hub.example/\n    channels: [email]\n", "has no channel feed"),
        ("    channels: [email, feed, websub]\n", "say which one under `hub`"),
    ],
)
def test_a_hub_that_nobody_can_be_told_by_is_an_error(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        newsletter_of(tmp_path, more)
    assert said in str(raised.value)
