"""Alertmanager's POST /api/v2/alerts in, columns of alerts out.

Speaks Alertmanager's API v2 as Prometheus sends it: an alert is sent again each minute while it fires, so
what is lost when this fails comes again. Valid alerts are taken though others are not, and answered 400.

    alerting:
      alertmanagers:
        - static_configs: [{targets: ["127.0.0.1:9093"]}]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import numpy as np

from pipeline.ingest.door import (
    MAX_SET,
    Decoded,
    Limits,
    Refused,
    Rejects,
    alert_frames,
    json_only,
    over,
    plain,
    read_json,
    when,
)
from pipeline.series import pack
from pipeline.types import Alerts, Floats, Seconds
from pipeline.untold import SOURCE

PATHS = ("/api/v2/alerts",)
STATUS = 200

MAX_LABELS = 128
MAX_NOTES = 65_536  # characters of the annotations of one alert; those past it are cut off
MAX_KNOWN = 300_000  # label sets as they were sent, about 500 B each; past it all are read anew
MAX_TIMES = 4_096  # times as they were sent: those of one request are mostly the same


class _Alert(msgspec.Struct, rename="camel", gc=False):
    """One alert; what was sent before is known by its bytes alone, so they are not read yet."""

    labels: msgspec.Raw = msgspec.Raw(b"{}")
    annotations: msgspec.Raw = msgspec.Raw(b"{}")
    starts_at: str | None = None
    ends_at: str | None = None
    source: msgspec.Raw = msgspec.field(name="generatorURL", default=msgspec.Raw(b'""'))


class _Known(msgspec.Struct, gc=False, eq=False):
    """A label set that was found good, and the annotations that last came with it."""

    packed: bytes
    said: int | None = None  # hash of the annotations as they were sent
    notes: bytes = b"{}"  # as they are kept: what was sent, and something after it


_decoder = msgspec.json.Decoder(list[_Alert])
_pairs = msgspec.json.Decoder(dict[str, str])
# By Python's keyed hash of what was sent, 64 bits that no sender can aim at: that two of MAX_KNOWN share one
# has a chance of 1 in 400 million, and the bytes themselves would take five times the memory.
_known: dict[int, _Known] = {}
_SOURCE = b',"%b":' % SOURCE.encode()
_times: dict[str | None, Seconds] = {}


def decode(body: bytes, headers: Mapping[str, str], now: Seconds, limits: Limits) -> Decoded:
    """Return the alerts of a post: column by column, for what Python does alert by alert costs the most."""
    json_only(headers)
    rejects = Rejects()
    told = read_json(plain(body, headers, limits), _decoder)
    known = [*map(_known.get, [hash(bytes(alert.labels)) for alert in told])]
    said = [hash(bytes(alert.annotations)) for alert in told]
    if None not in known and said == [each.said for each in known if each]:
        labels, notes = [each.packed for each in known if each], [each.notes for each in known if each]
    else:
        told, labels, notes = _read(told, limits, rejects)
    time, until = _times_of([alert.starts_at for alert in told]), _times_of([alert.ends_at for alert in told])
    # Alertmanager takes the end alone as the start even when it is ahead; nothing is abnormal then.
    time = np.where(np.isnan(time), np.fmin(until, now), time)
    wrong = until < time
    if wrong.any():
        good = np.flatnonzero(~wrong)
        for _ in range(len(time) - len(good)):
            rejects.add("times", "start time must be before end time")
        labels, notes = [labels[k] for k in good.tolist()], [notes[k] for k in good.tolist()]
        time, until = time[good], until[good]
    return Decoded(alert_frames(now, "alerts", Alerts(tuple(labels), tuple(notes), time, until)), rejects)


def _read(
    told: Sequence[_Alert], limits: Limits, rejects: Rejects
) -> tuple[list[_Alert], list[bytes], list[bytes]]:
    """Return the alerts that are good, their label sets and their annotations; know them from now on."""
    good: list[_Alert] = []
    labels: list[bytes] = []
    notes: list[bytes] = []
    for alert in told:
        raw, sent = bytes(alert.labels), bytes(alert.annotations)
        known = _known.get(hash(raw)) or _labels(raw, limits, rejects)
        if known is None or (
            hash(sent) != known.said and not _note(known, sent, alert.source, limits, rejects)
        ):
            continue
        good.append(alert)
        labels.append(known.packed)
        notes.append(known.notes)
    return good, labels, notes


def _labels(raw: bytes, limits: Limits, rejects: Rejects) -> _Known | None:
    """Read a label set that is new, and know it from now on; None where it is no good."""
    labels = read_json(raw, _pairs) if raw != b"null" else {}
    if "" in labels.values():
        labels = {name: value for name, value in labels.items() if value}
    if not labels:
        rejects.add("no labels", "invalid label set: at least one label pair required")
    elif "" in labels:
        rejects.add("label name", 'invalid label set: invalid name ""')
    elif len(labels) > MAX_LABELS:
        rejects.add("too many labels", f"invalid label set: {len(labels)} labels, at most {MAX_LABELS}")
    elif len(raw) <= limits.label or not _too_long(labels, limits, rejects):
        if len(packed := pack(labels)) <= MAX_SET:
            if len(_known) >= MAX_KNOWN:
                _known.clear()
            _known[hash(raw)] = found = _Known(packed)
            return found
        rejects.add("labels too long", f"invalid label set: {len(packed)} bytes, at most {MAX_SET}")
    return None


def _note(known: _Known, raw: bytes, source: msgspec.Raw, limits: Limits, rejects: Rejects) -> bool:
    """Read annotations that are new for this label set; say whether they are good.

    Its generatorURL, which changes no oftener, is kept as one more of them.
    """
    notes = read_json(raw, _pairs) if raw != b"null" else {}
    if "" in notes:
        rejects.add("label name", 'invalid label set: invalid name ""')
        return False
    if len(raw) > limits.label and _too_long(notes, limits, rejects):
        return False
    known.notes = raw if len(raw) <= MAX_NOTES and raw != b"null" else _first(notes)
    known.said = hash(raw)
    url = bytes(source)
    if (
        url[:1] == b'"'
        and len(url) > len(b'""')
        and (len(url) <= limits.label or not over(url.decode(), limits.label))
    ):
        known.notes = b"".join((known.notes[:-1], _SOURCE if notes else _SOURCE[1:], url, b"}"))
    return True


def _first(notes: Mapping[str, str]) -> bytes:
    """Return as many as fit: an alert must not be lost for being wordy."""
    left = MAX_NOTES
    kept = {}
    for name, text in notes.items():
        left -= len(name) + len(text)
        if left < 0:
            break
        kept[name] = text
    return msgspec.json.encode(kept)


def _times_of(given: Sequence[str | None]) -> Floats:
    """Return the times, (n,); those of one post are mostly the same few."""
    try:
        return np.array([*map(_times.__getitem__, given)], np.float64)
    except KeyError:
        return np.array([_time(each) for each in given], np.float64)


def _time(given: str | None) -> Seconds:
    """Return the time, NaN for none; Go's zero time, which clients send for "none", is none."""
    found = _times.get(given)
    if found is None:
        if len(_times) >= MAX_TIMES:
            _times.clear()
        found = _times[given] = _parsed(given) if given else math.nan
    return found


def _parsed(given: str) -> Seconds:
    try:
        read = msgspec.convert(given, datetime)
    except msgspec.ValidationError as error:
        raise Refused(400, "json", f"body: {error}: {given[:40]!r}") from error
    return math.nan if read.year == 1 else when(read, math.nan)


def _too_long(given: Mapping[str, str], limits: Limits, rejects: Rejects) -> bool:
    found = next((n for n, v in given.items() if over(n, limits.label) or over(v, limits.label)), None)
    if found is None:
        return False
    rejects.add("label too long", f'invalid label set: value of "{found[:80]}" is over {limits.label} bytes')
    return True
