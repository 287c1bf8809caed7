"""What the watches have learned, and who sits where, while rules change and series come and go."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.detect.blind import Ears
from pipeline.detect.bouts import Bout
from pipeline.detect.desk import Desk
from pipeline.detect.lane import Lane, lanes
from pipeline.detect.lost import Lost
from pipeline.detect.samples import Table
from pipeline.detect.taught import Lessons
from pipeline.detect.watch import Watch, build
from pipeline.series import Series
from pipeline.types import Event, Rows, Seconds, Signal

MAX_ENDED = 4_096  # bouts that are over and known to be, 100 B each


@dataclass(slots=True)
class DetectState:
    """What the watches have learned: 1.6 kB a watched series, 160 B any other, 300 B one out of band."""

    watches: tuple[Watch, ...] = ()
    keys: tuple[str, ...] = ()  # the desk of each watch
    table: Table = field(default_factory=Table)
    lanes: tuple[Lane, ...] = ()
    desks: dict[str, Desk] = field(default_factory=dict)  # by detector and its arguments
    bouts: dict[tuple[int, int], Bout] = field(default_factory=dict)  # by lane and row
    ears: Ears = field(default_factory=Ears)
    lost: Lost = field(default_factory=Lost)
    lessons: Lessons = field(default_factory=Lessons)
    looked: Seconds = -np.inf
    # By lane and row: when a bout that was spoken of ended, the oldest first.
    ended: dict[tuple[int, int], Seconds] = field(default_factory=dict)

    @property
    def dropped(self) -> Counter[str]:
        return self.table.dropped

    def learn(self, events: Iterable[Event], now: Seconds) -> None:
        """Take what people say of signals, and changes that explain some."""
        limits = {w.name: w.surprise for w in self.watches} if events else {}
        for watch, row, bar in self.lessons.hear(events, limits, now):
            self._bar(watch, row, bar)

    def look_up(self, series: Series) -> None:
        """Find the watches of each series not seen before."""
        for row, metric in self.table.look_up(series):
            for lane in self.lanes:
                self._leave(lane, np.array([row], np.int32))
                lane.place(row, metric, series.labels[row])

    def seat(self, lane: Lane, key: str, rows: Rows, series: Series) -> Rows:
        """Return the slots of rows, (n,), at the desk; those that come first are given one."""
        new = rows[lane.slot[rows] < 0]
        if len(new):
            watch = next(w for k, w in lane.watches.items() if self.keys[k] == key)
            desk = self.desks.setdefault(key, Desk(build(watch)))
            lane.slot[new] = desk.seat(
                [series.labels[row] for row in new], [series.services[row] for row in new],
                [lane.watches[int(lane.watch[row])] for row in new],
            )  # fmt: skip
        return lane.slot[rows]

    def adopt(self, watches: Sequence[Watch], series: Series, now: Seconds) -> Iterator[Signal]:
        """Take over new rules: what was said under the old ones ends; what was learned stays where it can."""
        for number, row in list(self.bouts):
            bout = self.end(number, row)
            if bout.id:
                yield bout.end(now, now, "is watched by other rules")
        before, keys = self.lanes, self.keys
        self.ended.clear()
        self.watches = tuple(watches)
        self.keys = tuple(f"{w.detector} {json.dumps(dict(w.args), sort_keys=True)}" for w in watches)
        self.lanes = lanes(watches)
        for row, metric in self.table.look_up_all(series):
            for lane in self.lanes:
                lane.place(row, metric, series.labels[row])
        for lane in self.lanes:
            for old in before:
                _move(lane, self.keys, old, keys)
        for old in before:
            self._leave(old, np.arange(len(old.watch), dtype=np.int32), keys)
        for (watch, row), lesson in self.lessons.taught.items():
            self._bar(watch, row, lesson.bar)
        self.desks = {key: desk for key, desk in self.desks.items() if key in self.keys}
        self._sit(series)

    def end(self, number: int, row: int) -> Bout:
        """Return the bout of a series in a lane, which is over."""
        self.lanes[number].busy[row] = False
        bout = self.bouts.pop((number, row))
        if bout.id:
            self.ended.pop((number, row), None)
            self.ended[number, row] = bout.last if bout.calm is None else bout.calm
            if len(self.ended) > MAX_ENDED:
                del self.ended[next(iter(self.ended))]
        return bout

    def forget(self, gone: Rows, now: Seconds) -> Iterator[Signal]:
        """Let go of series that are no more, and yield the last word of what was said of them."""
        if not len(gone):
            return
        rows = frozenset(gone.tolist())
        for number, row in [key for key in self.bouts if key[1] in rows]:
            bout = self.end(number, row)
            if bout.id:
                yield bout.end(now, bout.last, "sends no more")
        for key in [key for key in self.ended if key[1] in rows]:
            del self.ended[key]
        for lane in self.lanes:
            self._leave(lane, gone)
            lane.forget(gone)
        self.table.forget(gone)
        self.lost.forget(gone)
        self.lessons.forget(rows)

    def _bar(self, watch: str, row: int, bar: float) -> None:
        for lane in self.lanes:
            number = int(lane.watch[row]) if row < len(lane.watch) else -1
            if number >= 0 and self.watches[number].name == watch:
                lane.bar[row] = bar

    def _sit(self, series: Series) -> None:
        """Say again who sits beside whom: other rules may group those who keep their slots otherwise."""
        for lane in self.lanes:
            for number, watch in lane.watches.items():
                mine = np.flatnonzero((lane.watch == number) & (lane.slot >= 0))
                if len(mine):
                    labels, services = (
                        [series.labels[row] for row in mine],
                        [series.services[row] for row in mine],
                    )
                    self.desks[self.keys[number]].sit(lane.slot[mine], labels, services, [watch] * len(mine))

    def _leave(self, lane: Lane, rows: Rows, keys: Sequence[str] = ()) -> None:
        """Give up the slots of rows that have one."""
        rows = rows[rows < len(lane.watch)]
        rows = rows[lane.slot[rows] >= 0]
        for number in np.unique(lane.watch[rows]).tolist():
            mine = rows[lane.watch[rows] == number]
            self.desks[(keys or self.keys)[number]].leave(lane.slot[mine])
        lane.slot[rows] = -1


def _move(lane: Lane, keys: Sequence[str], old: Lane, old_keys: Sequence[str]) -> None:
    """Let series that stay at the same desk keep their slot there."""
    n = min(len(lane.watch), len(old.watch))
    desk, before = np.array([*keys, ""])[lane.watch[:n]], np.array([*old_keys, ""])[old.watch[:n]]
    stay = np.flatnonzero((desk == before) & (desk != "") & (lane.slot[:n] < 0) & (old.slot[:n] >= 0))
    lane.slot[stay], old.slot[stay] = old.slot[stay], -1
