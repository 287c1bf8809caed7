"""An incident of which customers knew first in; what of its services had moved before them out, as a rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from pipeline import units
from pipeline.correlate.picture import say
from pipeline.detect.desk import RING, Desk
from pipeline.detect.state import DetectState
from pipeline.detect.watch import Watch
from pipeline.series import Series
from pipeline.types import Floats, Incident, Seconds

BEFORE: Seconds = 900.0  # so long before the first complaint something may have moved,
USUAL = 15  # held against so many samples before that, at least
FAR = 8.0  # spreads of the usual from which it has
NEAR = 3  # suspects that are looked at
MAX_LOOKED = 5_000  # series


class Moved(NamedTuple):
    """A series that left its usual values before the first customer wrote."""

    far: float  # spreads
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
    moved = max(_moved(state, series, frozenset(services), first), default=None)
    if moved is None:
        return (
            f"customers were first: nothing measured of {names} had moved in the {units.span(BEFORE)} before"
        )
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


def _moved(state: DetectState, series: Series, services: frozenset[str], first: Seconds) -> Iterator[Moved]:
    """Yield the series of the services that left their usual values within BEFORE."""
    lane = state.lanes[0] if state.lanes else None
    rows = [row for row, service in enumerate(series.services) if service in services][:MAX_LOOKED]
    for row in rows if lane is not None else ():
        assert lane is not None
        if row < len(lane.slot) and lane.slot[row] >= 0:
            number, slot = int(lane.watch[row]), int(lane.slot[row])
            found = _look(state.desks[state.keys[number]], slot, state.watches[number], row, first)
            if found is not None:
                yield found


def _look(desk: Desk, slot: int, watch: Watch, row: int, first: Seconds) -> Moved | None:
    n = int(desk.written[slot])
    order = np.arange(max(0, n - RING), n) % RING
    time, value = desk.time[slot][order], desk.value[slot][order].astype(np.float64)
    known = np.isfinite(value)
    usual = value[known & (time < first - BEFORE)]
    late = known & (time >= first - BEFORE) & (time <= first)
    if len(usual) < USUAL or not late.any():
        return None
    middle = float(np.median(usual))
    spread = 1.4826 * float(np.median(np.abs(usual - middle)))
    off = (value[late] - middle) / max(spread, 0.02 * abs(middle), 1e-9)
    off = off if watch.detection_direction != "below" else np.minimum(off, 0.0)
    off = off if watch.detection_direction != "above" else np.maximum(off, 0.0)
    worst = int(np.abs(off).argmax())
    peak = float(value[late][worst])
    edge = float(usual.max() if peak > middle else usual.min())
    beyond = (peak - edge) * (peak - middle) > 0
    if abs(off[worst]) < FAR or abs(peak - middle) < watch.min_dev_from_expected or not beyond:
        return None
    since = float(time[late][np.abs(off) >= FAR][0])
    bar = (edge + peak) / 2
    most, least = desk.records.most[slot].astype(np.float64), desk.records.least[slot].astype(np.float64)
    return Moved(
        float(abs(off[worst])), row, since, middle, peak, bar,
        _days((most >= bar) if peak > middle else (least <= bar)), _days(np.isfinite(most)),
    )  # fmt: skip


def _days(which: Floats) -> int:
    return int(np.count_nonzero(which))
