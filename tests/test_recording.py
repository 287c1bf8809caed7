"""A recording's files become frames in time order, without look-ahead, and bad records never stop it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.frame import MAX_ROWS, batch
from pipeline.ingest.recording import Recording
from pipeline.series import Series, fingerprint, unpack
from tests.recordings import START, bad_deploy, write_lines, write_metrics

CSV = "t,service,entity,metric,value\n"


def times(recording: Recording) -> list[tuple[float, float]]:
    """Return (at, time) of every record."""
    found = []
    for frame in recording.frames():
        found += [(frame.at, t) for t in np.frombuffer(frame.time, "<f8").tolist()]
        found += [(frame.at, e.time) for e in frame.events]
    return found


def test_no_record_is_handed_out_before_it_happened_nor_a_tick_late(tmp_path: Path) -> None:
    found = times(Recording(bad_deploy(tmp_path, hours=2)))

    assert len(found) > 1000
    assert all(0 <= at - t < 5 for at, t in found)


def test_time_passes_in_ticks_of_five_seconds_while_nothing_happens(tmp_path: Path) -> None:
    write_lines(tmp_path / "changes.jsonl", [change(START, "a"), change(START + 20, "b")])

    at = [f.at for f in Recording(tmp_path).frames()]

    assert at == [START, START + 5, START + 10, START + 15, START + 20]


def test_a_gap_of_days_is_stepped_through_for_an_hour_and_then_skipped(tmp_path: Path) -> None:
    write_lines(tmp_path / "changes.jsonl", [change(START, "a"), change(START + 5 * 86400, "b")])

    at = [f.at for f in Recording(tmp_path).frames()]

    assert len(at) == 722
    assert at[-2:] == [START + 3600, START + 5 * 86400]


def test_samples_of_one_time_are_split_into_frames_of_bounded_size(tmp_path: Path) -> None:
    rows = [(START, "s", f"pod-{k}", "m", float(k)) for k in range(2 * MAX_ROWS + 1)]
    write_metrics(tmp_path / "metrics.parquet", rows)
    series = Series()

    found = [batch(f, series) for f in Recording(tmp_path).frames()]

    assert [len(b.series) for b in found] == [MAX_ROWS, MAX_ROWS, 1]
    assert np.concatenate([b.value for b in found]).tolist() == [r[4] for r in rows]
    assert series.labels[7] == {"__name__": "m", "service": "s", "entity": "pod-7"}


def test_csv_and_parquet_of_the_same_samples_give_the_same_frames(tmp_path: Path) -> None:
    rows = [(START + 60.0 * k, f"s{k % 3}", "", "m", k / 4) for k in range(50)]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    write_metrics(tmp_path / "a" / "metrics.parquet", rows)
    lines = "".join(f"{t},{s},{e},{m},{v}\n" for t, s, e, m, v in rows)
    (tmp_path / "b" / "metrics.csv").write_text(CSV + lines)

    first, second = (list(Recording(tmp_path / name).frames()) for name in ("a", "b"))

    assert first == second


def test_samples_out_of_order_within_a_minute_are_put_in_order(tmp_path: Path) -> None:
    at = [START + s for s in (50.0, 10.0, 30.0, 100.0, 70.0)]
    (tmp_path / "metrics.csv").write_text(CSV + "".join(f"{t},s,,m,1\n" for t in at))
    recording = Recording(tmp_path)

    assert [t for _, t in times(recording)] == sorted(at)
    assert recording.bad == {}


def test_what_is_more_than_a_minute_out_of_order_is_counted_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.ingest._columns.CHUNK", 1)
    after = [0.0, 200.0, 400.0, 10.0, 420.0]
    (tmp_path / "metrics.csv").write_text(CSV + "".join(f"{START + s},s,,m,1\n" for s in after))
    lines = [json.dumps(change(START + s, str(s))) for s in after]
    (tmp_path / "changes.jsonl").write_text("\n".join(lines))
    recording = Recording(tmp_path)

    found = times(recording)

    assert sorted(t - START for _, t in found) == [0, 0, 200, 200, 400, 400, 420, 420]
    assert recording.bad == {
        "metrics.csv: out of order by more than a minute": 1,
        "changes.jsonl: out of order by more than a minute": 1,
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("soon,s,,m,1", "t or value is not a number", id="a time in words"),
        pytest.param(f"{START},s,,m,much", "t or value is not a number", id="a value in words"),
        pytest.param(f"{START * 1000},s,,m,1", "t is not in epoch seconds", id="milliseconds"),
        pytest.param("nan,s,,m,1", "t is not in epoch seconds", id="no time"),
        pytest.param(f"{START},s,,m,inf", "value is infinite", id="an infinite value"),
        pytest.param(f"{START},s,,,1", "no metric name", id="no metric"),
        pytest.param(f"{START},s", "t or value is not a number", id="a line cut short"),
    ],
)
def test_a_bad_sample_is_counted_under_its_reason_and_the_rest_goes_on(
    tmp_path: Path, line: str, reason: str
) -> None:
    (tmp_path / "metrics.csv").write_text(f"{CSV}{line}\n{START + 9},s,,m,2\n")
    recording = Recording(tmp_path)

    found = times(recording)

    assert found == [(START + 10, START + 9)]
    assert recording.bad == {f"metrics.csv: {reason}": 1}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("{", "not JSON", id="half an object"),
        pytest.param('{"id": "x", "text": "y"}', "Object missing required field `t`", id="no time"),
        pytest.param('{"t": 1e300, "id": "x", "text": "y"}', "t is not in epoch seconds", id="far future"),
        pytest.param(
            '{"t": 1, "id": 2, "text": "y"}', "Expected `str`, got `int` - at `$.id`", id="wrong type"
        ),
    ],
)
def test_a_bad_record_is_counted_under_its_reason_and_the_rest_goes_on(
    tmp_path: Path, line: str, reason: str
) -> None:
    good = json.dumps({"t": START, "id": "good", "text": "hello"})
    (tmp_path / "complaints.jsonl").write_text(f"{line}\n\n{good}\n")
    recording = Recording(tmp_path)

    ids = [e.id for f in recording.frames() for e in f.events]

    assert ids == ["good"]
    assert recording.bad == {f"complaints.jsonl: {reason}": 1}


def test_a_gzip_cut_short_gives_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "changes.jsonl.gz"
    write_lines(path, [change(START + k, f"{k}-{hash((k, 1)) % 997}") for k in range(3000)])
    path.write_bytes(path.read_bytes()[:-2000])
    recording = Recording(tmp_path)

    n = sum(len(f.events) for f in recording.frames())

    assert 0 < n < 3000
    assert recording.bad == {"changes.jsonl.gz: cut short or damaged: the rest cannot be read": 1}


def test_an_alert_has_its_fingerprint_its_start_and_its_end(tmp_path: Path) -> None:
    alert = {
        "t": START,
        "labels": {"alertname": "alert1", "severity": "critical", "empty": ""},
        "annotations": {"summary": "s"},
        "startsAt": "2023-11-14T22:13:20.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
    }
    write_lines(tmp_path / "alerts.jsonl", [alert])

    [found] = [batch(f, Series()).alerts for f in Recording(tmp_path).frames() if f.notes]

    assert [fingerprint(raw) for raw in found.labels] == ["0223b772b51c29e1"]
    assert found.time.round(3).tolist() == [1_700_000_000.123]
    assert np.isnan(found.until).tolist() == [True]
    assert unpack(found.labels[0]) == {"alertname": "alert1", "severity": "critical"}


def test_what_customers_write_is_redacted_on_the_way_in(tmp_path: Path) -> None:
    said = {"t": START, "id": "c", "text": "<p>mail me at</p><p>jane@example.com</p>"}
    where = {"channel": "sms 13812345678", "region": "jane@example.com"}
    write_lines(tmp_path / "complaints.jsonl", [said | where])

    [event] = [e for f in Recording(tmp_path).frames() for e in f.events]

    assert event.text == "mail me at\n<email>"
    assert event.labels == {"customer": "", "channel": "sms <phone>", "lang": "", "region": "<email>"}


def test_labels_and_evidence_are_never_opened(tmp_path: Path) -> None:
    write_lines(tmp_path / "changes.jsonl", [change(START, "a")])
    (tmp_path / "labels.json").mkdir()
    (tmp_path / "evidence").write_text("not a folder")

    assert len(list(Recording(tmp_path).frames())) == 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        pytest.param("notes.txt", "", "not a recording", id="nothing to read"),
        pytest.param("metrics.csv", "time,value\n1,2\n", "no column t, service, metric", id="other columns"),
    ],
)
def test_a_folder_that_is_no_recording_says_what_is_missing(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)

    with pytest.raises(ValueError, match=said):
        list(Recording(tmp_path).frames())


def change(t: float, id: str) -> dict[str, object]:
    return {"t": t, "id": id, "service": "pay", "kind": "deploy", "summary": "v2"}
