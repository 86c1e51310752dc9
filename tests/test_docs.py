"""What the documentation says is so: commands exist, configs load, pages made from code are up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from digest.cli import COMMANDS, root
from digest.service import load

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMED = {path: path.read_text(encoding="utf-8") for path in PAGES}


def test_the_reference_is_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, "docs/make_reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    found = re.findall(
        r"(?:^\$ |`|ExecStart=\S*/)(?:\.venv/bin/)?digest ([a-z]+)(?: ([a-z]+))?", NAMED[page], re.MULTILINE
    )
    for name, sub in found:
        assert name in COMMANDS, f"{page.name} names digest {name}"
        with click.Context(root) as context:
            command = root.get_command(context, name)
        if isinstance(command, click.Group) and sub:
            assert sub in command.commands, f"{page.name} names digest {name} {sub}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", NAMED[page]):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_config_loads(tmp_path: Path) -> None:
    [text] = re.findall(r"```yaml\n(site:.*?)```", NAMED[ROOT / "README.md"], re.DOTALL)
    (tmp_path / "feeds.opml").write_text(
        '<opml version="2.0"><body><outline type="rss" xmlUrl="https://a.example/feed"/></body></opml>'
    )
    path = tmp_path / "config.yaml"
    path.write_text(text)
    settings = load(path, env={"SMTP_PASSWORD": "x"})
    assert len(settings.newsletters[0].follows) == 3


def test_the_readme_names_the_two_commands() -> None:
    assert "make run" in NAMED[ROOT / "README.md"]
    assert "make test" in NAMED[ROOT / "README.md"]
