"""What correlation rules remember: what happened lately, by rule and group, and what they have on."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, TypeAlias

from pipeline.match import Index
from pipeline.patterns.rule import MOST, Pattern
from pipeline.types import Seconds, Signal

Key: TypeAlias = tuple[str, ...]  # values of the labels that a rule goes by

MAX_GROUPS = 10_000  # of one rule; past it the one longest without news goes
LOOKED_AT = 100  # groups, to find one that can go
MAX_KNOWN = 100_000  # signals that are on
LATE: Seconds = 300.0  # clocks differ, and news travels: so late something still counts


class Hit(NamedTuple):
    """Something that a rule looks at has happened."""

    time: Seconds
    first: int  # the first term that it is an instance of
    id: str
    terms: int  # bits of all such terms
    value: str  # of the label that is told apart, "" elsewhere
    service: str
    what: str  # in words
    heard: Seconds  # when it was told


@dataclass(slots=True)
class Group:
    """One group of one rule: 200 B, and 300 B for each of at most MOST hits."""

    hits: list[Hit] = field(default_factory=list)  # in order
    due: Seconds = math.inf  # when it is to be looked at though nothing happens
    on: Signal | None = None
    last: Seconds = -math.inf  # when what is on was so last
    told: int = 0  # how many they were when it was last told


@dataclass(slots=True)
class PatternState:
    """Groups with hits or something on, by rule. `dropped` counts what a bound turned away."""

    rules: tuple[Pattern, ...] = ()
    index: Index = field(default_factory=lambda: Index(()), repr=False, compare=False)
    terms: tuple[tuple[int, int], ...] = ()  # rule and place in it, of each rule of the index
    number: dict[str, int] = field(default_factory=dict)  # of each rule, by name
    groups: dict[str, dict[Key, Group]] = field(default_factory=dict)  # longest without news first
    known: dict[str, None] = field(default_factory=dict)  # ids of signals that are on, oldest first
    queue: list[tuple[Seconds, str, Key]] = field(default_factory=list)  # a heap of what is due
    dropped: Counter[str] = field(default_factory=Counter)

    def adopt(self, rules: Sequence[Pattern]) -> list[Signal]:
        """Take over new rules; return what was on under rules that are no more, or are others."""
        same = {r.name for r in rules} & {r.name for r in self.rules if r in rules}
        gone = [g.on for name, of in self.groups.items() if name not in same for g in of.values() if g.on]
        self.rules = tuple(rules)
        self.number = {rule.name: k for k, rule in enumerate(rules)}
        self.groups = {r.name: self.groups.get(r.name, {}) if r.name in same else {} for r in rules}
        self.queue = sorted(
            (group.due, name, key) for name, of in self.groups.items() for key, group in of.items()
        )
        flat = [(k, n, term) for k, rule in enumerate(rules) for n, term in enumerate(rule.terms)]
        self.index = Index([tuple(term.asked) for _, _, term in flat])
        self.terms = tuple((k, n) for k, n, _ in flat)
        return gone

    def add(self, rule: Pattern, key: Key, hit: Hit) -> bool:
        """Put a hit into its place in its group; say whether it is news."""
        of = self.groups[rule.name]
        group = of.pop(key, None)
        if group is None:
            if len(of) >= MAX_GROUPS and not self._room(of):
                return False
            group = Group()
        of[key] = group
        place = bisect_right(group.hits, hit)
        if place and group.hits[place - 1][:-1] == hit[:-1]:
            return False
        group.hits.insert(place, hit)
        if len(group.hits) > MOST:
            del group.hits[0]
            self.dropped["happenings of a group"] += 1
        return True

    def wait(self, rule: Pattern, key: Key, due: Seconds) -> None:
        """Have the group looked at then, though nothing happens."""
        group = self.groups[rule.name][key]
        if due != group.due and due < math.inf:
            heapq.heappush(self.queue, (due, rule.name, key))
        group.due = due

    def _room(self, of: dict[Key, Group]) -> bool:
        """Let the group go that is longest without news; False where those all have something on."""
        self.dropped["groups of a rule"] += 1
        gone = next((k for k, group in islice(of.items(), LOOKED_AT) if group.on is None), None)
        if gone is not None:
            del of[gone]
        return gone is not None

    def waited(self, now: Seconds) -> list[tuple[str, Key]]:
        """Return the groups whose time has come."""
        found: dict[tuple[str, Key], None] = {}
        while self.queue and self.queue[0][0] <= now:
            due, name, key = heapq.heappop(self.queue)
            group = self.groups.get(name, {}).get(key)
            if group is not None and group.due == due:
                found[name, key] = None
        return list(found)

    def begins(self, signal: Signal) -> bool:
        """Say whether this is the first word of a signal."""
        if signal.id in self.known:
            return False
        self.known[signal.id] = None
        if len(self.known) > MAX_KNOWN:
            del self.known[next(iter(self.known))]
            self.dropped["signals that are on"] += 1
        return True
