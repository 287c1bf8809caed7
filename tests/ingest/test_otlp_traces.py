"""OTLP/HTTP traces: the bytes of OpenTelemetry's exporter, their twins in JSON, and what is no request."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc.status_pb2 import Status
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from pipeline import frame
from pipeline.config import Limits
from pipeline.ingest import otlp_traces
from pipeline.ingest.door import Decoded, Refused
from pipeline.ingest.otlp_traces import JSON, PROTOBUF
from pipeline.run.embedded import Busy
from pipeline.series import Series, unpack
from tests.ingest.conftest import Served
from tests.soak import times
from tests.tracing import Sent, Shop, protobuf, told

NOW = 1_790_000_000.0
TYPED = {"content-type": JSON}
FRONT = Sent("front", "GET /", 2, b"t" * 16, b"front--1", b"", NOW - 1.0, NOW)
CALL = Sent("front", "cart", 3, b"t" * 16, b"call---1", b"front--1", NOW - 0.9, NOW - 0.1, True, "cart")
CART = Sent("cart", "GET /cart", 2, b"t" * 16, b"cart---1", b"call---1", NOW - 0.8, NOW - 0.2)


def read(body: bytes, kind: str = PROTOBUF) -> Decoded:
    return otlp_traces.decode(body, {"content-type": kind}, NOW, Limits())


def as_json(body: bytes) -> bytes:
    """Return the twin of a request: ids in hex, as OTLP has them, and not base64, as protobuf's JSON."""
    request = ExportTraceServiceRequest.FromString(body)
    twin = MessageToDict(request, use_integers_for_enums=True)
    for resourced, of in zip(twin.get("resourceSpans", []), request.resource_spans, strict=True):
        for scope, in_scope in zip(resourced.get("scopeSpans", []), of.scope_spans, strict=True):
            for span, was in zip(scope.get("spans", []), in_scope.spans, strict=True):
                span |= {"traceId": was.trace_id.hex(), "spanId": was.span_id.hex()}
                span |= {"parentSpanId": was.parent_span_id.hex()}
    return json.dumps(twin).encode()


def kept(decoded: Decoded) -> list[tuple[Any, ...]]:
    """Return label set, key, parent, end, duration and failure of each span."""
    found = []
    for each in decoded.frames:
        spans = frame.batch(frame.decode(frame.encode(each)), Series()).spans
        assert spans is not None
        labels = [unpack(spans.labels[k]) for k in spans.kind.tolist()]
        columns = (spans.key, spans.parent, spans.end, spans.duration, spans.failed)
        found += list(zip(labels, *(column.tolist() for column in columns), strict=True))
    return found


def test_what_the_sdk_exports_is_read() -> None:
    decoded = read(encode_spans(told([FRONT, CALL, CART])).SerializeToString())

    labels, keys, parents, ends, durations, failed = zip(*kept(decoded), strict=True)
    assert labels == (
        {"service": "front", "role": "server", "op": "GET /"},
        {"service": "front", "role": "client", "peer": "cart"},
        {"service": "cart", "role": "server", "op": "GET /cart"},
    )
    assert parents == (0, keys[0], keys[1])
    assert ends == pytest.approx((NOW, NOW - 0.1, NOW - 0.2))
    assert durations == pytest.approx((1.0, 0.8, 0.6))
    assert failed == (False, True, False)
    assert not decoded.rejects


def test_the_example_of_the_specification_is_read() -> None:
    span = {
        "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174",
        "parentSpanId": "EEE19B7EC3C1B173", "name": "I'm a server span",
        "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000", "kind": 2,
        "attributes": [{"key": "my.span.attr", "value": {"stringValue": "some value"}}],
    }  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]}
    scope = {"name": "my.library", "version": "1.0.0", "attributes": []}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": [span]}]}]}

    [(labels, _, parent, end, duration, _)] = kept(read(json.dumps(body).encode(), JSON))

    assert labels == {"service": "my.service", "role": "server", "op": "I'm a server span"}
    assert (parent > 0, end, duration) == (True, 1544712661.0, 1.0)


@settings(max_examples=times(30))
@given(st.integers(0, 2**32), st.booleans())
def test_protobuf_and_json_say_the_same(seed: int, zipped: bool) -> None:
    body = protobuf(Shop(seed).spans(NOW - 20, NOW - 10, 2.0))
    twin = as_json(body)

    headers = {"content-type": JSON + "; charset=utf-8"} | ({"content-encoding": "gzip"} if zipped else {})
    by_json = otlp_traces.decode(gzip.compress(twin) if zipped else twin, headers, NOW, Limits())

    assert kept(by_json) == kept(read(body))


