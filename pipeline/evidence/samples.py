"""Samples of a window, beside those of quiet time before it, to evidence against services."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from detectors.apart import strength
from detectors.base import Floats
from pipeline.cause import sort_of
from pipeline.evidence.calls import CLEAR, Edge, around
from pipeline.evidence.found import Evidence, Sort, Window, strongest
from pipeline.types import Seconds, Signal

BACK: Seconds = 4 * 3600.0  # of quiet time that a window is compared with
FEW = 2  # samples of a window
FEW_QUIET = 10
LOUD = 0.95  # of quiet windows stay below the distance that counts as two spreads
FLAT = 0.03  # of its level, by which anything may move
SPREADS = 3.0  # are worth one doubling
CALM = 0.9  # of quiet windows of a service stay below what is taken off
OFTEN = 0.8  # of quiet minutes in which an edge has calls, for their absence to mean anything

_GOOD = re.compile(r"success|availab|hit|ready|up$")
_CLIENT, _SERVER = re.compile(r"source|client"), re.compile(r"destination|server")
_SORTS: dict[str, Sort] = {
    "own": "own", "slow": "late", "fails": "fails", "traffic": "traffic", "edge": "edge",
}  # fmt: skip


class Readings(NamedTuple):
    """One series: n samples in order of time, NaN = missing. An edge's entity is "caller->callee"."""

    service: str
    entity: str
    metric: str
    time: Floats
    value: Floats


class _Moved(NamedTuple):
    """How far a series moved from its quiet middle, in spreads of windows as long."""

    series: Readings
    by: float  # spreads, signed
    usual: float
    seen: float
    quiet: Floats  # the same distance of each quiet window
    ends: Floats  # of those


def weigh_samples(readings: Iterable[Readings], window: Window) -> list[Evidence]:
    """Return the strongest evidence of each service and sort: own, late, edge, fails, traffic, shape.

    Cost: 0.1 ms a series with four hours of samples a minute.
    """
    told = [series for series in readings if series.service]
    moved = _peered([m for s in (*told, *_waits(told)) if (m := _moved(s, window)) is not None])
    found: list[Evidence] = []
    slower: dict[Edge, float] = {}
    groups: dict[tuple[str, Sort], list[_Moved]] = defaultdict(list)
    for each in moved:
        sort = _sort(each.series)
        if sort == "edge":
            caller, _, callee = each.series.entity.partition("->")
            weight = strength(each.by - CLEAR, SPREADS)
            slower[caller, callee] = max(slower.get((caller, callee), 0.0), weight)
        elif sort is not None:
            groups[each.series.service, sort].append(each)
    found += (each._replace(sort="edge") for each in around(slower))
    for (service, sort), group in sorted(groups.items()):
        best = max(group, key=lambda m: (_size(m, sort), m.series.metric, m.series.entity))
        weight = strength(_size(best, sort), SPREADS) - strength(_calm(group, sort), SPREADS)
        if weight > 0:
            found.append(Evidence(service, sort, weight, _told(best)))
    found += _absent(told, window)
    return list(strongest(found))


def _moved(series: Readings, window: Window) -> _Moved | None:
    fine = np.isfinite(series.value)
    time, value = series.time[fine], series.value[fine]
    now = value[(time >= window.since) & (time <= window.until)]
    calm = (time < window.since) & (time >= window.since - BACK)
    for since, until in window.trouble:
        calm &= (time < since) | (time > until)
    quiet = value[calm]
    if len(now) < FEW or len(quiet) < FEW_QUIET:
        return None
    middle = float(np.median(quiet))
    k = min(len(now), len(quiet))
    slid = np.convolve(quiet - middle, np.ones(k) / k, "valid")
    # As small a step as the series was ever seen to make is no news of it.
    least = max(float(np.quantile(np.abs(slid), LOUD)) / 2, FLAT * abs(middle) / 2, 1e-9)
    by = float(now.mean()) - middle
    return _Moved(series, by / least, middle, float(now.mean()), slid / least, time[calm][k - 1 :])


