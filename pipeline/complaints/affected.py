"""Which versions, platforms and regions the complaints of a surge come from, beside what is usual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipeline.types import Signal

NAMES = ("version", "platform", "region")
MAX_KEPT = 8_000  # complaints whose version and so on are known, the newest; 200 B each
MAX_TEXT = 60  # characters of a version
SHOWN = 3  # versions that a surge's label names
FEW = 3  # complaints that name one, below which nothing stands out
MOST, TIMES = 0.5, 1.5  # share of a surge's complaints that stands out, and how much more than usual it is
USUAL = 2.0  # complaints elsewhere that are granted to a version nobody named there


@dataclass(slots=True)
class Affected:
    """What complaints said of where their customer uses us. Owned by ComplaintState."""

    said: dict[str, tuple[str, ...]] = field(default_factory=dict)  # complaint -> by NAMES, "" = not said
    usual: tuple[Counter[str], ...] = field(default_factory=lambda: tuple(Counter() for _ in NAMES))

    def hear(self, id: str, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Keep what a complaint names, and return it in the order of NAMES."""
        named = tuple(" ".join(labels.get(name, "").split())[:MAX_TEXT] for name in NAMES)
        if any(named) and id not in self.said:
            self.said[id] = named
            self._count(named, 1)
            if len(self.said) > MAX_KEPT:
                self._count(self.said.pop(next(iter(self.said))), -1)
        return named

    def told(self, surge: Signal) -> Signal:
        """Return the surge with versions, platforms and regions of its complaints, and what stands out."""
        rows = [self.said[id] for id in surge.ids if id in self.said]
        if not rows:
            return surge
        labels, words = dict(surge.labels), []
        for k, name in enumerate(NAMES):
            here = Counter(row[k] for row in rows if row[k])
            best = sorted(here, key=lambda value: (-here[value], value))[:SHOWN]
            if not best:
                continue
            labels[name] = ", ".join(f"{value} ({here[value]})" for value in best)
            words += self._outstanding(k, best[0], here)
        return replace(surge, labels=labels, reason="; ".join((surge.reason, *words)))

    def _outstanding(self, k: int, value: str, here: Counter[str]) -> list[str]:
        n, of = here[value], here.total()
        others = self.usual[k].total() - of
        usual = max(self.usual[k][value] - n, 0) / max(others, USUAL)
        if n < FEW or n < MOST * of or n < TIMES * usual * of:
            return []
        beside = f", where {usual:.0%} have it elsewhere" if others >= FEW else ""
        return [f"{n} of {of} that name a {NAMES[k]} have {value}{beside}"]

    def _count(self, named: tuple[str, ...], by: int) -> None:
        for counted, value in zip(self.usual, named, strict=True):
            if value:
                counted[value] += by
                if not counted[value]:
                    del counted[value]
