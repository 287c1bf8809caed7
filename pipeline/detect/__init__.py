"""Samples to signals: one watch is a rule's detector, threshold and patience."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.blind import Ears
from pipeline.detect.bouts import Bout, Sample, Subject
from pipeline.detect.desk import Desk
from pipeline.detect.samples import Round, Table
from pipeline.detect.watch import Guards, Watch, build
from pipeline.series import Series
from pipeline.types import Batch, Evidence, Floats, Rows, Seconds, Signal

__all__ = ["DetectState", "Watch", "detect"]

# Once out, a series is back only when well inside its limits, or one on the edge would flap.
SLACK = 0.6
GONE = 300.0  # a series out of band that sends no more has ended with its pod; its service may be blind
LOOK = 5.0  # seconds between two looks for those


@dataclass(slots=True)
class DetectState:
    """What the watches have learned: 1.3 kB a watched series, 57 B any other, 300 B one out of band."""

    watches: tuple[Watch, ...] = ()
    keys: tuple[str, ...] = ()  # the desk of each watch
    table: Table = field(default_factory=Table)
    desks: dict[str, Desk] = field(default_factory=dict)  # by detector and its arguments
    bouts: dict[int, Bout] = field(default_factory=dict)  # by row
    ears: Ears = field(default_factory=Ears)
    looked: Seconds = -np.inf

    @property
    def dropped(self) -> Counter[str]:
        return self.table.dropped


class _Seen(NamedTuple):
    """Samples of one desk after its detector has seen them, (n,) each."""

    desk: Desk
    row: Rows
    slot: Rows
    time: Floats
    value: Floats
    surprise: Floats
    expected: Floats
    odd: NDArray[np.bool_]


def detect(
    state: DetectState, batch: Batch, series: Series, watches: Sequence[Watch], now: Seconds
) -> tuple[tuple[Signal, ...], tuple[Evidence, ...]]:
    """Return what is to be said of the batch's samples, and samples to be drawn beside it."""
    said = list(_adopt(state, tuple(watches), series, now))
    shown: list[Evidence] = []
    if len(batch.series):
        state.table.look_up(series, state.watches)
        state.ears.hear(batch.series[~np.isnan(batch.value)], series, now)
        guards = Guards(state.watches)
        for each in state.table.rounds(batch, now):
            for seen in _look(state, each, guards):
                for word, evidence in _tell(state, seen, series, now):
                    said += word
                    shown += evidence
    said += state.ears.look(now)
    said += _gone(state, now)
    return tuple(said), tuple(shown)


def _look(state: DetectState, given: Round, guards: Guards) -> Iterator[_Seen]:
    """Let each desk's detector see its samples."""
    table = state.table.rows
    watch = table["watch"][given.row]
    for key in dict.fromkeys(state.keys):
        mine = [k for k, other in enumerate(state.keys) if other == key]
        member = np.isin(watch, mine)
        if not member.any():
            continue
        row, time, value = given.row[member], given.time[member], given.value[member]
        if key not in state.desks:
            state.desks[key] = Desk(build(state.watches[mine[0]]))
        desk = state.desks[key]
        new = row[table["slot"][row] < 0]
        table["slot"][new] = desk.seat(len(new))
        slot = table["slot"][row]
        surprise, expected = desk.take(slot, time, value)
        outside = guards.outside(watch[member], value)
        slack = np.where(table["busy"][row], SLACK, 1.0)
        odd = outside | guards.odd(watch[member], surprise, value, expected, slack)
        surprise = np.where(outside, np.fmax(surprise, guards.surprise[watch[member]]), surprise)
        yield _Seen(desk, row, slot, time, value, surprise, expected, odd)


def _tell(
    state: DetectState, seen: _Seen, series: Series, now: Seconds
) -> Iterator[tuple[list[Signal], list[Evidence]]]:
    """Yield the words and samples of what is out of band, or was: the only samples handled one by one."""
    for k in np.flatnonzero(seen.odd | (state.table.rows["busy"][seen.row] & ~np.isnan(seen.surprise))):
        row, slot = int(seen.row[k]), int(seen.slot[k])
        sample = Sample(
            float(seen.time[k]), float(seen.value[k]), float(seen.expected[k]), float(seen.surprise[k]),
            float(state.table.rows["cadence"][row]),
        )  # fmt: skip
        bout = state.bouts.get(row) or _begin(state, row, sample.time, series)
        over, word = (False, bout.out(sample, now)) if seen.odd[k] else bout.back(sample, now)
        if over:
            _forget(state, row)
        if bout.id and not bout.drawn:
            bout.drawn = True
            yield [word] if word else [], [seen.desk.past(bout.id, slot)]
        elif bout.id:
            yield [word] if word else [], [seen.desk.sample(bout.id, slot, sample.time, sample.value)]


def _begin(state: DetectState, row: int, since: Seconds, series: Series) -> Bout:
    table = state.table.rows
    table["busy"][row] = True
    rate = "a second" if table["rate"][row] and not table["mean"][row] else ""
    name = state.table.name(series, row)
    subject = Subject(name, series.services[row], series.labels[row], row, rate)
    state.bouts[row] = Bout(state.watches[table["watch"][row]], subject, since, since)
    return state.bouts[row]


def _forget(state: DetectState, row: int) -> None:
    del state.bouts[row]
    state.table.rows["busy"][row] = False


def _gone(state: DetectState, now: Seconds) -> Iterator[Signal]:
    """End what is out of band and sends no more."""
    if now < state.looked + LOOK:
        return
    state.looked = now
    for row, bout in list(state.bouts.items()):
        if now - bout.last > max(GONE, 5 * float(state.table.rows["cadence"][row])):
            _forget(state, row)
            if bout.id:
                yield bout.end(now, bout.last, "sends no more")


def _adopt(state: DetectState, watches: tuple[Watch, ...], series: Series, now: Seconds) -> Iterator[Signal]:
    """Take over new rules: what was said under the old ones ends; what was learned stays where it can."""
    if watches == state.watches:
        return
    for row, bout in list(state.bouts.items()):
        _forget(state, row)
        if bout.id:
            yield bout.end(now, now, "is watched by other rules")
    table = state.table
    known = table.rows[: table.size]
    before = np.array([*state.keys, ""])[known["watch"]]  # -1, unwatched, picks the last
    state.watches = watches
    state.keys = tuple(f"{w.detector} {json.dumps(dict(w.args), sort_keys=True)}" for w in watches)
    table.size = 0
    table.look_up(series, watches)
    known = table.rows[: len(before)]
    known["slot"][np.array([*state.keys, ""])[known["watch"]] != before] = -1
