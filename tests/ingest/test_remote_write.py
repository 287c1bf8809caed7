"""Remote-write 1.0: every sample as Google's protobuf reads it, and nothing of what is not one."""

from __future__ import annotations

import math
import struct

import cramjam
import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.config import Limits
from pipeline.frame import Frame
from pipeline.ingest import remote_write
from pipeline.ingest.door import Decoded, Refused
from pipeline.series import unpack
from tests.ingest import prompb
from tests.soak import times

NOW = 1_790_000_000.0
MS = 1_790_000_000_000
LIMITS = Limits()
V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
Sample = tuple[dict[str, str], float, float]


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    remote_write._known.clear()


def taken(decoded: Decoded) -> list[Sample]:
    return [sample for frame in decoded.frames for sample in samples_of(frame)]


def samples_of(frame: Frame) -> list[Sample]:
    rows = np.frombuffer(frame.series, "<i4").tolist()
    columns = np.frombuffer(frame.time, "<f8").tolist(), np.frombuffer(frame.value, "<f8").tolist()
    return [(unpack(frame.labels[r]), t, v) for r, t, v in zip(rows, *columns, strict=True)]


def snappy(raw: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(raw))


def read(raw: bytes) -> Decoded:
    return remote_write.decode(snappy(raw), {}, NOW, LIMITS)


def test_the_bytes_of_prometheus_are_read() -> None:
    # One series up{job="pay"} with 1 at 1790000000000 ms, as Prometheus 2.42 writes it.
    golden = (
        "0a2e 0a0e 0a085f5f6e616d655f5f 12027570 0a0a 0a036a6f62 1203706179"
        " 1210 09000000000000f03f 1080d8c1a28c34"
    )

    decoded = read(bytes.fromhex(golden))

    assert taken(decoded) == [({"__name__": "up", "job": "pay"}, NOW, 1.0)]


@pytest.mark.parametrize("times", [1, 2], ids=["a series first seen", "a series known by its bytes"])
@pytest.mark.parametrize(
    ("value", "ms"),
    [
        pytest.param(1.5, MS, id="a usual sample"),
        pytest.param(0.0, MS, id="zero, which is left out of the message"),
        pytest.param(-0.0, MS, id="minus zero"),
        pytest.param(math.inf, MS, id="infinity"),
        pytest.param(5.0, 0, id="1970"),
        pytest.param(5.0, -1000, id="before 1970"),
        pytest.param(5.0, 1_000_000, id="a short time"),
        pytest.param(0.0, 0, id="an empty sample"),
    ],
)
def test_a_sample_keeps_value_and_time(value: float, ms: int, times: int) -> None:
    body = prompb.body(prompb.series({"__name__": "up", "service": "pay"}, (value, ms)))

    for _ in range(times):
        decoded = remote_write.decode(body, {}, NOW, LIMITS)

    assert taken(decoded) == [({"__name__": "up", "service": "pay"}, ms / 1000, value)]


@pytest.mark.parametrize("times", [1, 2])
def test_a_stale_marker_is_a_missing_value(times: int) -> None:
    stale = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
    body = prompb.body(prompb.series({"__name__": "up"}, (stale, MS)))

    for _ in range(times):
        decoded = remote_write.decode(body, {}, NOW, LIMITS)

    assert [math.isnan(value) for _, _, value in taken(decoded)] == [True]


def test_two_samples_of_a_known_series_are_two() -> None:
    remote_write.decode(prompb.body(prompb.series({"__name__": "up"}, (1.0, MS))), {}, NOW, LIMITS)
    body = prompb.body(prompb.series({"__name__": "up"}, (0.0, MS), (0.0, MS + 1000), (3.0, MS + 2000)))

    decoded = remote_write.decode(body, {}, NOW, LIMITS)

    assert [(t, v) for _, t, v in taken(decoded)] == [(NOW, 0.0), (NOW + 1, 0.0), (NOW + 2, 3.0)]


