"""Prometheus remote-write 1.0 in, frames of samples out.

Speaks https://prometheus.io/docs/specs/prw/remote_write_spec/: a snappy block of protobuf; a 2.0 message is
answered 415, so the sender falls back to 1.0. Samples that are good are taken though others are not; then the
answer is 400 and the sender drops the rest. It keeps and sends again what is answered 429 or 5xx. Exemplars,
metadata and native histograms are left out.

    remote_write:
      - url: http://127.0.0.1:9093/api/v1/write
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import cramjam
import numpy as np
from numpy.typing import NDArray

from pipeline.ingest.door import AHEAD, MAX_SET, Decoded, Limits, Refused, Rejects, sample_frames
from pipeline.series import SEP
from pipeline.types import Floats, Seconds

PATHS = ("/api/v1/write", "/api/v1/push")
STATUS = 204

MAX_LABELS = 128
MAX_DEEP = 50  # groups within groups of unknown fields
MAX_KNOWN = 200_000  # label sets whose bytes are known; past it all are dropped and learned anew
MAX_KNOWN_BYTES = 1_024  # of each; a longer one is parsed every time

# How Prometheus writes a sample: a message of 16 bytes, its value as f64, its time as a varint of 6 bytes (so
# from 1971 to 2109). The value 0 is left out.
_SAMPLE = b"\x12\x10\x09"
_ZERO = b"\x12\x07\x10"
_VARINT = np.array([1 << (7 * k) for k in range(6)], np.int64)

# Label bytes as they came to canonical bytes. Only whole label sequences that were parsed and found good are
# in it, and protobuf reads from left to right: a hit on the bytes before a sample is as sure as parsing them.
_known: dict[bytes, bytes] = {}

_DOUBLE = struct.Struct("<d")

Columns: TypeAlias = tuple[list[bytes], Floats, Floats]


class _Malformed(ValueError):
    """The bytes are not a protobuf message."""


class _Unusual(Exception):
    """A sample is not written as Prometheus does: all must be parsed one by one."""


def decode(body: bytes, headers: Mapping[str, str], now: Seconds, limits: Limits) -> Decoded:
    _agree(headers)
    raw = _unsnap(body, limits)
    rejects = Rejects()
    try:
        try:
            labels, time, value = _read(raw, limits, rejects, _known)
        except _Unusual:
            rejects = Rejects()
            labels, time, value = _read(raw, limits, rejects, {})
    except _Malformed as error:
        raise Refused(400, "protobuf", f"body is not a WriteRequest: {error}") from error
    early = time <= now + AHEAD
    for k in np.flatnonzero(~early).tolist():
        rejects.add("time", f"sample: time {time[k]:.3f} is more than {AHEAD:g} s ahead of {now:.3f}")
    if not early.all():
        labels = [labels[k] for k in np.flatnonzero(early).tolist()]
    return Decoded(sample_frames(now, "remote_write", labels, time[early], value[early]), rejects)


def _agree(headers: Mapping[str, str]) -> None:
    """Refuse what is not 1.0; like Prometheus, take a missing header for the usual one."""
    kind, _, more = headers.get("content-type", "application/x-protobuf").partition(";")
    if kind.strip().lower() != "application/x-protobuf":
        raise Refused(415, "content type", f'Content-Type: expected application/x-protobuf, got "{kind}"')
    message = more.partition("proto=")[2].partition(";")[0].strip() or "prometheus.WriteRequest"
    if message != "prometheus.WriteRequest":
        raise Refused(
            415, "message", f"this is remote-write 1.0: expected prometheus.WriteRequest, got {message}"
        )
    encoding = headers.get("content-encoding", "snappy").strip().lower()
    if encoding != "snappy":
        raise Refused(415, "encoding", f'Content-Encoding: expected snappy, got "{encoding}"')


def _unsnap(body: bytes, limits: Limits) -> bytes:
    try:
        size = cramjam.snappy.decompress_raw_len(body) if body else 0
        if size > limits.body:
            raise Refused(413, "too large", f"body is {size} bytes when decompressed, at most {limits.body}")
        return bytes(cramjam.snappy.decompress_raw(body)) if body else b""
    except cramjam.DecompressionError as error:
        raise Refused(400, "snappy", f"body is not a snappy block: {error}") from error


def _read(raw: bytes, limits: Limits, rejects: Rejects, labels_of: Mapping[bytes, bytes]) -> Columns:
    """Return label bytes, time and value of every sample, in order; series known by their bytes in numpy."""
    labels: list[bytes] = []
    tails: list[int] = []  # end of a usual sample, minus the end of a usual zero, 0 = in `parsed`
    parsed: list[tuple[Seconds, float]] = []
    known = labels_of.get
    for start, end in _series(raw):
        if raw[end - 18 : end - 15] == _SAMPLE and (packed := known(raw[start : end - 18])):
            labels.append(packed)
            tails.append(end)
        elif raw[end - 9 : end - 6] == _ZERO and (packed := known(raw[start : end - 9])):
            labels.append(packed)
            tails.append(-end)
        else:
            packed, samples = _parse(raw, start, end, limits, rejects)
            labels += [packed] * len(samples)
            tails += [0] * len(samples)
            parsed += samples
    column = np.array(tails, np.int64)
    time, value = np.zeros(len(labels)), np.zeros(len(labels))
    if parsed:
        time[column == 0], value[column == 0] = np.array(parsed).T
    _fill(raw, column, time, value)
    return labels, time, value


def _fill(raw: bytes, tails: NDArray[np.int64], time: Floats, value: Floats) -> None:
    """Put in time and value of the usual samples, read in place."""
    usual = tails != 0
    ends = np.abs(tails[usual])
    if not len(ends):
        return
    signs = np.frombuffer(raw, np.uint8)
    stamp = signs[ends[:, None] + np.arange(-7, 0)]
    more = (stamp[:, 1:] & 0x80) != 0
    if (stamp[:, 0] != 0x10).any() or not more[:, :5].all() or more[:, 5].any():
        raise _Unusual
    time[usual] = ((stamp[:, 1:] & 0x7F) * _VARINT).sum(1) / 1000
    full = tails > 0
    value[full] = signs[tails[full][:, None] + np.arange(-15, -7)].copy().view("<f8")[:, 0]


def _series(raw: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of each timeseries message."""
    at, size = 0, len(raw)
    while at < size:
        if raw[at] != 0x0A:
            at = _skip(raw, at, size)
            continue
        length, at = _varint(raw, at + 1, size)
        if at + length > size:
            raise _Malformed(f"cut at byte {size}")
        yield at, at + length
        at += length


