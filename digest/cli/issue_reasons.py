"""`digest issues why` and `diff`: what put a story in or kept it out, and what another config would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from digest.cli.console import config_option, config_path_of, json_option, plain, print_json, run, say

if TYPE_CHECKING:
    from digest.replay import Difference
    from digest.why import Step, Why

SIGNS = {"added": "+", "removed": "-", "moved": "↕", "changed": "~"}


@click.command("why")
@click.argument("article", metavar="URL|ENTRY")
@click.option("--newsletter", help="Only in this newsletter.")
@config_option
@json_option
@click.pass_context
def why_command(
    ctx: click.Context, config_path: str | None, article: str, newsletter: str | None, as_json: bool
) -> None:
    """Why an article (its address, guid or number) is, or is not, in an issue: each step and number."""

    async def main() -> tuple[Why, ...]:
        from digest.service import open_house
        from digest.why import why

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            slug = house.newsletter(newsletter).slug if newsletter else None
            return await why(house.line, article, house.line.clock(), newsletter=slug)

    found = run(main())
    if as_json:
        print_json([_as_plain(each) for each in found])
        return
    for number, each in enumerate(found):
        if number:
            click.echo()
        _show(each)


def _as_plain(each: Why) -> dict[str, object]:
    article = each.article
    return {
        "entry": {
            "id": each.recorded.id,
            "guid": each.recorded.guid,
            "feed": each.recorded.feed_url,
            "received_at": each.recorded.received_at,
            "published": each.recorded.published,
        },
        "article": None
        if article is None
        else {
            "id": article.id,
            "title": article.title,
            "url": article.url,
            "feed": article.feed_url,
            "language": article.language,
            "ready": article.ready,
            "words": article.words,
            "text_from": article.source,
            "image": article.image,
            "summary": article.summary,
        },
        "waits": each.words,
        "decisions": [plain(step) for step in each.steps],
    }


def _show(each: Why) -> None:
    recorded, article = each.recorded, each.article
    entry = recorded.entry
    title = article.title if article else entry.title if entry else recorded.guid
    url = article.url if article else entry.url if entry else ""
    click.echo(title)
    if url:
        click.echo(f"  {url}")
    click.echo(f"  from {recorded.feed_url}, received {recorded.received_at:%Y-%m-%d %H:%M} UTC")
    if article is not None:
        click.echo(
            f"  article {article.id}: {article.words} words of {article.source}, "
            f"language {article.language}, published {article.published:%Y-%m-%d %H:%M} UTC"
        )
        if article.image:
            click.echo(f"  picture {article.image}")
        for sentence in article.summary:
            place = f"[{sentence.start}–{sentence.end}]" if sentence.start >= 0 else "[the publisher's words]"
            click.echo(f"  {place} {sentence.text}")
    if each.words:
        click.echo(f"  {each.words}")
    for step in each.steps:
        _show_step(step)


def _show_step(step: Step) -> None:
    where = step.issue if "/" in step.issue else f"{step.newsletter}, {step.issue}".rstrip(", ")
    if step.words:
        click.echo(f"  {where}: {step.words}")
    decision = step.decision
    if decision is None:
        return
    click.echo(f"  {where}: {decision.verdict}: {decision.reason}")
    for name, value in decision.terms.items():
        click.echo(f"      {value:+8.3f}  {name}")
    if decision.score is not None:
        click.echo(f"      {decision.score:+8.3f}  in all")


@click.command("diff")
@click.argument("newsletter")
@click.option("--last", type=click.IntRange(1, 365), default=1, show_default=True, help="How many issues.")
@click.option("--letter", is_flag=True, help="Also the lines of the letter's text that would differ.")
@config_option
@json_option
@click.pass_context
def diff_command(
    ctx: click.Context, config_path: str | None, newsletter: str, last: int, letter: bool, as_json: bool
) -> None:
    """What today's config (or another, --config) and templates would have changed in the last issues."""

    async def main() -> list[Difference]:
        from digest.model import NotFound
        from digest.replay import difference
        from digest.service import open_house

        async with open_house(config_path_of(ctx, config_path), sync=False) as house:
            slug = house.newsletter(newsletter).slug
            issues = await house.store.issues.latest(slug, limit=last, public=False)
            if not issues:
                raise NotFound(f"{slug} has no issue yet; `digest once --now` makes the first one")
            return [await difference(house.line, issue) for issue in issues]

    found = run(main())
    if as_json:
        print_json(found)
        return
    for each in found:
        _show_difference(each, letter)


def _show_difference(each: Difference, letter: bool) -> None:
    if each.missing:
        say(f"{each.path}: {each.missing} of its articles are no longer kept; compared is what is left")
    if each.same:
        click.echo(f"{each.path}: the same")
        return
    click.echo(f"{each.path}:")
    for name, pair in (("subject", each.subject), ("opening", each.intro)):
        if pair:
            click.echo(f"  {name}: {pair[0]} → {pair[1]}")
    for change in each.changes:
        click.echo(f"  {SIGNS[change.what]} {change.title}")
        if change.words:
            click.echo(f"      {change.words}")
    if letter:
        for line in each.letter:
            click.echo(f"    {line}")
    elif each.letter:
        click.echo(f"  {len(each.letter)} lines of the letter's text differ; --letter shows them")
