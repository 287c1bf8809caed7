"""Metrics, log lines and alerts as clients post them, and plain code that does the same work as a stage."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import cramjam
from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from river import stats

from pipeline.demo import remote_write as sender
from pipeline.ingest import alerts, loki, otlp_traces, remote_write
from pipeline.ingest.door import Door
from pipeline.types import Seconds
from tests import tracing
from tests.ingest import prompb

SEED = 7
SERIES, WARM, SCRAPES = 2_000, 70, 150
LINES, PUSHES = 1_000, 60
ALERTS, POSTS = 64, 40
TRACED, RATE = 120.0, 50.0  # seconds of a shop's traces, requests a second: ten spans a request

JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
METRICS = ("http_request_duration_seconds", "node_cpu_usage_ratio", "queue_length", "orders_placed")
# What an HTTP client's or server's span says of itself besides: half a kilobyte a span.
ATTRIBUTES = {
    "http.request.method": "POST", "url.scheme": "http", "url.path": "/api/v1/orders/4711/items",
    "network.protocol.version": "1.1", "user_agent.original": "shop-client/2.14 (linux; amd64)",
    "k8s.pod.name": "checkout-7d9c5b6f4-x2x9v", "k8s.namespace.name": "shop", "thread.name": "worker-12",
}  # fmt: skip
SAID = (
    "GET /cart/{} 200 in {} ms",
    "POST /checkout order {} accepted in {} ms",
    "connection from 10.0.{}.{} closed",
    "cache miss for item-{} after {} tries",
    "worker {} took job {} from the queue",
    "payment {} authorised by bank {}",
    "user {} signed in from region eu-{}",
    "retrying request {} to inventory, attempt {}",
)


@dataclass(frozen=True)
class Load:
    """One kind of input. `twins` has, by stage, the name of plain code and its CPU seconds on `bodies`."""

    name: str
    door: Door
    path: str
    headers: Mapping[str, str]
    before: Sequence[bytes]  # posted first and not counted: warms up, or makes the rest a repeat
    bodies: Sequence[bytes]
    count: int  # records in `bodies`
    twins: Mapping[str, tuple[str, Callable[[], float]]]


def loads(now: Seconds) -> list[Load]:
    chance = random.Random(SEED)
    scrapes = [_scrape(now - 15 * (WARM + SCRAPES - k), chance) for k in range(WARM + SCRAPES)]
    pushes = [_push(now - 2 * (PUSHES + 5 - k), chance) for k in range(PUSHES + 5)]
    posts = [_post(now, k) for k in range(POSTS)]
    shop = tracing.Shop(SEED)
    spans = [shop.spans(now - TRACED + k, now - TRACED + k + 1, RATE) for k in range(int(TRACED))]
    traces = [tracing.protobuf(sent, ATTRIBUTES) for sent in spans]
    return [
        Load(
            "samples", remote_write, "/api/v1/write", sender.HEADERS, scrapes[:WARM], scrapes[WARM:],
            SERIES * SCRAPES,
            {"decode": ("protobuf to dicts", lambda: _upb(scrapes[WARM:])),
             "step": ("river EWMean + EWVar", lambda: _river(SERIES * SCRAPES))},
        ),
        Load(
            "log lines", loki, "/loki/api/v1/push", JSON, pushes[:5], pushes[5:], LINES * PUSHES,
            {"decode": ("json to dicts", lambda: _json_lines(pushes[5:])),
             "step": ("drain3 alone", lambda: _drain3(pushes[5:]))},
        ),
        Load(
            "spans", otlp_traces, "/v1/traces", PROTOBUF, traces[:10], traces[10:], sum(map(len, spans[10:])),
            {"decode": ("protobuf to dicts", lambda: _dicts(traces[10:]))},
        ),
        Load(
            "alerts first seen", alerts, "/api/v2/alerts", JSON, (), posts, ALERTS * POSTS,
            {"decode": ("json, sorted tuples", lambda: _json_alerts(posts))},
        ),
        Load(
            "alerts sent again", alerts, "/api/v2/alerts", JSON, posts, posts * 5, ALERTS * POSTS * 5,
            {"decode": ("json, sorted tuples", lambda: _json_alerts(posts * 5))},
        ),
    ]  # fmt: skip


def _scrape(at: Seconds, chance: random.Random) -> bytes:
    return sender.body(
        (
            {
                "__name__": METRICS[k % len(METRICS)],
                "cluster": "eu-west-1",
                "instance": f"10.0.{k // 250}.{k % 250}:9100",
                "job": "shop",
                "namespace": "shop",
                "pod": f"shop-{k % 500}-7d9c",
                "service": f"service-{k % 40}",
            },
            chance.gauss(0.5, 0.05),
            at,
        )
        for k in range(SERIES)
    )


def _push(at: Seconds, chance: random.Random) -> bytes:
    streams = []
    for s in range(10):
        texts = [
            chance.choice(SAID).format(chance.randrange(9_999), chance.randrange(250))
            for _ in range(LINES // 10)
        ]
        values = [[str(int(at * 1e9) + k), text] for k, text in enumerate(texts)]
        streams.append({"stream": {"service": f"service-{s}", "level": "info"}, "values": values})
    return json.dumps({"streams": streams}).encode()


def _post(now: Seconds, number: int) -> bytes:
    starts, ends = (datetime.fromtimestamp(t, UTC).isoformat() for t in (now - 60, now + 3_600))
    return json.dumps(
        [
            {
                "labels": {
                    "alertname": "HighErrors", "cluster": "eu-west-1", "instance": f"10.0.{number}.{k}:9100",
                    "job": "shop", "namespace": "shop", "pod": f"shop-{k}-7d9c",
                    "service": f"service-{k % 40}", "severity": "warning",
                },
                "annotations": {"summary": "5 % of requests fail", "runbook_url": "http://runbooks/errors"},
                "startsAt": starts, "endsAt": ends, "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
            }
            for k in range(ALERTS)
        ]
    ).encode()  # fmt: skip


def _upb(bodies: Sequence[bytes]) -> float:
    """What the usual code does: Google's protobuf in C, a dict and a sorted tuple of labels a series."""
    raws = [bytes(cramjam.snappy.decompress_raw(body)) for body in bodies]
    known: dict[tuple[tuple[str, str], ...], int] = {}
    began = time.process_time()
    for raw in raws:
        for series in prompb.MESSAGES["WriteRequest"].FromString(raw).timeseries:
            labels = {label.name: label.value for label in series.labels}
            row = known.setdefault(tuple(sorted(labels.items())), len(known))
            [(row, sample.timestamp / 1000, sample.value) for sample in series.samples]
    return time.process_time() - began


