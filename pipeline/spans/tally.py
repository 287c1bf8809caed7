"""Calls in, samples out: how many a second, which share failed, how long half and nine tenths took.

What a handful of calls say is told as far as it is sure: the share that fail at least, the time that half
took at least. So few calls never look worse than they are, and five that wait two seconds each are no chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pipeline.series import pack
from pipeline.spans.seats import Name, Seats
from pipeline.types import NO_FLOATS, Floats, Rows, Seconds

MAX_SUBJECTS = 10_000  # services, operations and calls between services together, 1 kB each
MAX_OPERATIONS = 50  # of one service; the calls of others count as the service's only
OPERATIONS = 0.5  # of the subjects: when so many are taken, the rest is for services and calls
ENOUGH = 10  # calls to tell of at the end of a slot; else what came in a minute is told
PATIENT: Seconds = 60.0
FEW = 3.0  # calls of which nothing else than their number is told, if not so many
# Of what is told, one in twenty would turn out to be less in the long run.
SURE = 1.64
# A smaller share is told as none: a single failure now and then would look like a habit of leaps.
LITTLE = 0.02

# A duration is kept by its order of magnitude: bins a twentieth of a decade wide, from 10 us to 1,000 s.
BINS = 161
SHORTEST: Seconds = 1e-5
WIDTH = 20.0

QUANTILES = {"0.5": 0.5, "0.9": 0.9}


@dataclass(slots=True)
class Tally:
    """What was counted of each subject since it was last told of; bounded as above."""

    seats: Seats = field(default_factory=lambda: Seats(MAX_SUBJECTS))
    operations: Counter[str] = field(default_factory=Counter)  # by service
    labels: dict[int, tuple[tuple[str, bytes], ...]] = field(default_factory=dict)  # by row: what it tells
    since: Floats = field(default_factory=lambda: NO_FLOATS)  # (rows or more,) s
    count: Floats = field(default_factory=lambda: NO_FLOATS)
    failed: Floats = field(default_factory=lambda: NO_FLOATS)
    times: Floats = field(default_factory=lambda: np.zeros((0, BINS)))
    dropped: Counter[str] = field(default_factory=Counter)

    def row(self, subject: Name, since: Seconds, now: Seconds) -> int:
        """Return the row of ("service", name), ("operation", of, name), ("call" or "peer", callee, caller).

        A new one counts from `since`; -1 where there is no room for it.
        """
        new, operation = subject not in self.seats.rows, subject[0] == "operation"
        if new and operation and self.operations[subject[1]] >= MAX_OPERATIONS:
            self.dropped["operation limit"] += 1
            return -1
        row = self.seats.find(subject, now, OPERATIONS if operation else 1.0)
        if row < 0:
            self.dropped["operation limit" if operation else "subject limit"] += 1
        elif new:
            if operation:
                self.operations[subject[1]] += 1
            self._open(row, since)
            self.labels[row] = tuple(_told(subject))
        return row

    def add(self, row: Rows, failed: Floats, duration: Floats) -> None:
        """Count calls, (n,) each; a duration of NaN is none, a row of -1 nobody's."""
        kept = row >= 0
        row, failed, duration = row[kept], failed[kept], duration[kept]
        if not len(row):
            return
        n = len(self.count)
        self.count += np.bincount(row, minlength=n)
        self.failed += np.bincount(row, failed, minlength=n)
        timed = ~np.isnan(duration)
        cell, times = np.unique(row[timed] * np.int64(BINS) + _bin(duration[timed]), return_counts=True)
        self.times.reshape(-1)[cell] += times

    def close(self, now: Seconds) -> Iterator[tuple[bytes, float]]:
        """Yield label set and value of all that can be told now."""
        n = len(self.seats.names)
        lasted = now - self.since[:n]
        due = np.flatnonzero((self.count[:n] >= ENOUGH) | (lasted >= PATIENT))
        due = due[[bool(self.seats.names[row]) for row in due.tolist()]] if len(due) else due
        count, failed, times = self.count[due], self.failed[due], self.times[due]
        values = {
            "rate": count / np.maximum(lasted[due], 1.0),
            "share": surely(failed, count),
            **{name: quantile(times, q) for name, q in QUANTILES.items()},
        }
        for k, row in enumerate(due.tolist()):
            for what, label in self.labels[row]:
                value = float(values[what][k])
                if value == value:
                    yield label, value
        self._start(due.astype(np.int32), now)

    def pause(self, lasted: Seconds) -> None:
        """Leave out a time in which nothing came of anyone."""
        self.since += lasted

    def forget(self, now: Seconds) -> int:
        """Let go of subjects without a call for long; return how many."""
        gone = self.seats.forget(now)
        for row, (what, service, *_) in gone:
            del self.labels[row]
            if what == "operation":
                self.operations[service] -= 1
                if not self.operations[service]:
                    del self.operations[service]
        return len(gone)

    def _open(self, row: int, since: Seconds) -> None:
        if row >= len(self.count):
            more = max(64, len(self.count))
            self.since, self.count, self.failed = (
                np.pad(column, (0, more)) for column in (self.since, self.count, self.failed)
            )
            self.times = np.pad(self.times, ((0, more), (0, 0)))
        self._start(np.array([row], np.int32), since)

    def _start(self, rows: Rows, since: Seconds) -> None:
        self.since[rows] = since
        self.count[rows] = self.failed[rows] = 0.0
        self.times[rows] = 0.0


