"""Spans of traces in, samples of services, operations and calls between services out, every ten seconds.

    span_calls_rate    {service} {service, entity="CALLER->SERVICE"}             calls a second
    span_failed_share  {service} {service, operation} {service, entity}          share that failed, at least
    span_seconds       {service, quantile} {service, operation, quantile="0.5"}  how long the server took
    span_gap_seconds   {service, entity, quantile="0.5"}                         what its client waited beyond

Of a peer that sends no spans, such as a database, span_seconds are what its clients say. A span counts when
it comes, if it ended in the last five minutes, so clocks may differ; a duration is of one clock alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.series import Series, unpack
from pipeline.spans.paired import NONE, SPAN, Ends, Waiting, forget, pair
from pipeline.spans.seats import Seats
from pipeline.spans.tally import Tally
from pipeline.types import Batch, Floats, Keys, Rows, Seconds, Traced

SLOT: Seconds = 10.0
LATE: Seconds = 300.0
ALIVE: Seconds = 30.0  # when no span at all has come for longer, that of one service none came says nothing
MAX_NAMES = 5_000  # services and peers
PEERS = 0.5  # of them: when so many are taken, a new peer, which may be any address, makes room for services
MAX_FRAMES = 4_096  # whose content is known, so that one sent again does not count again
MAX_FRESH = 50_000  # spans of either side that wait for the end of the slot; then their ends are met before

CLIENTS, WAITING = ("client", "producer"), ("client", "server")


class _Kind(NamedTuple):
    """What spans of one label set are: rows and numbers, -1 = none."""

    client: bool
    waits: bool
    own: int  # number of the service
    peer: int
    service: int  # row
    operation: int  # row


@dataclass(slots=True)
class TraceState:
    """What was counted since it was told of, and spans whose other end is waited for; bounded as above."""

    names: Seats = field(default_factory=lambda: Seats(MAX_NAMES))
    tally: Tally = field(default_factory=Tally)
    waiting: Waiting = field(default_factory=Waiting)
    clients: list[Ends] = field(default_factory=list)  # that came in this slot
    servers: list[Ends] = field(default_factory=list)
    fresh: int = 0
    frames: dict[bytes, None] = field(default_factory=dict)  # oldest first
    began: Seconds = -np.inf  # the slot
    newest: Seconds = -np.inf  # when spans last came
    edges: int = 0  # grows whenever a call between two is seen first, or forgotten
    dropped: Counter[str] = field(default_factory=Counter)


def trace(state: TraceState, batch: Batch, series: Series, now: Seconds) -> Batch:
    """Return the batch with the samples that its spans, and those before, lead to. Cost: 0.6 us a span."""
    if batch.spans is not None:
        if not state.names.rows:
            state.began = now // SLOT * SLOT
        _hear(state, batch.spans, now)
    lasted = now // SLOT * SLOT - state.began
    if lasted < SLOT or not state.names.rows:
        return batch
    _meet(state, now)
    state.began += lasted
    if now - state.newest > ALIVE:
        state.tally.pause(lasted)
        return batch
    if lasted > ALIVE:
        state.tally.pause(lasted - SLOT)  # we were down ourselves
    told = list(state.tally.close(state.began))
    state.edges += state.tally.forget(now)
    forget(state.waiting, [number for number, _ in state.names.forget(now)])
    rows = series.intern([label for label, _ in told])
    kept = rows >= 0
    value = np.array([value for _, value in told], np.float64)
    return replace(
        batch,
        series=np.concatenate((batch.series, rows[kept])),
        time=np.concatenate((batch.time, np.full(int(kept.sum()), state.began))),
        value=np.concatenate((batch.value, value[kept])),
        derived=int(kept.sum()),
    )


def calls(state: TraceState) -> Mapping[str, frozenset[str]]:
    """Return who was seen to call whom in the last hour."""
    seen: dict[str, set[str]] = {}
    for what, callee, *caller in filter(None, state.tally.seats.names):
        if what in ("call", "peer"):
            seen.setdefault(caller[0], set()).add(callee)
    return {caller: frozenset(callees) for caller, callees in sorted(seen.items())}


def _hear(state: TraceState, spans: Traced, now: Seconds) -> None:
    digest = blake2b(spans.key.tobytes(), digest_size=16).digest()
    if digest in state.frames:
        state.dropped["sent again"] += len(spans.key)
        return
    state.frames[digest] = None
    if len(state.frames) > MAX_FRAMES:
        del state.frames[next(iter(state.frames))]
    kept = spans.end >= now - LATE
    state.newest = now if kept.any() else state.newest  # what comes late does not say that others are silent
    kept[kept] = _first(spans.key[kept])
    state.dropped["late or twice"] += int((~kept).sum())
    kinds = [_kind(state, unpack(label), now) for label in spans.labels]
    own, peer, service, operation = (
        np.array([kind[k] for kind in kinds], np.int32)[spans.kind] for k in range(2, 6)
    )
    client, waits = (np.array([kind[k] for kind in kinds])[spans.kind] for k in range(2))
    failed = spans.failed.astype(np.float64)
    entry = kept & ~client
    for row in (service, operation):
        state.tally.add(row[entry], failed[entry], spans.duration[entry])
    ends = np.zeros(len(own), SPAN)
    ends["key"] = np.where(client, spans.key, spans.parent)
    ends["service"], ends["peer"], ends["came"] = own, peer, now
    ends["duration"], ends["failed"], ends["waits"] = spans.duration, spans.failed, waits
    kept &= own >= 0
    state.clients.append(ends[kept & client])
    state.servers.append(ends[kept & ~client & (spans.parent > 0)])
    state.fresh += len(ends)
    if state.fresh > MAX_FRESH:
        _meet(state, now)


def _first(keys: Keys) -> NDArray[np.bool_]:
    """Say which of the keys are not further ahead as well."""
    first = np.zeros(len(keys), np.bool_)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def _kind(state: TraceState, labels: Mapping[str, str], now: Seconds) -> _Kind:
    service, role = labels["service"], labels.get("role", "")
    own = state.names.find((service,), now)
    if own < 0:
        state.dropped["name limit"] += 1
    if role in CLIENTS:
        peer = labels.get("peer", "")
        number = state.names.find((peer,), now, PEERS) if peer and peer != service else -1
        if number < 0 and peer and peer != service:
            state.dropped["peer limit"] += 1
        return _Kind(True, role in WAITING, own, number, -1, -1)
    row = state.tally.row(("service", service), state.began, now)
    operation = labels.get("op", "")
    of = -1
    if operation and row >= 0:
        of = state.tally.row(("operation", service, operation), state.began, now)
    return _Kind(False, role in WAITING, own, -1, row, of)


def _meet(state: TraceState, now: Seconds) -> None:
    """Count the calls of which both ends have come, and those of which only the client's ever will."""
    clients, servers = (np.concatenate((NONE, *parts)) for parts in (state.clients, state.servers))
    state.clients.clear()
    state.servers.clear()
    state.fresh = 0
    client, server, alone = pair(state.waiting, clients, servers, now)
    crosses = client["service"] != server["service"]
    gap = np.where(client["waits"], np.maximum(client["duration"] - server["duration"], 0.0), np.nan)
    _count(state, client[crosses], server["service"][crosses], gap[crosses], now)
    alone = alone[alone["peer"] >= 0]
    _count(state, alone, alone["peer"], np.full(len(alone), np.nan), now)


def _count(state: TraceState, clients: Ends, callees: Rows, gap: Floats, now: Seconds) -> None:
    """Count calls to these services, (n,) of each. Who sends no spans is as slow as its clients say."""
    pairs, which = np.unique(np.stack((clients["service"], callees)), axis=1, return_inverse=True)
    rows, traced = [], []
    for caller, callee in pairs.T.tolist():
        (a,), (b,) = state.names.names[caller], state.names.names[callee]
        traced.append(("service", b) in state.tally.seats.rows)
        subject = ("call" if traced[-1] else "peer", b, a)
        new = subject not in state.tally.seats.rows
        rows.append(state.tally.row(subject, state.began, now))
        state.edges += new and rows[-1] >= 0
    own = np.array(traced, np.bool_)[which]
    duration = np.where(own, gap, clients["duration"])
    state.tally.add(np.array(rows, np.int32)[which], clients["failed"].astype(np.float64), duration)
