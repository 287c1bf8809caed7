"""Spans of a window, beside those of quiet time before it, to evidence against services."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from detectors.apart import Flags, levels_apart, shares_apart, strength
from detectors.base import Floats
from pipeline.evidence.found import LEADS, PIECE, Evidence, Window, strongest
from pipeline.spans.state import SLOT, Call, SpanState
from pipeline.types import Seconds

FEW = 3  # spans below which neither a median nor its absence says anything
FEW_PARENTS = 4
CLEAR = 2.0  # spreads
USUAL = 0.25  # spread of the log of a slot's middle duration, where little is known of it
LEAST = 0.1  # of a log: a tenth more or less is nobody's fault
OWN_LEAST: Seconds = 1e-3
SLOW = 0.5  # doublings of its gap from which an edge counts as slow
MOVED = 0.1  # of a share: less is nothing, however sure

Edge = tuple[str, str]
Node = tuple[str, str]  # a service and one of its operations


def weigh_calls(state: SpanState, window: Window) -> list[Evidence]:
    """Return the strongest evidence of each service and sort: network, time, shape and fails.

    Cost: 25 ms with 300 kinds of call and an hour of slots.
    """
    found: list[Evidence] = []
    for lead in LEADS:
        now, quiet, before = _columns(state, window._replace(since=window.since - lead))
        if now.any():
            found += around(gaps(state, now, quiet, before))
            found += _times(state, now, quiet, before)
            found += _shapes(state, now, quiet)
            found += _failures(state, now, quiet)
    return list(strongest(found))


def edges(state: SpanState) -> dict[str, frozenset[str]]:
    """Return who was seen to call whom."""
    seen: dict[str, set[str]] = defaultdict(set)
    for call in state.rows:
        if call.crosses:
            seen[call.caller].add(call.callee)
    return {caller: frozenset(callees) for caller, callees in seen.items()}


def gaps(state: SpanState, now: Flags, quiet: Flags, before: Flags) -> dict[Edge, float]:
    """Return how many doublings the time between client and server grew by, of each edge with spans."""
    crossing = [(k, c) for c, k in state.rows.items() if c.crosses]
    if not crossing:
        return {}
    rows = np.array([k for k, _ in crossing])
    known, count, _, _, grown, z = _levels(state, "gap", rows, now, quiet, before)
    weight, total = defaultdict[Edge, float](float), defaultdict[Edge, float](float)
    for k in np.flatnonzero(known).tolist():
        edge = (crossing[k][1].caller, crossing[k][1].callee)
        weight[edge] += count[k]
        total[edge] += count[k] * max(0.0, grown[k]) / math.log(2) if z[k] > CLEAR else 0.0
    return {edge: total[edge] / weight[edge] for edge in sorted(weight)}


def around(slower: Mapping[Edge, float]) -> Iterator[Evidence]:
    """Yield what slow edges say of the services at their ends.

    All edges of a culprit are slow, or all that lead to it where only its answers are. One slow edge of
    many speaks of its other end, and of two ends alike the one with more slow edges is meant.
    """
    ends: dict[str, list[tuple[float, Edge]]] = defaultdict(list)
    into: dict[str, list[tuple[float, Edge]]] = defaultdict(list)
    for edge, grown in slower.items():
        for end in edge:
            ends[end].append((grown, edge))
        into[edge[1]].append((grown, edge))
    for service, found in ends.items():
        held = max(found, into.get(service, found), key=_slow)
        if _slow(held) > 0:
            grown, (a, b) = max(held)
            many = sum(grown >= SLOW for grown, _ in held)
            which = "edges" if held is found else "edges into it"
            reason = f"{many} of {len(held)} {which} are slow, most {a} -> {b}, by {grown:.1f} doublings"
            yield Evidence(service, "network", _slow(held), reason)


def _slow(found: Sequence[tuple[float, Edge]]) -> float:
    many = sum(grown >= SLOW for grown, _ in found)
    return float(sum(grown for grown, _ in found) / len(found) * math.log2(1 + many))


def _times(state: SpanState, now: Flags, quiet: Flags, before: Flags) -> Iterator[Evidence]:
    """Yield how much longer operations took by themselves: less what their child spans took longer."""
    calls = list(state.rows)
    rows = np.arange(len(calls))
    known, count, new, old, _, z = _levels(state, "duration", rows, now, quiet, before)
    into, under, clients = _tree(calls)
    excess = np.where(known, count * (np.exp(new) - np.exp(old)), 0.0)
    for (service, op), ks in into.items():
        ks = [k for k in ks if known[k]]
        if not ks or (service, op) in clients or max(z[ks]) <= CLEAR:
            continue
        n = float(count[ks].sum())
        below = sum(max(0.0, excess[k]) for k in under.get((service, op), ()))
        usual = float((count[ks] * np.exp(old[ks])).sum()) / n
        more = (float(excess[ks].sum()) - below) / n
        weight = strength(more, usual + OWN_LEAST)
        if weight > 0:
            reason = f"{op} takes {1e3 * more:.3g} ms longer by itself, where {1e3 * usual:.3g} ms are usual"
            yield Evidence(service, "time", weight, reason)


def _shapes(state: SpanState, now: Flags, quiet: Flags) -> Iterator[Evidence]:
    """Yield which child spans a span has come to have or to lack; a call counts as one, whatever it asks."""
    calls = list(state.rows)
    into, under, clients = _tree(calls)
    tests: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for node, ks in under.items():
        for k in ks if node in into else ():
            child = "" if node in clients else calls[k].op
            tests[(*node, child)].append(k)
    if not tests:
        return
    hits = np.array([state.count[ks].sum(0) for ks in tests.values()], np.float64)
    trials = np.array([state.count[into[key[:2]]].sum(0) for key in tests], np.float64)
    n, of, share, usual, surprise = _shares(state, hits, trials, now, quiet)
    clear = (n >= FEW_PARENTS) & (of >= FEW_PARENTS)
    clear &= np.abs(share - usual) > MOVED * np.maximum(1.0, usual)
    for at, (service, op, child) in enumerate(tests):
        if clear[at] and surprise[at] > 0:
            what = child or "an answering span"
            reason = f"{share[at]:.3g} {what} in each {op}, where {usual[at]:.3g} were usual"
            yield Evidence(service, "shape", strength(float(surprise[at]), 2.0), reason)


def _failures(state: SpanState, now: Flags, quiet: Flags) -> Iterator[Evidence]:
    """Yield the services that answer more of their calls with a failure than they did."""
    rows: dict[str, list[int]] = defaultdict(list)
    for call, k in state.rows.items():
        if call.caller != call.callee:
            rows[call.callee].append(k)
    if not rows:
        return
    hits = np.array([state.failed[ks].sum(0) for ks in rows.values()], np.float64)
    trials = np.array([state.count[ks].sum(0) for ks in rows.values()], np.float64)
    n, of, share, usual, surprise = _shares(state, hits, trials, now, quiet)
    for at, service in enumerate(rows):
        if min(n[at], of[at]) >= FEW_PARENTS and share[at] > usual[at] and surprise[at] > 0:
            reason = f"{share[at]:.0%} of the calls to it fail, where {usual[at]:.0%} are usual"
            yield Evidence(service, "fails", strength(float(surprise[at]), 2.0), reason)


def _shares(
    state: SpanState, hits: Floats, trials: Floats, now: Flags, quiet: Flags
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return trials now and before, the shares of both, and how surprising it is that they differ."""
    minutes = state.slots // int(PIECE // SLOT)
    pieces = [quiet & (minutes == piece) for piece in np.unique(minutes[quiet]).tolist()]
    k, n = hits[:, now].sum(1), trials[:, now].sum(1)
    old = np.array([hits[:, piece].sum(1) for piece in pieces]).reshape(-1, len(k)).T
    of = np.array([trials[:, piece].sum(1) for piece in pieces]).reshape(-1, len(k)).T
    share, usual = k / np.maximum(n, 1), old.sum(1) / np.maximum(of.sum(1), 1)
    return n, of.sum(1), share, usual, shares_apart(k, n, old, of)


