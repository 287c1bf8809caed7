"""OpenTelemetry's POST /v1/traces, in protobuf or JSON, in, columns of spans out.

Speaks OTLP/HTTP 1.x, https://opentelemetry.io/docs/specs/otlp/#otlphttp, plain or gzip; gRPC it does not.
Spans that are good are taken though others are not: partial_success of the answer counts and names the rest,
which the sender drops. It keeps and sends again what is answered 429 or 503. Only what tells of calls is
kept: spans inside a service, events, links and attributes are left out, but for the name of a client's peer.

    exporters:
      otlphttp:
        traces_endpoint: http://127.0.0.1:9093/v1/traces
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from pipeline.ingest.door import AHEAD, Decoded, Limits, Refused, Rejects, plain, read_json, span_frames
from pipeline.series import pack
from pipeline.types import Seconds, Traced

PATHS = ("/v1/traces",)
STATUS = 200

PROTOBUF, JSON = "application/x-protobuf", "application/json"

# A message of a few bytes takes a hundred when parsed: what is made of such alone is no trace. Of 32 MB that
# services send, one byte in twenty is a span's first, or an object's in JSON; hardly a message is empty.
MAX_PARTS = 2_000_000
MAX_EMPTY = 100_000
_PART = {PROTOBUF: b"\x12", JSON: b"{"}
_EMPTY = tuple(bytes([tag, 0]) for tag in (0x0A, 0x12, 0x4A, 0x5A, 0x6A))  # resources, spans and their parts

MAX_NAME = 200  # characters of a service, an operation or a peer; the rest is cut off
ROLES = {2: "server", 3: "client", 4: "producer", 5: "consumer"}  # by opentelemetry.proto's SpanKind
_FAILED = 2  # STATUS_CODE_ERROR
# What a client's span may say of whom it calls, the most deliberate first: semantic conventions, new and old.
_PEERS = (
    "peer.service",
    "server.address",
    "net.peer.name",
    "db.system.name",
    "db.system",
    "messaging.system",
)
_ADDRESS = re.compile(r"[\d.]+|.*:.*")  # of a machine, which is nobody's name
# google.rpc.Code by HTTP status.
_CODES = {400: 3, 413: 8, 415: 12, 429: 8, 503: 14}
_NONE = bytes(8)
# A span is known by its own id, which is random, stirred with its trace's: two odd numbers, of no meaning.
_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)


class _Value(msgspec.Struct, rename="camel", gc=False):
    string_value: str | None = None


class _Attribute(msgspec.Struct, gc=False):
    key: str = ""
    value: _Value | None = None


class _Resource(msgspec.Struct):
    attributes: list[_Attribute] | None = None


class _Status(msgspec.Struct, gc=False):
    code: int | None = None


class _Span(msgspec.Struct, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str | None = None
    name: str | None = None
    kind: int | None = None
    start_time_unix_nano: int = 0
    end_time_unix_nano: int = 0
    status: _Status | None = None
    attributes: list[_Attribute] | None = None


class _Scope(msgspec.Struct):
    spans: list[_Span] | None = None


class _Resourced(msgspec.Struct, rename="camel"):
    resource: _Resource | None = None
    scope_spans: list[_Scope] | None = None


class _Request(msgspec.Struct, rename="camel"):
    resource_spans: list[_Resourced] | None = None


_decoder = msgspec.json.Decoder(_Request, strict=False)  # an int64 is a string there, or a number


class _Read(NamedTuple):
    """What was read of the spans that are kept, a list each."""

    label: list[bytes]
    ids: list[bytes]  # see _ids
    start: list[int]  # ns
    end: list[int]
    failed: list[bool]


def decode(body: bytes, headers: Mapping[str, str], now: Seconds, limits: Limits) -> Decoded:
    kind = _kind(headers)
    if kind not in (PROTOBUF, JSON):
        raise Refused(415, "content type", f'Content-Type: expected {PROTOBUF} or {JSON}, got "{kind}"')
    raw = plain(body, headers, limits)
    if raw.count(_PART[kind]) > MAX_PARTS or sum(map(raw.count, _EMPTY)) > MAX_EMPTY:
        raise Refused(413, "too many parts", f"body has over {MAX_PARTS} parts, or {MAX_EMPTY} empty ones")
    rejects = Rejects()
    read = _read(_protobuf(raw) if kind == PROTOBUF else read_json(raw, _decoder), now, rejects)
    return Decoded(
        span_frames(now, "otlp_traces", _columns(read)) if read.label else (),
        rejects, _answer(rejects, kind), kind, partial=True,
    )  # fmt: skip


def refusal(no: Refused, headers: Mapping[str, str]) -> tuple[str, bytes]:
    """Return type and bytes of the google.rpc.Status that tells why nothing was taken."""
    code, text = _CODES.get(no.status, 2), str(no)
    if _kind(headers) != PROTOBUF:
        return JSON, orjson.dumps({"code": code, "message": text})
    said = text.encode()
    return PROTOBUF, bytes([0x08, code, 0x12]) + _varint(len(said)) + said


def _kind(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", PROTOBUF).partition(";")[0].strip().lower()


def _protobuf(raw: bytes) -> ExportTraceServiceRequest:
    try:
        return ExportTraceServiceRequest.FromString(raw)
    except DecodeError as error:
        raise Refused(400, "protobuf", f"body is not an ExportTraceServiceRequest: {error}") from error


def _read(request: Any, now: Seconds, rejects: Rejects) -> _Read:
    """Read a request of either form: both have the same names."""
    read = _Read([], [], [], [], [])
    packed: dict[tuple[str, str, str], bytes] = {}
    for service, span in _spans(request):
        ids = _ids(span)
        if wrong := _wrong(service, ids, span, now):
            rejects.add(*wrong)
            continue
        role = ROLES.get(span.kind or 0, "")
        if not role and ids[24:] != _NONE:
            continue
        calls = role in ("client", "producer")
        key = (service, role, _said(span.attributes, _PEERS) if calls else (span.name or "")[:MAX_NAME])
        label = packed.get(key)
        if label is None:
            named = {"service": service, "role": role, "peer" if calls else "op": key[2]}
            label = packed[key] = pack(named)
        read.label.append(label)
        read.ids.append(ids)
        read.start.append(span.start_time_unix_nano)
        read.end.append(span.end_time_unix_nano)
        read.failed.append(span.status is not None and span.status.code == _FAILED)
    return read


def _spans(request: Any) -> Iterator[tuple[str, Any]]:
    """Yield each span with the name of its service."""
    for each in request.resource_spans or ():
        service = _said(each.resource.attributes, ("service.name",)) if each.resource else ""
        for scope in each.scope_spans or ():
            for span in scope.spans or ():
                yield service, span


def _wrong(service: str, ids: bytes, span: Any, now: Seconds) -> tuple[str, str] | None:
    """Return reason and sentence where a span cannot be used."""
    if not service:
        return "no service", "resource: expected an attribute service.name"
    if not ids:
        return "id", "span: expected a traceId of 16 bytes, a spanId of 8, and a parentSpanId of 8 or none"
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if not 0 < start <= end <= (now + AHEAD) * 1e9:
        return (
            "time",
            f"span of {service}: expected start, end and {now + AHEAD:.0f} in order, got {start}, {end}",
        )
    return None


def _ids(span: Any) -> bytes:
    """Return 32 bytes: the ids of trace, span and parent, the last all zeros for a root; b"" if not valid."""
    trace, own, parent = span.trace_id, span.span_id, span.parent_span_id
    if isinstance(span, _Span):
        try:
            trace, own, parent = (bytes.fromhex(part or "") for part in (trace, own, parent))
        except ValueError:
            return b""
    if len(trace) != 16 or len(own) != 8 or len(parent) not in (0, 8) or not any(trace) or not any(own):
        return b""
    found: bytes = trace + own + (parent or _NONE)
    return found


def _said(attributes: Any, keys: tuple[str, ...]) -> str:
    """Return the first of the keys that the attributes have as a name."""
    found = {a.key: a.value.string_value for a in attributes or () if a.key in keys and a.value}
    return next(
        (text[:MAX_NAME] for key in keys if (text := found.get(key)) and not _ADDRESS.match(text)), ""
    )


def _columns(read: _Read) -> Traced:
    number: dict[bytes, int] = {}
    kind = np.array([number.setdefault(label, len(number)) for label in read.label], np.int32)
    ids = np.frombuffer(b"".join(read.ids), "<u8").reshape(-1, 4)
    trace = ids[:, 0] * _ODD[0] + ids[:, 1] * _ODD[1]
    start, end = np.array(read.start, np.uint64), np.array(read.end, np.uint64)
    return Traced(
        tuple(number), kind, ids[:, 2] + trace, np.where(ids[:, 3] > 0, ids[:, 3] + trace, 0),
        end / 1e9, (end - start) / 1e9, np.array(read.failed, np.bool_),
    )  # fmt: skip


def _answer(rejects: Rejects, kind: str) -> bytes:
    count = rejects.count.total()
    if kind == JSON:
        partial = {"partialSuccess": {"rejectedSpans": str(count), "errorMessage": str(rejects)}}
        return orjson.dumps(partial if rejects else {})
    answer = ExportTraceServiceResponse()
    if rejects:
        answer.partial_success.rejected_spans = count
        answer.partial_success.error_message = str(rejects)
    return answer.SerializeToString()


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
