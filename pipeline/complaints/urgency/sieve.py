"""Patterns to the letters without which none of them fits, and a text to the patterns that still may."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from re import _constants as ops  # type: ignore[attr-defined]  # the parser of `re` has no public name
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any


@dataclass(frozen=True, slots=True)
class Sieve:
    """Which patterns of a list may fit: a look-up a character in place of hundreds of tries."""

    size: int  # letters of a key
    keys: dict[str, tuple[tuple[str, int], ...]]  # the first letters to all letters and their pattern
    always: frozenset[int]  # patterns that need no letters that are long enough to tell

    def may_fit(self, said: str) -> set[int]:
        """Return the places of the patterns that may fit somewhere in the text. About 5 us for 60 letters."""
        found = set(self.always)
        size, find = self.size, self.keys.get
        for at in range(len(said) - size + 1):
            for letters, which in find(said[at : at + size], ()):
                if said.startswith(letters, at):
                    found.add(which)
        return found


def sieve(patterns: Iterable[str], size: int) -> Sieve:
    """Return the sieve of these patterns, whose keys have `size` letters: 3 tell in Latin, 1 in Chinese."""
    keys: dict[str, set[tuple[str, int]]] = {}
    always = set()
    for which, pattern in enumerate(patterns):
        needed = _needed(parser.parse(pattern), size)
        if not needed:
            always.add(which)
        for letters in needed:
            keys.setdefault(letters[:size], set()).add((letters, which))
    return Sieve(size, {key: tuple(sorted(those)) for key, those in keys.items()}, frozenset(always))


def _needed(items: Any, size: int) -> frozenset[str]:
    """Return letters of which a text that fits has at least one, each `size` or longer; empty if unknown."""
    best: frozenset[str] = frozenset()
    run = ""
    for op, value in [*items, (ops.ANY, None)]:
        if op is ops.LITERAL:
            run += chr(value)
            continue
        best, run = _better(best, frozenset([run] if len(run) >= size else [])), ""
        best = _better(best, _inside(op, value, size))
    return best


def _inside(op: Any, value: Any, size: int) -> frozenset[str]:
    if op is ops.SUBPATTERN:
        return _needed(value[-1], size)
    if op is ops.BRANCH:
        each = [_needed(branch, size) for branch in value[1]]
        return frozenset().union(*each) if all(each) else frozenset()
    if op in (ops.MAX_REPEAT, ops.MIN_REPEAT) and value[0] >= 1:
        return _needed(value[2], size)
    return frozenset()


def _better(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Return the set whose shortest letters are the longer, and so the rarer."""
    return other if min(map(len, other), default=0) > min(map(len, one), default=0) else one
