"""The way to the model: what comes back, and what is said of every way in which nothing does."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from digest.asking import AskError, Endpoint
from fake_model import (
    Reply,
    breaks_off,
    hangs_up,
    modelling,
    never,
    no_http,
    says,
    sends,
    shaped,
    too_much,
    trickles,
    without_end,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = "sk-very-secret-0123456789"


def endpoint(base: str, *, seconds: float = 2.0, key: str = KEY) -> Endpoint:
    return Endpoint(base=base, key=key, seconds=seconds, user_agent="Digest/1", clock=lambda: NOW)


async def fails(reply: Reply, *, seconds: float = 2.0) -> AskError:
    async with modelling(reply) as model:
        asks = endpoint(model.base, seconds=seconds)
        try:
            with pytest.raises(AskError) as caught:
                await asks.ask(b"{}")
        finally:
            await asks.close()
    assert KEY not in repr(caught.value)
    return caught.value


@pytest.mark.asyncio
async def test_the_question_goes_to_the_one_address_with_the_key() -> None:
    async with modelling(says("yes")) as model:
        asks = endpoint(model.base + "/")
        assert await asks.ask(b'{"model": "m"}') == shaped(
            "yes", usage={"prompt_tokens": 500, "completion_tokens": 60}
        )
        await asks.close()
    (asked,) = model.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"] == "application/json"
    assert asked.body == {"model": "m"}


@pytest.mark.asyncio
async def test_without_a_key_none_is_sent() -> None:
    async with modelling(says("yes")) as model:
        asks = endpoint(model.base, key="")
        await asks.ask(b"{}")
        await asks.close()
    assert "authorization" not in model.asked[0].headers


@pytest.mark.asyncio
async def test_an_answer_that_comes_packed_is_unpacked() -> None:
    async with modelling(sends(gzip.compress(shaped("yes")), Content_Encoding="gzip")) as model:
        asks = endpoint(model.base)
        assert json.loads(await asks.ask(b"{}"))["choices"]
        await asks.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "words", "hopeless"),
    [
        ("401 Unauthorized", "it refuses our key (401): check llm.key", True),
        ("402 Payment Required", "it wants to be paid first (402)", True),
        ("403 Forbidden", "it refuses our key (403): check llm.key", True),
        (
            "404 Not Found",
            "there is no such address or no such model (404): check llm.endpoint (most end in /v1) "
            "and llm.model",
            True,
        ),
        ("400 Bad Request", "it does not take our request (400)", False),
        ("422 Unprocessable", "it does not take our request (422)", False),
        ("500 Internal Server Error", "it has a fault of its own (500)", False),
        ("502 Bad Gateway", "it has a fault of its own (502)", False),
        ("202 Accepted", "it does not take our request (202)", False),
    ],
)
async def test_a_status_is_told_in_words_and_costs_nothing(status: str, words: str, hopeless: bool) -> None:
    error = await fails(sends(f"<html>{KEY}</html>".encode(), status=status))
    assert (str(error), error.hopeless, error.counted) == (words, hopeless, False)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "header", "wait"),
    [
        ("429 Too Many Requests", "20", timedelta(seconds=20)),
        ("503 Unavailable", "Sun, 22 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("429 Too Many Requests", "soon", None),
        ("500 Oops", "20", None),
    ],
)
async def test_who_wants_us_to_wait_is_heard(status: str, header: str, wait: timedelta | None) -> None:
    error = await fails(sends(b"", status=status, Retry_After=header))
    assert error.retry_after == wait
    assert not error.hopeless


@pytest.mark.asyncio
async def test_a_redirect_is_not_followed_and_the_key_stays_here() -> None:
    async with modelling(says("I am another")) as other:
        error = await fails(sends(b"", status="307 Elsewhere", Location=f"{other.base}/chat/completions"))
        assert other.asked == []
    assert str(error) == (
        "it sends us elsewhere (307), where we do not go: write that address into llm.endpoint"
    )
    assert error.hopeless


@pytest.mark.asyncio
@pytest.mark.parametrize("reply", [never, trickles])
async def test_who_takes_too_long_is_left(reply: Reply) -> None:
    begin = time.monotonic()
    error = await fails(reply, seconds=0.2)
    assert time.monotonic() - begin < 10
    assert (str(error), error.counted) == ("no answer within 0.2 seconds", True)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "reply", [too_much, without_end, sends(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip")]
)
async def test_of_a_huge_answer_no_more_than_a_megabyte_is_read(reply: Reply) -> None:
    error = await fails(reply)
    assert (str(error), error.counted) == ("its answer is larger than 1 MB, which no summary is", True)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (hangs_up, "127.0.0.1 closed the connection without an answer"),
        (breaks_off, "the connection to 127.0.0.1 broke in the middle of the answer"),
        (no_http, "the answer of 127.0.0.1 breaks the rules of HTTP"),
        (
            sends(b"no gzip at all \x00", Content_Encoding="br"),
            "the answer of 127.0.0.1 could not be unpacked",
        ),
    ],
)
async def test_a_broken_connection_is_told_and_may_have_cost_something(reply: Reply, words: str) -> None:
    error = await fails(reply)
    assert words in str(error) or "Connection reset" in str(error)
    assert error.counted


@pytest.mark.asyncio
async def test_nobody_there_costs_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        asks = endpoint(f"http://127.0.0.1:{port}/v1")
        with pytest.raises(AskError, match=r"no connection to 127\.0\.0\.1") as caught:
            await asks.ask(b"{}")
        await asks.close()
    assert not caught.value.counted
    assert "fetch" not in str(caught.value)


@pytest.mark.asyncio
async def test_proxies_of_the_environment_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with modelling(says("yes")) as model:
        asks = endpoint(model.base)
        await asks.ask(b"{}")
        await asks.close()
    assert len(model.asked) == 1


@pytest.mark.asyncio
async def test_who_is_cancelled_does_not_wait() -> None:
    async with modelling(never) as model:
        asks = endpoint(model.base, seconds=30)
        task = asyncio.create_task(asks.ask(b"{}"))
        await model.was_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asks.close()


def test_the_key_is_in_no_picture_of_the_endpoint() -> None:
    assert KEY not in repr(endpoint("http://127.0.0.1/v1"))
