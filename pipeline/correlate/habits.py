"""A signal in, the kinds of signals that it has often begun together with out; people's word counts most.

Kinds that no call graph joins may still share a cause: a disk, a network, a supplier. How often two kinds of
signals begin within minutes of each other is counted, and held against how often chance would do the same.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from scipy.special import gammainc

from pipeline.types import Seconds, Signal

WINDOW: Seconds = 240.0  # signals of one cause begin within minutes of each other
MAX_KINDS = 2_000  # the longest unheard goes first
MAX_WITH = 32  # others that a kind is counted with; the least often seen goes first. 5 MB in all
MAX_RECENT = 20  # kinds that began within WINDOW: where more did, all begins with all, and nothing is learned
MAX_RULED = 500  # kinds that people spoke of, with MAX_WITH others each; the oldest go first
MAX_CAME = 5_000  # signals of which it is known that they came by habit, the oldest go first
OFTEN = 3  # times together, at least,
SHARE = 0.5  # of the times that the rarer of the two began,
SURE = 4.0  # and so much beyond chance, in surprise


@dataclass(slots=True)
class Habits:
    """How often kinds of signals began, and began together. Owned by CorrelateState."""

    began: Seconds = math.inf
    seen: dict[str, int] = field(default_factory=dict)  # kind -> times, the longest unheard first
    last: dict[str, Seconds] = field(default_factory=dict)  # kind -> when it last began
    pairs: dict[str, dict[str, int]] = field(default_factory=dict)  # kind -> other -> times, both ways
    recent: deque[tuple[Seconds, str]] = field(default_factory=deque)
    ruled: dict[str, dict[str, bool]] = field(default_factory=dict)  # a person joined, or parted, the two
    came: dict[str, None] = field(default_factory=dict)  # signals that came to an incident by habit alone
    joined: int = 0  # how many ever did,
    parted: int = 0  # and how many of them a person took out again

    def hear(self, signal: Signal) -> None:
        """Count the beginning of a signal that can page; again within WINDOW it is the same beginning."""
        kind, since = kind_of(signal), signal.since
        if since - self.last.get(kind, -math.inf) <= WINDOW:
            return
        self.began = min(self.began, since)
        self.last[kind] = since
        self.seen[kind] = self.seen.pop(kind, 0) + 1
        if len(self.seen) > MAX_KINDS:
            self._forget(next(iter(self.seen)))
        while self.recent and since - self.recent[0][0] > WINDOW:
            self.recent.popleft()
        if len(self.recent) < MAX_RECENT:
            for other in dict.fromkeys(k for _, k in self.recent if k in self.seen):
                if other != kind:
                    self._count(kind, other)
                    self._count(other, kind)
        self.recent.append((since, kind))
        if len(self.recent) > MAX_RECENT:
            self.recent.popleft()

    def partners(self, signal: Signal) -> Iterator[tuple[str, str]]:
        """Yield kinds that the signal's kind begins together with beyond chance, and how it is known."""
        kind = kind_of(signal)
        for other in sorted({*self.pairs.get(kind, ()), *self.ruled.get(kind, ())}):
            if why := self._why(kind, other, signal.since):
                yield other, why

    def rule(self, ours: Iterable[Signal], theirs: Iterable[Signal], together: bool) -> None:
        """Take a person's word on whether the kinds of two incidents, or parts of one, belong together."""
        for a in sorted({kind_of(s) for s in ours if s.page}):
            for b in sorted({kind_of(s) for s in theirs if s.page}):
                for kind, other in ((a, b), (b, a)):
                    held = self.ruled[kind] = self.ruled.pop(kind, {})
                    held[other] = together
                    if len(held) > MAX_WITH:
                        del held[next(iter(held))]
        while len(self.ruled) > MAX_RULED:
            del self.ruled[next(iter(self.ruled))]

    def join(self, signal: Signal) -> None:
        """Remember that the signal came to its incident by habit alone: how often that is undone is told."""
        self.joined += 1
        self.came[signal.id] = None
        if len(self.came) > MAX_CAME:
            del self.came[next(iter(self.came))]

    def told(self) -> tuple[int, int]:
        """Return how many signals came by habit alone, and how many of them people took out again."""
        return self.joined, self.parted

    def part(self, signal: Signal) -> None:
        """Take it that a person took the signal out of its incident."""
        if signal.id in self.came:
            del self.came[signal.id]
            self.parted += 1

    def _why(self, kind: str, other: str, now: Seconds) -> str:
        """Return in words how it is known that the two belong together; "" where it is not."""
        if (word := self.ruled.get(kind, {}).get(other)) is not None:
            return f"a person joined {_told(kind)} and {_told(other)} before" if word else ""
        times = self.pairs.get(kind, {}).get(other, 0)
        least = min(self.seen.get(kind, 0), self.seen.get(other, 0))
        if times < OFTEN or times < SHARE * least:
            return ""
        age = max(now - self.began, WINDOW)
        expected = 2 * WINDOW * self.seen[kind] * self.seen[other] / age
        if surprise(times, expected) < SURE:
            return ""
        return (
            f"{_told(kind)} and {_told(other)} began together {times} of the {least} times "
            f"that the rarer one did, by chance it would be {expected:.2g}"
        )

    def _count(self, kind: str, other: str) -> None:
        held = self.pairs.setdefault(kind, {})
        held[other] = held.get(other, 0) + 1
        if len(held) > MAX_WITH:
            del held[min(held, key=lambda k: (held[k], k == other, k))]

    def _forget(self, kind: str) -> None:
        del self.seen[kind]
        self.last.pop(kind, None)
        for other in self.pairs.pop(kind, {}):
            self.pairs.get(other, {}).pop(kind, None)


def named(signal: Signal) -> str:
    """Return what the signal is called, whichever instance it speaks of."""
    return signal.labels.get("alertname") or signal.labels.get("__name__") or signal.series


def kind_of(signal: Signal) -> str:
    """Return what a signal is and whose, whatever its instance: "payment: latency_s"."""
    return f"{signal.service}: {named(signal)}"


def service_of(kind: str) -> str:
    return kind.partition(": ")[0]


def _told(kind: str) -> str:
    service, _, name = kind.partition(": ")
    return f"{name} of {service}" if service else name


def surprise(times: int, expected: float) -> float:
    """Return -log10 of the chance to see so many or more where so many are expected (Poisson)."""
    return -math.log10(max(float(gammainc(times, expected)), 1e-300))