def test_samples_stay_in_the_order_they_came() -> None:
    known = prompb.series({"__name__": "a"}, (1.0, MS))
    remote_write.decode(prompb.body(known), {}, NOW, LIMITS)
    body = prompb.body(known, prompb.series({"__name__": "b"}, (0.0, MS)), known)

    decoded = remote_write.decode(body, {}, NOW, LIMITS)

    assert [labels["__name__"] for labels, _, _ in taken(decoded)] == ["a", "b", "a"]


def test_labels_behind_a_sample_are_labels_all_the_same() -> None:
    parts = [
        prompb.series({"__name__": "up"}, (1.0, MS)),
        prompb.series({"job": "pay"}),
        prompb.series({}, (2.0, MS + 1000)),
    ]
    head, middle, tail = (part.SerializeToString() for part in parts)

    one, two = (read(bytes([0x0A, len(inner)]) + inner) for inner in (head + middle, head + middle + tail))

    labels = {"__name__": "up", "job": "pay"}
    assert taken(one) == [(labels, NOW, 1.0)]
    assert taken(two) == [(labels, NOW, 1.0), (labels, NOW + 1, 2.0)], (
        "nothing wrong was learned from the first"
    )


def test_metadata_and_exemplars_are_left_out() -> None:
    made = prompb.series({"__name__": "up"}, (1.0, MS))
    made.exemplars.add(value=5.0, timestamp=MS).labels.add(name="trace", value="1")
    message = prompb.request(made)
    message.metadata.add(type=1, metric_family_name="up")

    assert taken(read(message.SerializeToString())) == [({"__name__": "up"}, NOW, 1.0)]


def test_an_empty_label_value_is_no_label() -> None:
    body = prompb.body(prompb.series({"__name__": "up", "env": "", "job": "pay"}, (1.0, MS)))

    assert taken(remote_write.decode(body, {}, NOW, LIMITS)) == [({"__name__": "up", "job": "pay"}, NOW, 1.0)]


def test_many_samples_become_frames_that_a_step_takes_quickly() -> None:
    body = prompb.body(*(prompb.series({"__name__": "m", "n": f"{k:05}"}, (1.0, MS)) for k in range(4_500)))

    decoded = remote_write.decode(body, {}, NOW, LIMITS)

    assert [len(frame.series) // 4 for frame in decoded.frames] == [2_000, 2_000, 500]
    assert [labels["n"] for labels, _, _ in taken(decoded)] == [f"{k:05}" for k in range(4_500)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(prompb.series({"job": "pay"}, (1.0, MS)), "label name", id="no metric name"),
        pytest.param(prompb.series({"__name__": "up", "": "x"}, (1.0, MS)), "label name", id="no label name"),
        pytest.param(prompb.series({"job": "x", "__name__": "up"}, (1.0, MS)), "label order", id="unsorted"),
        pytest.param(prompb.series({"__name__": "x" * 5_000}, (1.0, MS)), "label too long", id="huge label"),
        pytest.param(
            prompb.series({"__name__": "up"} | {f"l{k:03}": "x" for k in range(128)}, (1.0, MS)),
            "too many labels", id="129 labels",
        ),
        pytest.param(
            prompb.series({"__name__": "up"} | {f"l{k:03}": "x" * 4_000 for k in range(9)}, (1.0, MS)),
            "labels too long", id="nine labels of 4 kB",
        ),
        pytest.param(prompb.series({"__name__": "up"}, (1.0, MS + 601_000)), "time", id="in the future"),
    ],
)  # fmt: skip
def test_a_bad_series_is_named_and_the_good_one_beside_it_is_taken(bad: object, reason: str) -> None:
    body = prompb.body(bad, prompb.series({"__name__": "good"}, (1.0, MS)))

    decoded = remote_write.decode(body, {}, NOW, LIMITS)

    assert taken(decoded) == [({"__name__": "good"}, NOW, 1.0)]
    assert dict(decoded.rejects.count) == {reason: 1}


