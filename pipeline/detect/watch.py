"""A watch: which series are looked at, by which detector, and what must be true before it speaks."""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.base import Detector, Floats, Grouped
from pipeline import kinds
from pipeline.clock import Span
from pipeline.plain import Invalid, parse
from pipeline.series import service_of
from pipeline.types import Labels

Direction = Literal["both", "above", "below"]
_SIGN = {"both": 0, "above": 1, "below": -1}


class Watch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A series belongs to the first watch, in order of the files, whose patterns match it whole.

    A watch that is `beside` the others has its say on every series that it matches, whoever has it too.

    A metric that ends in _total, _count, _sum or _bucket is watched as its rate a second; _sum beside
    its _count is watched under their common name, as the mean of what was counted.
    """

    name: str
    metrics: tuple[str, ...]  # regular expressions, anchored at both ends as in Prometheus
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)  # likewise; a missing label is ""
    detector: str = "seasonal"
    args: Mapping[str, Any] = msgspec.field(name="with", default_factory=dict)  # the detector's own
    surprise: float = 4.0  # -log10 p from which a sample is out of band
    detection_direction: Direction = "both"
    min_dev_from_expected: float = 0.0  # in the series' unit
    min_rel_dev: float = 0.0  # ratio of what was expected
    data_range: tuple[float, float] = (-math.inf, math.inf)  # out of band beyond, whatever was learned
    hold: Span = Span(0)  # how long it must stay out before a word
    samples: int = 1  # and how many samples
    clear: Span = Span(120)  # how long it must be back before it is over
    page: bool = False  # pages by itself; else it is evidence
    beside: bool = False  # looks at series that belong to other watches as well
    group: tuple[str, ...] = ("__name__", "service")  # series equal in these labels are one another's peers
    side: Mapping[str, str] = msgspec.field(default_factory=dict)  # labels, as above, of a group's other side
    parts: tuple[
        Mapping[str, str], ...
    ] = ()  # instead of metrics and side: labels of all, then of the others
    says: str = ""  # said with each of its signals
    relax: Mapping[str, Span] = msgspec.field(default_factory=dict)  # by kind of change: how long it explains

    def __post_init__(self) -> None:
        of_parts = (pattern for part in self.parts for pattern in part.values())
        for pattern in (*self.metrics, *self.labels.values(), *self.side.values(), *of_parts):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f'"{pattern}" is not a regular expression: {error}') from error
        if not self.metrics and not self.parts:
            raise ValueError("metrics: expected at least one pattern")
        if not self.surprise > 0 or self.samples < 1:
            raise ValueError("expected surprise above 0 and samples of at least 1")
        for name in ("min_dev_from_expected", "min_rel_dev"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name):g}")
        least, most = self.data_range
        if not least <= most:
            raise ValueError(f"data_range: expected the least, then the most, got {least:g} and {most:g}")
        if not isinstance(build(self), Grouped) and self.side:
            raise ValueError(f'side: the detector "{self.detector}" looks at each series by itself')

    def matches(self, metric: str, labels: Labels) -> bool:
        if self.parts:
            return self.named(metric) and any(_has(labels, part) for part in self.parts)
        return self.named(metric) and _has(labels, self.labels)

    def named(self, metric: str) -> bool:
        """Say whether series of that name may be looked at, whatever their labels."""
        patterns = [part["__name__"] for part in self.parts] if self.parts else self.metrics
        return any(_anchored(p).match(metric) for p in patterns)

    def side_of(self, labels: Labels) -> int:
        """Return 1 for a series on the other side of its group, 2 for one that is on both, else 0."""
        if self.parts:
            both = [_has(labels, part) for part in self.parts]
            return 2 if all(both) and len(both) > 1 else both.index(True)
        return int(bool(self.side) and _has(labels, self.side))


def build(watch: Watch) -> Detector:
    """Return a new detector of the watch; raises ValueError that names the nearest right word."""
    module = _detector(watch.detector)
    try:
        args = parse(dict(watch.args), module.Args)
    except Invalid as error:
        raise ValueError(f"with.{'; with.'.join(error.errors)}") from error
    found: Detector = module.build(args)
    return found


def detectors() -> list[str]:
    """Return the names of all detectors, sorted."""
    return [n for n in kinds.names("detectors") if hasattr(importlib.import_module(f"detectors.{n}"), "Args")]


class Guards:
    """What a sample is held against, as columns over the watches: one look-up a sample, no loop."""

    def __init__(self, watches: tuple[Watch, ...]) -> None:
        self.surprise = _column(w.surprise for w in watches)
        self.absolute = _column(w.min_dev_from_expected for w in watches)
        self.relative = _column(w.min_rel_dev for w in watches)
        self.sign = _column(_SIGN[w.detection_direction] for w in watches)
        self.least = _column(w.data_range[0] for w in watches)
        self.most = _column(w.data_range[1] for w in watches)

    def outside(self, watch: NDArray[np.int16], value: Floats) -> NDArray[np.bool_]:
        """Say which values (n,) are beyond the watch's data_range."""
        beyond: NDArray[np.bool_] = (value < self.least[watch]) | (value > self.most[watch])
        return beyond

    def odd(
        self, watch: NDArray[np.int16], surprise: Floats, value: Floats, expected: Floats, slack: Floats
    ) -> NDArray[np.bool_]:
        """Say which samples (n,) are out of band; slack (n,) is the share of each limit that is enough."""
        off = value - expected
        far = np.abs(off)
        sign = self.sign[watch]
        out: NDArray[np.bool_] = (
            (surprise >= self.surprise[watch] * slack)
            & (far >= self.absolute[watch] * slack)
            & (far >= self.relative[watch] * slack * np.abs(expected))
            & ((sign == 0) | (sign * off > 0))
        )
        return out


def _detector(name: str) -> ModuleType:
    if name not in detectors():
        raise ValueError(f'no detector "{name}"{kinds.nearest(name, detectors())}')
    return importlib.import_module(f"detectors.{name}")


def _has(labels: Labels, patterns: Mapping[str, str]) -> bool:
    return all(_anchored(p).match(labels.get(k) or _named(labels, k)) for k, p in patterns.items())


def _named(labels: Labels, name: str) -> str:
    """Return what a label says that is missing: whose a series is, other labels say as well."""
    return service_of(labels) if name == "service" else ""


@lru_cache(maxsize=4096)
def _anchored(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?:{pattern})\\Z")


def _column(values: Any) -> Floats:
    return np.array(list(values), np.float64)
