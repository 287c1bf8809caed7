"""Loki's POST /loki/api/v1/push in JSON in, log lines out.

Speaks Loki's push API as JSON, plain or gzip; its protobuf form is answered 415. A client keeps and sends
again what is answered 429 or 503. Lines of a stream that are good are taken though others are not; then 400.

    curl 127.0.0.1:9093/loki/api/v1/push -H 'Content-Type: application/json' -d '{"streams": [
      {"stream": {"service": "pay"}, "values": [["1763805600000000000", "level=error card refused"]]}]}'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from pipeline.ingest.door import (
    AHEAD,
    MAX_SET,
    Decoded,
    Limits,
    Rejects,
    json_only,
    line_frames,
    over,
    plain,
    read_json,
)
from pipeline.series import pack
from pipeline.types import Seconds

PATHS = ("/loki/api/v1/push",)
STATUS = 204

# Loki's own default: limits_config.max_line_size.
MAX_LINE = 256 * 1024
MAX_LABELS = 128
_LEVELS = ("detected_level", "level", "severity", "severity_text")

SEVERITIES = {
    "trace": "debug", "debug": "debug", "dbg": "debug",
    "info": "info", "information": "info", "notice": "info",
    "warn": "warning", "warning": "warning",
    "err": "error", "error": "error", "eror": "error",
    "fatal": "critical", "critical": "critical", "crit": "critical", "alert": "critical",
    "emerg": "critical", "emergency": "critical", "panic": "critical",
}  # fmt: skip


class _Line(msgspec.Struct, array_like=True, gc=False):
    time: str  # ns
    text: str
    notes: dict[str, Any] = {}


class _Stream(msgspec.Struct):
    stream: dict[str, str] = {}
    values: list[_Line] = []


class _Push(msgspec.Struct):
    streams: list[_Stream]


_decoder = msgspec.json.Decoder(_Push)


def decode(body: bytes, headers: Mapping[str, str], now: Seconds, limits: Limits) -> Decoded:
    json_only(headers)
    push = read_json(plain(body, headers, limits), _decoder)
    rejects = Rejects()
    labels: list[bytes] = []
    time: list[float] = []
    text: list[str] = []
    severity: list[str] = []
    for stream in push.streams:
        if wrong := _wrong(stream.stream, limits):
            rejects.add("stream labels", f"stream: {wrong}")
            continue
        packed, level = pack(stream.stream), severity_of(stream.stream)
        for line in stream.values:
            at = _seconds(line.time)
            if at is None or at > now + AHEAD:
                rejects.add("time", f'time: expected ns up to {AHEAD:g} s ahead, got "{line.time[:40]}"')
            elif len(line.text) > MAX_LINE:
                rejects.add("line too long", f"line: at most {MAX_LINE} characters, got {len(line.text)}")
            else:
                labels.append(packed)
                time.append(at)
                text.append(line.text)
                severity.append((severity_of(line.notes) or level) if line.notes else level)
    return Decoded(line_frames(now, "loki", labels, np.array(time), text, severity), rejects)


def severity_of(labels: Mapping[str, Any]) -> str:
    """Return the severity that labels tell, in our words; "" where they do not.

    >>> severity_of({"app": "pay", "level": "WARN"})
    'warning'
    """
    said = next((labels[name] for name in _LEVELS if labels.get(name)), "")
    return SEVERITIES.get(str(said).lower(), "")


def _wrong(labels: Mapping[str, str], limits: Limits) -> str:
    if not any(labels.values()) or "" in labels:
        return "expected one label or more, each with a name"
    if len(labels) > MAX_LABELS:
        return f"{len(labels)} labels, at most {MAX_LABELS}"
    long = next((n for n, v in labels.items() if over(n, limits.label) or over(v, limits.label)), "")
    if long:
        return f'value of "{long[:80]}" is over {limits.label} bytes'
    size = len(pack(labels))
    return f"labels are {size} bytes, at most {MAX_SET}" if size > MAX_SET else ""


def _seconds(ns: str) -> Seconds | None:
    return int(ns) / 1e9 if ns.isascii() and ns.isdigit() and len(ns) < 20 else None
