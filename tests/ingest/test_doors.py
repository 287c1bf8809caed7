"""What the JSON doors make of a good request, and that no request breaks them."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import Limits
from pipeline.frame import batch
from pipeline.ingest import alerts, changes, complaints, door, loki
from pipeline.ingest.door import Decoded, Refused
from pipeline.pseudonym import pseudonym
from pipeline.run.web import doors
from pipeline.series import Series, fingerprint, unpack
from pipeline.types import Event
from pipeline.untold import SOURCE
from tests.soak import times

NOW = 1_790_000_000.0
ISO = "2026-09-21T14:13:20Z"  # the same moment
LIMITS = Limits()


def read(by: ModuleType, body: Any, headers: Mapping[str, str] | None = None) -> Decoded:
    decoded: Decoded = by.decode(json.dumps(body).encode(), headers or {}, NOW, LIMITS)
    return decoded


def events(by: ModuleType, body: Any) -> list[Event]:
    return [event for frame in read(by, body).frames for event in frame.events]


def test_every_door_is_found_by_its_file() -> None:
    found = {path: name for path, (name, _) in doors().items()}

    assert found == {
        "/api/v1/write": "remote_write",
        "/api/v1/push": "remote_write",
        "/api/v2/alerts": "alerts",
        "/loki/api/v1/push": "loki",
        "/v1/traces": "otlp_traces",
        "/api/v1/complaints": "complaints",
        "/api/v1/changes": "changes",
    }


@pytest.mark.parametrize(
    ("given", "starts", "ends"),
    [
        pytest.param({}, NOW, None, id="neither: it starts now, and its end is not said"),
        pytest.param({"startsAt": ISO}, NOW, None, id="a start"),
        pytest.param({"startsAt": ISO, "endsAt": "0001-01-01T00:00:00Z"}, NOW, None, id="Go's zero is none"),
        pytest.param(
            {"endsAt": "2026-09-21T14:13:10Z"}, NOW - 10, NOW - 10, id="only an end: it starts there"
        ),
        pytest.param(
            {"startsAt": ISO, "endsAt": "2026-09-21T16:14:20+02:00"}, NOW, NOW + 60, id="both, a zone"
        ),
    ],
)
def test_an_alert_has_the_times_that_alertmanager_gives_it(
    given: dict[str, str], starts: float, ends: float | None
) -> None:
    alert = batch(read(alerts, [{"labels": {"alertname": "Down"}, **given}]).frames[0], Series()).alerts

    assert alert.time.tolist() == [starts]
    assert [None if np.isnan(end) else end for end in alert.until] == [ends]


def test_an_alert_is_known_by_alertmanagers_fingerprint() -> None:
    labels = {"severity": "critical", "alertname": "alert1", "empty": ""}

    (alert,) = read(
        alerts, [{"labels": labels, "annotations": {"summary": "x"}, "generatorURL": "http://p"}]
    ).frames

    assert fingerprint(alert.labels[0]) == "0223b772b51c29e1"
    assert unpack(alert.labels[0]) == {"severity": "critical", "alertname": "alert1"}
    assert msgspec.json.decode(alert.notes[0]) == {"summary": "x", SOURCE: "http://p"}


def test_an_alert_sent_again_with_other_annotations_brings_them() -> None:
    def sent(text: str) -> bytes:
        return (
            read(alerts, [{"labels": {"alertname": "Again"}, "annotations": {"a": text}}]).frames[0].notes[0]
        )

    assert [msgspec.json.decode(sent(text)) for text in ("x", "y", "y", "x")] == [
        {"a": text} for text in ("x", "y", "y", "x")
    ]


def test_a_bad_alert_stays_bad_however_often_it_comes() -> None:
    for _ in range(2):
        told = read(alerts, [{"labels": {"a": "b"}, "annotations": {"": "x"}}, {"labels": {"": "x"}}])

        assert told.rejects.count["label name"] == 2
        assert told.frames == ()


def test_log_lines_are_in_time_order_with_the_severity_their_labels_tell() -> None:
    push = {
        "streams": [
            {
                "stream": {"app": "pay", "level": "WARN"},
                "values": [["3000000000", "late"], ["1000000000", "early"]],
            },
            {"stream": {"app": "cart"}, "values": [["2000000000", "between", {"detected_level": "fatal"}]]},
        ]
    }

    (frame,) = read(loki, push).frames

    rows = np.frombuffer(frame.series, "<i4")
    assert frame.text == ("early", "between", "late")
    assert frame.severity == ("warning", "critical", "warning")
    assert np.frombuffer(frame.time).tolist() == [1.0, 2.0, 3.0]
    assert [unpack(frame.labels[r])["app"] for r in rows] == ["pay", "cart", "pay"]


def test_a_push_may_be_gzipped() -> None:
    push = {"streams": [{"stream": {"app": "pay"}, "values": [["1000000000", "x"]]}]}
    body = gzip.compress(json.dumps(push).encode())

    (frame,) = loki.decode(body, {"content-encoding": "gzip"}, NOW, LIMITS).frames

    assert frame.text == ("x",)


def test_a_long_line_is_turned_away_and_the_other_taken() -> None:
    values = [["1000000000", "x" * 300_000], ["1000000000", "short"]]

    decoded = read(loki, {"streams": [{"stream": {"app": "pay"}, "values": values}]})

    assert [frame.text for frame in decoded.frames] == [("short",)]
    assert dict(decoded.rejects.count) == {"line too long": 1}


def test_a_label_set_is_bounded_as_a_whole() -> None:
    huge = {f"l{k:03}": "x" * 4_000 for k in range(100)}

    told = [
        read(alerts, [{"labels": huge}]),
        read(loki, {"streams": [{"stream": huge, "values": [["1790000000000000000", "a line"]]}]}),
    ]

    assert [one.frames for one in told] == [(), ()]
    assert ["at most 8192" in str(one.rejects) for one in told] == [True, True]


def test_a_wordy_alert_is_taken_with_its_first_words() -> None:
    wordy = {"summary": "it burns", **{f"n{k:04}": "y" * 4_000 for k in range(5_000)}}

    [alert] = read(alerts, [{"labels": {"alertname": "Fire"}, "annotations": wordy}]).frames

    notes = msgspec.json.decode(alert.notes[0])
    assert notes["summary"] == "it burns"
    assert sum(map(len, notes.values())) < alerts.MAX_NOTES


def test_frames_of_long_lines_fit_a_kafka_message() -> None:
    values = [["1000000000", "x" * 200_000]] * 10

    decoded = read(loki, {"streams": [{"stream": {"app": "pay"}, "values": values}]})

    assert [len(frame.text) for frame in decoded.frames] == [3, 3, 3, 1]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        pytest.param("I cannot pay", "[1]: Expected `object | array`, got `str`", id="a bare text"),
        pytest.param(5, "[1]: Expected `object | array`, got `int`", id="a number"),
        pytest.param(None, "[1]: Expected `object | array`, got `null`", id="nothing"),
        pytest.param([{"text": "x"}], "[1]: Expected `object`, got `array`", id="an array in the array"),
        pytest.param({"text": 5}, "[1]: Expected `str | null`, got `int` - at `$.text`", id="a text of 5"),
        pytest.param({"text": " "}, "[1]: text: expected what the customer said, got nothing", id="blank"),
    ],
)
def test_one_complaint_that_is_none_leaves_the_others_be_and_is_told_by_its_place(bad: Any, why: str) -> None:
    decoded = read(complaints, [{"id": "a", "text": "it fails"}, bad, {"id": "b", "text": "it hangs"}])

    assert [e.id for frame in decoded.frames for e in frame.events] == ["a", "b"]
    assert decoded.rejects.said == [why]
    assert decoded.rejects.count.total() == 1


def test_of_many_that_are_none_the_first_are_told_and_all_are_counted() -> None:
    decoded = read(changes, [*range(40), {"service": "pay"}, {"summary": "no service"}])

    assert len(decoded.frames) == 1
    assert str(decoded.rejects).splitlines()[0] == "[0]: Expected `object | array`, got `int`"
    assert str(decoded.rejects).splitlines()[10:] == ["and 31 more"]


@pytest.mark.parametrize(
    "body", [b'"I cannot pay"', b"5", b'{"text": 5}', b"[{]", b'[{"text": 5}, {"text": "x}]']
)
def test_one_alone_that_is_none_and_what_is_no_json_are_refused(body: bytes) -> None:
    with pytest.raises(Refused, match=r"^body: ") as refused:
        complaints.decode(body, {}, NOW, LIMITS)

    assert refused.value.status == 400


def test_a_complaint_is_redacted_before_anything_keeps_it() -> None:
    (said,) = events(complaints, {"customer": "acme", "lang": "en", "text": "write to ann@example.org"})

    assert said.text == "write to <email>"
    assert said.labels == {"customer": "acme", "lang": "en"}
    assert said.time == NOW


def test_whatever_a_complaint_says_beside_its_text_is_redacted_and_who_sent_it_a_stand_in() -> None:
    (said,) = events(
        complaints,
        {"customer": "ann@example.org", "text": "x", "channel": "sms 13812345678", "region": "+49 30 901820"},
    )

    assert said.labels == {
        "customer": "customer-718c82aa419f9652",
        "channel": "sms <phone>",
        "region": "<phone>",
    }


@pytest.mark.parametrize("customer", ["acme", "4711", "cus_8fKx2", "10-2024-0007", "u1001", "王小明", ""])
def test_a_customer_whose_id_tells_nothing_keeps_it(customer: str) -> None:
    assert pseudonym(customer) == customer


@pytest.mark.parametrize("customer", ["ann@example.org", "+49 30 901820", "4111 1111 1111 1111"])
def test_a_customer_whose_id_is_personal_is_one_customer_still(customer: str) -> None:
    assert pseudonym(customer).startswith("customer-")
    assert pseudonym(customer) == pseudonym(f" {customer.upper()}") == pseudonym(pseudonym(customer))
    assert pseudonym(customer) != pseudonym(f"1{customer}")


def test_what_nobody_sees_is_taken_out_of_all_of_a_complaint_before_it_is_redacted() -> None:
    decoded = read(
        complaints,
        {
            "id": "\u202em1",
            "customer": "ac\u200bme",
            "channel": "\u2066app",
            "text": "call +44 20\u202e 7946 0958",
        },
    )

    (said,) = [event for frame in decoded.frames for event in frame.events]
    assert (said.id, said.text) == ("m1", "call <phone>")
    assert said.labels == {"customer": "acme", "channel": "app"}
    assert json.loads(decoded.answer) == {"ids": ["m1"]}


def test_a_complaint_of_what_nobody_sees_says_nothing() -> None:
    assert read(complaints, {"text": "\u202e\u200b"}).rejects.count == {"no text": 1}


def test_of_a_complaint_in_html_what_is_read_is_kept() -> None:
    (said,) = events(
        complaints, {"text": "<p>card <b>4111</b>&nbsp;1111&nbsp;1111&nbsp;1111</p><p>fails</p>"}
    )

    assert said.text == "card <card>\nfails"


def test_a_complaint_may_have_fields_of_null_and_numbers_for_names() -> None:
    (said,) = events(
        complaints, {"customer": 4711, "id": 7, "text": "x", "lang": None, "version": None, "t": None}
    )

    assert (said.id, said.labels, said.time) == ("7", {"customer": "4711"}, NOW)


def test_the_same_words_of_a_customer_are_another_complaint_an_hour_later() -> None:
    body = json.dumps({"customer": "acme", "text": "it is down"}).encode()

    ids = [complaints.decode(body, {}, NOW + late, LIMITS).answer for late in (0, 30, 3600)]

    assert ids[0] == ids[1] != ids[2]


def test_a_change_says_what_and_where() -> None:
    (change,) = events(
        changes, [{"id": "d-7", "t": ISO, "service": "pay", "kind": "deploy", "summary": "1.4.2"}]
    )

    assert change == Event("change", "d-7", NOW, {"service": "pay", "kind": "deploy"}, "1.4.2")


@pytest.mark.parametrize(
    ("by", "body"),
    [
        pytest.param(changes, {"service": "pay", "kind": "deploy", "summary": "x"}, id="change"),
        pytest.param(complaints, {"customer": "acme", "text": "it is slow"}, id="complaint"),
    ],
)
def test_the_same_request_again_has_the_same_id_and_another_has_not(
    by: ModuleType, body: dict[str, str]
) -> None:
    first, again = read(by, body), read(by, body)
    (other,) = events(by, body | {"t": NOW - 60})

    assert first.answer == again.answer
    assert json.loads(first.answer)["ids"] != [other.id]


def test_an_answer_tells_the_first_few_wrongs_and_how_many_more() -> None:
    decoded = read(changes, [{"kind": "deploy"}] * 25)

    assert str(decoded.rejects).splitlines()[-1] == "and 15 more"
    assert len(str(decoded.rejects).splitlines()) == door.MAX_SAID + 1


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(ISO),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "labels",
                    "annotations",
                    "startsAt",
                    "endsAt",
                    "streams",
                    "stream",
                    "values",
                    "text",
                    "t",
                    "service",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("by", [alerts, changes, complaints, loki], ids=lambda by: by.__name__.split(".")[-1])
@settings(max_examples=times(200), deadline=None)
@given(body=JSON_VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=100))
def test_no_body_raises_anything_but_a_refusal(by: ModuleType, body: bytes) -> None:
    for headers in ({}, {"content-encoding": "gzip"}):
        with contextlib.suppress(Refused):
            by.decode(body, headers, NOW, LIMITS)


@settings(max_examples=times(200), deadline=None)
@given(
    st.dictionaries(st.sampled_from(["labels", "startsAt", "endsAt"]), st.text(max_size=8) | st.just(ISO))
    | st.fixed_dictionaries(
        {"labels": st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3)},
        optional={
            name: st.datetimes().map(lambda t: t.isoformat())
            | st.datetimes().map(lambda t: t.isoformat() + "+14:00")
            for name in ("startsAt", "endsAt")
        },
    )
)
def test_no_alert_raises_anything_but_a_refusal(alert: Any) -> None:
    with contextlib.suppress(Refused):
        read(alerts, [alert])


@pytest.mark.parametrize("by", [changes, complaints, loki], ids=lambda by: by.__name__.split(".")[-1])
def test_the_example_of_a_door_works(by: ModuleType) -> None:
    example = re.search(r"curl 127\.0\.0\.1:9093(\S+).*?-d '(.*?)'", by.__doc__ or "", re.DOTALL)

    assert example is not None
    assert example[1] in by.PATHS
    assert not read(by, json.loads(example[2])).rejects
