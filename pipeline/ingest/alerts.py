"""Alertmanager's POST /api/v2/alerts in, alert events out.

Speaks Alertmanager's API v2 as Prometheus sends it: an alert is sent again each minute while it fires, so
what is lost when this fails comes again. Valid alerts are taken though others are not, and answered 400.

    alerting:
      alertmanagers:
        - static_configs: [{targets: ["127.0.0.1:9093"]}]
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from pipeline.ingest.door import (
    MAX_SET,
    Decoded,
    Limits,
    Rejects,
    event_frames,
    json_only,
    over,
    plain,
    read_json,
    when,
)
from pipeline.series import fingerprint, pack
from pipeline.types import Event, Seconds

PATHS = ("/api/v2/alerts",)
STATUS = 200

MAX_LABELS = 128
MAX_NOTES = 65_536  # characters of the annotations of one alert; those past it are cut off
MAX_KNOWN = 100_000  # fingerprints kept; past it all are dropped and made anew


class _Alert(msgspec.Struct, rename="camel"):
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None


_decoder = msgspec.json.Decoder(list[_Alert])
_known: dict[bytes, str] = {}


def decode(body: bytes, headers: Mapping[str, str], now: Seconds, limits: Limits) -> Decoded:
    json_only(headers)
    rejects = Rejects()
    found = [
        event
        for alert in read_json(plain(body, headers, limits), _decoder)
        if (event := _event(alert, now, limits, rejects)) is not None
    ]
    return Decoded(event_frames(now, "alerts", found), rejects)


def identity(packed: bytes) -> str:
    """Return the fingerprint of canonical label bytes, most often without working it out."""
    if packed not in _known:
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        _known[packed] = fingerprint(packed)
    return _known[packed]


def _event(alert: _Alert, now: Seconds, limits: Limits, rejects: Rejects) -> Event | None:
    labels = {name: value for name, value in alert.labels.items() if value}
    starts, ends = _time(alert.starts_at), _time(alert.ends_at)
    if starts is None:
        # Alertmanager takes the end alone as the start even when it is ahead; nothing is abnormal since then.
        starts = now if ends is None else min(ends, now)
    if not labels:
        rejects.add("no labels", "invalid label set: at least one label pair required")
        return None
    if "" in labels or "" in alert.annotations:
        rejects.add("label name", 'invalid label set: invalid name ""')
        return None
    if len(labels) > MAX_LABELS:
        rejects.add("too many labels", f"invalid label set: {len(labels)} labels, at most {MAX_LABELS}")
        return None
    if too_long := _too_long(labels, limits) or _too_long(alert.annotations, limits):
        rejects.add(
            "label too long", f'invalid label set: value of "{too_long[:80]}" is over {limits.label} bytes'
        )
        return None
    if len(packed := pack(labels)) > MAX_SET:
        rejects.add("labels too long", f"invalid label set: {len(packed)} bytes, at most {MAX_SET}")
        return None
    if ends is not None and ends < starts:
        rejects.add("times", "start time must be before end time")
        return None
    return Event("alert", identity(packed), starts, labels, notes=_first(alert.annotations), until=ends)


def _first(annotations: Mapping[str, str]) -> Mapping[str, str]:
    """Return as many as fit: an alert must not be lost for being wordy."""
    left = MAX_NOTES
    kept = {}
    for name, text in annotations.items():
        left -= len(name) + len(text)
        if left < 0:
            break
        kept[name] = text
    return kept


def _time(given: datetime | None) -> Seconds | None:
    """Return the time; Go's zero time, which clients send for "none", is none."""
    return None if given is None or given.year == 1 else when(given, 0.0)


def _too_long(labels: Mapping[str, str], limits: Limits) -> str:
    return next((n for n, v in labels.items() if over(n, limits.label) or over(v, limits.label)), "")