def surely(failed: Floats, count: Floats) -> Floats:
    """Return the share that there is at least, by Wilson's interval, 0 below LITTLE; NaN below FEW calls.

    Wilson 1927, "Probable inference, the law of succession, and statistical inference".

    >>> surely(np.array([0.0, 1.0, 4.0, 200.0]), np.array([9.0, 4.0, 4.0, 1000.0])).round(3)
    array([0.   , 0.058, 0.598, 0.18 ])
    """
    n = np.maximum(count, 1.0)
    share, square = failed / n, SURE**2
    middle = share + square / (2 * n)
    reach = SURE * np.sqrt(share * (1 - share) / n + square / (4 * n * n))
    least = np.maximum(middle - reach, 0.0) / (1 + square / n)
    return np.where(count >= FEW, np.where(least >= LITTLE, least, 0.0), np.nan)


def quantile(times: Floats, q: float) -> Floats:
    """Return what the quantile of each row of bins, (n,), is at least, s; NaN below FEW calls.

    The call whose rank is lower than the quantile's by SURE of the standard deviations that it has.
    """
    total = times.sum(1)
    rank = np.maximum(q * total - SURE * np.sqrt(total * q * (1 - q)), 0.0)
    cumulative = np.cumsum(times, 1)
    row = np.arange(len(times))
    at = np.argmax((cumulative >= rank[:, None]) & (cumulative > 0), axis=1)
    inside = times[row, at]
    share = np.divide(
        rank - (cumulative[row, at] - inside), inside, out=np.zeros(len(times)), where=inside > 0
    )
    found = SHORTEST * np.where(at == 0, share, 10 ** ((at - 1 + share) / WIDTH))
    return np.where(total >= FEW, found, np.nan)


def _bin(duration: Floats) -> Rows:
    order = np.floor(WIDTH * np.log10(np.maximum(duration, SHORTEST) / SHORTEST) + 1)
    return np.where(duration < SHORTEST, 0, np.minimum(order, BINS - 1)).astype(np.int32)


def _told(subject: Name) -> Iterator[tuple[str, bytes]]:
    """Yield what is told of a subject, and under which label set."""
    what, service, *rest = subject
    labels = {"service": service}
    if what == "operation":
        labels["operation"] = rest[0]
    elif what != "service":
        labels["entity"] = f"{rest[0]}->{service}"
    if what != "operation":
        yield "rate", pack({"__name__": "span_calls_rate", **labels})
    yield "share", pack({"__name__": "span_failed_share", **labels})
    name = "span_gap_seconds" if what == "call" else "span_seconds"
    for quantile_ in QUANTILES if what == "service" else ("0.5",):
        yield quantile_, pack({"__name__": name, **labels, "quantile": quantile_})
