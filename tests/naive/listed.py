"""Alerts as Alertmanager lists them, one dictionary at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from pipeline.series import fingerprint, unpack
from pipeline.types import Seconds
from pipeline.untold import SOURCE, Listed


def one(alert: Listed) -> dict[str, Any]:
    notes = msgspec.json.decode(alert.notes, type=dict[str, str])
    return {
        "status": "firing" if alert.ended is None else "resolved",
        "labels": unpack(alert.labels),
        "annotations": notes,
        "startsAt": when(alert.since),
        "endsAt": "0001-01-01T00:00:00Z" if alert.ended is None else when(alert.ended),
        "generatorURL": notes.pop(SOURCE, ""),
        "fingerprint": fingerprint(alert.labels),
    }


def common(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {k: v for k, v in each[0].items() if all(other.get(k) == v for other in each)}


def when(at: Seconds) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
