"""When each service was last heard from to signals that it has gone quiet: blind is not green."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.bouts import name_of
from pipeline.series import Series
from pipeline.types import NO_FLOATS, Floats, Rows, Seconds, Signal
from pipeline.units import span

QUIET = 60.0  # no shorter silence is worth a word
PAGE = 180.0  # beyond that, blindness itself is the incident
# Silence of a service says something only while others are heard; with all of them quiet it is the feed
# that is broken, or nobody is sending any more: one word for all, and later.
FRESH = 30.0
ALL_QUIET = 900.0
GONE = 86400.0  # a service silent for a day has been taken away
LOOK = 5.0  # seconds between two looks


@dataclass(slots=True)
class Ears:
    """When each service was last heard, by the time its samples came in; some 100 B a service."""

    number: dict[str, int] = field(default_factory=dict)  # by service, in order of first sight
    owner: Rows = field(default_factory=lambda: np.zeros(0, np.int32))  # (series,) number of the service
    heard: Floats = field(default_factory=lambda: NO_FLOATS)  # (services,) s
    times: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))  # (services,)
    cadence: Floats = field(default_factory=lambda: NO_FLOATS)  # (services,) s between two hearings
    looked: Seconds = -math.inf
    open: dict[str, Signal] = field(default_factory=dict)  # by service, "" = all of them

    def hear(self, rows: Rows, series: Series, now: Seconds) -> None:
        """Note that samples of these series came in."""
        names = series.services
        for row in series.reborn:
            if row < len(self.owner):
                self.owner[row] = self.number.setdefault(names[row], len(self.number))
        owner = [self.number.setdefault(name, len(self.number)) for name in names[len(self.owner) :]]
        self.owner = np.concatenate((self.owner, np.array(owner, np.int32)))
        more = len(self.number) - len(self.heard)
        if more:
            self.heard, self.cadence = np.pad(self.heard, (0, more)), np.pad(self.cadence, (0, more))
            self.times = np.pad(self.times, (0, more))
        who = np.unique(self.owner[rows])
        step = now - self.heard[who]
        later = step > 0  # what came in at once was one hearing
        who, step = who[later], step[later]
        usual = self.cadence[who]
        change = 0.1 * (np.minimum(step, 4 * usual) - usual)
        self.cadence[who] = np.where(
            self.times[who] > 1, usual + change, np.where(self.times[who], step, 0.0)
        )
        self.times[who] += 1
        self.heard[who] = now

    def look(self, now: Seconds) -> Iterator[Signal]:
        """Yield what has gone quiet, what has been quiet for long, and what is heard again."""
        if now < self.looked + LOOK:
            return
        self.looked = now
        quiet_for = now - self.heard
        known = (self.times >= 10) & (quiet_for < GONE)
        if not known.any():
            return
        deaf = known & (quiet_for > np.maximum(5 * self.cadence, QUIET))
        newest, usual = float(self.heard.max()), float(self.cadence[known].min())
        fresh = now - newest <= max(2 * usual, FRESH)
        for service, k in self.number.items():
            if service in self.open and not deaf[k]:
                yield self._heard_again(service, now, float(self.heard[k]))
            elif service and deaf[k] and fresh:
                yield from self._quiet(service, float(self.heard[k]), float(self.cadence[k]), now)
        if "" in self.open and fresh:
            yield self._heard_again("", now, newest)
        elif now - newest > ALL_QUIET:
            yield from self._quiet("", newest, usual, now)

    def _quiet(self, service: str, since: Seconds, cadence: Seconds, now: Seconds) -> Iterator[Signal]:
        before = self.open.get(service)
        page = now - since > PAGE
        if before is not None and (before.page or not page):
            return
        what = f"metrics of {service}" if service else "all metrics"
        self.open[service] = Signal(
            name_of("blind", what, since), "blind", service, what, {"service": service} if service else {},
            "blind", since, now,
            (now - since) / max(cadence, 1.0) / math.log(10),  # of a gap, were samples to come by chance
            now - since, cadence, page,
            f"{what}: nothing has come for {span(now - since)}, where every {span(cadence)} is usual",
        )  # fmt: skip
        yield self.open[service]

    def _heard_again(self, service: str, now: Seconds, heard: Seconds) -> Signal:
        was = self.open.pop(service)
        over = heard if heard > was.since else now
        reason = f"{was.series}: heard again after {span(over - was.since)}"
        if over == now and heard <= was.since:
            reason = f"{was.series}: silent for {span(over - was.since)}, taken to be gone"
        return Signal(
            was.id, was.kind, was.service, was.series, was.labels, was.detector, was.since, now,
            was.surprise, was.observed, was.expected, was.page, reason, over,
        )  # fmt: skip
