"""An incident of which customers knew first in; what of its services had moved before them out, as a rule."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from pipeline import units
from pipeline.correlate.picture import say
from pipeline.detect.desk import RING, Desk
from pipeline.detect.state import DetectState
from pipeline.detect.watch import Watch
from pipeline.series import Series
from pipeline.types import Floats, Incident, Seconds

LATE = 6  # samples before the first complaint in which something may have moved,
BEFORE: Seconds = 900.0  # none of them older than that,
USUAL = 15  # held against so many samples before them, at least
FAR = 8.0  # spreads of the usual from which it has
NOISE = 3.0  # spreads that anything strays by itself
NEAR = 3  # suspects that are looked at
MAX_LOOKED = 5_000  # series


class Moved(NamedTuple):
    """A series that left its usual values before the first customer wrote."""

    alone: float  # how many times as far as it was in all the hour before
    row: int
    since: Seconds
    usual: float
    value: float  # the farthest
    bar: float  # between what was usual and that
    days: int  # of those kept on which it was beyond the bar
    kept: int


def hindsight(
    state: DetectState, series: Series, incidents: Iterable[Incident], now: Seconds
) -> tuple[Incident, ...]:
    """Return the incidents; one that pages now, after a customer has written, says what moved before that.

    The rule it proposes was held against the least and the most of each day that is kept, 28 at most.
    """
    return tuple(
        say(i, now, _told(state, series, i)) if i.paged == now and _after_customers(i) else i
        for i in incidents
    )


def _after_customers(incident: Incident) -> bool:
    return incident.first_complaint is not None and incident.first_complaint < (incident.paged or 0.0)


def _told(state: DetectState, series: Series, incident: Incident) -> str:
    first = incident.first_complaint or 0.0
    services = tuple(dict.fromkeys(s.service for s in incident.suspects))[:NEAR] or incident.services[:1]
    names = ", ".join(services) or "no service"
    moved = _moved(state, series, frozenset(services), first)
    if moved is None:
        return f"customers were first: nothing measured of {names} had moved more than it does by itself"
    name = state.table.name(series, moved.row)
    metric, _, _ = name.partition("{")
    usual, value = units.quantity(moved.usual, metric), units.quantity(moved.value, metric)
    return (
        f"customers were first, yet {name} had gone from {usual} to {value}, "
        f"{units.span(first - moved.since)} before them. {_rule(moved, metric, series.services[moved.row])} "
        f"would have paged then, and on {moved.days} of the {moved.kept} days that are kept"
    )


def _rule(moved: Moved, metric: str, service: str) -> str:
    """Return a watch that would have told of it, as one writes it in rules/*.yaml."""
    limits = f"-.inf, {moved.bar:.4g}" if moved.value > moved.usual else f"{moved.bar:.4g}, .inf"
    return (
        f'{{name: "{metric} of {service}", metrics: ["{re.escape(metric)}"], '
        f'labels: {{service: "{re.escape(service)}"}}, data_range: [{limits}], page: true}}'
    )


def _moved(state: DetectState, series: Series, services: frozenset[str], first: Seconds) -> Moved | None:
    """Return the series of the services that left its usual values the farthest; None where it may be chance.

    Of many series one is always at its most: what is named is farther beyond its own past than any of them
    was in any stretch as long of that past. So chance is named once in as many times as stretches are kept.
    """
    lane = state.lanes[0] if state.lanes else None
    rows = [row for row, service in enumerate(series.services) if service in services][:MAX_LOOKED]
    found: list[Moved] = []
    chance = 0.0
    for row in rows if lane is not None else ():
        assert lane is not None
        if row < len(lane.slot) and lane.slot[row] >= 0:
            number, slot = int(lane.watch[row]), int(lane.slot[row])
            watch, desk = state.watches[number], state.desks[state.keys[number]]
            one, others = _look(desk, slot, watch, row, first)
            chance = max(chance, others)
            found += [one] if one is not None else []
    farthest = max(found, default=None)
    return farthest if farthest is not None and farthest.alone > chance else None


def _look(desk: Desk, slot: int, watch: Watch, row: int, first: Seconds) -> tuple[Moved | None, float]:
    """Return how one series moved, and how far alone an earlier stretch of it stands at most."""
    n = int(desk.written[slot])
    order = np.arange(max(0, n - RING), n) % RING
    time, value = desk.time[slot][order], desk.value[slot][order].astype(np.float64)
    told = np.isfinite(value) & (time <= first)
    time, value = time[told], value[told]
    if len(value) < USUAL + LATE:
        return None, 0.0
    usual = value[:-LATE]
    middle = float(np.median(usual))
    spread = 1.4826 * float(np.median(np.abs(usual - middle)))
    off = (value - middle) / max(spread, 0.02 * abs(middle), 1e-9)
    off = off if watch.detection_direction != "below" else np.minimum(off, 0.0)
    off = off if watch.detection_direction != "above" else np.maximum(off, 0.0)
    far = np.where(time >= first - BEFORE, np.abs(off), 0.0)[-LATE:]
    most = np.array([np.abs(off[max(0, k - LATE) : k]).max() for k in range(len(usual), 0, -LATE)])
    others = float(_alone(np.append(most, far.max()))[:-1].max())
    worst = int(far.argmax())
    peak = float(value[-LATE:][worst])
    if far[worst] < FAR or abs(peak - middle) < watch.min_dev_from_expected or far[worst] <= most.max():
        return None, others
    edge = float(usual.max() if peak > middle else usual.min())
    bar = (edge + peak) / 2
    high, low = desk.records.most[slot].astype(np.float64), desk.records.least[slot].astype(np.float64)
    since = float(time[-LATE:][far >= FAR][0])
    moved = Moved(
        float(far[worst] / max(NOISE, most.max())), row, since, middle, peak, bar,
        _days((high >= bar) if peak > middle else (low <= bar)), _days(np.isfinite(high)),
    )  # fmt: skip
    return moved, others


def _alone(most: Floats) -> Floats:
    """Return how many times as far as the farthest other each is, (n,) of n >= 2."""
    first, second = np.sort(most)[[-1, -2]]
    found: Floats = most / np.maximum(NOISE, np.where(most == first, second, first))
    return found


def _days(which: Floats) -> int:
    return int(np.count_nonzero(which))