def _columns(state: SpanState, window: Window) -> tuple[Flags, Flags, Flags]:
    """Return which slots lie in the window, which are quiet before it, and which before it at all."""
    first, last = math.floor(window.since / SLOT), math.floor(window.until / SLOT)
    now = (state.slots >= first) & (state.slots <= last)
    before = (state.slots >= 0) & (state.slots < first)
    quiet = before & ~state.trouble
    for since, until in window.trouble:
        quiet &= (state.slots < since // SLOT) | (state.slots > until // SLOT)
    return now, quiet, before


def _levels(
    state: SpanState, name: str, rows: Sequence[int] | np.ndarray, now: Flags, quiet: Flags, before: Flags
) -> tuple[Flags, Floats, Floats, Floats, Floats, Floats]:
    """Return which rows are known well enough, spans now, log now, log before, growth, distance."""
    value = getattr(state, name)[rows].astype(np.float64)
    weight = np.where(np.isnan(value), 0.0, state.count[rows]).astype(np.float64)
    value = np.nan_to_num(value)
    calm = np.where(quiet, weight, 0.0)
    # Where quiet time says too little, all time before must do: a median bears some trouble.
    past = np.where((calm.sum(1) >= FEW)[:, None], calm, np.where(before, weight, 0.0))
    count = weight[:, now].sum(1)
    new, old, z = levels_apart(value[:, now], weight[:, now], value, past, LEAST, USUAL)
    known = (count >= FEW) & (past.sum(1) >= FEW)
    return known, count, np.nan_to_num(new), np.nan_to_num(old), np.nan_to_num(new - old), np.nan_to_num(z)


def _tree(calls: Sequence[Call]) -> tuple[dict[Node, list[int]], dict[Node, list[int]], set[Node]]:
    """Return the rows into each node, those under each, and which nodes are calls of other services."""
    into: dict[Node, list[int]] = defaultdict(list)
    under: dict[Node, list[int]] = defaultdict(list)
    clients = set()
    for k, call in enumerate(calls):
        into[call.callee, call.op].append(k)
        if call.parent:
            under[call.caller, call.parent].append(k)
        if call.crosses:
            clients.add((call.caller, call.parent))
    return dict(into), dict(under), clients
