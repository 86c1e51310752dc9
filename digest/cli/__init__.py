"""The `digest` command: one file per noun; each parses, opens the service, calls and prints.

Only click is imported here, and a command's file only when that command is asked for: `--help` must be quick.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from digest import __version__

# name → (file in this folder, the line that `digest --help` shows)
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("setup", "Write a commented config.yaml, a copy of the templates and a secret."),
    "run": ("run", "The service: scheduler, workers and web in one process."),
    "worker": ("run", "The steps without the web, for more machines."),
    "web": ("run", "The web without the steps."),
    "once": ("steps", "Every step once: pull, summarize, compose, deliver."),
    "pull": ("steps", "Ask the feeds that are due."),
    "summarize": ("steps", "Read and summarize what came in."),
    "compose": ("steps", "Make the issues whose time has come."),
    "deliver": ("steps", "Send what waits to be sent."),
    "preview": ("preview", "The next issue as it would be; stores and sends nothing."),
    "send": ("preview", "A test letter of the latest issue to one address."),
    "feeds": ("feeds", "The sources: list, check, report, discover, import, export."),
    "subscribers": ("subscribers", "The readers: list, add, remove, import, export, show, erase, verify."),
    "issues": ("issues", "The issues: list, show, why, diff, correct, pause, resume, retry, cancel."),
    "config": ("config", "The configuration: check, show, schema, diff."),
    "doctor": ("doctor", "Is everything well? What is wrong, and what to do."),
    "db": ("db", "The database: upgrade, backup."),
    "export": ("db", "Write the public site (pages and feeds) into a folder."),
    "eval": ("evaluate", "Answer a text task, one JSON line a row, for the scorer."),
    "demo": ("demo", "A newsletter with sample feeds in a folder of its own, running."),
}


class LazyGroup(click.Group):
    """Knows every command by name and loads a command's file when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"digest.cli.{COMMANDS[cmd_name][0]}")
        command = getattr(module, f"{cmd_name}_command")
        if not isinstance(command, click.Command):
            raise TypeError(f"{module.__name__}.{cmd_name}_command is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            if near:
                raise click.UsageError(f"{error.message} Did you mean '{near[0]}'?", ctx) from error
            raise


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--config",
    "config_path",
    metavar="FILE",
    envvar="DIGEST_CONFIG",
    default="config.yaml",
    show_default=True,
    help="The admin's one file (or DIGEST_CONFIG). May also stand after the command.",
)
@click.option("-v", "--verbose", count=True, help="Say more on stderr (twice: debug).")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors on stderr.")
@click.version_option(__version__, prog_name="digest")
@click.pass_context
def root(ctx: click.Context, config_path: str, verbose: int, quiet: bool) -> None:
    """One good letter a day: pulls feeds, composes a digest, sends it as email and as a feed.

    Start with `digest init`, then `digest once --now`, then `digest run`.
    """
    ctx.obj = {"config": config_path, "verbose": verbose, "quiet": quiet}


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script. Exit codes: 0 ok, 1 failure, 2 usage, 3 a check failed, 4 config invalid,
    75 try again later, 130 interrupted."""
    from digest.cli.console import exit_code

    try:
        code = root.main(args=arguments, prog_name="digest", standalone_mode=False)
        if isinstance(code, int) and code:  # what `ctx.exit` was given
            sys.exit(code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - the last door: people get a line, never a traceback
        sys.exit(exit_code(error))


if __name__ == "__main__":
    main()