@settings(max_examples=times(300))
@given(st.binary(max_size=300), st.sampled_from([PROTOBUF, JSON]), st.integers(0, 400), st.integers(0, 255))
def test_any_bytes_are_refused_as_no_request_or_give_whole_spans(
    noise: bytes, kind: str, at: int, byte: int
) -> None:
    good = bytearray(protobuf([FRONT, CALL, CART]) if kind == PROTOBUF else as_json(protobuf([FRONT, CALL])))
    good[at % len(good)] = byte

    for body in (noise, bytes(good), bytes(good[:at])):
        found, answered = [], 400
        try:
            found = kept(read(body, kind))
        except Refused as no:
            answered = no.status
        assert answered == 400
        assert all("service" in labels and took >= 0 for labels, *_, took, _ in found)


def test_fields_that_nobody_knows_are_passed_over() -> None:
    unknown = b"\xfa\x7f\x03new"  # field 2047, a string

    [(labels, *_)] = kept(read(protobuf([FRONT]) + unknown))
    twin = json.loads(as_json(protobuf([FRONT]))) | {"news": [{"deep": {}}]}
    twin["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["flags"] = 256

    assert [labels for labels, *_ in kept(read(json.dumps(twin).encode(), JSON))] == [labels]


@pytest.mark.parametrize("body", [b"", b"\x0a\x00"])
def test_an_empty_request_is_taken(body: bytes) -> None:
    assert (read(body).frames, read(body).answer) == ((), b"")


@pytest.mark.parametrize(
    "body", ["{}", '{"resourceSpans": null}', '{"resourceSpans": [{"scopeSpans": [{}]}]}']
)
def test_an_empty_request_in_json_is_taken(body: str) -> None:
    assert (read(body.encode(), JSON).frames, read(body.encode(), JSON).answer) == ((), b"{}")


def test_spans_inside_a_service_are_left_out_but_a_root_is_its_work() -> None:
    inside = replace(FRONT, kind=1, id=b"inside-1", parent=b"front--1")
    work = replace(FRONT, kind=1, id=b"work---1", name="nightly")

    decoded = read(protobuf([inside, work]))

    assert [labels for labels, *_ in kept(decoded)] == [{"service": "front", "op": "nightly"}]
    assert not decoded.rejects


@pytest.mark.parametrize(
    ("attributes", "peer"),
    [
        pytest.param({"peer.service": "pay", "server.address": "p"}, "pay", id="who it was said to be"),
        pytest.param({"server.address": "db.local", "db.system": "mysql"}, "db.local", id="its address"),
        pytest.param({"server.address": "10.1.2.3", "db.system": "mysql"}, "mysql", id="not a machine's"),
        pytest.param({"net.peer.name": "[::1]:80"}, None, id="nobody's name"),
        pytest.param({}, None, id="not said"),
    ],
)
def test_a_client_tells_whom_it_calls(attributes: dict[str, str], peer: str | None) -> None:
    request = ExportTraceServiceRequest.FromString(protobuf([replace(CALL, peer="")]))
    for key, value in attributes.items():
        added = request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key=key)
        added.value.string_value = value

    [(labels, *_)] = kept(read(request.SerializeToString()))

    assert labels.get("peer") == peer


@pytest.mark.parametrize(
    ("span", "reason"),
    [
        pytest.param(replace(FRONT, service=""), "no service", id="nobody's"),
        pytest.param(replace(FRONT, id=b"short"), "id", id="a short id"),
        pytest.param(replace(FRONT, trace=bytes(16)), "id", id="no trace"),
        pytest.param(replace(FRONT, parent=b"par"), "id", id="a short parent"),
        pytest.param(replace(FRONT, end=NOW - 2.0), "time", id="ends before it starts"),
        pytest.param(replace(FRONT, end=NOW + 700.0), "time", id="in the future"),
        pytest.param(replace(FRONT, start=0.0), "time", id="no start"),
    ],
)
@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_a_bad_span_is_left_out_told_and_does_not_stop_the_others(span: Sent, reason: str, kind: str) -> None:
    body = protobuf([span, CART])

    decoded = read(body if kind == PROTOBUF else as_json(body), kind)

    assert [labels["service"] for labels, *_ in kept(decoded)] == ["cart"]
    assert decoded.rejects.count == {reason: 1}
    said = json.loads(decoded.answer)["partialSuccess"] if kind == JSON else {}
    response = ExportTraceServiceResponse.FromString(b"" if said else decoded.answer)
    assert int(said.get("rejectedSpans", response.partial_success.rejected_spans)) == 1
    assert said.get("errorMessage", response.partial_success.error_message) == decoded.rejects.said[0]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"\x0a\x80\x80\x80\x01" + b"\x12\x00" * 1_048_576, PROTOBUF, id="empty scopes"),
        pytest.param(b"{" * 2_000_001, JSON, id="objects in objects"),
    ],
)
def test_a_body_that_would_fill_memory_is_refused_before_it_is_parsed(body: bytes, kind: str) -> None:
    with pytest.raises(Refused) as refused:
        read(body, kind)

    assert (refused.value.status, refused.value.reason) == (413, "too many parts")


