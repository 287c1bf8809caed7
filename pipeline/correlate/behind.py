"""More signals than an incident shows: the strongest are in it, the others stand behind till they end."""

from __future__ import annotations

import heapq
from dataclasses import replace

from pipeline.correlate.state import MAX_BEHIND, CorrelateState
from pipeline.types import Incident, Signal

MAX_SIGNALS = 200  # shown of one incident


def full(state: CorrelateState, incident: Incident, signal: Signal) -> bool:
    """Say whether the signal stands behind already, or is no stronger than any that the incident shows."""
    if signal.id in state.behind.get(incident.id, ()):
        return True
    floor = state.floor.get(incident.id)
    return floor is not None and signal.ended is None and _strength(signal) <= floor


def stand_behind(state: CorrelateState, incident: Incident, signal: Signal) -> None:
    """Keep the newest word of a signal that the incident does not show; forget it when it is over."""
    behind = state.behind.setdefault(incident.id, {})
    if signal.ended is None and (signal.id in behind or len(behind) < MAX_BEHIND):
        behind[signal.id] = signal
        return
    state.dropped["signals of one incident"] += signal.ended is None
    behind.pop(signal.id, None)
    state.home.pop(signal.id, None)


def fewest(state: CorrelateState, id: str, signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
    """Return the signals in their order; past MAX_SIGNALS those that ended go, then the weakest step back."""
    if len(signals) <= MAX_SIGNALS:
        return signals
    over = len(signals) - MAX_SIGNALS
    by_strength = sorted(signals, key=lambda s: (s.ended is None, s.page, s.surprise, s.id))
    weakest, floor = by_strength[:over], by_strength[over]
    gone = {s.id: s for s in weakest}
    for signal in gone.values():
        if signal.ended is None:
            state.behind.setdefault(id, {})[signal.id] = signal
        elif state.home.get(signal.id) == id:
            state.dropped["signals of one incident"] += 1
            del state.home[signal.id]
    if id in state.behind:
        state.floor[id] = _strength(floor)
    return tuple(s for s in signals if s.id not in gone)


def refill(state: CorrelateState, id: str) -> None:
    """Show what stands behind in the place of what is over: an incident is on while any of it is."""
    behind, incident = state.behind.get(id), state.get(id)
    if not behind:
        state.behind.pop(id, None)
        state.floor.pop(id, None)
        return
    room = MAX_SIGNALS - sum(s.ended is None for s in incident.signals)
    if not room:
        return
    next_ones = heapq.nlargest(room, behind.values(), key=lambda s: (s.page, s.surprise, s.id))
    for signal in next_ones:
        del behind[signal.id]
    shown = sorted((*incident.signals, *next_ones), key=lambda s: (s.since, s.id))
    state.put(replace(incident, signals=fewest(state, id, tuple(shown))))


def _strength(signal: Signal) -> tuple[bool, float]:
    return signal.page, signal.surprise
