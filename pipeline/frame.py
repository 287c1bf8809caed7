"""A frame: one kind of input as it is journaled, sent over Kafka and stepped, bytes in both directions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from pipeline.series import Series
from pipeline.types import NO_FLOATS, NO_ROWS, Alerts, Batch, Event, Floats, Lines, Rows, Seconds, Traced

# Steps stay short and Kafka's default of 1 MiB a message holds them: doors split what is larger.
MAX_ROWS = 2_000


class Frame(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Columns of one kind: samples, lines, alerts, events or spans; the others are empty. A tick has none."""

    at: Seconds  # when it was taken in; what `now` is while it is stepped
    source: str = ""  # the door it came through
    labels: tuple[bytes, ...] = ()  # canonical bytes; `series` points into them, an alert has its own
    series: bytes = b""  # int32 little-endian, (n,) index into `labels`
    time: bytes = b""  # f64 little-endian, (n,) s
    value: bytes = b""  # f64 little-endian, (n,) samples; alerts: their ends, NaN = not said
    text: tuple[str, ...] = ()  # (n,) lines only
    severity: tuple[str, ...] = ()  # (n,) lines only
    events: tuple[Event, ...] = ()
    notes: tuple[bytes, ...] = ()  # (n,) alerts only
    spans: bytes = b""  # keys and parents, u64 little-endian, then whether failed, u8, (n,) each; spans only


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Frame)


def encode(frame: Frame) -> bytes:
    return _encoder.encode(frame)


def decode(raw: bytes) -> Frame:
    """Return the frame; raises msgspec.DecodeError where the bytes are not one."""
    return _decoder.decode(raw)


def samples(
    at: Seconds, source: str, labels: Sequence[bytes], series: Rows, time: Floats, value: Floats
) -> Frame:
    """Return a frame of n samples; `series` (n,) points into `labels`."""
    return Frame(at, source, tuple(labels), _bytes(series, "<i4"), _bytes(time, "<f8"), _bytes(value, "<f8"))


def lines(
    at: Seconds,
    source: str,
    labels: Sequence[bytes],
    series: Rows,
    time: Floats,
    text: Sequence[str],
    severity: Sequence[str],
) -> Frame:
    """Return a frame of n log lines; `series` (n,) points into `labels`, one label set a stream."""
    return Frame(
        at, source, tuple(labels), _bytes(series, "<i4"), _bytes(time, "<f8"),
        text=tuple(text), severity=tuple(severity),
    )  # fmt: skip


def alerts(at: Seconds, source: str, said: Alerts) -> Frame:
    return Frame(
        at, source, said.labels,
        time=_bytes(said.time, "<f8"), value=_bytes(said.until, "<f8"), notes=said.notes,
    )  # fmt: skip


def joined(at: Seconds, parts: Sequence[Frame]) -> Frame:
    """Return frames of alerts, all through one door, as one."""
    return Frame(
        at, parts[0].source, tuple(chain.from_iterable(part.labels for part in parts)),
        time=b"".join([part.time for part in parts]), value=b"".join([part.value for part in parts]),
        notes=tuple(chain.from_iterable(part.notes for part in parts)),
    )  # fmt: skip


def spans(at: Seconds, source: str, told: Traced) -> Frame:
    """Return a frame of n spans: their ends are its times, their durations its values."""
    return Frame(
        at, source, told.labels,
        _bytes(told.kind, "<i4"), _bytes(told.end, "<f8"), _bytes(told.duration, "<f8"),
        spans=_bytes(told.key, "<u8") + _bytes(told.parent, "<u8") + _bytes(told.failed, "u1"),
    )  # fmt: skip


def events(at: Seconds, source: str, happened: Iterable[Event]) -> Frame:
    return Frame(at, source, events=tuple(happened))


def tick(at: Seconds) -> Frame:
    """Return a frame that only lets time pass."""
    return Frame(at, "tick")


def batch(frame: Frame, series: Series) -> Batch:
    """Return what the frame brings in, label sets interned; samples past the series limit are left out."""
    series.reborn.clear()
    if not frame.labels:
        return Batch(events=frame.events)
    if frame.notes:
        times = np.frombuffer(frame.time, "<f8"), np.frombuffer(frame.value, "<f8")
        return Batch(alerts=Alerts(frame.labels, frame.notes, *times))
    if frame.spans:
        return Batch(spans=_traced(frame))
    rows = series.intern(frame.labels)[np.frombuffer(frame.series, "<i4")]
    time = np.frombuffer(frame.time, "<f8")
    kept = rows >= 0
    if frame.text:
        keep = np.flatnonzero(kept).tolist()
        found = Lines(
            rows[kept], time[kept],
            tuple(frame.text[k] for k in keep), tuple(frame.severity[k] for k in keep),
        )  # fmt: skip
        return Batch(NO_ROWS, NO_FLOATS, NO_FLOATS, found, frame.events)
    value = np.frombuffer(frame.value, "<f8")
    return Batch(rows[kept], time[kept], value[kept], events=frame.events)


def _traced(frame: Frame) -> Traced:
    n = len(frame.time) // 8
    key, parent = np.frombuffer(frame.spans, "<u8", 2 * n).reshape(2, n)
    return Traced(
        frame.labels, np.frombuffer(frame.series, "<i4"), key, parent,
        np.frombuffer(frame.time, "<f8"), np.frombuffer(frame.value, "<f8"),
        np.frombuffer(frame.spans, "u1", offset=16 * n).astype(np.bool_),
    )  # fmt: skip


def _bytes(column: Any, kind: str) -> bytes:
    return np.ascontiguousarray(column, kind).tobytes()
