"""What each door answers to bad input, over HTTP: its protocol's word, counted, and nothing else suffers."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeAlias

import cramjam
import pytest

from pipeline.ingest import dead_letters
from tests.ingest import prompb
from tests.ingest.conftest import Served

NOW_MS = int(time.time() * 1000)
LATE = "2999-01-01T00:00:00Z"
JSON = {"Content-Type": "application/json"}
SNAPPY = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
GZIP = JSON | {"Content-Encoding": "gzip"}
Sent: TypeAlias = Callable[[bytes], bytes | AsyncIterator[bytes]]
WRITE, ALERTS, LOKI = "/api/v1/write", "/api/v2/alerts", "/loki/api/v1/push"
COMPLAINTS, CHANGES, TRACES = "/api/v1/complaints", "/api/v1/changes", "/v1/traces"
pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = prompb.body(prompb.series({"__name__": "up", "service": "pay"}, (1.0, NOW_MS)))
V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
BOMB = gzip.compress(b" " * 40_000_000)


def snappy(raw: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(raw))


def write(labels: Mapping[str, str], value: float = 1.0, ms: int = NOW_MS) -> bytes:
    return prompb.body(prompb.series(labels, (value, ms)))


def lines(*values: list[object]) -> bytes:
    return json.dumps({"streams": [{"stream": {"service": "pay"}, "values": values}]}).encode()


def whole(body: bytes) -> bytes:
    """Say how long it is: a small one takes the shortcut."""
    return body


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    """Do not say: all take the ordinary way."""
    for at in range(0, len(body), 16_384):
        yield body[at : at + 16_384]


HUGE = {"labels": {"alertname": "x" * 5_000}}
BACKWARDS = {"labels": {"a": "b"}, "startsAt": "2026-01-02T00:00:00Z", "endsAt": "2026-01-01T00:00:00Z"}

TABLE: dict[str, tuple[str, dict[str, str], bytes, int, str]] = {
    "write: truncated snappy": (WRITE, SNAPPY, GOOD[:-4], 400, "remote_write: snappy"),
    "write: cut protobuf": (WRITE, SNAPPY, snappy(b"\x0a\x7f"), 400, "remote_write: protobuf"),
    "write: no protobuf": (WRITE, SNAPPY, snappy(b"what"), 400, "remote_write: protobuf"),
    "write: huge label": (
        WRITE, SNAPPY, write({"__name__": "x" * 5_000}), 400, "remote_write: label too long",
    ),
    "write: time in the future": (
        WRITE, SNAPPY, write({"__name__": "up"}, ms=NOW_MS + 3_600_000), 400, "remote_write: time",
    ),
    "write: decompression bomb": (
        WRITE, SNAPPY, snappy(b"\0" * 40_000_000), 413, "remote_write: too large",
    ),
    "write: JSON": (WRITE, JSON, b"{}", 415, "remote_write: content type"),
    "write: 2.0": (
        WRITE, SNAPPY | {"Content-Type": V2}, GOOD, 415, "remote_write: message",
    ),
    "alerts: invalid JSON": (ALERTS, JSON, b"[{", 400, "alerts: json"),
    "alerts: no UTF-8": (ALERTS, JSON, b'"\xff"', 400, "alerts: json"),
    "alerts: no list": (ALERTS, JSON, b'{"labels": {}}', 400, "alerts: json"),
    "alerts: a deep hole": (ALERTS, JSON, b"[" * 100_000, 400, "alerts: json"),
    "alerts: no labels": (ALERTS, JSON, b'[{"labels": {}}]', 400, "alerts: no labels"),
    "alerts: huge label": (ALERTS, JSON, json.dumps([HUGE]).encode(), 400, "alerts: label too long"),
    "alerts: end before start": (ALERTS, JSON, json.dumps([BACKWARDS]).encode(), 400, "alerts: times"),
    "alerts: decompression bomb": (ALERTS, GZIP, BOMB, 413, "alerts: too large"),
    "alerts: as text": (ALERTS, {"Content-Type": "text/plain"}, b"[]", 415, "alerts: content type"),
    "loki: wrong JSON": (LOKI, JSON, b'{"streams": 5}', 400, "loki: json"),
    "loki: no gzip": (LOKI, GZIP, b"no gzip", 400, "loki: gzip"),
    "loki: cut gzip": (LOKI, GZIP, gzip.compress(b"{}")[:-5], 400, "loki: gzip"),
    "loki: decompression bomb": (LOKI, GZIP, BOMB, 413, "loki: too large"),
    "loki: a time that is none": (LOKI, JSON, lines(["soon", "x"]), 400, "loki: time"),
    "loki: time in the future": (
        LOKI, JSON, lines([f"{NOW_MS + 3_600_000}000000", "x"]), 400, "loki: time",
    ),
    "loki: no labels": (
        LOKI, JSON, b'{"streams": [{"stream": {}, "values": []}]}', 400, "loki: stream labels",
    ),
    "loki: protobuf": (LOKI, SNAPPY, GOOD, 415, "loki: content type"),
    "traces: no protobuf": (
        TRACES, {"Content-Type": "application/x-protobuf"}, b"what", 400, "otlp_traces: protobuf",
    ),
    "traces: wrong JSON": (TRACES, JSON, b'{"resourceSpans": 5}', 400, "otlp_traces: json"),
    "traces: a deep hole": (TRACES, JSON, b"[" * 100_000, 400, "otlp_traces: json"),
    "traces: cut gzip": (TRACES, GZIP, gzip.compress(b"{}")[:-5], 400, "otlp_traces: gzip"),
    "traces: decompression bomb": (TRACES, GZIP, BOMB, 413, "otlp_traces: too large"),
    "traces: thrift": (
        TRACES, {"Content-Type": "application/x-thrift"}, b"", 415, "otlp_traces: content type",
    ),
    "complaints: invalid JSON": (COMPLAINTS, {}, b"{", 400, "complaints: json"),
    "complaints: no text": (COMPLAINTS, {}, b'{"customer": "a"}', 400, "complaints: no text"),
    "complaints: time in the future": (
        COMPLAINTS, {}, json.dumps({"text": "x", "t": LATE}).encode(), 400, "complaints: time",
    ),
    "complaints: a number too large": (
        COMPLAINTS, {}, b'{"text": "x", "t": 1e999}', 400, "complaints: json",
    ),
    "changes: wrong JSON": (CHANGES, {}, b"[1]", 400, "changes: json"),
    "changes: no service": (CHANGES, {}, b'{"kind": "deploy"}', 400, "changes: no service"),
    "changes: huge name": (
        CHANGES, {}, json.dumps({"service": "x" * 5_000}).encode(), 400, "changes: label too long",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sent", [whole, in_pieces])
@pytest.mark.parametrize(("path", "headers", "body", "status", "counted"), TABLE.values(), ids=TABLE)
async def test_bad_input_is_answered_counted_and_kept(
    forewarn: Served, monkeypatch: pytest.MonkeyPatch, path: str, headers: dict[str, str], body: bytes,
    status: int, counted: str, sent: Sent,
) -> None:  # fmt: skip
    monkeypatch.setattr(dead_letters, "PER_MINUTE", 1_000)
    before = await forewarn.dropped()

    answer = await forewarn.client.post(path, content=sent(body), headers=headers)

    assert (answer.status_code, bool(answer.text)) == (status, True)
    assert await forewarn.dropped() == before | {f"door {counted}": before.get(f"door {counted}", 0) + 1}
    letter = json.loads((forewarn.folder / "dead-letters.jsonl").read_text().splitlines()[-1])
    assert f"{letter['door']}: {letter['reason']}" == counted
    good = await forewarn.client.post(WRITE, content=GOOD, headers=SNAPPY)
    assert good.status_code == 204


async def test_the_good_records_beside_a_bad_one_are_taken(forewarn: Served) -> None:
    both = [{"labels": {"alertname": "Down", "service": "pay"}}, {"labels": {}}]

    answer = await forewarn.client.post(ALERTS, json=both)

    assert answer.status_code == 400
    assert answer.text == "invalid label set: at least one label pair required"
    assert (await forewarn.counts("forewarn_events_total", "kind"))["alert"] == 1


@pytest.mark.parametrize("path", [WRITE, ALERTS, LOKI, COMPLAINTS, CHANGES, TRACES])
async def test_a_body_of_100_MB_is_refused_before_it_is_read(forewarn: Served, path: str) -> None:
    host, _, port = forewarn.at.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n".encode())

    line = await reader.readline()

    writer.close()
    assert line == b"HTTP/1.1 413 Request Entity Too Large\r\n"


async def test_a_body_of_100_MB_that_does_not_say_so_is_refused_on_the_way(forewarn: Served) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1_000_000

    answer = await forewarn.client.post(ALERTS, content=pieces(), headers=JSON)

    assert answer.status_code == 413
    assert (await forewarn.client.get("/-/healthy")).text == "OK\n"


async def test_a_client_that_leaves_half_way_is_nobodys_trouble(forewarn: Served) -> None:
    host, _, port = forewarn.at.partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[")
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    assert (await forewarn.client.post(ALERTS, json=[])).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", WRITE, 405, id="a door takes only POST"),
        pytest.param("POST", "/api/v1/alerts", 410, id="Alertmanager's v1 is gone"),
        pytest.param("GET", "/api/v1/status", 410, id="all of it"),
        pytest.param("GET", "/nowhere", 404, id="no page"),
        pytest.param("GET", "/-/reload", 405, id="a reload is a POST"),
    ],
)
async def test_a_wrong_path_or_method_is_said(forewarn: Served, method: str, path: str, status: int) -> None:
    assert (await forewarn.client.request(method, path)).status_code == status


async def test_what_asks_for_more_of_alertmanager_than_there_is_hears_where_to_ask(forewarn: Served) -> None:
    answer = await forewarn.client.get("/api/v2/templates")

    assert answer.status_code == 501
    assert "read incidents at /api/v1/incidents" in answer.text
