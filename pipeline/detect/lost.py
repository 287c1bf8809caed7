"""Series that fall silent while their service is still heard to evidence: a part of it may have stopped."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from detectors.gaps import Gaps
from pipeline.detect.bouts import name_of
from pipeline.series import Series, show
from pipeline.types import NO_FLOATS, NO_ROWS, Floats, Rows, Seconds, Signal
from pipeline.units import span

ODD = 5.0  # surprise of a silence, of the series' own, from which it is missed
LEAST = 60.0  # no shorter silence is worth a word
ALIVE = 60.0  # a service unheard for longer is blind, which is another word
OVER = 3600.0  # what has been silent for so long was taken away on purpose
# After we were down, or the feed was, each series has so long to come again before it is missed.
AGAIN = 120.0
LOOK = 15.0  # seconds between two looks
WORSE = 1.5  # times as many: worth another word
# A series first heard no longer than that before another fell silent has taken its place: a rolling deploy.
BEFORE = 600.0


@dataclass(slots=True)
class Lost:
    """What is missed of each service, and how regularly each series comes: 110 B a series."""

    gaps: Gaps = field(default_factory=Gaps)
    size: int = 0
    first: Floats = field(default_factory=lambda: NO_FLOATS)  # (rows or more,) when it was first heard
    looked: Seconds = -math.inf
    newest: Seconds = -math.inf  # sample of any series
    resumed: Seconds = -math.inf  # when anything was heard again after nothing was
    on: dict[str, Signal] = field(default_factory=dict)  # by service

    def hear(self, rows: Rows, time: Floats) -> None:
        """Note samples, (n,) of each; of several of one series the newest counts."""
        order = np.lexsort((time, rows))
        last = order[np.r_[rows[order][1:] != rows[order][:-1], True]] if len(rows) else order
        self.gaps.hear_many(rows[last], time[last])
        self.size = max(self.size, int(rows.max(initial=-1)) + 1)
        if self.size > len(self.first):
            more = max(1024, self.size - len(self.first) // 2)
            self.first = np.pad(self.first, (0, more), constant_values=np.inf)
        self.first[rows[last]] = np.minimum(self.first[rows[last]], time[last])
        newest = float(time.max(initial=self.newest))
        if newest > self.newest + LEAST:
            self.resumed = newest
        self.newest = newest

    def look(self, series: Series, now: Seconds) -> Iterator[Signal]:
        """Yield a word for each service of which more series are missed than before, or none any more."""
        if now < self.looked + LOOK or now < self.resumed + AGAIN or not self.size:
            return
        before, self.looked = self.looked, now
        rows = np.arange(self.size, dtype=np.int32)
        last, _ = self.gaps.usual_many(rows)
        quiet = now - last
        late = rows[(quiet > LEAST) & (quiet < OVER)]
        late = late[self.gaps.surprise_many(late, now) >= ODD] if len(late) else NO_ROWS
        missed: dict[str, list[int]] = {}
        for row in self._without_successor(late, last, rows[quiet <= LEAST], series):
            missed.setdefault(series.services[row], []).append(row)
        alive = (
            {series.services[row] for row in rows[quiet <= ALIVE].tolist()} if missed or self.on else set()
        )
        over = (quiet >= OVER) & (quiet < OVER + now - before)
        away = {series.services[row] for row in rows[over].tolist()} if self.on else set()
        for service in sorted({*self.on, *missed}):
            found = missed.get(service, []) if service in alive else []
            if found and service:
                yield from self._say(service, found, last, series, now)
            elif service in self.on:
                how = (
                    "taken to be gone" if service in away
                    else "no longer missed" if service in alive
                    else f"all of {service} is silent"
                )  # fmt: skip
                was = self.on.pop(service)
                yield replace(was, at=now, ended=now, reason=f"{was.series}: {how}")

    def forget(self, gone: Rows) -> None:
        self.gaps.forget_many(gone)
        self.first[gone[gone < len(self.first)]] = np.inf

    def _without_successor(self, late: Rows, last: Floats, alive: Rows, series: Series) -> list[int]:
        """Return the late rows that no younger series of the same service and name stands in for."""
        if not len(late):
            return []
        young: dict[tuple[str, str], list[float]] = {}
        for row in alive[self.first[alive] >= last[late].min() - BEFORE].tolist():
            key = series.services[row], series.labels[row].get("__name__", "")
            young.setdefault(key, []).append(float(self.first[row]))
        found = []
        for row in late.tolist():
            heirs = young.get((series.services[row], series.labels[row].get("__name__", "")), [])
            heir = next((at for at in heirs if at >= last[row] - BEFORE), None)
            if heir is None:
                found.append(row)
            else:
                heirs.remove(heir)
        return found

    def _say(
        self, service: str, found: list[int], last: Floats, series: Series, now: Seconds
    ) -> Iterator[Signal]:
        before = self.on.get(service)
        if before is not None and len(found) < WORSE * before.observed:
            return
        since = before.since if before else float(last[found].min())
        what = f"series of {service} that stopped"
        surprise = float(self.gaps.surprise_many(np.array(found, np.int32), now).max())
        quiet = span(now - float(last[found[0]]))
        such = show({k: v for k, v in series.labels[found[0]].items() if v != service})
        many = f"{len(found)} series stopped" if len(found) > 1 else "a series stopped"
        self.on[service] = Signal(
            name_of("lost series", what, since), "metric", service, what, {"service": service}, "lost series",
            since, now, surprise, float(len(found)), 0.0, False,
            f"{many} while {service} is heard: {such} has sent nothing for {quiet}",
        )  # fmt: skip
        yield self.on[service]
