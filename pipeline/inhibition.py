"""Alertmanager's inhibition rules, and what all of them together ask of a label set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from pipeline.match import Index, Matcher, Op, matchers
from pipeline.types import Labels

MEMORY = 32 * 1024 * 1024  # bytes of answers that are remembered, beside the rules
MAX_KINDS = 10_000  # past it they are made anew


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


class Target(NamedTuple):
    """How a rule may mute a label set."""

    places: tuple[int, ...]  # of the labels that must be equal, among Kind.names
    both: bool  # it matches the source side as well, so that sources do not count that are on both sides, too


@dataclass(frozen=True, slots=True)
class Kind:
    """What the rules ask of label sets that match the same of them."""

    sources: tuple[tuple[int, tuple[str, ...], bool], ...]  # rules, their `equal`, whether on both sides
    targets: Mapping[int, Target]  # rules that they are targets of
    names: tuple[str, ...]  # labels that any of the latter compares


class Kinds:
    """The kinds of label sets that rules tell apart. Cost: 0.5 us where they were looked at before."""

    def __init__(self, rules: Sequence[Inhibition]) -> None:
        self.rules = tuple(rules)
        self._index = Index([_side(rule, side) for side in ("source", "target") for rule in rules], MEMORY)
        self._known: dict[tuple[int, ...], Kind] = {}
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

    def find(self, labels: Labels) -> tuple[int, ...]:
        """Return the name of their kind, () where no rule looks at them."""
        return self._index.find(labels)

    def kind(self, name: tuple[int, ...]) -> Kind:
        found = self._known.get(name)
        if found is None:
            if len(self._known) >= MAX_KINDS:
                self._known.clear()
            found = self._known[name] = self._kind(name)
        return found

    def _kind(self, name: tuple[int, ...]) -> Kind:
        half = len(self.rules)
        sources = {k for k in name if k < half}
        targets = {k - half for k in name if k >= half}
        names = sorted({n for r in targets for n in self.rules[r].equal})
        places = {n: at for at, n in enumerate(names)}
        return Kind(
            tuple((r, self.rules[r].equal, r in targets) for r in sorted(sources)),
            {r: Target(tuple(places[n] for n in self.rules[r].equal), r in sources) for r in sorted(targets)},
            tuple(names),
        )


def _side(rule: Inhibition, side: str) -> tuple[Matcher, ...]:
    """Return all matchers of one side, in whichever spelling."""
    written = tuple(m for text in getattr(rule, f"{side}_matchers") for m in matchers(text))
    exact = (Matcher(n, Op.EQUAL, v) for n, v in getattr(rule, f"{side}_match").items())
    regex = (Matcher(n, Op.MATCH, v) for n, v in getattr(rule, f"{side}_match_re").items())
    return (*written, *exact, *regex)
