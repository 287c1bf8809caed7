"""Samples to a Prometheus remote-write 1.0 body: a small protobuf encoder and snappy blocks."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

import cramjam

HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
    "User-Agent": "forewarn-demo-agent/1",
}

# Field numbers of prometheus.WriteRequest, https://prometheus.io/docs/specs/prw/remote_write_spec/
TIMESERIES, LABELS, SAMPLES = 1, 1, 2
NAME, VALUE = 1, 2
SAMPLE_VALUE, SAMPLE_TIME = 1, 2


def body(samples: Iterable[tuple[Mapping[str, str], float, float]]) -> bytes:
    """Return the compressed WriteRequest of (labels, value, time in s), one sample a series."""
    return bytes(cramjam.snappy.compress_raw(b"".join(map(_series, samples))))


def _series(sample: tuple[Mapping[str, str], float, float]) -> bytes:
    labels, value, time = sample
    named = b"".join(
        _message(LABELS, _message(NAME, name.encode()) + _message(VALUE, labels[name].encode()))
        for name in sorted(labels)
    )
    point = bytes([SAMPLE_VALUE << 3 | 1]) + struct.pack("<d", value)
    point += bytes([SAMPLE_TIME << 3]) + varint(round(time * 1000))
    return _message(TIMESERIES, named + _message(SAMPLES, point))


def _message(field: int, inner: bytes) -> bytes:
    return bytes([field << 3 | 2]) + varint(len(inner)) + inner


def varint(number: int) -> bytes:
    """Return a protobuf varint of a number >= 0.

    >>> varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
