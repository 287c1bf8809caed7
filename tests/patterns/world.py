"""Rules and what happens minute by minute, for the tests of patterns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from dataclasses import replace as but
from typing import Any

from pipeline import config
from pipeline.patterns import Pattern, PatternState, notice
from pipeline.types import Event, Signal

START, MINUTE, NAN = 1_700_000_000.0, 60.0, math.nan
THREE = {"name": "loop", "within": "10m", "count": {"of": {"what": "change"}, "at_least": 3}}
INSTANCES = {"name": "many", "within": "10m", "distinct": {"of": {}, "label": "instance", "at_least": 3}}
UNDONE = {
    "name": "undone", "within": "1h",
    "sequence": [
        {"what": "change", "matchers": ["kind=deploy"]}, {"what": "change", "matchers": ["kind=rollback"]},
    ],
}  # fmt: skip
UNENDED = {"name": "unended", "within": "10m", "absence": {"after": {}, "of": {"what": "recovery"}}}
SILENT = {
    "name": "silent",
    "within": "1h",
    "absence": {"of": {"what": "change", "matchers": ["kind=backup"]}},
}


def rule(base: dict[str, Any] = THREE, **changes: Any) -> Pattern:
    return config.parse({**base, **changes}, Pattern)


@dataclass
class World:
    """Rules, and what happens minute by minute since START."""

    rules: Sequence[Pattern]
    state: PatternState = field(default_factory=PatternState)

    def at(self, minute: float, *what: Signal | Event) -> list[Signal]:
        signals = [w for w in what if isinstance(w, Signal)]
        events = [w for w in what if isinstance(w, Event)]
        said = notice(self.state, signals, events, self.rules, START + minute * MINUTE)
        assert said[: len(signals)] == tuple(signals)
        return list(said[len(signals) :])


def change(id: str, minute: float, kind: str = "deploy", service: str = "pay", **labels: str) -> Event:
    return Event("change", id, START + minute * MINUTE, {"service": service, "kind": kind, **labels})


def signal(id: str, minute: float, **labels: str) -> Signal:
    at = START + minute * MINUTE
    labels = {"service": "pay", **labels}
    return Signal(
        id, "metric", labels["service"], f"cpu{{{id}}}", labels, "w", at, at, 7.0, 2.0, 1.0, True, "odd"
    )


def over(which: Signal, minute: float) -> Signal:
    return but(which, at=START + minute * MINUTE, ended=START + minute * MINUTE)


def minutes(said: Sequence[Signal]) -> list[tuple[float, bool]]:
    """Return when each word was given, and whether it was the last."""
    return [((s.at - START) / MINUTE, s.ended is not None) for s in said]
