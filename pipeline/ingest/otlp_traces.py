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

from collections.abc import Mapping

import msgspec
import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from pipeline.ingest._otlp import Request, columns
from pipeline.ingest.door import Decoded, Limits, Refused, Rejects, plain, read_json, span_frames
from pipeline.types import Seconds

PATHS = ("/v1/traces",)
STATUS = 200

PROTOBUF, JSON = "application/x-protobuf", "application/json"

# A message of a few bytes takes a hundred when parsed: what is made of such alone is no trace. Of 32 MB that
# services send, one byte in twenty is a span's first, or an object's in JSON; hardly a message is empty.
LARGE = 1024 * 1024
MAX_PARTS = 2_000_000
MAX_EMPTY = 100_000
_PART = {PROTOBUF: b"\x12", JSON: b"{"}
_EMPTY = tuple(bytes([tag, 0]) for tag in (0x0A, 0x12, 0x4A, 0x5A, 0x6A))  # resources, spans and their parts

# google.rpc.Code by HTTP status.
_CODES = {400: 3, 413: 8, 415: 12, 429: 8, 503: 14}

_decoder = msgspec.json.Decoder(Request, strict=False)  # an int64 is a string there, or a number


def decode(body: bytes, headers: Mapping[str, str], now: Seconds, limits: Limits) -> Decoded:
    kind = _kind(headers)
    if kind not in (PROTOBUF, JSON):
        raise Refused(415, "content type", f'Content-Type: expected {PROTOBUF} or {JSON}, got "{kind}"')
    raw = plain(body, headers, limits)
    if len(raw) > LARGE and (raw.count(_PART[kind]) > MAX_PARTS or sum(map(raw.count, _EMPTY)) > MAX_EMPTY):
        raise Refused(413, "too many parts", f"body has over {MAX_PARTS} parts, or {MAX_EMPTY} empty ones")
    rejects = Rejects()
    spans = columns(_protobuf(raw) if kind == PROTOBUF else read_json(raw, _decoder), now, rejects)
    frames = span_frames(now, "otlp_traces", spans) if spans is not None else ()
    return Decoded(frames, rejects, _answer(rejects, kind), kind, partial=True)


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
