"""One .jsonl or .jsonl.gz file of a recording in, frames of log lines or events out."""

from __future__ import annotations

import gzip
import heapq
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np

from pipeline import frame
from pipeline.frame import MAX_ROWS, Frame
from pipeline.ingest._columns import MAX_TIME, SLACK
from pipeline.ingest.door import alert_frames
from pipeline.ingest.loki import SEVERITIES
from pipeline.markup import seen
from pipeline.pseudonym import pseudonym
from pipeline.redact import redact
from pipeline.series import pack
from pipeline.types import Alerts, Event, Seconds
from pipeline.visible import visible


class Line(msgspec.Struct):
    t: float
    message: str
    service: str = ""
    entity: str = ""
    severity: str = ""
    labels: dict[str, str] = {}


class Alert(msgspec.Struct):
    t: float
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: datetime | None = None
    endsAt: datetime | None = None


class Change(msgspec.Struct):
    t: float
    id: str
    service: str
    kind: str = ""
    summary: str = ""


class Complaint(msgspec.Struct):
    t: float
    id: str
    text: str
    customer: str = ""
    channel: str = ""
    lang: str = ""
    version: str = ""
    platform: str = ""
    region: str = ""


WHERE = ("version", "platform", "region")  # where a complaint's customer uses us, as far as it says
Record: TypeAlias = Line | Alert | Change | Complaint
KINDS: Mapping[str, type[Record]] = {
    "logs": Line,
    "alerts": Alert,
    "changes": Change,
    "complaints": Complaint,
}


class Records:
    """Records of one file in time order. Holds those of one minute."""

    def __init__(self, path: Path, kind: str, bad: Counter[str]) -> None:
        self._path, self._bad = path, bad
        self._found = self._read(msgspec.json.Decoder(KINDS[kind]))
        self._held: list[tuple[Seconds, int, Record]] = []  # a heap; the number keeps the file's order
        self._seen = 0
        self._newest = self._done = -math.inf

    def peek(self) -> Seconds:
        """Return the time of the next record, inf after the last."""
        while not self._held or self._newest < self._held[0][0] + SLACK:
            record = next(self._found, None)
            if record is None:
                break
            self._hold(record)
        return self._held[0][0] if self._held else math.inf

    def take(self, at: Seconds) -> Iterator[Frame]:
        """Yield what happened up to `at`, in frames of at most MAX_ROWS rows."""
        due: list[Record] = []
        while self.peek() <= at:
            due.append(heapq.heappop(self._held)[2])
        self._done = at
        for start in range(0, len(due), MAX_ROWS):
            part = due[start : start + MAX_ROWS]
            lines = [r for r in part if isinstance(r, Line)]
            if lines:
                yield _lines(at, lines)
            alerts = [r for r in part if isinstance(r, Alert)]
            yield from alert_frames(at, "recording", _alerts(alerts))
            events = [_event(r) for r in part if isinstance(r, Change | Complaint)]
            if events:
                yield frame.events(at, "recording", events)

    def _hold(self, record: Record) -> None:
        if not 0 <= record.t < MAX_TIME:
            self._count("t is not in epoch seconds")
        elif record.t <= self._done:
            self._count("out of order by more than a minute")
        else:
            self._seen += 1
            self._newest = max(self._newest, record.t)
            heapq.heappush(self._held, (record.t, self._seen, record))

    def _read(self, decoder: msgspec.json.Decoder[Record]) -> Iterator[Record]:
        opener = gzip.open if self._path.suffix == ".gz" else open
        with opener(self._path, "rb") as file:
            try:
                for line in file:
                    if not line.strip():
                        continue
                    try:
                        yield decoder.decode(line)
                    except msgspec.ValidationError as error:
                        self._count(str(error))
                    except (msgspec.DecodeError, UnicodeDecodeError):
                        self._count("not JSON")
            except (EOFError, gzip.BadGzipFile, zlib.error):
                self._count("cut short or damaged: the rest cannot be read")

    def _count(self, reason: str) -> None:
        self._bad[f"{self._path.name}: {reason}"] += 1


def _lines(at: Seconds, found: list[Line]) -> Frame:
    raws = [pack({**x.labels, "service": x.service, "entity": x.entity}) for x in found]
    labels = list(dict.fromkeys(raws))
    index = {raw: k for k, raw in enumerate(labels)}
    return frame.lines(
        at, "recording", labels,
        np.array([index[raw] for raw in raws], np.int32),
        np.array([x.t for x in found]),
        [x.message for x in found],
        [SEVERITIES.get(x.severity.lower(), "") for x in found],
    )  # fmt: skip


def _alerts(found: list[Alert]) -> Alerts:
    ends = [_epoch(x.endsAt) for x in found]
    starts = [_epoch(x.startsAt) or min(x.t, end or x.t) for x, end in zip(found, ends, strict=True)]
    return Alerts(
        tuple(pack(x.labels) for x in found),
        tuple(msgspec.json.encode(x.annotations) for x in found),
        np.array(starts, np.float64),
        np.array([math.nan if end is None else end for end in ends], np.float64),
    )


def _event(record: Change | Complaint) -> Event:
    if isinstance(record, Change):
        labels = {"service": record.service, "kind": record.kind}
        return Event("change", record.id, record.t, labels, visible(record.summary))
    labels = {
        "customer": pseudonym(record.customer),
        "channel": redact(visible(record.channel)),
        "lang": redact(visible(record.lang)),
    }
    labels |= {name: redact(visible(value)) for name in WHERE if (value := getattr(record, name))}
    return Event("complaint", record.id, record.t, labels, redact(visible(seen(record.text))))


def _epoch(time: datetime | None) -> Seconds | None:
    """Return s since 1970; None for no time, and for Go's zero time, which means the same."""
    return time.timestamp() if time and time.tzinfo and time.year > 1 else None
