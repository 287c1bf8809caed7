"""A service level objective as people declare it, in; the watches of its error budget out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np

from detectors.burn import Burn
from pipeline.clock import Span
from pipeline.detect.state import DetectState
from pipeline.detect.watch import Watch
from pipeline.matchers import Matcher, Op, matchers
from pipeline.regexes import pattern
from pipeline.series import Series

MONTH = Span(30 * 86400)
SURPRISE = 4.0  # chance makes a budget seem to burn as fast once in 10,000 samples
MAX_BUDGETS = 1_000  # that are told
FAST, SLOW = "fast burn", "slow burn"

_SELECTOR = re.compile(r"\s*([a-zA-Z_:][\w:]*)?\s*(\{.*\})?\s*", re.DOTALL)
_PLAIN = re.compile(r"[\w:]+")


class Sli(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is counted, as series selectors in Prometheus' notation; one of the four ways to say it.

    `total` with `error` or `good`: counters. `error_ratio` or `good_ratio`: a share, of `whole`.
    `latency` with `below`: buckets of a histogram, or a gauge that is sampled.
    """

    total: str = ""
    error: str = ""
    good: str = ""
    error_ratio: str = ""
    good_ratio: str = ""
    latency: str = ""
    below: float = math.nan  # in the series' unit
    whole: float = 1.0  # 100 where a ratio is in per cent
    requests: float = 10.0  # a second: how many a ratio or a gauge is taken to stand for

    def __post_init__(self) -> None:
        said = frozenset(
            n for n in ("total", "error", "good", "error_ratio", "good_ratio", "latency") if getattr(self, n)
        )
        if said not in _WAYS:
            ways = "total and error, total and good, error_ratio, good_ratio, latency and below"
            raise ValueError(f"expected one of: {ways}; got {' and '.join(sorted(said)) or 'none'}")
        if bool(self.latency) != (self.below > 0):
            raise ValueError("below: expected above 0, beside latency and nowhere else")
        if self.whole not in (1.0, 100.0):
            raise ValueError(f"whole: expected 1, or 100 for per cent, got {self.whole:g}")
        for name in said:
            try:
                selector(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error


_WAYS = {frozenset(w.split()) for w in ("total error", "total good", "error_ratio", "good_ratio", "latency")}


class Slo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One objective: each service has its own budget, and so has each value of the labels in `by`.

    A budget that burns 14.4 times too fast over an hour and 5 minutes, or 6 times over 6 hours and 30
    minutes, pages; once over 3 days and 6 hours is a ticket: an incident that pages nobody. Another
    `window` than 30 days scales these spans alike.
    """

    name: str
    objective: float  # per cent
    sli: Sli
    description: str = ""
    service: str = ""  # regular expression; "" = any
    window: Span = MONTH
    by: tuple[str, ...] = ("service",)
    page: bool = True  # False = a fast burn is a ticket, too

    def __post_init__(self) -> None:
        if 0 < self.objective < 1:
            near = f"{100 * self.objective:g}"
            raise ValueError(f"objective: expected per cent, got {self.objective:g}; did you mean {near}?")
        if not 1 <= self.objective < 100:
            raise ValueError(f"objective: expected per cent below 100 such as 99.9, got {self.objective:g}")
        if self.window < 3600:
            raise ValueError("window: expected at least an hour")
        if self.service:
            pattern(self.service)
        if not self.name:
            raise ValueError("name: expected one")


def watches(slo: Slo) -> tuple[Watch, Watch]:
    """Return the watch of what burns fast and the one of what burns slowly."""
    parts, args = _parts(slo.sli)
    if slo.service:
        parts = tuple({**part, "service": slo.service} for part in parts)
    args |= {"objective": slo.objective / 100, "period": float(slo.window)}
    return _watch(slo, FAST, slo.page, parts, args), _watch(slo, SLOW, False, parts, args)


class Budget(NamedTuple):
    """How one objective stands for one service, or for one value of the labels that it goes by."""

    slo: str
    labels: Mapping[str, str]
    left: float  # part of the error budget, at most 1; below 0 = overspent
    burn: float  # times too fast, over an hour


def budgets(state: DetectState, series: Series) -> tuple[Budget, ...]:
    """Return the budget of each objective and group, in order of the rules; at most MAX_BUDGETS."""
    found: dict[tuple[str, int], Budget] = {}
    for lane in state.lanes:
        for number, watch in lane.watches.items() if lane.used else ():
            desk = state.desks.get(state.keys[number])
            name, _, speed = watch.name.rpartition(": ")
            if speed != FAST or desk is None or not isinstance(desk.detector, Burn):
                continue
            for row in np.flatnonzero((lane.watch == number) & (lane.slot >= 0)).tolist():
                slot = int(lane.slot[row])
                key = name, int(desk.group[slot])
                known = desk.detector.facts_of(slot, 0.0, 0.0) if key not in found else None
                if known is not None and math.isfinite(known.left) and len(found) < MAX_BUDGETS:
                    labels = {n: series.labels[row].get(n, "") for n in watch.group}
                    if "service" in labels:
                        labels["service"] = series.services[row]
                    found[key] = Budget(name, labels, known.left, known.burn)
    return tuple(found.values())


def selector(text: str) -> Mapping[str, str]:
    """Return a series selector as regular expressions by label.

    >>> selector('http_requests_total{code=~"5..",job!="test"}')
    {'__name__': 'http_requests_total', 'code': '5..', 'job': '(?!(?:test)\\\\Z).*'}
    """
    found = _SELECTOR.fullmatch(text)
    if not found or not (found[1] or found[2]):
        raise ValueError(f"expected a series such as http_requests_total{{code=~\"5..\"}}, got '{text}'")
    asked = matchers(found[2]) if found[2] else ()
    given = [Matcher("__name__", Op.EQUAL, found[1])] if found[1] else []
    patterns: dict[str, str] = {}
    for each in (*given, *asked):
        if each.name in patterns:
            raise ValueError(f"{each.name}: expected one matcher of a label, got two")
        patterns[each.name] = _pattern(each)
    if "__name__" not in patterns:
        raise ValueError(f"expected the name of a metric before the brace, got '{text}'")
    return patterns


def _pattern(matcher: Matcher) -> str:
    inner = matcher.value if matcher.op in (Op.MATCH, Op.NO_MATCH) else re.escape(matcher.value)
    return inner if matcher.op in (Op.EQUAL, Op.MATCH) else f"(?!(?:{inner})\\Z).*"


def _parts(sli: Sli) -> tuple[tuple[Mapping[str, str], ...], dict[str, Any]]:
    """Return the series of all requests, then of the others, and what the detector is to know of them."""
    if sli.total:
        counts = "good" if sli.good else "failed"
        return (selector(sli.total), selector(sli.good or sli.error)), {"counts": counts}
    if sli.latency:
        asked = selector(sli.latency)
        if not asked["__name__"].endswith("_bucket"):
            return (asked,), {"limit": sli.below, "requests": sli.requests}
        every = {**asked, "__name__": asked["__name__"].removesuffix("bucket") + "count"}
        return (every, {**asked, "le": _bound(sli.below)}), {"counts": "good"}
    counts = "good" if sli.good_ratio else "failed"
    return (selector(sli.good_ratio or sli.error_ratio),), {
        "counts": counts, "whole": sli.whole, "requests": sli.requests,
    }  # fmt: skip


def _bound(below: float) -> str:
    """Return how a bucket's bound may be written: 0.3, .3, 0.30, 3e-01, 1.0."""
    whole, _, part = f"{below:.12f}".rstrip("0").rstrip(".").partition(".")
    plain = ("0?" if whole == "0" else whole) + (f"\\.{part}0*" if part else r"(\.0*)?")
    digits, _, power = f"{below:e}".partition("e")
    digits = re.escape(digits.rstrip("0").rstrip("."))
    sign, power = power[0].replace("+", r"\+?"), power[1:].lstrip("0") or "0"
    return f"{plain}|{digits}(\\.0*)?e{sign}0*{power}"


def _watch(
    slo: Slo, speed: str, page: bool, parts: tuple[Mapping[str, str], ...], args: dict[str, Any]
) -> Watch:
    what = slo.description.strip().rstrip(".") or slo.name
    return Watch(
        name=f"{slo.name}: {speed}", metrics=(), parts=parts, detector="burn", surprise=SURPRISE, samples=2,
        args={**args, "pairs": speed.partition(" ")[0]}, beside=True, group=slo.by, page=page,
        says=f"objective: {slo.objective:g} % in {_days(slo.window)}, {what}",
    )  # fmt: skip


def _days(window: Span) -> str:
    return f"{window / 86400:g} d" if window >= 86400 else f"{window / 3600:g} h"
