"""Samples and log lines to when each service was last heard from: silence is never taken for health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pipeline.series import Series
from pipeline.types import NO_FLOATS, NO_ROWS, Batch, Floats, Rows, Seconds

# A board five seconds behind is still live, and a store then writes one row a service that often.
TELL_EVERY = 5.0


@dataclass(slots=True)
class FeedState:
    """The newest event time of each service; 4 bytes a series and some 100 a service."""

    number: dict[str, int] = field(default_factory=dict)  # by service, in order of first sight
    owner: Rows = field(default_factory=lambda: NO_ROWS)  # (series,) number of the service
    last: Floats = field(default_factory=lambda: NO_FLOATS)  # (services,) -inf = never
    told: Floats = field(default_factory=lambda: NO_FLOATS)  # (services,)
    at: Seconds = -np.inf  # when it was last told


def listen(state: FeedState, batch: Batch, series: Series, now: Seconds) -> Mapping[str, Seconds]:
    """Return the newest event time of each service that spoke since it was last told, every TELL_EVERY s.

    A time in the future counts as now: a wrong clock must not make a dead feed look alive.
    """
    _grow(state, series)
    for rows, time in ((batch.series, batch.time), (batch.lines.series, batch.lines.time)):
        if len(rows):
            np.maximum.at(state.last, state.owner[rows], np.minimum(time, now))
    if now < state.at + TELL_EVERY:
        return {}
    moved = state.last > state.told
    state.at, state.told = now, state.last.copy()
    return {name: float(state.last[k]) for name, k in state.number.items() if name and moved[k]}


def _grow(state: FeedState, series: Series) -> None:
    names = series.services
    if len(names) == len(state.owner) and not series.reborn:
        return
    for row in series.reborn:
        if row < len(state.owner):
            state.owner[row] = state.number.setdefault(names[row], len(state.number))
    owner = [state.number.setdefault(name, len(state.number)) for name in names[len(state.owner) :]]
    state.owner = np.concatenate((state.owner, np.array(owner, np.int32)))
    room = np.full(len(state.number) - len(state.last), -np.inf)
    state.last = np.concatenate((state.last, room))
    state.told = np.concatenate((state.told, room))
