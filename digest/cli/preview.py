"""`digest preview` and `digest send`: look before you mail."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from digest.cli.console import config_option, config_path_of, plain, run, say


@click.command("preview")
@click.argument("newsletter")
@click.option("--format", "form", type=click.Choice(["html", "text", "json"]), default="text")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The issue of that day, made again.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file.")
@config_option
@click.pass_context
def preview_command(
    ctx: click.Context,
    config_path: str | None,
    newsletter: str,
    form: str,
    as_of: datetime | None,
    output: Path | None,
) -> None:
    """The next issue of NEWSLETTER as it would be; stores and sends nothing.

    With --as-of the issue of a past day is made again from what is stored: with the same config the same, to
    the byte; with another (--config) as that would have made it.
    """

    async def main() -> str | None:
        from digest import desk, replay
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            line = house.line
            slug = house.newsletter(newsletter).slug
            if as_of:
                made = await replay.as_of(line, slug, as_of.date())
                issue = made.issue if made else None
                if made and made.missing:
                    say(f"{made.missing} of its articles are no longer kept; it is made of what is left")
            else:
                issue = await desk.preview(line, slug, line.clock())
            if issue is None:
                return None
            if form == "json":
                import json

                return json.dumps(plain(issue), ensure_ascii=False, indent=2) + "\n"
            letter = desk.letter_of(line, issue)
            return letter.html if form == "html" else letter.text

    text = run(main())
    if text is None:
        hint = "" if as_of else " `digest pull` and `digest summarize` bring in what there is."
        say(f"{newsletter}: nothing {'was' if as_of else 'new'} to tell.{hint}")
        return
    if output:
        output.write_text(text, encoding="utf-8")
        say(f"written to {output}")
    else:
        click.echo(text, nl=False)


@click.command("send")
@click.argument("newsletter")
@click.option("--to", "address", required=True, metavar="ADDRESS", help="Who gets the test letter.")
@click.option("--dry-run", is_flag=True, help="Print the letter's text instead of sending it.")
@config_option
@click.pass_context
def send_command(
    ctx: click.Context, config_path: str | None, newsletter: str, address: str, dry_run: bool
) -> None:
    """A test letter of NEWSLETTER's latest issue to one address; nobody is subscribed by it."""
    state = run(_send(config_path_of(ctx, config_path), newsletter, address, dry_run))
    click.echo(state)


async def _send(path: str, newsletter: str, address: str, dry_run: bool) -> str:
    from digest import addresses, desk, dispatch
    from digest.model import DeliveryState, DigestError, NotFound
    from digest.service import open_house

    recipient = addresses.normalize(address)
    async with open_house(path) as house:
        line = house.line
        latest = await house.store.issues.latest(house.newsletter(newsletter).slug, limit=1)
        if not latest:
            raise NotFound(f"{newsletter} has no issue yet; `digest once --now` makes the first one")
        if dry_run:
            return desk.letter_of(line, latest[0]).text
        now = line.clock()
        notice = await house.store.notices.create(
            kind="test",
            key=f"test:{latest[0].id}:{recipient}:{now.isoformat()}",
            recipient=recipient,
            newsletter=newsletter,
            data={"issue_id": latest[0].id},
            now=now,
        )
        if notice is None:
            raise DigestError(f"a test letter to {recipient} is on its way already")
        outcome = await dispatch.deliver_notice(line, notice)
        if outcome is None:
            raise DigestError(f"{recipient}: a running service has taken it; it will be sent")
        if outcome.state is not DeliveryState.SENT:
            raise DigestError(f"{recipient}: {outcome.state}: {outcome.reply}")
        return f"sent to {recipient}: {outcome.reply}"
