"""`digest subscribers import`: a list of any length, checked whole and then taken in."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from digest.cli.console import CHECK_FAILED, FAILURE, Progress, print_json, say

if TYPE_CHECKING:
    from digest.roster import Checked, Problem, Sum
    from digest.service import House

SHOWN = 10  # problems; all of them stand in the report

WORDS = {
    "added": "added",
    "already": "subscribed already",
    "left": "not added: left by their own wish; only they can come back, on the web page",
    "suppressed": "not added: the address is suppressed",
    "left by the list": "not added: the list itself says that they left, and no later list brings them back",
    "reads here": "subscribed here, though the list says that they left; `digest subscribers remove` ends it",
    "never confirmed by the list": "not added: the list itself says that they never confirmed",
    "in doubt": "not added: the list says something of them that is not known; see the bad lines",
}
KINDS = {"bad": "bad", "double": "of an address that stood there before", "other": "about another newsletter"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command was asked for. newsletter: "" when the list says it."""

    newsletter: str
    named: Mapping[str, str]
    skip_bad: bool
    dry_run: bool
    report: Path | None

    @property
    def key(self) -> str:
        """What, besides the bytes of the file, makes it another import."""
        return repr((self.newsletter, sorted(self.named.items()), self.skip_bad))


@dataclass(slots=True)
class Notes:
    """The problems: the first are kept to be shown, all are written down."""

    name: str
    writer: Callable[[list[str]], object] | None
    first: dict[str, list[Problem]] = field(default_factory=dict)

    def __call__(self, problem: Problem) -> None:
        kept = self.first.setdefault(problem.kind, [])
        if len(kept) < SHOWN:
            kept.append(problem)
        if self.writer is not None:
            self.writer([str(problem.line), problem.kind, problem.address, problem.reason])

    def show(self, kind: str, count: int) -> None:
        """Say the first ones of a kind on stderr."""
        for problem in self.first.get(kind, ()):
            say(f"{self.name}:{problem.line}: {problem.reason}")
        if count > SHOWN:
            say(f"… and {count - SHOWN} more lines {KINDS[kind]}")


async def import_list(house: House, file: IO[bytes], name: str, wish: Wish, *, as_json: bool) -> int:
    """Both passes; the exit code. Raises DigestError for a file that cannot be used."""
    from digest.model import DigestError
    from digest.roster import BadFile, Spool, check, survey, take_in

    with contextlib.ExitStack() as stack:
        spool = stack.enter_context(contextlib.closing(Spool(house.store.imports.mark_of())))
        notes = Notes(name, stack.enter_context(_report(wish.report)))
        size = _size(file)
        with Progress("reading") as bar:
            try:
                checked = check(
                    file,
                    spool,
                    newsletter=wish.newsletter,
                    known=frozenset(house.line.newsletters),
                    named=wish.named,
                    languages=_languages(house),
                    now=house.line.clock(),
                    note=notes,
                    progress=lambda done: bar(min(done, size), size),
                )
            except BadFile as error:
                message = f"{name}:{error.line}: {error.reason}\nnothing was imported"
                raise DigestError(message) from error
        for kind, count in (("bad", checked.bad), ("double", checked.doubles), ("other", checked.others)):
            notes.show(kind, count)
        say(f"{name}: {_what(checked)}")
        refused = checked.bad > 0 and not wish.skip_bad
        if refused and not wish.dry_run:
            if as_json:
                print_json(_answer(checked, None, wish))
            say("nothing was imported; mend these lines, or leave them out with --skip-bad")
            return FAILURE
        with Progress("readers") as bar:
            if wish.dry_run:
                total = await survey(spool, house.store, total=checked.people, progress=bar)
            else:
                total = await take_in(
                    spool,
                    house.store,
                    key=f"{checked.digest} {wish.key}",
                    file=name,
                    total=checked.people,
                    clock=house.line.clock,
                    progress=bar,
                )
        if as_json:
            print_json(_answer(checked, total, wish))
        else:
            _show(total, dry_run=wish.dry_run)
        return CHECK_FAILED if refused else 0


def _what(checked: Checked) -> str:
    parts = [f"{checked.people} addresses"]
    parts += [
        f"{count} lines {KINDS[kind]}"
        for kind, count in (("bad", checked.bad), ("double", checked.doubles), ("other", checked.others))
        if count
    ]
    return ", ".join(parts)


def _show(total: Sum, *, dry_run: bool) -> None:
    if total.resumed:
        say(f"went on with an import that was interrupted; {total.before} addresses were settled by then")
    for outcome, words in WORDS.items():
        if count := total.counts.get(outcome):
            click.echo(f"{count}: {f'would be {words}' if dry_run and outcome == 'added' else words}")


def _answer(checked: Checked, total: Sum | None, wish: Wish) -> dict[str, Any]:
    return {
        "addresses": checked.people,
        "bad": checked.bad,
        "doubles": checked.doubles,
        "of_another_newsletter": checked.others,
        "dry_run": wish.dry_run,
        "imported": total is not None and not wish.dry_run,
        "resumed": bool(total and total.resumed),
        "outcomes": {name.replace(" ", "_"): total.counts.get(name, 0) for name in WORDS} if total else {},
    }


def _languages(house: House) -> frozenset[str]:
    """Those of our words."""
    from digest.translations import Catalogues

    own = house.line.templates
    return frozenset(Catalogues([own / "locales"] if own else ()).languages)


def _size(file: IO[bytes]) -> int:
    try:
        return os.fstat(file.fileno()).st_size
    except OSError:
        return 0


@contextlib.contextmanager
def _report(path: Path | None) -> Iterator[Callable[[list[str]], object] | None]:
    """Writes every problem into this file, for its owner alone: it names addresses."""
    import csv

    from digest.roster.cells import neutral

    if path is None:
        yield None
        return
    with open(
        path, "w", encoding="utf-8", newline="", opener=lambda name, flags: os.open(name, flags, 0o600)
    ) as file:
        writer = csv.writer(file)
        writer.writerow(["line", "problem", "address", "reason"])
        yield lambda cells: writer.writerow([neutral(cell) for cell in cells])
