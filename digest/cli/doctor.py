"""`digest doctor`: one look at everything that can be wrong, with what to do."""

from __future__ import annotations

import click

from digest.cli.console import CHECK_FAILED, config_option, config_path_of, json_option, print_json, run


@click.command("doctor")
@config_option
@json_option
@click.pass_context
def doctor_command(ctx: click.Context, config_path: str | None, as_json: bool) -> None:
    """Check config, secret, database, feeds, deliveries and the way out for mail (exit 3: one is wrong)."""

    async def main() -> list[tuple[str, str, str]]:
        from digest.service.checkup import examine

        return await examine(config_path_of(ctx, config_path))

    findings = run(main())
    if as_json:
        print_json([{"check": name, "state": state, "says": text} for name, state, text in findings])
    else:
        for name, state, text in findings:
            mark = {"ok": "✓", "warn": "!", "bad": "✗"}[state]
            click.echo(f"{mark} {name:12} {text}")
    if any(state == "bad" for _, state, _ in findings):
        ctx.exit(CHECK_FAILED)