def _parse(
    raw: bytes, start: int, end: int, limits: Limits, rejects: Rejects
) -> tuple[bytes, list[tuple[Seconds, float]]]:
    """Return canonical labels and samples of one timeseries; no samples where its labels are not good."""
    pairs: list[tuple[bytes, bytes]] = []
    samples: list[tuple[Seconds, float]] = []
    at = head = start
    in_front = True
    while at < end:
        tag = raw[at]
        if tag not in (0x0A, 0x12):
            at = _skip(raw, at, end)
            continue
        length, body = _varint(raw, at + 1, end)
        if (after := body + length) > end:
            raise _Malformed(f"a field goes past the end of its message at byte {at}")
        if tag == 0x0A:
            pairs.append(_label(raw, body, after))
            in_front = in_front and head == at
            head = after
        else:
            samples.append(_sample(raw, body, after))
        at = after
    if wrong := _wrong(pairs, limits):
        rejects.add(*wrong)
        return b"", []
    packed = b"".join(part for name, text in pairs if text for part in (name, SEP, text, SEP))
    if len(_known) >= MAX_KNOWN:
        _known.clear()
    if (
        in_front and head - start <= MAX_KNOWN_BYTES
    ):  # labels after a sample, which no sender writes, are not all of raw[start:head]
        _known[raw[start:head]] = packed
    return packed, samples


def _wrong(pairs: list[tuple[bytes, bytes]], limits: Limits) -> tuple[str, str] | None:
    """Return reason and sentence where a label set is not one."""
    names = [name for name, _ in pairs]
    shown = b",".join(names[:5]).decode(errors="replace")[:80]
    if b"__name__" not in names or b"" in names:
        return "label name", f"series {{{shown}}}: expected __name__, and no empty label name"
    if any(b <= a for a, b in itertools.pairwise(names)):
        return "label order", f"series {{{shown}}}: labels must be sorted by name, each once"
    if len(pairs) > MAX_LABELS:
        return "too many labels", f"series {{{shown}}}: {len(pairs)} labels, at most {MAX_LABELS}"
    if max(len(part) for pair in pairs for part in pair) > limits.label:
        return "label too long", f"series {{{shown}}}: a label is over {limits.label} bytes"
    if (size := sum(len(part) for pair in pairs for part in pair)) > MAX_SET:
        return "labels too long", f"series {{{shown}}}: labels are {size} bytes, at most {MAX_SET}"
    try:
        b"".join(part for pair in pairs for part in pair).decode()
    except UnicodeDecodeError:
        return "label text", f"series {{{shown}}}: a label is not UTF-8"
    return None


def _label(raw: bytes, at: int, end: int) -> tuple[bytes, bytes]:
    name = text = b""
    while at < end:
        tag = raw[at]
        if tag not in (0x0A, 0x12):
            at = _skip(raw, at, end)
            continue
        length, body = _varint(raw, at + 1, end)
        if body + length > end:
            raise _Malformed(f"a label goes past its end at byte {at}")
        if tag == 0x0A:
            name = raw[body : body + length]
        else:
            text = raw[body : body + length]
        at = body + length
    return name, text


def _sample(raw: bytes, at: int, end: int) -> tuple[Seconds, float]:
    value, ms = 0.0, 0
    while at < end:
        tag = raw[at]
        if tag == 0x09 and at + 9 <= end:
            value = _DOUBLE.unpack_from(raw, at + 1)[0]
            at += 9
        elif tag == 0x10:
            ms, at = _varint(raw, at + 1, end)
        else:
            at = _skip(raw, at, end)
    return (ms - (1 << 64) if ms >> 63 else ms) / 1000, value


def _varint(raw: bytes, at: int, end: int) -> tuple[int, int]:
    """Return a varint and where it ends."""
    total = shift = 0
    while at < end and shift < 70:
        byte = raw[at]
        at += 1
        total |= (byte & 0x7F) << shift
        if byte < 0x80:
            return total & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise _Malformed(f"no number ends at byte {at}")


def _skip(raw: bytes, at: int, end: int, deep: int = 0) -> int:
    """Return where an unknown field ends; a group, which proto2 had, ends with its own end tag."""
    tag, at = _varint(raw, at, end)
    wire = tag & 7
    if tag >> 3 == 0 or wire not in (0, 1, 2, 3, 5) or deep > MAX_DEEP:
        raise _Malformed(f"no field begins at byte {at}")
    if wire == 3:
        while True:
            closing, after = _varint(raw, at, end)
            if closing == tag + 1:
                return after
            at = _skip(raw, at, end, deep + 1)
    if wire == 2:
        length, at = _varint(raw, at, end)
    elif wire == 0:
        length, at = 0, _varint(raw, at, end)[1]
    else:
        length = 8 if wire == 1 else 4
    if at + length > end:
        raise _Malformed(f"a field goes past the end at byte {at}")
    return at + length
