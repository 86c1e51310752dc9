"""Every command exists, is quick to explain itself, and fails in words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from digest.cli import COMMANDS

NAMED = [
    *((name,) for name in COMMANDS),
    *(("feeds", name) for name in ("list", "check", "discover", "import", "export")),
    *(
        ("subscribers", name)
        for name in ("list", "add", "remove", "import", "export", "show", "erase", "verify")
    ),
    *(
        ("issues", name)
        for name in ("list", "show", "why", "diff", "correct", "pause", "resume", "retry", "cancel")
    ),
    *(("config", name) for name in ("check", "show", "schema", "diff")),
    *(("db", name) for name in ("upgrade", "backup")),
]


@pytest.mark.parametrize("words", NAMED, ids=" ".join)
def test_every_command_explains_itself(digest, words: tuple[str, ...]) -> None:
    said = digest(*words, "--help")
    assert said.code == 0
    assert said.out.startswith("Usage: digest")


def test_help_loads_nothing_heavy() -> None:
    heavy = [
        "sqlalchemy",
        "aiohttp",
        "jinja2",
        "pydantic",
        "starlette",
        "lxml",
        "numpy",
        "feedparser",
        "asyncio",
    ]
    code = (
        "import sys\nfrom digest.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Commands:" in done.stdout
    assert done.stderr.strip() == "[]"


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(digest) -> None:
    said = digest("prewiew", "world")
    assert said.code == 2
    assert "Did you mean 'preview'?" in said.err


@pytest.mark.parametrize(
    "words",
    [
        *[(word,) for word in ("once", "pull", "run", "worker", "doctor")],
        *[("preview", "world"), ("feeds", "list"), ("issues", "list"), ("subscribers", "list")],
        *[("config", "check"), ("db", "upgrade")],
    ],
    ids=" ".join,
)
def test_a_bad_config_is_exit_4_with_its_place(digest, folder: Path, words: tuple[str, ...]) -> None:
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace("limit: 12", "limitt: 12"))
    said = digest(*words)
    if words == ("doctor",):
        assert said.code == 3
        assert "config.yaml:" in said.out
        return
    assert said.code == 4
    assert "config.yaml:" in said.err
    assert "newsletters.world.stories.limitt" in said.err
    assert "limit" in said.err


def test_no_config_at_all_is_exit_4_and_says_what_to_do(digest, folder: Path) -> None:
    (folder / "config.yaml").unlink()
    said = digest("once")
    assert said.code == 4
    assert "digest init" in said.err


def test_a_database_that_cannot_be_opened_is_exit_75(digest, folder: Path) -> None:
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace("sqlite:///subscribers.db", "sqlite:///no/such/folder/s.db"))
    said = digest("once")
    assert said.code == 75
    assert said.err.startswith("not now: ")


def test_a_postgresql_that_is_not_there_is_exit_75_and_shows_no_password(digest, folder: Path) -> None:
    path = folder / "config.yaml"
    text = path.read_text()
    path.write_text(text.replace("sqlite:///subscribers.db", "postgresql://u:hunter2@127.0.0.1:9/digest"))
    said = digest("once")
    assert said.code == 75
    assert "hunter2" not in said.err + said.out


def test_another_secret_is_exit_75(digest, folder: Path) -> None:
    assert digest("subscribers", "list").code == 0
    (folder / "secret.key").write_text("f" * 64)
    said = digest("once")
    assert said.code == 75
    assert "secret" in said.err
