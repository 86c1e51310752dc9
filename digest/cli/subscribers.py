"""`digest subscribers`: the readers. Addresses are shown to the admin only, and never logged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digest.cli.console import (
    CHECK_FAILED,
    Progress,
    config_option,
    config_path_of,
    json_option,
    print_json,
    run,
    say,
    table,
)

if TYPE_CHECKING:
    from digest.model import Subscription
    from digest.service import House


@click.group("subscribers")
def subscribers_command() -> None:
    """The readers: list, add, remove, import, export, show, erase, verify."""


async def _pages(
    house: House, newsletter: str | None, status: str | None
) -> AsyncIterator[list[Subscription]]:
    from digest.model import SubscriptionStatus

    after = 0
    while page := await house.store.subscriptions.list(
        newsletter=newsletter,
        status=SubscriptionStatus(status) if status else None,
        after_id=after,
        limit=1000,
    ):
        yield page
        after = page[-1].id


async def _everyone(house: House, newsletter: str | None, status: str | None) -> AsyncIterator[Subscription]:
    async for page in _pages(house, newsletter, status):
        for subscription in page:
            yield subscription


@subscribers_command.command("list")
@click.option("--newsletter", help="Only this newsletter's.")
@click.option("--status", type=click.Choice(["pending", "active", "paused", "left"]))
@config_option
@json_option
@click.pass_context
def list_subscribers(
    ctx: click.Context, config_path: str | None, newsletter: str | None, status: str | None, as_json: bool
) -> None:
    """Every subscription with its state and where its yes came from."""

    from digest.cli.exporting import show_as_json, show_as_table

    show = show_as_json if as_json else show_as_table

    async def main() -> None:
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            await show(_everyone(house, newsletter, status))

    run(main())


@subscribers_command.command("add")
@click.argument("newsletter")
@click.argument("addresses", nargs=-1, required=True)
@config_option
@click.pass_context
def add_subscribers(
    ctx: click.Context, config_path: str | None, newsletter: str, addresses: tuple[str, ...]
) -> None:
    """Subscribe people who gave you their yes; you vouch for it. Who left by themselves stays left."""

    async def main() -> list[tuple[str, str]]:
        from digest.service import open_house

        wanted = [_address(address) for address in addresses]
        async with open_house(config_path_of(ctx, config_path)) as house:
            slug = house.newsletter(newsletter).slug
            outcomes = await house.store.imports.vouch(
                slug, wanted, source="cli", evidence={"command": "add"}, now=house.line.clock()
            )
            return list(zip(wanted, outcomes, strict=True))

    refused = False
    for address, outcome in run(main()):
        click.echo(f"{address}: {_ADDED[outcome]}")
        refused = refused or outcome in ("left", "suppressed")
    if refused:
        ctx.exit(CHECK_FAILED)


def _address(text: str) -> str:
    """The address as it is kept. Raises DigestError that says which one is wrong."""
    from digest.addresses import AddressError, normalize

    try:
        return normalize(text)
    except AddressError as error:
        raise AddressError(f"{text}: {error}") from error


_ADDED = {
    "added": "added",
    "already": "was subscribed already",
    "left": "left by their own wish; only they can come back, on the web page",
    "suppressed": "not added: the address is suppressed",
}


@subscribers_command.command("remove")
@click.argument("addresses", nargs=-1, required=True)
@click.option("--newsletter", help="Only from this newsletter; otherwise from all.")
@config_option
@click.pass_context
def remove_subscribers(
    ctx: click.Context, config_path: str | None, addresses: tuple[str, ...], newsletter: str | None
) -> None:
    """End subscriptions; nothing more is sent, the record of consent stays."""

    async def main() -> list[tuple[str, int]]:
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path)) as house:
            return [
                (
                    address,
                    await house.store.subscriptions.remove(
                        newsletter, _address(address), now=house.line.clock()
                    ),
                )
                for address in addresses
            ]

    for address, count in run(main()):
        click.echo(f"{address}: {count} subscription{'' if count == 1 else 's'} ended")


@subscribers_command.command("import")
@click.argument("given", nargs=-1, required=True, metavar="[NEWSLETTER] FILE")
@click.option("--dry-run", is_flag=True, help="Check the file and say what would happen; change nothing.")
@click.option("--skip-bad", is_flag=True, help="Import the others when lines are bad.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=NAME",
    help="Which column is what: its head, or its number; nothing: no column is this. Fields: email, "
    "newsletter, status, left_at, confirmed_at, paused_until, source, language.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every bad or repeated line into this CSV file.",
)
@config_option
@json_option
@click.pass_context
def import_subscribers(
    ctx: click.Context,
    config_path: str | None,
    given: tuple[str, ...],
    dry_run: bool,
    skip_bad: bool,
    columns: tuple[str, ...],
    report: Path | None,
    as_json: bool,
) -> None:
    """Add the people of a CSV file (`-`: stdin) who gave you their yes; you vouch for them.

    The whole file is checked first; one bad line and nothing is imported. Who left stays left, and who is
    suppressed too. An import that is interrupted goes on when it is started again. Without NEWSLETTER the
    file needs a column `newsletter`.
    """
    from digest.cli.importing import Wish, import_list

    if len(given) > 2:
        raise click.UsageError("give one newsletter (or none) and one file")
    if wrong := next((column for column in columns if "=" not in column), None):
        raise click.UsageError(f"--column {wrong}: write --column FIELD=NAME")
    newsletter = given[0] if len(given) == 2 else ""
    file = click.Path(exists=True, dir_okay=False, allow_dash=True).convert(given[-1], None, ctx)
    named = dict(column.partition("=")[::2] for column in columns)

    async def main() -> int:
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=not dry_run) as house:
            wish = Wish(
                newsletter=house.newsletter(newsletter).slug if newsletter else "",
                named=named,
                skip_bad=skip_bad,
                dry_run=dry_run,
                report=report,
            )
            with click.open_file(str(file), "rb") as source:
                name = "stdin" if file == "-" else Path(str(file)).name
                return await import_list(house, source, name, wish, as_json=as_json)

    ctx.exit(run(main()))


@subscribers_command.command("export")
@click.option("--newsletter", help="Only this newsletter's.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of CSV.")
@config_option
@click.pass_context
def export_subscribers(
    ctx: click.Context, config_path: str | None, newsletter: str | None, output: Path | None, as_json: bool
) -> None:
    """Write every subscription as CSV, as `import` reads it. Who was erased is left out.

    Cells that a spreadsheet would run as a formula get an apostrophe, which `import` takes away again.
    """
    from digest.cli.exporting import export_to

    async def main() -> int:
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            pages = _pages(house, newsletter, None)
            return await export_to(output, pages, house.store.subscriptions.suppressed, as_json=as_json)

    count = run(main())
    if output:
        say(f"{count} subscriptions written to {output}")


@subscribers_command.command("show")
@click.argument("address")
@config_option
@json_option
@click.pass_context
def show_subscriber(ctx: click.Context, config_path: str | None, address: str, as_json: bool) -> None:
    """Everything held about one address: subscriptions and the history of consent."""

    async def main() -> dict[str, Any]:
        from digest.service import open_house

        who = _address(address)
        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            subscriptions = house.store.subscriptions
            return {
                "address": who,
                "suppressed": await subscriptions.is_suppressed(who),
                "subscriptions": await subscriptions.of(who),
                "history": await subscriptions.history(who),
            }

    held = run(main())
    if as_json:
        print_json(held)
        return
    table(
        ["newsletter", "status", "source", "since", "left"],
        [(s.newsletter, s.status, s.source, s.created_at, s.left_at) for s in held["subscriptions"]],
        empty=f"{held['address']}: no subscription",
    )
    if held["suppressed"]:
        click.echo("suppressed: nothing is sent to this address")
    table(
        ["at", "newsletter", "event", "source"],
        [(row.at, row.newsletter, row.event, row.source) for row in held["history"]],
        empty="no history",
    )


@subscribers_command.command("erase")
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
@click.pass_context
def erase_subscriber(ctx: click.Context, config_path: str | None, address: str, yes: bool) -> None:
    """Forget a person: the address goes everywhere, the counts stay. This cannot be undone."""
    if not yes:
        click.confirm(f"Erase {address} for good?", abort=True, err=True)

    async def main() -> bool:
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path)) as house:
            return await house.store.subscriptions.erase(_address(address), now=house.line.clock())

    click.echo("erased" if run(main()) else "nothing was held about this address")


@subscribers_command.command("verify")
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="HASH:LENGTH",
    help="A head that the log printed before: prove that it is still on the chain. May be given often.",
)
@config_option
@json_option
@click.pass_context
def verify_subscribers(
    ctx: click.Context, config_path: str | None, heads: tuple[str, ...], as_json: bool
) -> None:
    """Has anybody changed the record of consent, and does every subscription rest on a yes? Exit 3 if not.

    Whoever can write to the database and lacks the secret can change no line unseen, no person and no
    subscription that rests on one. They can cut the newest lines off and put an older head back: only a head
    that was printed before shows that. The service logs one a day ("consent ledger").
    """
    from digest.store.chain import Head

    printed = [Head.read(text) for text in heads]

    async def main() -> Any:
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            with Progress("lines") as bar:
                return await house.store.ledger.verify(heads=printed, progress=bar)

    verdict = run(main())
    if as_json:
        print_json(
            {
                "ok": not verdict.problems,
                "lines": verdict.head.length,
                "head": str(verdict.head),
                "found": verdict.found,
                "found_at": None if verdict.found_at is None else verdict.found_at.isoformat(),
                "problems": verdict.problems,
            }
        )
    else:
        for problem in verdict.problems:
            click.echo(problem)
        if verdict.found:
            when = f", the last of them {verdict.found_at:%Y-%m-%d %H:%M} UTC" if verdict.found_at else ""
            older = f"{verdict.found} lines are older than the chain: they are sealed as they were found then"
            say(older + when)
        if not verdict.problems:
            click.echo(f"ok: {verdict.head.length} lines, and every active subscription rests on a yes")
            if not printed:
                say(
                    "whether the newest lines were cut off shows only a head from the log: --head HASH:LENGTH"
                )
        click.echo(f"head {verdict.head}")
    if verdict.problems:
        ctx.exit(CHECK_FAILED)
