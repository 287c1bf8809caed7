"""Blocks of lines to counts by template, and two of those to what is new, rising, falling and vanished."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

import numpy as np

from detectors.counts import surprise_of_counts, surprise_of_silence
from pipeline.logs.joined import Head, continued
from pipeline.logs.severity import severity_of
from pipeline.logs.shape import MAX_BYTES, readable
from pipeline.logs.templates import Templates, take_block

MAX_SLICES = 64  # then two neighbours become one, so that any length of file has 32 to 64
MAX_TEMPLATES = 20_000  # of one file, 0.5 kB each, and 60 B a slice that has it; lines of others are one
OTHERS = -1  # stands for the templates of those
# Two files are never of quite the same hour: a fifth more or less of a busy template is no news.
LEAST_SPREAD = 0.05
BAR = 2.0  # surprise that remains after as many looks as there are templates: once in 100 comparisons
ENOUGH = 10  # lines of a template that say how much busier the whole is
FEW = 3  # such templates; with fewer, all lines say it


@dataclass(slots=True)
class Counted:
    """The lines of one file by template, slice by slice. Bounded by MAX_SLICES and MAX_TEMPLATES."""

    width: int = 1  # lines of one slice
    slices: list[Counter[int]] = field(default_factory=lambda: [Counter()])
    filled: int = 0  # lines in the last slice
    first: dict[int, str] = field(default_factory=dict)  # template id -> its first line
    head: Head | None = None  # the line that the next may continue

    def take(self, templates: Templates, block: bytes) -> None:
        """Count a block of whole lines, a stack trace with its line as one. Cost: 0.3 us a line and ids."""
        more, self.head = continued(self.head, block)
        if more:
            block = _without(block, more)
        ids, counts = take_block(templates, block)
        new = counts.keys() - self.first.keys()
        if new:
            ids = self._meet(block, ids, new)
        at = 0
        while at < len(ids):
            if self.filled == self.width:
                self._begin()
            part = ids[at : at + self.width - self.filled]
            self.slices[-1].update(part)
            self.filled += len(part)
            at += len(part)

    @property
    def lines(self) -> int:
        return (len(self.slices) - 1) * self.width + self.filled

    def halves(self) -> tuple[Counted, Counted]:
        """Return the first half and the second, cut where a slice ends; the first is the longer."""
        middle = (len(self.slices) + 1) // 2
        early = Counted(self.width, self.slices[:middle], self.filled, self.first)
        if middle < len(self.slices):
            early.filled = self.width
            return early, Counted(self.width, self.slices[middle:], self.filled, self.first)
        return early, Counted(first=self.first)

    def _meet(self, block: bytes, ids: list[int], new: set[int]) -> list[int]:
        lines = block.split(b"\n")
        for id, line in zip(ids, lines, strict=False):
            if id in new and len(self.first) < MAX_TEMPLATES:
                new.discard(id)
                self.first[id] = readable(line)[:MAX_BYTES].decode("utf-8", "replace")
        return [OTHERS if id in new else id for id in ids] if new else ids

    def _begin(self) -> None:
        if len(self.slices) == MAX_SLICES:
            pairs = zip(self.slices[::2], self.slices[1::2], strict=True)
            self.slices = [one + other for one, other in pairs]
            self.width *= 2
        self.slices.append(Counter())
        self.filled = 0


def _without(block: bytes, some: list[int]) -> bytes:
    left = set(some)
    return b"\n".join(line for at, line in enumerate(block.split(b"\n")) if at not in left)


class Change(NamedTuple):
    """One template that is not what it was."""

    what: str  # "new", "rising", "falling" or "vanished"
    id: int
    lines: int
    expected: float
    surprise: float  # -log10 p
    sample: str  # its first line, unmasked
    severity: str


def compare(before: Counted, after: Counted) -> list[Change]:
    """Return the templates that changed by more than chance, most surprising first, ties by id.

    Expected is the count before, times how much busier the whole has become. That is the median over the
    templates both have, so that a flood of one does not make all others seem to fall. Lines that came in
    clumps before are granted clumps; of n templates each must be n times as surprising. A new error is told
    even if it came once.

    >>> templates, one, two = Templates(), Counted(), Counted()
    >>> one.take(templates, b"beat 1\\nGET /a/b 200\\n" * 300)
    >>> two.take(templates, b"GET /c/d 200\\n" * 300 + b"ERROR disk 7 is full\\n" * 40)
    >>> [(c.what, c.lines, round(c.expected, 1), round(c.surprise, 1)) for c in compare(one, two)]
    [('vanished', 0, 170.3, 18.8), ('new', 40, 0.3, 18.4)]
    """
    if not before.lines or not after.lines:
        return []
    was, now = _summed(before), _summed(after)
    ids = sorted((was.keys() | now.keys()) - {OTHERS})
    if not ids:
        return []
    busier = _busier(before, after, was, now)
    found = [now[id] for id in ids]
    expected = [(was[id] + 0.5) * busier for id in ids]
    spread = _spread(before, was, ids)
    surprise = [
        _surprise(count, mean, beyond) for count, mean, beyond in zip(found, expected, spread, strict=True)
    ]
    changes = [
        Change(_what(was[id], now[id], mean), id, now[id], mean, rarity, sample, severity_of(sample))
        for id, mean, rarity in zip(ids, expected, surprise, strict=True)
        if (sample := after.first.get(id, before.first.get(id))) is not None
    ]
    bar = BAR + float(np.log10(len(ids)))
    told = [c for c in changes if c.surprise >= bar or (c.what == "new" and _bad(c))]
    return sorted(told, key=lambda c: (-c.surprise, c.id))


def _surprise(count: int, expected: float, spread: float) -> float:
    tail = surprise_of_counts if count > expected else surprise_of_silence
    return float(tail(np.array([count]), np.array([expected]), spread)[0])


def _bad(change: Change) -> bool:
    return change.severity in ("error", "critical")


def _what(was: int, now: int, expected: float) -> str:
    if not was:
        return "new"
    if not now:
        return "vanished"
    return "rising" if now > expected else "falling"


def _summed(counted: Counted) -> Counter[int]:
    total: Counter[int] = Counter()
    for each in counted.slices:
        total.update(each)
    return total


def _busier(before: Counted, after: Counted, was: Mapping[int, int], now: Mapping[int, int]) -> float:
    """Return by what the counts of before are to be multiplied."""
    both = [now[id] / count for id, count in was.items() if count >= ENOUGH and id in now and id != OTHERS]
    return median(both) if len(both) >= FEW else after.lines / before.lines


def _spread(counted: Counted, total: Mapping[int, int], ids: list[int]) -> list[float]:
    """Return the variance beyond Poisson over mean**2 of each template's count, as its slices tell it."""
    whole = counted.slices[: len(counted.slices) - (counted.filled < counted.width)]
    squares: Counter[int] = Counter()
    for each in whole:
        squares.update({id: count * count for id, count in each.items()})
    n = max(len(whole), 1)
    found = []
    for id in ids:
        mean = total[id] / n
        clumps = (squares[id] / n - mean**2) / mean if mean else 1.0  # variance over mean: 1 is Poisson
        found.append(LEAST_SPREAD + max(clumps, 1.0) / (total[id] + 0.5))
    return found
