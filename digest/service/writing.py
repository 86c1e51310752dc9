"""The language model of the config, if there is one: its address opened, its writer built."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from digest.asking import Endpoint
from digest.config import Settings
from digest.config.shape import LlmSettings
from digest.model import DigestError
from digest.writer import Limits, Notebook, Run, Writer, answers

MARKER_BYTES = 16


@asynccontextmanager
async def open_writer(
    settings: Settings, notebook: Notebook, *, run: Run, clock: Callable[[], datetime], user_agent: str
) -> AsyncIterator[Writer | None]:
    """The writer of summaries; None when the config names no model."""
    if settings.llm is None:
        yield None
        return
    endpoint = _endpoint(settings.llm, clock, user_agent)
    try:
        yield Writer(
            limits(settings.llm),
            endpoint.ask,
            notebook,
            clock=clock,
            marker=lambda: secrets.token_hex(MARKER_BYTES),
            run=run,
        )
    finally:
        await endpoint.close()


def limits(llm: LlmSettings) -> Limits:
    """What the admin allows, in the writer's units."""
    money = llm.money
    return Limits(
        model=llm.model,
        newsletters=llm.newsletters,
        total=llm.total,
        calls=llm.calls,
        tokens=llm.tokens,
        micros=None if money is None else round(money.per_day * 1_000_000),
        price_in=money.input if money else 0.0,
        price_out=money.output if money else 0.0,
    )


async def try_model(llm: LlmSettings, clock: Callable[[], datetime], user_agent: str) -> str:
    """Ask it for one word; what to tell the admin. Raises DigestError. Costs a few tokens, which are not
    counted: whoever asks the doctor wants to know."""
    endpoint = _endpoint(llm, clock, user_agent)
    begin = time.monotonic()
    try:
        await answers(endpoint.ask, llm.model)
    except DigestError as error:
        raise DigestError(
            f"{llm.model} does not answer: {error}. Letters go out all the same, with the articles' own words"
        ) from error
    finally:
        await endpoint.close()
    return f"{llm.model} answers ({time.monotonic() - begin:.1f} s)"


def _endpoint(llm: LlmSettings, clock: Callable[[], datetime], user_agent: str) -> Endpoint:
    return Endpoint(
        base=llm.endpoint,
        key=llm.key,
        seconds=llm.timeout.total_seconds(),
        user_agent=user_agent,
        clock=clock,
    )
