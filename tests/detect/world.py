"""A world of a few series for the tests of detect: values go in at a fixed interval, signals come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline import config
from pipeline.detect import DetectState, Watch, detect
from pipeline.series import Series, pack
from pipeline.types import Batch, Event, Evidence, Signal

START = 1_700_000_000.0
NAN = float("nan")


@dataclass
class World:
    """Series and watches; `feed` steps through values at a fixed interval and returns what was said."""

    watches: Sequence[Watch]
    state: DetectState = field(default_factory=DetectState)
    series: Series = field(default_factory=Series)
    now: float = START
    every: float = 60.0
    shown: list[Evidence] = field(default_factory=list)

    def feed(self, **values: Sequence[float]) -> list[Signal]:
        """Take equally long lists of values by metric; a name's part before __ is its service."""
        said: list[Signal] = []
        for row in zip(*values.values(), strict=True):
            self.now += self.every
            said += self.send([(name, self.now, v) for name, v in zip(values, row, strict=True)])
        return said

    def send(self, samples: Sequence[tuple[str, float, float]]) -> list[Signal]:
        raws = [pack(labels_of(name)) for name, _, _ in samples]
        self.series.reborn.clear()
        batch = Batch(
            self.series.intern(raws),
            np.array([t for _, t, _ in samples]),
            np.array([v for _, _, v in samples]),
        )
        return self.step(batch)

    def step(self, batch: Batch) -> list[Signal]:
        said, shown = detect(self.state, batch, self.series, self.watches, self.now)
        self.shown += shown
        return list(said)

    def say(self, happened: str, **labels: str) -> list[Signal]:
        """Let a command or a change happen now."""
        event = Event(happened, f"{happened}-{self.now:.0f}", self.now, labels)
        return list(detect(self.state, Batch(events=(event,)), self.series, self.watches, self.now)[0])

    def wait(self, seconds: float) -> list[Signal]:
        said: list[Signal] = []
        for _ in range(int(seconds / 5)):
            self.now += 5
            said += detect(self.state, Batch(), self.series, self.watches, self.now)[0]
        return said


def labels_of(name: str) -> dict[str, str]:
    """Return the labels of SERVICE__METRIC, or of SERVICE_N__METRIC with an instance N."""
    service, _, metric = name.rpartition("__")
    service, _, instance = service.partition("_")
    return {"__name__": metric, "service": service} | ({"instance": instance} if instance else {})


def watch(**changes: Any) -> Watch:
    return config.parse({"name": "w", "metrics": [".*"], **changes}, Watch)


def usual(n: int, level: float = 10.0, seed: int = 0) -> list[float]:
    return [float(v) for v in level * (1 + 0.02 * np.random.default_rng(seed).normal(size=n))]
