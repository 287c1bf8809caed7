"""Samples to signals: one watch is a rule's detector, threshold and patience."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.bouts import Bout, Sample, Subject
from pipeline.detect.desk import Desk
from pipeline.detect.hindsight import hindsight
from pipeline.detect.lane import Lane
from pipeline.detect.samples import AHEAD, Round
from pipeline.detect.state import DetectState
from pipeline.detect.taught import EXPLAINED
from pipeline.detect.watch import Guards, Watch
from pipeline.series import Series
from pipeline.types import Batch, Evidence, Floats, Rows, Seconds, Signal

__all__ = ["DetectState", "Watch", "detect", "hindsight"]

# Once out, a series is back only when well inside its limits, or one on the edge would flap.
SLACK = 0.6
GONE = 300.0  # a series out of band that sends no more has ended with its pod; its service may be blind
LOOK = 5.0  # seconds between two looks for those


class _Seen(NamedTuple):
    """Samples of one desk in one lane after its detector has seen them, (n,) each."""

    number: int  # of the lane
    desk: Desk
    row: Rows
    slot: Rows
    time: Floats
    value: Floats
    surprise: Floats
    expected: Floats
    odd: NDArray[np.bool_]
    outside: NDArray[np.bool_]  # beyond what it may be, which no change explains


def detect(
    state: DetectState, batch: Batch, series: Series, watches: Sequence[Watch], now: Seconds
) -> tuple[tuple[Signal, ...], tuple[Evidence, ...]]:
    """Return what is to be said of the batch's samples, and samples to be drawn beside it."""
    said = list(state.forget(series.evict(now), now))
    if tuple(watches) != state.watches:
        said += state.adopt(watches, series, now)
    state.learn(batch.events, now)
    shown: list[Evidence] = []
    if len(batch.series) or series.reborn:
        state.look_up(series)
        heard = ~np.isnan(batch.value) & (batch.time <= now + AHEAD)
        state.ears.hear(batch.series[heard], series, now)
        heard[len(heard) - batch.derived :] = False
        state.lost.hear(batch.series[heard], batch.time[heard])
        guards = Guards(state.watches)
        for each in state.table.rounds(batch, series, now):
            for seen in _look(state, each, guards, series):
                for word, evidence in _tell(state, seen, series, now):
                    said += word
                    shown += evidence
    said += state.ears.look(now)
    said += state.lost.look(series, now)
    said += _gone(state, now)
    return tuple(said), tuple(shown)


def _look(state: DetectState, given: Round, guards: Guards, series: Series) -> Iterator[_Seen]:
    """Let each desk's detector see its samples."""
    for number, lane in enumerate(state.lanes):
        if not lane.used:
            continue
        for key in dict.fromkeys(state.keys[k] for k in lane.watches):
            member = np.isin(lane.watch[given.row], [k for k in lane.watches if state.keys[k] == key])
            if member.any():
                mine = Round(given.row[member], given.time[member], given.value[member])
                slot = state.seat(lane, key, mine.row, series)
                yield _see(Place(number, lane, state.desks[key]), mine, slot, guards)


class Place(NamedTuple):
    number: int
    lane: Lane
    desk: Desk


def _see(place: Place, given: Round, slot: Rows, guards: Guards) -> _Seen:
    row, time, value = given
    lane, watch = place.lane, place.lane.watch[row]
    surprise, expected = place.desk.take(slot, time, value)
    outside = guards.outside(watch, value)
    slack = np.where(lane.busy[row], SLACK, 1.0)
    odd = outside | guards.odd(watch, surprise / lane.bar[row], value, expected, slack)
    surprise = np.where(outside, np.fmax(surprise, guards.surprise[watch]), surprise)
    return _Seen(place.number, place.desk, row, slot, time, value, surprise, expected, odd, outside)


def _tell(
    state: DetectState, seen: _Seen, series: Series, now: Seconds
) -> Iterator[tuple[list[Signal], list[Evidence]]]:
    """Yield the words and samples of what is out of band, or was: the only samples handled one by one."""
    lane = state.lanes[seen.number]
    for k in np.flatnonzero(seen.odd | (lane.busy[seen.row] & ~np.isnan(seen.surprise))):
        row, slot = int(seen.row[k]), int(seen.slot[k])
        sample = Sample(
            float(seen.time[k]), float(seen.value[k]), float(seen.expected[k]), float(seen.surprise[k]),
            float(state.table.rows["cadence"][row]),
        )  # fmt: skip
        odd = bool(seen.odd[k])
        watch = state.watches[lane.watch[row]]
        bout = state.bouts.get((seen.number, row)) or _begin(state, seen.number, row, sample.time, series)
        mild = odd and not seen.outside[k] and sample.surprise < EXPLAINED * watch.surprise * lane.bar[row]
        why = state.lessons.explained(bout.subject.service, watch, bout.since, sample.time) if mild else ""
        if why:
            state.end(seen.number, row)
            if bout.id:
                yield [bout.end(now, sample.time, f"is explained: {why}")], []
            continue
        if odd:
            sample = sample._replace(facts=seen.desk.facts(slot, sample.time, sample.value))
        over, word = (False, bout.out(sample, now)) if odd else bout.back(sample, now)
        if over:
            state.end(seen.number, row)
        elif word is not None:
            state.lessons.spoke(word.id, watch.name, row, word.surprise)
        if bout.id and not bout.drawn:
            bout.drawn = True
            yield [word] if word else [], [seen.desk.past(bout.id, slot)]
        elif bout.id:
            yield [word] if word else [], [seen.desk.sample(bout.id, slot, sample.time, sample.value)]


def _begin(state: DetectState, number: int, row: int, since: Seconds, series: Series) -> Bout:
    table, lane = state.table, state.lanes[number]
    lane.busy[row] = True
    rate = "a second" if table.rows["rate"][row] and not table.rows["mean"][row] else ""
    name = table.name(series, row)
    watch = state.watches[lane.watch[row]]
    subject = Subject(name, series.services[row], series.labels[row], row, rate)
    lesson = state.lessons.taught.get((watch.name, row))
    note = lesson.told(watch.surprise) if lesson else ""
    state.bouts[number, row] = Bout(
        watch, subject, since, since, note=note, after=state.ended.get((number, row), -np.inf)
    )  # fmt: skip
    return state.bouts[number, row]


def _gone(state: DetectState, now: Seconds) -> Iterator[Signal]:
    """End what is out of band and sends no more."""
    if now < state.looked + LOOK:
        return
    state.looked = now
    for (number, row), bout in list(state.bouts.items()):
        if now - bout.last > max(GONE, 5 * float(state.table.rows["cadence"][row])):
            state.end(number, row)
            if bout.id:
                yield bout.end(now, bout.last, "sends no more")