def test_a_label_that_is_no_text_is_refused() -> None:
    raw = prompb.request(prompb.series({"__name__": "up", "job": "pay"}, (1.0, MS))).SerializeToString()

    assert dict(read(raw.replace(b"pay", b"p\xffy")).rejects.count) == {"label text": 1}


PLAIN = prompb.body(prompb.series({"__name__": "up"}, (1.0, MS)))


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(PLAIN[:-3], {}, 400, id="truncated snappy"),
        pytest.param(b"\xff\xff\xff\xff\x0f" + PLAIN, {}, 413, id="snappy that says it holds 4 GiB"),
        pytest.param(snappy(b"\0" * 40_000_000), {}, 413, id="decompression bomb"),
        pytest.param(snappy(b"\x0a\x05ab"), {}, 400, id="truncated protobuf"),
        pytest.param(snappy(b"hello, world"), {}, 400, id="no protobuf"),
        pytest.param(PLAIN, {"content-encoding": "gzip"}, 415, id="gzip"),
        pytest.param(PLAIN, {"content-type": "application/json"}, 415, id="JSON"),
        pytest.param(PLAIN, {"content-type": V2}, 415, id="2.0"),
    ],
)  # fmt: skip
def test_what_is_no_write_request_is_refused(body: bytes, headers: dict[str, str], status: int) -> None:
    with pytest.raises(Refused) as no:
        remote_write.decode(body, headers, NOW, LIMITS)

    assert no.value.status == status


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "application/x-protobuf", "content-encoding": "snappy"},
        {"content-type": "application/x-protobuf;proto=prometheus.WriteRequest"},
    ],
)
def test_the_headers_of_1_0_and_none_at_all_are_fine(headers: dict[str, str]) -> None:
    assert len(taken(remote_write.decode(PLAIN, headers, NOW, LIMITS))) == 1


def test_an_empty_request_is_fine() -> None:
    assert remote_write.decode(snappy(b""), {}, NOW, LIMITS).frames == ()


@settings(max_examples=times(300), deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_refusal(raw: bytes) -> None:
    assert {status_of(raw), status_of(snappy(raw))} <= {200, 400, 413}


def status_of(body: bytes) -> int:
    try:
        remote_write.decode(body, {}, NOW, LIMITS)
    except Refused as no:
        return no.status
    return 200


def request_with_a_group() -> bytes:
    """Return a request whose series holds an unknown field of a kind that only proto2 had."""
    series: bytes = prompb.series({"__name__": "m"}, (1.0, 2)).SerializeToString()
    series += b"\x33\x08\x01\x3b\x3c\x34"
    return b"\x0a" + bytes([len(series)]) + series


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A message that Prometheus could have sent, with a few bytes changed, cut out or put in."""
    names = st.sampled_from(["", "a", "env", "job"])
    sample = st.tuples(st.sampled_from([0.0, 1.0, math.nan]), st.sampled_from([0, 1, MS, -1, 2**62]))
    made = draw(
        st.lists(st.tuples(st.dictionaries(names, st.text(max_size=3)), st.lists(sample, max_size=2)))
    )
    raw = bytearray(
        prompb.request(
            *(prompb.series({"__name__": "m"} | dict(sorted(d.items())), *s) for d, s in made)
        ).SerializeToString()
    )
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(raw)


@settings(max_examples=times(500), deadline=None)
@given(damaged())
@example(request_with_a_group())
def test_it_reads_what_the_reference_reads(raw: bytes) -> None:
    reference = prompb.MESSAGES["WriteRequest"]()
    try:
        reference.ParseFromString(raw)
    except DecodeError:
        reference = None  # the door may be more lenient about text, and must not raise
    for _ in range(2):
        try:
            decoded = read(raw)
        except Refused:
            assert reference is None
            continue
        if reference is None or decoded.rejects:
            continue
        expected = [
            ({p.name: p.value for p in s.labels if p.value}, sample.timestamp / 1000, sample.value)
            for s in reference.timeseries
            for sample in s.samples
        ]
        assert repr(taken(decoded)) == repr(expected)