def _river(count: int) -> float:
    """What a detector a series costs at least: a mean and a variance that forget, one sample at a time."""
    means = [stats.EWMean(0.1) for _ in range(SERIES)]
    spreads = [stats.EWVar(0.1) for _ in range(SERIES)]
    began = time.process_time()
    for k in range(count):
        row, value = k % SERIES, float(k % 13)
        (value - means[row].get()) / (spreads[row].get() ** 0.5 + 1e-9)
        means[row].update(value)
        spreads[row].update(value)
    return time.process_time() - began


def _json_lines(bodies: Sequence[bytes]) -> float:
    began = time.process_time()
    for body in bodies:
        for stream in json.loads(body)["streams"]:
            labels = tuple(sorted(stream["stream"].items()))
            [{"labels": labels, "time": int(ns) / 1e9, "line": line} for ns, line in stream["values"]]
    return time.process_time() - began


def _drain3(bodies: Sequence[bytes]) -> float:
    texts = [
        line for body in bodies for stream in json.loads(body)["streams"] for _, line in stream["values"]
    ]
    miner = TemplateMiner(config=TemplateMinerConfig())  # else it looks for a file and says so
    began = time.process_time()
    for text in texts:
        miner.add_log_message(text)
    return time.process_time() - began


def _dicts(bodies: Sequence[bytes]) -> float:
    """What the usual code does: a dict a span, with a dict of its attributes."""
    began = time.process_time()
    for body in bodies:
        for resourced in ExportTraceServiceRequest.FromString(body).resource_spans:
            for span in (span for scope in resourced.scope_spans for span in scope.spans):
                said = {a.key: a.value.string_value for a in span.attributes}
                {"id": span.span_id.hex(), "parent": span.parent_span_id.hex(), "name": span.name} | said
    return time.process_time() - began


def _json_alerts(bodies: Sequence[bytes]) -> float:
    known: dict[Any, Any] = {}
    began = time.process_time()
    for body in bodies:
        for alert in json.loads(body):
            known[tuple(sorted(alert["labels"].items()))] = alert
            datetime.fromisoformat(alert["endsAt"])
    return time.process_time() - began
