"""Write docs/reference and config.schema.json from the code: every command and every setting.

python docs/make_reference.py          write the pages
python docs/make_reference.py --check  exit 3 if a page is not what the code says
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from digest import config
from digest.cli import COMMANDS, root
from digest.service import channel_settings, channels, config_schema

FOLDER = Path(__file__).parent / "reference"


def commands() -> str:
    """Every command with its options, as `--help` says it."""
    parts = [
        "# Commands\n\nMade from the code by `make docs`. Every command takes `--config FILE` (or"
        " `DIGEST_CONFIG`); reads take `--json`. Data goes to stdout, messages and progress to stderr.\n\n"
        "Exit codes: 0 ok, 1 failure, 2 usage, 3 a check failed, 4 config invalid, 75 try again later,"
        " 130 interrupted.\n"
    ]
    with click.Context(root, info_name="digest") as top:
        for name in COMMANDS:
            command = root.get_command(top, name)
            if command is None:
                raise SystemExit(f"no such command: {name}")
            parts += _command(command, f"digest {name}", top)
    return "\n".join(parts)


def _command(command: click.Command, title: str, parent: click.Context) -> list[str]:
    context = click.Context(command, info_name=title, parent=None, max_content_width=100, terminal_width=100)
    if isinstance(command, click.Group):
        parts = [f"## {title}\n\n{command.help or ''}\n"]
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                parts += _command(child, f"{title} {name}", parent)
        return parts
    return [f"## {title}\n\n```\n{command.get_help(context)}\n```\n"]


def pages() -> dict[str, str]:
    """File, relative to this folder → what stands in it."""
    settings = "# config.yaml\n\nMade from the code by `make docs`.\n\n" + config.reference(
        channel_settings, channels()
    )
    schema = json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"
    return {"commands.md": commands(), "config.md": settings, "../../config.schema.json": schema}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    wrong = []
    for name, text in pages().items():
        page = FOLDER / name
        if "--check" in sys.argv:
            if not page.exists() or page.read_text(encoding="utf-8") != text:
                wrong.append(name)
        else:
            page.write_text(text, encoding="utf-8")
    if wrong:
        sys.exit(f"not what the code says: {', '.join(wrong)}; run `make docs`")


if __name__ == "__main__":
    main()
