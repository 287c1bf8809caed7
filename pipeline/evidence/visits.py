"""Log lines of traces in a window, beside quiet time before it, to evidence against services."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from detectors.apart import shares_apart, strength
from pipeline.evidence.found import LEADS, PIECE, Evidence, Window, strongest
from pipeline.logs.templates import Templates, templates_of, text_of
from pipeline.types import Floats, Seconds

FEW = 3  # visits of the window
FEW_QUIET = 4
MOVED = 0.1  # of the visits
MAX_VISITS = 50_000  # remembered, 1 kB each; past it the oldest goes
MAX_MET = 60  # templates of one
MAX_SHOWN = 80  # characters of a template

Place = tuple[str, str]  # a service, and one of its operations or "" for all of them


@dataclass(slots=True)
class Visit:
    """What a trace wrote at one service: templates by operation."""

    time: Seconds  # of its first line
    met: set[tuple[str, int]] = field(default_factory=set)


@dataclass(slots=True)
class VisitState:
    """Traces' visits to services, oldest first; bounded as above."""

    templates: Templates = field(default_factory=Templates)
    visits: dict[tuple[str, str], Visit] = field(default_factory=dict)  # by service and trace
    dropped: Counter[str] = field(default_factory=Counter)


def take_lines(
    state: VisitState,
    services: Sequence[str],
    ops: Sequence[str],
    traces: Sequence[str],
    texts: Sequence[str],
    time: Floats,
) -> None:
    """Add each line to the visit of its trace to its service; a line without a trace is of no use here.

    `ops` name the span that wrote the line, "" where that is not told.
    """
    ids = templates_of(state.templates, texts)
    for service, op, trace, id, at in zip(services, ops, traces, ids, time.tolist(), strict=True):
        if not trace or not service:
            continue
        visit = state.visits.get((service, trace))
        if visit is None:
            if len(state.visits) >= MAX_VISITS:
                del state.visits[next(iter(state.visits))]
                state.dropped["visit"] += 1
            visit = state.visits[service, trace] = Visit(at)
        if len(visit.met) < MAX_MET:
            visit.met |= {(op, id), ("", id)}


def weigh_visits(state: VisitState, window: Window) -> list[Evidence]:
    """Return per service the template whose share of visits is the most unlike what it was.

    Cost: 10 us a visit.
    """
    found: list[Evidence] = []
    for lead in LEADS:
        found += _compare(state, window._replace(since=window.since - lead))
    return list(strongest(found))


def _compare(state: VisitState, window: Window) -> list[Evidence]:
    pieces: dict[int, int] = {}  # of quiet time, by minute: which column
    trials: dict[Place, Counter[int]] = defaultdict(Counter)
    hits: dict[tuple[Place, int], Counter[int]] = defaultdict(Counter)
    for (service, _), visit in state.visits.items():
        column = _column(visit.time, window, pieces)
        if column is None:
            continue
        for op in {op for op, _ in visit.met}:
            trials[service, op][column] += 1
        for op, id in visit.met:
            hits[(service, op), id][column] += 1
    keys = sorted(key for key in hits if trials[key[0]][0] >= FEW)
    if not keys or not pieces:
        return []
    columns = range(1, len(pieces) + 1)
    k = np.array([hits[key][0] for key in keys], np.float64)
    n = np.array([trials[key[0]][0] for key in keys], np.float64)
    old = np.array([[hits[key][c] for c in columns] for key in keys], np.float64)
    of = np.array([[trials[key[0]][c] for c in columns] for key in keys], np.float64)
    surprise = shares_apart(k, n, old, of)
    share, usual = k / n, old.sum(1) / np.maximum(of.sum(1), 1)
    clear = (of.sum(1) >= FEW_QUIET) & (np.abs(share - usual) > MOVED) & (surprise > 0)
    found = []
    for at in np.flatnonzero(clear).tolist():
        (service, _), id = keys[at]
        text = text_of(state.templates, id)[:MAX_SHOWN]
        reason = f'"{text}" in {share[at]:.0%} of its traces, where {usual[at]:.0%} is usual'
        found.append(Evidence(service, "log", strength(float(surprise[at]), 2.0), reason))
    return found


def _column(time: Seconds, window: Window, pieces: dict[int, int]) -> int | None:
    """Return 0 for the window, a number for each quiet piece before it, or nothing."""
    if window.since <= time <= window.until:
        return 0
    if time > window.until or any(since <= time <= until for since, until in window.trouble):
        return None
    return pieces.setdefault(int(time // PIECE), len(pieces) + 1)