def _peered(moved: Sequence[_Moved]) -> list[_Moved]:
    """Return all with no spread smaller than the middle one of the same metric on all services.

    A service that does next to nothing is steady to the last digit, and no less innocent for it.
    """
    spreads: dict[str, list[float]] = defaultdict(list)
    for each in moved:
        spreads[each.series.metric].append(_spread(each))
    usual = {metric: float(np.median(found)) for metric, found in spreads.items()}
    fair = []
    for each in moved:
        share = min(1.0, _spread(each) / usual[each.series.metric])
        fair.append(each._replace(by=each.by * share, quiet=each.quiet * share))
    return fair


def _spread(moved: _Moved) -> float:
    return (moved.seen - moved.usual) / moved.by if moved.by else 1e-9


def _size(moved: _Moved, sort: Sort) -> float:
    return float(_sizes(np.array([moved.by]), moved, sort)[0])


def _sizes(by: Floats, moved: _Moved, sort: Sort) -> Floats:
    """Return how far it moved in the direction that is bad for its sort; in either where both may be."""
    if sort == "late" or (sort == "fails" and not _GOOD.search(moved.series.metric)):
        return np.maximum(by, 0.0)
    return np.maximum(-by, 0.0) if sort == "fails" else np.abs(by)


def _calm(group: Sequence[_Moved], sort: Sort) -> float:
    """Return what the worst of the service's series of a sort reached in most quiet windows."""
    ends = np.concatenate([each.ends for each in group])
    sizes = np.concatenate([_sizes(each.quiet, each, sort) for each in group])
    minutes, at = np.unique(ends // 60.0, return_inverse=True)
    worst = np.zeros(len(minutes))
    np.maximum.at(worst, at, sizes)
    return float(np.quantile(worst, CALM))


def _sort(series: Readings) -> Sort | None:
    labels = {"__name__": series.metric, "entity": series.entity}
    nan = math.nan
    plain = Signal(
        "",
        "metric",
        series.service,
        series.metric,
        labels,
        "",
        nan,
        nan,
        nan,
        nan,
        nan,
        page=False,
        reason="",
    )
    return _SORTS.get(sort_of(plain))


def _told(moved: _Moved) -> str:
    return f"{moved.series.metric} is {moved.seen:.3g}, where {moved.usual:.3g} is usual"


def _waits(readings: Sequence[Readings]) -> Iterator[Readings]:
    """Yield, of edges measured at both ends, the time between: the network's and the queues'."""
    servers = {
        (s.service, s.entity, _SERVER.sub("", s.metric)): s
        for s in readings
        if "->" in s.entity and _SERVER.search(s.metric)
    }
    for client in readings:
        if "->" not in client.entity or not _CLIENT.search(client.metric):
            continue
        server = servers.get((client.service, client.entity, _CLIENT.sub("", client.metric)))
        if server is not None and len(server.time) == len(client.time):
            gap = np.maximum(client.value - server.value, 0.0)
            name = _CLIENT.sub("gap", client.metric)
            yield Readings(client.service, client.entity, name, client.time, gap)


def _absent(readings: Sequence[Readings], window: Window) -> Iterator[Evidence]:
    """Yield the callers of edges that have calls at most times and had none in the window."""
    for series in readings:
        if "->" not in series.entity:
            continue
        caller, _, callee = series.entity.partition("->")
        here = np.isfinite(series.value)
        now = (series.time >= window.since) & (series.time <= window.until)
        before = (series.time < window.since) & (series.time >= window.since - BACK)
        gone, n = int((now & ~here).sum()), int(now.sum())
        missed, total = int((before & ~here).sum()), int(before.sum())
        if gone < FEW or total < FEW_QUIET or missed > (1 - OFTEN) * total:
            continue
        surprise = -gone * math.log10((missed + 1) / (total + 2))
        reason = f"no calls to {callee} in {gone} of {n} samples, where {missed} of {total} had none"
        yield Evidence(caller, "shape", strength(surprise, 2.0), reason)
