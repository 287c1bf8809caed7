"""Peaks of what might have been surges to the surprise from which one pages: so many false ones a week."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from pipeline.types import Floats, Seconds

WEEK = 7 * 86400.0
LEARN = 2 * WEEK  # after which the stream alone sets the bar
LASTS = 4 * WEEK  # a peak is remembered for
MAX_PEAKS = 2_000
# Peaks a week that may be true surges: the largest so many are left out of the fit, so that weeks full of
# outages do not raise the bar.
TRUE = 10.0
SHOWN = 10.0  # false surges a week that are shown as emerging
# So much of the budget is spent on purpose: the fit errs by a tenth or two of surprise, and where topics are
# known chance falls off more slowly than it says.
MARGIN = 0.4
# False surges a week, of one that is allowed, that may page because their service is flagged already; and how
# much of that is spent on purpose: flagged peaks are few to learn from.
CORROBORATED, CAREFUL = 0.2, 0.375
# Chance is rarer where all those alike are flagged, not the newest alone: by as much as the stream shows in
# peaks below LOW, by DEEP at most. TAUGHT of them count as seen beforehand, RARER times rarer, and we must be
# so CERTAIN that there are no more. Six simulations that the bench does not use gave 4 to 6, a Chinese one 3.
RARER, TAUGHT, DEEP, CERTAIN = 2.5, 3.0, 1.0, 0.8
GROWS = 5400.0  # s within which like complaints are of one peak
MAX_GROWING = 500
LEAST = 0.01  # share of complaints whose service is flagged, at least
# Complaints, and flagged ones of them, before the first: a young stream does not know how rare a flag is.
ASKED, FLAGGED = 100, 10
LOW = -2.0  # from here it is measured
FEW = 20  # peaks in the band below which nothing can be said
# Decades of false surges per unit of surprise: of a perfect p-value it were 1.
# The stream's own slope is mixed with it as if it had been seen in so many peaks: three months are few.
STEEP, SURE = 1.3, 300.0
SLOPE = 1.15  # before anything was learned
START = -0.3  # the bar before anything was learned, in surprise beyond log10(complaints a week)


@dataclass(slots=True)
class Flagged:
    """The low peaks of complaints that were all flagged: chance. Owned by Budget; 100 kB at most."""

    growing: dict[str, tuple[Seconds, float]] = field(default_factory=dict)  # by their newest complaint
    over: list[Seconds] = field(default_factory=list)  # those that never reached LOW

    def hear(self, id: str, time: Seconds, peak: float, others: Iterable[str]) -> None:
        """Take what a flagged complaint and the flagged ones like it came to."""
        before = [self.growing.pop(one)[1] for one in others if one in self.growing]
        self.growing[id] = time, max([peak, *before])
        if len(self.growing) > MAX_GROWING:
            del self.growing[next(iter(self.growing))]
        for one, (at, reached) in list(self.growing.items()):
            if at < time - GROWS:
                del self.growing[one]
                if LOW - DEEP <= reached < LOW:
                    self.over.append(at)
        self.over = [at for at in self.over if at >= time - LASTS][-MAX_PEAKS:]

    def rate(self, expected: float) -> float:
        """Return the part at most of what was expected, if only the newest of those alike had a flag."""
        most = float(special.gammaincinv(len(self.over) + TAUGHT, CERTAIN))
        return most / (expected + TAUGHT * RARER)


@dataclass(slots=True)
class Budget:
    """How high chance alone reaches in this stream. Owned by Surges; at most MAX_PEAKS numbers, 32 kB.

    False surges grow rarer exponentially with their peak; true ones stand above. So the slope is read off
    the peaks between the bar of what emerges and the TRUE-th largest a week, and drawn on to the height
    that chance reaches `a_week` times. No label is needed, and no look-ahead.
    """

    a_week: float = 1.0
    began: Seconds = math.inf
    time: list[Seconds] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    bar: float = START  # confirmed from here
    level: float = MARGIN * 10 ** (SLOPE * (START - LOW))  # peaks a week above LOW that are chance
    slope: float = SLOPE
    asked: int = 0  # complaints weighed,
    flagged: int = 0  # and those whose service was flagged
    flags: Flagged = field(default_factory=Flagged)
    shown: float = START - math.log10(SHOWN / MARGIN) / SLOPE  # emerging from here

    def allow(self, a_week: float) -> None:
        """Set how many false surges a week may page."""
        self.a_week = a_week
        self._set()

    def ask(self, time: Seconds, *, flagged: bool) -> float:
        """Return the bar for one more complaint, by whether something else is wrong with its service.

        Chance is flagged as often as complaints are, and more rarely where all who are alike must be: so
        much larger is the rate that CORROBORATED allows, of which CAREFUL is spent.
        """
        self.asked += 1
        if not flagged:
            return self.bar
        self.flagged += 1
        share = max((self.flagged + FLAGGED) / (self.asked + ASKED), LEAST)
        weeks = min(max(time - self.began, 0.0), LASTS) / WEEK
        low = share * weeks * self.level * (10 ** (self.slope * DEEP) - 1)
        allowed = CORROBORATED * CAREFUL * self.a_week
        return min(self._height(allowed / (share * self.flags.rate(low))), self.bar)

    def hear(self, time: Seconds, peak: float) -> None:
        """Take the peak of an episode that is over, and set the bars anew."""
        self.time.append(time)
        self.peak.append(peak)
        while self.time[0] < time - LASTS or len(self.time) > MAX_PEAKS:
            del self.time[0], self.peak[0]
        weeks = min(time - self.began, LASTS) / WEEK
        if weeks <= 0:
            return
        fitted = fit(np.array(self.peak), weeks)
        if fitted is not None:
            trust = min(weeks * WEEK / LEARN, 1.0)
            level, slope = fitted
            start = math.log10(MARGIN) + SLOPE * (START - LOW)
            self.level = 10 ** (trust * math.log10(level) + (1 - trust) * start)
            self.slope = trust * slope + (1 - trust) * SLOPE
        self._set()

    def _set(self) -> None:
        self.bar, self.shown = self._height(MARGIN * self.a_week), self._height(SHOWN * self.a_week)

    def _height(self, a_week: float) -> float:
        """Return the surprise that chance reaches so often."""
        return LOW + math.log10(self.level / a_week) / self.slope


def fit(peaks: Floats, weeks: float) -> tuple[float, float] | None:
    """Return the peaks a week above LOW that are chance, and their decades per unit; None where too few."""
    ranked = np.sort(peaks[peaks >= LOW])[::-1]
    top = math.ceil(TRUE * weeks)
    if len(ranked) < top + FEW:
        return None
    band, width = ranked[top:] - LOW, float(ranked[top - 1]) - LOW
    seen = _slope(float(band.mean()), width) / math.log(10)
    slope = (len(band) * seen + SURE * STEEP) / (len(band) + SURE)
    return len(band) / (1 - 10 ** (-slope * width)) / weeks, slope


def _slope(mean: float, width: float) -> float:
    """Return the rate of an exponential cut off at `width` that has this mean: the likeliest one."""
    least, most = 1e-3, 50.0
    for _ in range(60):
        rate = (least + most) / 2
        cut = 1 / rate - width / math.expm1(min(rate * width, 700.0))
        least, most = (rate, most) if cut > mean else (least, rate)
    return (least + most) / 2
