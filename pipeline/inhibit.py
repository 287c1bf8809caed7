"""Alertmanager's inhibition rules: while a source is on, the targets that equal it are not told."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import msgspec

from pipeline.match import Index, Matcher, Op, matchers
from pipeline.types import Labels, Seconds, Signal

MAX_SOURCES = 1_000_000  # members that are on and mute others, about 200 B each
MAX_CHAIN = 100  # owners that are followed to see whether a loop of rules would silence them all
MEMORY = 32 * 1024 * 1024  # bytes of answers that are remembered, beside the rules

# A rule, the values of its `equal`, and whether sources count that match the rule's target side as well.
Key: TypeAlias = tuple[int, tuple[str, ...], bool]


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


class Held(NamedTuple):
    """Why something is not told."""

    rule: str
    source: str  # owner of what is on, and mutes
    named: str  # in words


@dataclass(slots=True)
class Inhibitor:
    """What is on and mutes others, and what could be muted: counts by what would mute it.

    An owner is what is told or not: a signal. Its members are the label sets behind it: the alerts of a
    group, or itself alone. It is muted while each of its members is. Cost: 1 us a member, at 10 rules and at
    10,000; memory: only members that a rule looks at.
    """

    rules: tuple[Inhibition, ...] = ()
    on: dict[str, Labels] = field(default_factory=dict)  # signals that a rule looks at
    sources: dict[Key, dict[str | bytes, str]] = field(default_factory=dict)  # -> member -> its owner
    targets: dict[str, dict[tuple[Key, ...], int]] = field(default_factory=dict)  # owner -> of its members
    owners: dict[str, tuple[Seconds, str, int]] = field(
        default_factory=dict
    )  # of sources: since, name, count
    members: int = 0  # in sources
    dropped: Counter[str] = field(default_factory=Counter)
    adopted: Seconds = -math.inf  # when the rules were last others than before
    _index: Index = field(default_factory=lambda: Index(()))  # of sources first, then of targets

    def adopt(self, rules: Sequence[Inhibition], now: Seconds = 0.0) -> bool:
        """Use these rules; True where they are others than before: then nothing is known to be on."""
        if rules is self.rules:
            return False
        same, self.rules = tuple(rules) == self.rules, tuple(rules)
        if same:
            return False
        self.adopted = now
        self.on.clear()
        self.sources.clear()
        self.targets.clear()
        self.owners.clear()
        self.members = 0
        sides = [_side(rule, side) for side in ("source", "target") for rule in self.rules]
        self._index = Index(sides, MEMORY)
        return True

    def take(self, signals: Iterable[Signal]) -> None:
        """Take in what is said of signals: each is its own only member. Those of alerts have others."""
        if not self.rules:
            return
        for signal in signals:
            if signal.kind == "alert":
                continue
            before = self.on.get(signal.id)
            if signal.ended is None and before is None:
                labels = view(signal.labels, signal.service, signal.kind)
                if self.begin(signal.id, signal.id, labels, signal.since, signal.series):
                    self.on[signal.id] = labels
            elif signal.ended is not None and before is not None:
                self.end(signal.id, signal.id, before)
                del self.on[signal.id]

    def begin(
        self, owner: str, member: str | bytes, labels: Labels, since: Seconds = 0.0, name: str = ""
    ) -> bool:
        """Take in one label set that is on; say whether any rule looks at it: then its end must be said."""
        if not self.rules:
            return False
        sources, targets = self._keys(labels)
        if targets or member != owner:  # what is alone and no target needs no count
            counts = self.targets.setdefault(owner, {})
            counts[targets] = counts.get(targets, 0) + 1
        if sources:
            self._mute(owner, member, sources, since, name)
        return bool(sources or targets)

    def end(self, owner: str, member: str | bytes, labels: Labels) -> None:
        """Take out what was taken in with the same labels."""
        sources, targets = self._keys(labels)
        counts = self.targets.get(owner)
        if counts is not None and targets in counts:
            counts[targets] -= 1
            if not counts[targets]:
                del counts[targets]
            if not counts:
                del self.targets[owner]
        gone = 0
        for key in sources:
            found = self.sources.get(key, {})
            gone += found.pop(member, None) is not None
            if not found:
                self.sources.pop(key, None)
        if gone:
            self.members -= 1
            since, name, count = self.owners.pop(owner)
            if count > 1:
                self.owners[owner] = since, name, count - 1

    def held(self, owner: str) -> Held | None:
        """Return what mutes the owner; None where it is to be told.

        Rules in a circle mute nobody's last word: where all that mutes it is muted in its turn by no more
        than one another, the one that began first is told.
        """
        first = self._muting(owner)
        if first is None:
            return None
        rule, source = first[0]
        reached, waiting = {owner: None}, deque(s for _, s in first)
        while waiting and len(reached) < MAX_CHAIN:
            above = waiting.popleft()
            if above in reached:
                continue
            muted = self._muting(above)
            if muted is None:
                return Held(str(self.rules[rule]), source, self.owners[source][1])
            reached[above] = None
            waiting.extend(s for _, s in muted)
        if owner == min(reached, key=self._age):
            return None
        return Held(str(self.rules[rule]), source, self.owners[source][1])

    def _muting(self, owner: str) -> list[tuple[int, str]] | None:
        """Return a rule and a source's owner for each sort of member; None where one of them is not muted."""
        counts = self.targets.get(owner)
        if not counts:
            return None
        found = []
        for keys in counts:
            one = next(((key[0], self.sources[key]) for key in keys if key in self.sources), None)
            if one is None:
                return None
            found.append((one[0], next(iter(one[1].values()))))
        return found

    def _age(self, owner: str) -> tuple[Seconds, str]:
        return self.owners[owner][0] if owner in self.owners else math.inf, owner

    def _mute(self, owner: str, member: str | bytes, keys: Sequence[Key], since: Seconds, name: str) -> None:
        if member in self.sources.get(keys[0], ()):
            return
        if self.members >= MAX_SOURCES:
            self.dropped["sources of inhibition"] += 1
            return
        for key in keys:
            self.sources.setdefault(key, {})[member] = owner
        self.members += 1
        since, name, count = self.owners.get(owner, (since, name, 0))
        self.owners[owner] = since, name, count + 1

    def _keys(self, labels: Labels) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
        """Return what the labels mute, and what mutes them."""
        found, half = self._index.find(labels), len(self.rules)
        if not found:
            return (), ()
        muting, muted = [], []
        for k in found:
            rule = k % half
            values = tuple([labels.get(name, "") for name in self.rules[rule].equal])
            # What matches both sides of a rule is not muted by what does so too, itself least of all.
            alone = rule + half not in found if k < half else rule not in found
            if k >= half:
                muted.append((rule, values, alone))
                continue
            muting.append((rule, values, True))
            if alone:
                muting.append((rule, values, False))
        return tuple(muting), tuple(muted)


def view(labels: Labels, service: str, kind: str) -> Labels:
    """Return the labels that rules look at: a signal's own, its service and kind where it has none such."""
    return {"service": service, "kind": kind, **labels}


def _side(rule: Inhibition, side: str) -> tuple[Matcher, ...]:
    """Return all matchers of one side, in whichever spelling."""
    written = tuple(m for text in getattr(rule, f"{side}_matchers") for m in matchers(text))
    exact = (Matcher(n, Op.EQUAL, v) for n, v in getattr(rule, f"{side}_match").items())
    regex = (Matcher(n, Op.MATCH, v) for n, v in getattr(rule, f"{side}_match_re").items())
    return (*written, *exact, *regex)