def test_a_large_request_is_cut_into_frames_that_fit() -> None:
    spans = [replace(FRONT, id=b"%08d" % k, name=f"GET /{k}" + "x" * 150) for k in range(5_000)]

    decoded = read(protobuf(spans))

    assert len(decoded.frames) == 3
    assert max(len(frame.encode(each)) for each in decoded.frames) < 1_000_000
    assert len(kept(decoded)) == 5_000


Posted = tuple[str, Callable[[bytes], bytes]]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
@pytest.mark.parametrize("zipped", [False, True])
async def test_an_answer_is_of_the_type_that_was_asked_in(forewarn: Served, kind: str, zipped: bool) -> None:
    body = protobuf(Shop().spans(time.time() - 5, time.time() - 4, 3.0))
    body = as_json(body) if kind == JSON else body
    headers = {"content-type": kind} | ({"content-encoding": "gzip"} if zipped else {})

    answer = await forewarn.client.post(
        "/v1/traces", content=gzip.compress(body) if zipped else body, headers=headers
    )

    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.content == (b"{}" if kind == JSON else b"")


@pytest.mark.asyncio(loop_scope="module")
async def test_spans_are_counted_as_such(forewarn: Served) -> None:
    spans, samples = (
        await forewarn.counts("forewarn_spans_total"),
        await forewarn.counts("forewarn_samples_total"),
    )

    await forewarn.client.post(
        "/v1/traces", content=protobuf([FRONT, CALL, CART]), headers={"content-type": PROTOBUF}
    )

    assert (await forewarn.counts("forewarn_spans_total"))[""] == spans[""] + 3
    assert await forewarn.counts("forewarn_samples_total") == samples


@pytest.mark.asyncio(loop_scope="module")
async def test_spans_left_out_are_counted_and_the_sender_need_not_send_again(forewarn: Served) -> None:
    before = await forewarn.dropped()

    answer = await forewarn.client.post(
        "/v1/traces", content=protobuf([replace(FRONT, service="")]), headers={"content-type": PROTOBUF}
    )

    assert (answer.status_code, answer.headers["content-type"]) == (200, PROTOBUF)
    assert ExportTraceServiceResponse.FromString(answer.content).partial_success.rejected_spans == 1
    counted = "door otlp_traces: no service"
    assert (await forewarn.dropped())[counted] == before.get(counted, 0) + 1


@pytest.mark.asyncio(loop_scope="module")
async def test_a_refusal_is_a_status_of_the_same_type(forewarn: Served) -> None:
    wire = await forewarn.client.post("/v1/traces", content=b"\x0a\x7f", headers={"content-type": PROTOBUF})
    text = await forewarn.client.post("/v1/traces", content=b"{", headers={"content-type": JSON})

    assert (wire.status_code, wire.headers["content-type"]) == (400, PROTOBUF)
    status = Status.FromString(wire.content)
    assert (status.code, status.message[:47]) == (3, "body is not an ExportTraceServiceRequest: Error")
    assert (text.status_code, text.headers["content-type"], text.json()["code"]) == (400, JSON, 3)


@pytest.mark.asyncio(loop_scope="module")
async def test_while_the_queue_is_full_a_sender_is_asked_to_come_again(
    forewarn: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Busy

    monkeypatch.setattr("pipeline.run.embedded.Engine.offer", full)

    answer = await forewarn.client.post(
        "/v1/traces", content=protobuf([FRONT]), headers={"content-type": PROTOBUF}
    )

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert Status.FromString(answer.content).code == 8
