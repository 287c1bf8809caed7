"""The shortcut of small posts: who takes it, and that nobody can tell who did."""

from __future__ import annotations

import asyncio
import errno
import gzip
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from pipeline.metrics import Metrics
from pipeline.run import shortcut
from pipeline.run.web import LARGE, Web
from tests.ingest.conftest import Served, serving

ALERTS = "/api/v2/alerts"
DOWN = [{"labels": {"alertname": "Down", "service": "pay"}}]
BODY = json.dumps(DOWN).encode()
OK = b"HTTP/1.1 200 OK\r\n"


@pytest_asyncio.fixture
async def forewarn(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path / "data") as served:
        yield served


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[str]:
    """The paths that took the ordinary way."""
    paths: asyncio.Queue[str] = asyncio.Queue()
    real = Web.__call__

    async def call(self: Web, scope: dict[str, str], *rest: object) -> None:
        paths.put_nowait(scope["path"])
        await real(self, scope, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Web, "__call__", call)
    return paths


def post(body: bytes, *headers: str, path: str = ALERTS, version: str = "1.1") -> bytes:
    lines = (f"POST {path} HTTP/{version}", "Host: x", f"Content-Length: {len(body)}", *headers)
    return "\r\n".join([*lines, "", ""]).encode() + body


async def said(forewarn: Served, *parts: bytes) -> bytes:
    """Return all that is answered to these parts until the server ends the connection."""
    host, _, port = forewarn.at.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


async def taken(forewarn: Served) -> float:
    return (await forewarn.counts("forewarn_events_total", "kind")).get("alert", 0)


async def test_a_small_post_is_answered_counted_and_in_effect(
    forewarn: Served, ordinary: asyncio.Queue[str]
) -> None:
    answer = await forewarn.client.post(ALERTS, json=DOWN)
    change = await forewarn.client.post("/api/v1/changes", json={"service": "pay", "kind": "deploy"})

    assert ordinary.empty()
    assert (answer.status_code, answer.content) == (200, b"")
    assert list(change.json()) == ["ids"]
    assert change.headers["content-type"] == "application/json"
    assert await forewarn.counts("forewarn_requests_total", "door", "code") == {
        "alerts: 200": 1,
        "changes: 200": 1,
    }
    assert await taken(forewarn) == 1


async def test_both_ways_answer_alike(forewarn: Served, ordinary: asyncio.Queue[str]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield BODY

    short = await forewarn.client.post(ALERTS, content=BODY)
    long = await forewarn.client.post(ALERTS, content=pieces())

    assert ordinary.get_nowait() == ALERTS
    assert short.headers.keys() == long.headers.keys()
    assert (short.status_code, short.content) == (long.status_code, long.content)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        pytest.param({"origin": "http://evil.example"}, BODY, 403, id="a page of another site"),
        pytest.param({"sec-fetch-site": "cross-site"}, BODY, 403, id="a page, as its browser says"),
        pytest.param({"expect": "100-continue"}, BODY, 200, id="who asks first"),
        pytest.param({}, b" " * LARGE + BODY, 200, id="much at once"),
        pytest.param({}, b"[{}]", 400, id="what is wrong"),
    ],
)
async def test_the_ordinary_way_is_for(
    forewarn: Served, ordinary: asyncio.Queue[str], headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = await forewarn.client.post(ALERTS, content=body, headers=headers)

    assert answer.status_code == status
    assert ordinary.get_nowait() == ALERTS


async def test_several_requests_on_one_connection_are_answered_in_their_order(forewarn: Served) -> None:
    page = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"

    answer = await said(
        forewarn, post(BODY) + page + post(b"[{}]") + post(BODY), post(BODY, "Connection: close")
    )

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"200", b"400", b"200", b"200"]
    assert await taken(forewarn) == 3


async def test_the_connection_of_an_old_client_is_closed(
    forewarn: Served, ordinary: asyncio.Queue[str]
) -> None:
    answer = await said(forewarn, post(BODY, version="1.0"))

    assert answer.startswith(OK)
    assert b"connection: close" in answer
    assert ordinary.empty()


async def test_a_body_in_two_parts_takes_the_shortcut(forewarn: Served, ordinary: asyncio.Queue[str]) -> None:
    whole = post(BODY, "Connection: close")

    answer = await said(forewarn, whole[:100], whole[100:])

    assert answer.startswith(OK)
    assert ordinary.empty()


async def test_a_body_that_is_late_takes_the_ordinary_way(
    forewarn: Served, ordinary: asyncio.Queue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortcut, "SOON", 0.0)
    whole = post(BODY, "Connection: close")
    host, _, port = forewarn.at.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    writer.write(whole[:-5])
    path = await asyncio.wait_for(ordinary.get(), 10)
    writer.write(whole[-5:])
    answer = await reader.read()
    writer.close()

    assert path == ALERTS
    assert answer.startswith(OK)
    assert await taken(forewarn) == 1


async def test_who_leaves_before_the_body_is_whole_is_counted(
    forewarn: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
    monkeypatch.setattr(Metrics, "answered", lambda _, *what: counted.put_nowait(what))
    host, _, port = forewarn.at.partition(":")
    _, writer = await asyncio.open_connection(host, int(port))

    writer.write(post(BODY)[:-5])
    await writer.drain()
    writer.close()

    assert await asyncio.wait_for(counted.get(), 10) == ("alerts", 499)


async def test_nothing_is_said_before_it_is_durable_and_what_is_not_kept_is_refused(
    forewarn: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwritev", full)
        patch.setattr(os, "fdatasync", full)
        refused = await forewarn.client.post(ALERTS, content=BODY)
    again = await forewarn.client.post(ALERTS, content=BODY)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert again.status_code == 200
    assert await taken(forewarn) == 1


async def test_posts_that_the_disk_refuses_are_refused_one_after_the_other(
    forewarn: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwritev", full)
    monkeypatch.setattr(os, "fdatasync", full)
    answer = await said(forewarn, post(BODY) + post(BODY) + post(BODY, "Connection: close"))

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"503", b"503", b"503"]
    assert answer.count(b"retry-after: 2") == 3


async def test_each_post_on_a_connection_is_read_by_its_own_headers(forewarn: Served) -> None:
    packed = gzip.compress(BODY)
    zipped, plain = {"content-encoding": "gzip"}, {"content-type": "text/plain"}

    async def status(body: bytes, headers: dict[str, str], path: str = ALERTS) -> int:
        return (await forewarn.client.post(path, content=body, headers=headers)).status_code

    assert await status(BODY, {}) == 200
    assert await status(packed, zipped) == 200
    assert await status(packed, {}) == 400
    assert await status(BODY, {}) == 200
    assert await status(BODY, plain) == 415
    assert await status(BODY, {}) == 200
    assert await status(BODY, {"origin": "http://evil.example"}) == 403
    assert await status(BODY, {}, "/api/v1/changes") == 400
    assert await status(BODY, {}, f"{ALERTS}?a=b") == 200
    assert await taken(forewarn) == 5


async def test_a_full_queue_is_said_as_everywhere(
    forewarn: Served, monkeypatch: pytest.MonkeyPatch, ordinary: asyncio.Queue[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.run.embedded.HELD", -1)
        answer: httpx.Response = await forewarn.client.post(ALERTS, content=BODY)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert ordinary.get_nowait() == ALERTS
