"""Alertmanager's inhibition rules, and what all of them together ask of a label set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pipeline.labelsets import Shape, Values
from pipeline.match import Index, Matcher, Op, matchers
from pipeline.types import Labels

MEMORY = 16 * 1024 * 1024  # bytes of answers that are remembered, beside the rules
MAX_KINDS = 10_000  # that are remembered, about 1 kB each; past it they are made anew


class Inhibition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `inhibit_rules`, as alertmanager.yml has them, older spellings included."""

    name: str = ""
    source_matchers: tuple[str, ...] = ()
    target_matchers: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    source_match: Mapping[str, str] = {}
    source_match_re: Mapping[str, str] = {}
    target_match: Mapping[str, str] = {}
    target_match_re: Mapping[str, str] = {}

    def __post_init__(self) -> None:
        """Raise ValueError where a matcher is none."""
        for side in ("source", "target"):
            try:
                _side(self, side)
            except ValueError as error:
                raise ValueError(f"{side}_matchers: {error}") from error

    def __str__(self) -> str:
        if self.name:
            return self.name
        return " > ".join(", ".join(map(str, _side(self, side))) or "all" for side in ("source", "target"))


@dataclass(frozen=True, slots=True)
class Kind:
    """What the rules ask of label sets that match the same of them."""

    # Rules that they are sources of, whether they are its targets as well, and its `equal`.
    sources: tuple[tuple[int, bool, tuple[str, ...]], ...] = ()
    # Rules that they are targets of, and whether they are its sources as well.
    targets: Mapping[int, bool] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Say whether any rule looks at them."""
        return bool(self.sources or self.targets)


class Kinds:
    """The kinds of label sets that rules tell apart. Cost: 0.3 us where they were looked at before."""

    def __init__(self, rules: Sequence[Inhibition]) -> None:
        self.rules = tuple(rules)
        self._index = Index([_side(rule, side) for side in ("source", "target") for rule in rules], MEMORY)
        self._made: dict[tuple[int, ...], Kind] = {}
        self._known: dict[tuple[str | None, ...], Kind] = {}  # by the values that the rules look at
        compared = {name for rule in rules for name in rule.equal}
        self._made_up = compared.union(self._index.names) & {"service", "kind"}  # labels that alerts may lack

    def __reduce__(self) -> tuple[type[Kinds], tuple[Any, ...]]:
        """Pickle the rules alone: what is remembered is no state."""
        return Kinds, (self.rules,)

    def view(self, labels: Labels, service: str, kind: str) -> Labels:
        """Return what rules look at: a signal's labels; its service and kind, where it has none such."""
        if self._made_up <= labels.keys():
            return labels
        return {"service": service, "kind": kind, **labels}

    def plain(self, shape: Shape) -> bool:
        """Say whether such an alert has all labels itself that rules look at and alerts may lack."""
        return self._made_up <= shape.places.keys()

    def view_of(self, shape: Shape, values: Values) -> Labels:
        """Return what rules look at of an alert."""
        return self.view(shape.labels(values), values[shape.service] or "", "alert")

    def find(self, labels: Labels) -> Kind:
        """Return the kind of a label set, as `view` shows it."""
        seen = tuple(map(labels.get, self._index.names))
        known = self._known.get(seen)
        return self._find(labels, seen) if known is None else known

    def of_alert(self, shape: Shape, values: Values) -> Kind:
        """Return the kind of an alert."""
        if not self.plain(shape):
            return self.find(self.view_of(shape, values))
        seen = shape.pick(self._index.names)(values)
        known = self._known.get(seen)
        return self._find(shape.labels(values), seen) if known is None else known

    def _find(self, labels: Labels, seen: tuple[str | None, ...]) -> Kind:
        if len(self._known) >= MAX_KINDS:
            self._known.clear()
            self._made.clear()
        name = self._index.find(labels)
        kind = self._made.get(name)
        if kind is None:
            kind = self._made[name] = self._kind(name)
        self._known[seen] = kind
        return kind

    def _kind(self, name: tuple[int, ...]) -> Kind:
        half = len(self.rules)
        sources = {k for k in name if k < half}
        targets = {k - half for k in name if k >= half}
        return Kind(
            tuple((r, r in targets, self.rules[r].equal) for r in sorted(sources)),
            {r: r in sources for r in sorted(targets)},
        )


def _side(rule: Inhibition, side: str) -> tuple[Matcher, ...]:
    """Return all matchers of one side, in whichever spelling."""
    written = tuple(m for text in getattr(rule, f"{side}_matchers") for m in matchers(text))
    exact = (Matcher(n, Op.EQUAL, v) for n, v in getattr(rule, f"{side}_match").items())
    regex = (Matcher(n, Op.MATCH, v) for n, v in getattr(rule, f"{side}_match_re").items())
    return (*written, *exact, *regex)
