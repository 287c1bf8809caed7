"""Spans of clients and of servers, in any order, in; a client's span with the server's that it led to out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.types import Seconds

# Both ends of a call end at about the same time, but each is sent by its own service: an SDK sends every
# five seconds, and a Collector gathers for a few more.
WAIT: Seconds = 20.0
MAX_WAITING = 200_000  # on either side, 35 B each; past it the oldest are not waited for

SPAN = np.dtype(
    [
        ("key", "u8"),  # a client's own, a server's parent's
        ("service", "i4"),  # number of the service
        ("peer", "i4"),  # number of the one that a client says it calls, -1 = not said
        ("duration", "f8"),
        ("failed", "?"),
        ("waits", "?"),  # for an answer; who puts into a queue does not
        ("came", "f8"),
    ]
)
Ends = NDArray[np.void]
NONE: Ends = np.zeros(0, SPAN)


@dataclass(slots=True)
class Waiting:
    """Spans whose other end has not come, or may have more than one; bounded as above."""

    clients: Ends = field(default_factory=lambda: NONE.copy())
    met: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))  # (clients,)
    servers: Ends = field(default_factory=lambda: NONE.copy())
    answering: set[int] = field(default_factory=set)  # peers of whose calls a server told
    silent: set[int] = field(default_factory=set)  # of whose calls none ever did: they are not waited for
    dropped: Counter[str] = field(default_factory=Counter)


class Paired(NamedTuple):
    client: Ends  # (n,)
    server: Ends  # (n,) whom each of them called
    alone: Ends  # (m,) clients of whose calls no server told


def pair(state: Waiting, clients: Ends, servers: Ends, now: Seconds) -> Paired:
    """Return the ends that have met, and the clients that are waited for no longer.

    Cost: 0.5 us a span.
    """
    calls, met = np.concatenate((state.clients, clients)), np.pad(state.met, (0, len(clients)))
    order = np.argsort(calls["key"], kind="stable")
    calls, met = calls[order], met[order]
    first = np.r_[True, calls["key"][1:] != calls["key"][:-1]] if len(calls) else met
    state.dropped["span told twice"] += int((~first).sum())
    calls, met = calls[first], met[first]
    answers = np.concatenate((state.servers, servers))
    at = np.searchsorted(calls["key"], answers["key"])
    hit = at < len(calls)
    hit[hit] = calls["key"][at[hit]] == answers["key"][hit]
    met[at[hit]] = True
    client, server, rest = calls[at[hit]], answers[hit], answers[~hit]
    stay, wait = _stay(calls, now, state.dropped), _stay(rest, now, state.dropped)
    state.dropped["parent not told"] += int((~wait).sum())
    if not wait.all():
        state.silent.clear()  # one of them may send spans by now, under another name
    stay &= ~np.isin(calls["peer"], list(state.silent))
    alone = calls[~stay & ~met]
    state.answering.update(client["peer"].tolist())
    asked = alone["peer"][(alone["peer"] >= 0) & (alone["came"] <= now - WAIT)]
    state.silent.update(set(asked.tolist()) - state.answering)
    state.clients, state.met, state.servers = calls[stay], met[stay], rest[wait]
    return Paired(client, server, alone)


def forget(state: Waiting, peers: Iterable[int]) -> None:
    """Forget what is known of peers whose numbers are to be others'."""
    state.answering.difference_update(peers)
    state.silent.difference_update(peers)


def _stay(ends: Ends, now: Seconds, dropped: Counter[str]) -> NDArray[np.bool_]:
    """Say which of the spans are still waited for."""
    stay: NDArray[np.bool_] = ends["came"] > now - WAIT
    over = int(stay.sum()) - MAX_WAITING
    if over > 0:
        dropped["waiting limit"] += over
        oldest = np.flatnonzero(stay)[np.argsort(ends["came"][stay], kind="stable")]
        stay[oldest[:over]] = False
    return stay
