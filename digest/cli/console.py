"""What every command shares: the config option, the event loop, output for people and for programs.

Data goes to stdout, messages and progress to stderr.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, MutableMapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from digest.model import DigestError, NotReady

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

LONGEST_CELL = 60
OK, FAILURE, USAGE, CHECK_FAILED, CONFIG_INVALID, TRY_LATER, INTERRUPTED = 0, 1, 2, 3, 4, 75, 130


def config_option(command: F) -> F:
    """`--config FILE` after the command as well as before it."""
    return click.option(
        "--config",
        "config_path",
        metavar="FILE",
        default=None,
        help="The config file (default ./config.yaml or DIGEST_CONFIG).",
    )(command)


def json_option(command: F) -> F:
    """`--json`: the same answer for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")(command)


def config_path_of(ctx: click.Context, config_path: str | None) -> str:
    """The config file this call is about."""
    root: Mapping[str, Any] = ctx.find_root().obj or {}
    return config_path or str(root.get("config", "config.yaml"))


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end; logging is configured first."""
    import asyncio  # `--help` does without

    configure_logging()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(main)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the loop; to ask for it loads all that a service is made of."""
    was_on = gc.isenabled()
    gc.disable()  # it would look through all that is being loaded, again and again: a tenth of a start
    try:
        from digest.service.event_loop import new_event_loop
    finally:
        if was_on:
            gc.enable()
    return new_event_loop()


@contextlib.contextmanager
def until_interrupted() -> Iterator[asyncio.Event]:
    """Ctrl-C or SIGTERM while letters go out: the event is set, those in flight end, and then the command.

    A letter that is cut off may have arrived, and would be sent again. The second signal ends at once.
    """
    import asyncio

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def leave() -> None:
        for number in signals:
            loop.remove_signal_handler(number)

    def interrupt() -> None:
        leave()
        stop.set()
        say("finishing the letters in flight")

    with contextlib.suppress(
        NotImplementedError, RuntimeError, ValueError
    ):  # only the main thread has signals
        for number in signals:
            loop.add_signal_handler(number, interrupt)
    try:
        yield stop
    finally:
        leave()
    if stop.is_set():
        raise click.Abort


def exit_code(error: BaseException) -> int:
    """Say an error in one line on stderr and name its exit code."""
    from digest.config import ConfigError

    if isinstance(error, ConfigError):
        click.echo(str(error), err=True)
        return CONFIG_INVALID
    if isinstance(error, NotReady):
        click.echo(f"not now: {error}", err=True)
        return TRY_LATER
    if isinstance(error, DigestError):
        click.echo(f"error: {error}", err=True)
        return FAILURE
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        click.echo(f"error: {error.strerror or error}{where}", err=True)
        return FAILURE
    if os.environ.get("DIGEST_DEBUG"):
        raise error
    click.echo(
        f"error: {type(error).__name__}: {error}\n"
        "This is a fault of Digest, not of yours. DIGEST_DEBUG=1 shows where it happened.",
        err=True,
    )
    return FAILURE


def configure_logging(*, service: bool = False) -> None:
    """Human lines on a terminal, JSON lines otherwise; the particulars are keys.

    service: a process that runs on tells what it does; a single command has its own words, and only warns.
    """
    import structlog

    ctx = click.get_current_context(silent=True)
    options: Mapping[str, Any] = (ctx.find_root().obj or {}) if ctx else {}
    level = logging.INFO if service and not options.get("quiet") else logging.WARNING
    if options.get("verbose", 0) >= 1:
        level = logging.DEBUG
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if sys.stderr.isatty():
        renderer: Any = structlog.dev.ConsoleRenderer(
            colors="NO_COLOR" not in os.environ,
            exception_formatter=structlog.dev.plain_traceback,  # the pretty one would show our variables
        )
    else:
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_tokens,
                renderer,
            ],
        )
    )
    top = logging.getLogger()
    top.handlers[:] = [handler]
    top.setLevel(logging.WARNING)
    logging.getLogger("digest").setLevel(level)
    # A tick that finds the one before still at work is skipped: that is meant, and no news.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    # What is no HTTP or no form gets its answer; anybody could fill the log with it.
    for name in ("uvicorn.error", "python_multipart"):
        logging.getLogger(name).setLevel(logging.ERROR)


_TOKEN = re.compile(
    r"(/(?:confirm|unsubscribe|preferences|undo|manage|address|private)/)[A-Za-z0-9_-]{30,}", re.ASCII
)


def _without_tokens(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last door before the log: whoever wrote a link of a reader into it, its token is cut."""
    for key, value in event.items():
        if isinstance(value, str) and "/" in value:
            event[key] = _TOKEN.sub(r"\1…", value)
    return event


# ---------------------------------------------------------------- output


_PLAIN = frozenset((str, int, float, bool))


def plain(value: Any) -> Any:
    """A value of ours as plain JSON."""
    if value is None or type(value) in _PLAIN:  # nearly all are
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (str, int, float)):
        return value
    return str(value)


def print_json(value: Any) -> None:
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def say(text: str) -> None:
    """A message for people, on stderr."""
    click.echo(text, err=True)


def table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str, whole: Sequence[str] = ()
) -> None:
    """Columns for people on stdout; cells are cleaned so that a feed's title cannot move the cursor.

    whole: the columns that are never cut, as what is in them is there to be copied.
    """
    most = [None if heading in whole else LONGEST_CELL for heading in headings]
    cells = [[_cell(value, width) for value, width in zip(row, most, strict=True)] for row in rows]
    if not cells:
        say(empty)
        return
    widths = [max(_width(row[i]) for row in [list(headings), *cells]) for i in range(len(headings))]
    line = "  ".join(_pad(heading, width) for heading, width in zip(headings, widths, strict=True))
    click.secho(line.rstrip(), bold=True, color=_colour())
    for row in cells:
        click.echo(
            "  ".join(_pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip(),
            color=_colour(),
        )


def paragraph(text: str, *, indent: str = "", err: bool = False) -> None:
    """Words of any length, in lines that fit the screen."""
    from digest.typeset import wrap

    click.echo(wrap(text, screen_width(), indent=indent), err=err)


def screen_width() -> int:
    """Columns for words: those of the terminal (or COLUMNS, else 80), but no more than can be read."""
    import shutil

    return min(shutil.get_terminal_size().columns, 100)


def strong(text: str) -> str:
    return click.style(text, bold=True) if text and _colour() else text


def _colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _cell(value: object, most: int | None = LONGEST_CELL) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    text = "".join(ch if ch.isprintable() else " " for ch in str(value))
    return text if most is None or len(text) <= most else text[: most - 1] + "…"


def _width(text: str) -> int:
    import unicodedata

    return sum(
        0 if unicodedata.combining(ch) else 2 if unicodedata.east_asian_width(ch) in "WF" else 1
        for ch in text
    )


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


class Progress:
    """A progress bar on stderr, only on a terminal. Call it with (done, total)."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._shown = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        if not self._shown:
            return
        full = 28 * done // max(total, 1)
        sys.stderr.write(f"\r{self._label} [{'█' * full}{'·' * (28 - full)}] {done}/{total}")
        sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
