"""How many lines came, slot by slot, to how many are usual and how surprising the latest are."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from scipy import special

from detectors.counts import MOST
from pipeline.types import Seconds

SLOT = 10.0  # s; what is counted as one
RING = 6  # slots in the wide window, 60 s; the narrow one is a single slot
# Half of what is known is forgotten in twelve hours: a day's rhythm lands in the spread, not in the mean.
FADE = 0.5 ** (SLOT / (12 * 3600))
LEAST_SPREAD = 0.05  # of counts, as variance / mean**2: below it a busy template would page for a tenth more
MOST_SPREAD = 1e4
FIRST_SPREAD = 1.0  # of what has hardly been seen: lines come in clumps


@dataclass(slots=True)
class Tally:
    """Counts of one thing: the last six slots as they are, all before them as fading sums. About 0.4 kB.

    A slot is learned when it leaves the ring, a minute late, so that a burst is never measured
    against itself; while `held` (a signal is on) nothing is learned.
    """

    born: int  # slot of first sight
    slot: int  # the newest
    recent: list[float] = field(default_factory=lambda: [0.0] * RING)  # counts, the newest last
    total: float = 0.0  # fading sum of counts
    squares: float = 0.0  # fading sum of squared counts, slot by slot
    wide: float = 0.0  # the same of whole minutes, one after another
    minute: list[float] = field(default_factory=list)  # learned slots of the minute that is not full yet
    slots: float = 0.0  # fading number of slots behind the two, since the service was first heard
    held: bool = False

    def add(self, slot: int, count: float) -> None:
        """Count lines in a slot; one older than the newest is counted in the newest."""
        self.roll(slot)
        self.recent[-1] += count

    def roll(self, slot: int) -> None:
        """Let slots pass in silence up to this one. Cost: 1 us, however many pass."""
        passed = slot - self.slot
        for _ in range(min(passed, RING)):
            self._learn(self.recent.pop(0))
            self.recent.append(0.0)
        if passed > RING and not self.held:
            kept = FADE ** (passed - RING)
            self.total *= kept
            self.squares *= kept
            self.wide *= kept
            self.minute.clear()
            self.slots = self.slots * kept + faded(passed - RING)
        self.slot = max(self.slot, slot)

    def usual(self) -> float:
        """Return the expected count of one slot, > 0: half a line is always granted."""
        return (self.total + 0.5) / (self.slots + 1.0)

    def spread(self) -> tuple[float, float]:
        """Return the variance beyond Poisson over mean**2 of a slot and of a minute.

        Lines that come in clumps spread a slot more than a minute, so each window has its own.
        """
        mean, slots = self.usual(), self.slots + 1.0
        least = LEAST_SPREAD if self.total > 20 else FIRST_SPREAD
        narrow = self.squares / slots / mean**2
        wide = self.wide * RING / slots / (RING * mean) ** 2
        return (
            min(max(narrow - 1 / mean - 1, least), MOST_SPREAD),
            min(max(wide - 1 / (RING * mean) - 1, least), MOST_SPREAD),
        )

    def surprise(self, usual: float, spread: tuple[float, float]) -> float:
        """Return -log10 p of the newest slot or of the whole ring, the more surprising of the two."""
        narrow = _surprise(self.recent[-1], usual, spread[0])
        return max(narrow, _surprise(sum(self.recent), RING * usual, spread[1]))

    def lasting(self, usual: float) -> bool:
        """Say whether half of the ring's slots are each well above what is usual."""
        return sum(count >= max(2.0, 3 * usual) for count in self.recent) >= RING // 2

    def onset(self, usual: float) -> Seconds:
        """Return when the first slot of the ring that is above the usual began, s since 1970."""
        above = next((k for k, count in enumerate(self.recent) if count > 2 * usual), RING - 1)
        return (self.slot - RING + 1 + above) * SLOT

    def adopt(self) -> None:
        """Take the last minute for what is usual from now on."""
        mean = sum(self.recent) / RING
        self.total = mean * self.slots
        self.squares = (mean + (1 + LEAST_SPREAD) * mean**2) * self.slots
        self.wide = (RING * mean + (1 + LEAST_SPREAD) * (RING * mean) ** 2) * self.slots / RING

    def _learn(self, count: float) -> None:
        if self.held:
            return
        self.total = self.total * FADE + count
        self.squares = self.squares * FADE + count * count
        self.wide *= FADE
        self.slots = self.slots * FADE + 1.0
        self.minute.append(count)
        if len(self.minute) == RING:
            self.wide += sum(self.minute) ** 2
            self.minute.clear()


def _surprise(count: float, mean: float, beyond: float) -> float:
    """Return what `detectors.counts.surprise_of_counts` gives for one count, in a tenth of the time."""
    if count <= 0:
        return 0.0
    tail = float(special.betainc(math.ceil(count), 1 / beyond, mean / (mean + 1 / beyond)))
    return -math.log10(min(max(tail, 10.0**-MOST), 1.0)) + 0.0


def faded(slots: int) -> float:
    """Return what so many slots, one after another, amount to after fading."""
    return float((1 - FADE**slots) / (1 - FADE))
