"""The section `llm` of the config: what it may say, and that its key is nowhere to be seen."""

# ruff: noqa: E501 - tables of cases are read by the line

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from digest.config import ConfigError, Settings, shown
from digest.service import load
from digest.service.writing import limits
from digest.writer import Limits

KEY = "sk-very-secret-0123456789"
BASE = """\
site: {title: The Morning Post, url: "http://127.0.0.1:8080"}
email: {from: news@example.org}
newsletters:
  world:
    title: World in brief
    schedule: {at: "07:00", zone: Europe/Berlin}
    feeds: [https://example.org/feed.xml]
"""


def settings_of(folder: Path, section: str) -> Settings:
    path = folder / "config.yaml"
    path.write_text(BASE + section, encoding="utf-8")
    return load(path, env={"LLM_KEY": KEY})


def complaint(folder: Path, section: str) -> str:
    with pytest.raises(ConfigError) as caught:
        settings_of(folder, section)
    assert KEY not in str(caught.value)
    return str(caught.value).replace(f"{folder}/config.yaml:", "")


def test_without_the_section_there_is_no_model(tmp_path: Path) -> None:
    assert settings_of(tmp_path, "").llm is None
    assert settings_of(tmp_path, "llm:\n").llm is None


def test_three_lines_are_enough(tmp_path: Path) -> None:
    llm = settings_of(tmp_path, 'llm: {endpoint: "http://127.0.0.1:11434/v1/", model: "gemma3:4b"}').llm
    assert llm is not None
    assert (llm.endpoint, llm.model, llm.key) == ("http://127.0.0.1:11434/v1", "gemma3:4b", "")
    assert (llm.timeout, llm.total) == (timedelta(seconds=20), timedelta(minutes=1))
    assert limits(llm) == Limits(model="gemma3:4b")


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    section = """\
llm:
  endpoint: https://models.example.org/v1
  model: small
  key: "${LLM_KEY}"
  newsletters: [world]
  timeout: 10s
  total: 30s
  calls: 50
  tokens: 9000
  money: {per_day: 0.25, input: 0.15, output: 0.6}
"""
    settings = settings_of(tmp_path, section)
    assert settings.llm is not None
    assert settings.llm.key == KEY
    assert limits(settings.llm) == Limits(
        model="small",
        newsletters=("world",),
        total=timedelta(seconds=30),
        calls=50,
        tokens=9000,
        micros=250_000,
        price_in=0.15,
        price_out=0.6,
    )
    assert settings.notes == ()


def test_the_key_is_shown_nowhere(tmp_path: Path) -> None:
    (tmp_path / "llm.key").write_text(KEY + "\n")
    for key in ("!file llm.key", "${LLM_KEY}", KEY):
        settings = settings_of(tmp_path, f"llm:\n  endpoint: https://a.example/v1\n  model: m\n  key: {key}")
        assert settings.llm is not None
        assert settings.llm.key == KEY
        assert shown(settings)["llm"]["key"] == "…"
        assert KEY not in repr(settings) + json.dumps(shown(settings))


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("llm: {model: m}", "8:1: llm.endpoint: is missing"),
        ("llm: {endpoint: https://a.example}", "8:1: llm.model: is missing"),
        (
            "llm:\n  endpoint: https://a.example/v1/chat/completions\n  model: m",
            "9:13: llm.endpoint: is written without /chat/completions, which we add",
        ),
        ("llm:\n  endpoint: a.example\n  model: m", "9:13: llm.endpoint: should begin with https://"),
        ("llm:\n  endpoint: https://u:p@a.example\n  model: m", "9:13: llm.endpoint: must not hold a user"),
        ("llm:\n  endpoint: https://a.example\n  model: m\n  key: a b", "11:8: llm.key: is no key"),
        ("llm:\n  endpoint: https://a.example\n  model: m\n  key: ключ", "11:8: llm.key: is no key"),
        ("llm:\n  endpoint: https://a.example\n  model: m\n  key: 7", "11:8: llm.key: should be text"),
        ("llm:\n  endpoint: https://a.example\n  model: m\n  kee: x", "11:3: llm.kee: there is no such setting; did you"),
        ("llm:\n  endpoint: https://a.example\n  model: m\n  calls: 0", "11:10: llm.calls: should be at least 1"),
        ("llm:\n  endpoint: https://a.example\n  model: m\n  total: 1h", "11:10: llm.total: should be more than 0 and 10m"),
        ("llm:\n  endpoint: https://a.example\n  model: m\n  timeout: 0", "11:12: llm.timeout: should be more than 0"),
        (
            "llm:\n  endpoint: https://a.example\n  model: m\n  newsletters: [wrld]",
            "11:17: llm.newsletters.0: there is no newsletter wrld; did you mean world?",
        ),
        (
            "llm:\n  endpoint: https://a.example\n  model: m\n  money: {per_day: 1}",
            "11:3: llm.money.input: is missing",
        ),
        (
            "llm:\n  endpoint: https://a.example\n  model: m\n  money: {per_day: -1, input: 1, output: 1}",
            "11:20: llm.money.per_day: should be more than 0",
        ),
        ('llm:\n  endpoint: https://a.example\n  model: m\n  key: "${LLM_KEY} x"', "11:8: llm.key: is no key"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_place(tmp_path: Path, section: str, said: str) -> None:
    assert said in complaint(tmp_path, section + "\n")


@pytest.mark.parametrize(
    ("endpoint", "noted"),
    [
        ("http://models.example.org/v1", True),
        ("http://203.0.113.7/v1", False),  # reserved for examples: no address of the internet
        ("http://93.184.216.34/v1", True),
        ("https://models.example.org/v1", False),
        ("http://127.0.0.1:11434/v1", False),
        ("http://192.168.1.5/v1", False),
        ("http://ollama:11434/v1", False),
        ("http://gpu.local/v1", False),
    ],
)
def test_a_key_on_an_open_line_is_worth_a_note(tmp_path: Path, endpoint: str, noted: bool) -> None:
    notes = settings_of(tmp_path, f"llm: {{endpoint: '{endpoint}', model: m, key: k}}").notes
    assert [note.path for note in notes] == (["llm.endpoint"] if noted else [])


def test_another_model_makes_other_issues_and_another_key_does_not(tmp_path: Path) -> None:
    plain = "llm: {endpoint: https://a.example/v1, model: m, key: one}"
    first = settings_of(tmp_path, plain).hash
    assert settings_of(tmp_path, plain.replace("one", "two")).hash == first
    others = [settings_of(tmp_path, other).hash for other in ("", plain.replace("model: m", "model: n"))]
    assert len({first, *others}) == 3
