"""The alerts that fire, each with the incident it belongs to and what inhibits it, for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pipeline.alerts import AlertState
from pipeline.types import Seconds


class Firing(NamedTuple):
    """An alert that fires."""

    labels: bytes  # canonical, see series.pack
    notes: bytes  # a JSON object of strings
    since: Seconds
    ends: Seconds
    incident: str = ""  # "" where it belongs to none that is known
    held: bytes = b""  # the labels of an alert that inhibits all of its signal


def firing(state: AlertState, home: Mapping[str, str]) -> tuple[Firing, ...]:
    """Return every alert that fires, in no order; `home` is the incident of each signal."""
    since, ends = state.since.tolist(), state.ends.tolist()
    known: dict[str, tuple[str, bytes]] = {}
    found: list[Firing] = []
    for raw, row in state.rows.items():
        group = state.group[row]
        id = group.signal.id if group is not None and group.signal is not None else ""
        if id not in known:
            known[id] = home.get(id, ""), _held(state, id)
        found.append(Firing(raw, state.notes[row], since[row], ends[row], *known[id]))
    return tuple(found)


def _held(state: AlertState, signal: str) -> bytes:
    held = state.inhibitor.held(signal)
    return next(iter(state.inhibitor.alerts(held.source)), b"") if held else b""
