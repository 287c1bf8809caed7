"""A small shop whose services send spans: its traces while all is well, and while something is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind

NS = 1_000_000_000
SERVER, CLIENT = 2, 3  # opentelemetry.proto's SpanKind


@dataclass(frozen=True)
class Sent:
    """One span as its service sends it."""

    service: str
    name: str
    kind: int
    trace: bytes
    id: bytes
    parent: bytes
    start: float
    end: float
    failed: bool = False
    peer: str = ""


@dataclass(frozen=True)
class Fault:
    """What is wrong: with the work of a service, with its answers, or with the way between two."""

    work: Mapping[str, float] = field(default_factory=dict)  # times as long
    fails: Mapping[str, float] = field(default_factory=dict)  # share
    way: Mapping[tuple[str, str], float] = field(default_factory=dict)  # seconds more


WELL = Fault()
CALLS = {"front": ("cart", "checkout"), "checkout": ("pay", "stock"), "pay": ("bank-db",)}
WORK = {"front": 0.01, "cart": 0.008, "checkout": 0.012, "pay": 0.03, "stock": 0.006, "bank-db": 0.004}
SILENT = ("bank-db",)  # sends no spans
WAY = 0.001


class Shop:
    """Requests to the front, each as a trace; the same seed gives the same traces."""

    def __init__(self, seed: int = 1) -> None:
        self.chance = np.random.default_rng(seed)

    def spans(self, since: float, until: float, rate: float, fault: Fault = WELL) -> list[Sent]:
        """Return the spans of the requests that began between the two times, in no order to rely on."""
        found: list[Sent] = []
        for at in np.sort(
            self.chance.uniform(since, until, self.chance.poisson(rate * (until - since)))
        ).tolist():
            self._serve("front", "GET /", self._id(16), b"", at, fault, found)
        return found

    def _serve(
        self, service: str, name: str, trace: bytes, parent: bytes, at: float, fault: Fault, found: list[Sent]
    ) -> tuple[float, bool]:
        """Return when a request was answered, and whether it failed."""
        own = self._id(8)
        end = at + WORK[service] * fault.work.get(service, 1.0) * float(self.chance.lognormal(0, 0.3))
        failed = bool(self.chance.random() < fault.fails.get(service, 0.002))
        for callee in CALLS.get(service, ()):
            client, start = self._id(8), end
            way = WAY * float(self.chance.lognormal(0, 0.2)) + fault.way.get((service, callee), 0.0)
            done, bad = self._serve(callee, f"POST /{callee}", trace, client, start + way / 2, fault, found)
            end = done + way / 2
            failed |= bad
            found.append(Sent(service, callee, CLIENT, trace, client, own, start, end, bad, callee))
        if service not in SILENT:
            found.append(Sent(service, name, SERVER, trace, own, parent, at, end, failed))
        return end, failed

    def _id(self, size: int) -> bytes:
        return self.chance.bytes(size)


def protobuf(spans: Sequence[Sent], also: Mapping[str, str] | None = None) -> bytes:
    """Return an ExportTraceServiceRequest, as a Collector sends it; `also` are attributes of each span."""
    request = ExportTraceServiceRequest()
    for service in sorted({span.service for span in spans}):
        resourced = request.resource_spans.add()
        resourced.resource.attributes.add(key="service.name").value.string_value = service
        scope = resourced.scope_spans.add()
        scope.scope.name = "tests"
        for span in (s for s in spans if s.service == service):
            told = scope.spans.add(
                trace_id=span.trace, span_id=span.id, parent_span_id=span.parent, name=span.name,
                kind=Span.SpanKind.ValueType(span.kind),
                start_time_unix_nano=int(span.start * NS), end_time_unix_nano=int(span.end * NS),
            )  # fmt: skip
            told.attributes.add(key="http.response.status_code").value.int_value = 500 if span.failed else 200
            for key, value in (also or {}).items():
                told.attributes.add(key=key).value.string_value = value
            if span.peer:
                told.attributes.add(key="server.address").value.string_value = span.peer
            if span.failed:
                told.status.code = Status.STATUS_CODE_ERROR
    return request.SerializeToString()


def told(spans: Sequence[Sent]) -> list[ReadableSpan]:
    """Return the spans as the SDK of OpenTelemetry hands them to its exporter."""
    return [
        ReadableSpan(
            span.name, _context(span, span.id), _context(span, span.parent) if span.parent else None,
            Resource({"service.name": span.service}), {"server.address": span.peer} if span.peer else {},
            kind={SERVER: SpanKind.SERVER, CLIENT: SpanKind.CLIENT}[span.kind],
            status=trace.Status(trace.StatusCode.ERROR if span.failed else trace.StatusCode.UNSET),
            start_time=int(span.start * NS), end_time=int(span.end * NS),
        )
        for span in spans
    ]  # fmt: skip


def _context(span: Sent, id: bytes) -> SpanContext:
    return SpanContext(int.from_bytes(span.trace, "big"), int.from_bytes(id, "big"), is_remote=False)
