"""Calls of a webhook go out whole, and those that follow each other share a connection."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import msgspec
from msgspec.json import encode

from pipeline.notify import Notice
from pipeline.notify.webhook import Args, encoded, send, warm
from pipeline.series import pack
from pipeline.untold import Sheet, fold
from tests.listeners import Web, web

T0 = 1_790_000_000.0


def notice(alerts: int = 0) -> Notice:
    labels = [pack({"alertname": "Down", "pod": f"p{k}"}) for k in range(alerts)]
    listed = fold(Sheet(labels, [b"{}"] * alerts, [T0] * alerts, [])) if alerts else ""
    return Notice("new", "why", T0, "oncall", "pay-1", "pay", "P1", "open", T0, T0, alerts=listed)


async def test_calls_that_follow_each_other_share_a_connection() -> None:
    warm()
    async with web() as pager:
        for key in ("a", "b", "c"):
            await send(Args(url=pager.url), notice(), key)

    assert len({one.client for one in pager.heard}) == 1
    assert [one.headers["idempotency-key"] for one in pager.heard] == ["a", "b", "c"]


async def test_the_first_page_loads_nothing_once_warm() -> None:
    """Imports take 30 ms of the loop that answers posts; another interpreter has made none of them."""
    async with web() as pager:
        first = await asyncio.create_subprocess_exec(
            sys.executable, "-c", FIRST_PAGE, pager.url, encode(notice()).decode(), stdout=subprocess.PIPE
        )
        said, _ = await first.communicate()

    assert said.decode() == "[]\n"
    assert len(pager.heard) == 1


FIRST_PAGE = """
import asyncio, sys
import msgspec
from pipeline.notify import Notice
from pipeline.notify.webhook import Args, send, warm
warm()
notice = msgspec.json.decode(sys.argv[2], type=Notice)
before = set(sys.modules)
asyncio.run(send(Args(url=sys.argv[1]), notice, "a"))
print(sorted(set(sys.modules) - before))
"""


async def test_a_receiver_that_hangs_up_after_each_answer_hears_every_call() -> None:
    hangs_up = (200, {"Connection": "close"})
    async with web(hangs_up, hangs_up) as pager:
        for key in ("a", "b", "c"):
            await send(Args(url=pager.url), notice(), key)

    assert len({one.client for one in pager.heard}) == 3


async def test_a_long_list_arrives_whole_with_its_length() -> None:
    async with web() as pager:
        said = await send(Args(url=pager.url), notice(1_000), "a")

    [heard] = pager.heard
    assert said == "webhook answered 200"
    assert heard.body == encoded(notice(1_000))
    assert heard.headers["content-length"] == str(len(heard.body))
    assert "transfer-encoding" not in heard.headers
    assert len(msgspec.json.decode(heard.body)["alerts"]) == 1_000


def test_a_new_loop_has_connections_of_its_own() -> None:
    async def call() -> Web:
        async with web() as pager:
            await send(Args(url=pager.url), notice(), "a")
        return pager

    assert [len(asyncio.run(call()).heard) for _ in range(3)] == [1, 1, 1]
