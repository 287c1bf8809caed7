"""Labels to the rules that match them, at the same cost for ten rules as for ten thousand."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from sys import getsizeof
from typing import Any, Generic, TypeVar

import numpy as np

from pipeline.matchers import Matcher, Op, matchers
from pipeline.regexes import Regexes
from pipeline.types import Labels

__all__ = ["Index", "Matcher", "Op", "matchers"]

MEMORY = 64 * 1024 * 1024  # bytes of answers that are remembered, beside the rules themselves
ENTRY = 300  # bytes of a remembered answer beside what it holds
MANY = 256  # rules, from which numpy finds the set bits sooner than Python does

_PLAIN = re.compile(r"[^\\.+*?()|\[\]{}^$]*")

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Index:
    """Rules, each a conjunction of matchers, indexed by what they ask of a label.

    For each label that a rule looks at, a value has the bits of the rules that it does not violate: one
    integer. Their conjunction is the answer, which is remembered by the values that rules look at. On each
    new value, all regexes of its label are tried at once. MEMORY bytes of answers are kept, the newest.
    """

    def __init__(self, rules: Sequence[Sequence[Matcher]], memory: int = MEMORY) -> None:
        self.rules = tuple(tuple(rule) for rule in rules)
        self.memory = memory
        self.names = tuple(sorted({m.name for rule in self.rules for m in rule}))
        self._columns = [_Column(len(self.rules), memory // 4 // len(self.names)) for _ in self.names]
        columns = dict(zip(self.names, self._columns, strict=True))
        for k, rule in enumerate(self.rules):
            for name in {m.name for m in rule}:
                columns[name].add(1 << k, [m for m in rule if m.name == name])
        self._found: _Recent[tuple[str | None, ...], tuple[int, ...]] = _Recent(memory * 3 // 4)
        self._numbers = list(range(len(self.rules)))  # answers share them

    def __reduce__(self) -> tuple[type[Index], tuple[Any, ...]]:
        """Pickle the rules alone: what is remembered is no state."""
        return Index, (self.rules, self.memory)

    def __len__(self) -> int:
        return len(self.rules)

    def find(self, labels: Labels) -> tuple[int, ...]:
        """Return every rule that matches, the first first."""
        key = tuple(map(labels.get, self.names))
        found = self._found.young.get(key)
        return self._look(key) if found is None else found

    def first(self, labels: Labels) -> int:
        """Return the first rule that matches, -1 where none does."""
        found = self.find(labels)
        return found[0] if found else -1

    def _look(self, key: tuple[str | None, ...]) -> tuple[int, ...]:
        found = self._found.old.get(key)
        if found is None:
            left = (1 << len(self.rules)) - 1
            for column, value in zip(self._columns, key, strict=True):
                left &= column.left(value or "")
                if not left:
                    break
            found = tuple(map(self._numbers.__getitem__, _bits(left)))
        size = getsizeof(found) + getsizeof(key) + sum(map(getsizeof, key))
        self._found.put(key, found, size)
        return found


class _Column:
    """What all rules ask of one label."""

    def __init__(self, rules: int, memory: int) -> None:
        self.all = (1 << rules) - 1
        self.fixed = 0  # rules that take listed values only
        self.taken: dict[str, int] = {}  # value -> those of them that take it
        self.refused: dict[str, int] = {}  # value -> rules that take any other
        self.needing = 0  # rules with a regex that must match
        self.regexes = Regexes()
        self.needed: dict[frozenset[int], int] = {}  # numbers of regexes -> rules that need them all
        self.several: set[frozenset[int]] = set()  # those of `needed` that are more than one
        self.barred: dict[int, int] = {}  # number -> rules that it must not match
        self.known: _Recent[str, int] = _Recent(memory)

    def add(self, bit: int, asked: Sequence[Matcher]) -> None:
        """Take what one rule asks of this label."""
        given: list[set[str]] = []
        needed: set[int] = set()
        for m in asked:
            values = _listed(m)
            if _positive(m) and values:
                given.append(set(values))
            elif _positive(m):
                needed.add(self.regexes.add(m.value))
            elif values:
                for value in values:
                    self.refused[value] = self.refused.get(value, 0) | bit
            else:
                number = self.regexes.add(m.value)
                self.barred[number] = self.barred.get(number, 0) | bit
        if given:
            self.fixed |= bit
            for value in set.intersection(*given):
                self.taken[value] = self.taken.get(value, 0) | bit
        if needed:
            self.needing |= bit
            numbers = frozenset(needed)
            self.needed[numbers] = self.needed.get(numbers, 0) | bit
            self.several |= {numbers} if len(numbers) > 1 else set()

    def left(self, value: str) -> int:
        """Return the rules that the value does not violate."""
        known = self.known.young.get(value)
        if known is not None:
            return known
        known = self.known.old.get(value)
        if known is None:
            known = self._left(value)
        self.known.put(value, known, getsizeof(known) + getsizeof(value))
        return known

    def _left(self, value: str) -> int:
        needed = barred = 0
        matching = self.regexes.matching(value)
        for number in matching:
            needed |= self.needed.get(frozenset((number,)), 0)
            barred |= self.barred.get(number, 0)
        for numbers in self.several:
            needed |= self.needed[numbers] if numbers.issubset(matching) else 0
        violated = self.fixed & ~self.taken.get(value, 0) | self.refused.get(value, 0)
        return self.all & ~(violated | self.needing & ~needed | barred)


@dataclass(slots=True)
class _Recent(Generic[K, V]):
    """Answers asked for lately, in two halves: when the young half is full, the old half is forgotten."""

    memory: int
    young: dict[K, V] = field(default_factory=dict)
    old: dict[K, V] = field(default_factory=dict)
    spent: int = 0  # bytes of the young half

    def put(self, key: K, value: V, size: int) -> None:
        self.young[key] = value
        self.spent += size + ENTRY
        if self.spent > self.memory // 2:
            self.old, self.young, self.spent = self.young, {}, 0


def _positive(matcher: Matcher) -> bool:
    return matcher.op in (Op.EQUAL, Op.MATCH)


def _listed(matcher: Matcher) -> tuple[str, ...]:
    """Return the values that the matcher names one by one; () where it is a regex that does more."""
    if matcher.op in (Op.EQUAL, Op.DIFFERENT):
        return (matcher.value,)
    values = matcher.value.split("|")
    return tuple(values) if all(_PLAIN.fullmatch(value) for value in values) else ()


def _bits(number: int) -> list[int]:
    """Return which bits are set, the lowest first."""
    if number.bit_length() > MANY:
        raw = np.frombuffer(number.to_bytes((number.bit_length() + 7) // 8, "little"), np.uint8)
        set_ones: list[int] = np.flatnonzero(np.unpackbits(raw, bitorder="little")).tolist()
        return set_ones
    found = []
    while number:
        lowest = number & -number
        found.append(lowest.bit_length() - 1)
        number ^= lowest
    return found
