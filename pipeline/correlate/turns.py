"""Incidents that changed in, those that are drawn in this step out: what may page first, then by age."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.correlate.picture import rises
from pipeline.correlate.state import CorrelateState
from pipeline.topology import Topology

# Signals that are ranked in one step, 20 us each; what is left is owed to the next steps, of which there is
# one a second at least: an incident waits for as many as those before it have signals, by the WORK.
WORK = 200


def in_turn(state: CorrelateState, stale: Iterable[str], topology: Topology) -> Iterator[str]:
    """Yield the incidents to draw now: the urgent ones, and of the others at least one.

    The rest waits, until the second is over in which it was drawn, or for its turn.
    """
    asked = list(dict.fromkeys((*state.owed, *stale)))
    state.owed.clear()
    state.waiting.update((id, None) for id in asked if id in state.drawn)
    ready = [id for id in asked if id in state.burning and id not in state.drawn]
    urgent = dict.fromkeys(id for id in ready if _urgent(state, id, topology))
    yield from urgent
    done = 0
    for id in ready:
        if id in urgent:
            continue
        if done >= WORK:
            state.owed[id] = None
            continue
        done += len(state.get(id).signals)
        yield id


def _urgent(state: CorrelateState, id: str, topology: Topology) -> bool:
    """Say whether people may be told of it once it is drawn: no page waits for its turn."""
    incident = state.get(id)
    return len(state.heard.get(id, ())) != len(incident.complaints) or rises(incident, topology)
