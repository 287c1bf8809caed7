"""What customers said of late, as columns, and how surprising it is that one more says it now."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.complaints.words import WIDTH, Ints, Singles, Vector, alike
from pipeline.types import Floats, Seconds

HOUR, DAY = 3600.0, 86400.0
WINDOWS = np.array([10.0, 20.0, 40.0, 90.0]) * 60
HISTORY = 14 * DAY
GAP = 2 * HOUR  # the newest of the history, which is left out of what is usual
MAX_KEPT = 6_000  # complaints, the oldest go first; 1.1 kB each
SHRINK = 2.0  # days of the mean rate that each hour's own rate is mixed with
# Variance of a day's complaints about one thing beyond Poisson, over mean**2: some days are just worse.
SPREAD = 0.3
PRIOR = 0.5  # like complaints that are granted to a history that has none
# Cosines from which two texts begin to say the same, and surely do: about the 95 % quantile of unlike
# pairs and the 80 % quantile of pairs of one intent, on banking77, CLINC150 and CIC (Chinese).
ALIKE_FROM, ALIKE_SURE = 0.08, 0.25


class Rise(NamedTuple):
    """How many other customers say the same in a window, and how surprising that is."""

    surprise: float  # -log10 p, >= 0
    voices: float  # customers, each as far as he says the same
    expected: float
    window: Seconds


NO_RISE = Rise(0.0, 0.0, np.nan, 0.0)


@dataclass(slots=True)
class Heard:
    """The complaints of the last two weeks, a ring of at most MAX_KEPT rows. Owned by ComplaintState."""

    count: int = 0  # ever taken; row of a complaint = its number % MAX_KEPT
    index: Ints = field(default_factory=lambda: np.zeros((64, WIDTH), np.int32))
    weight: Singles = field(default_factory=lambda: np.zeros((64, WIDTH), np.float32))
    time: Floats = field(default_factory=lambda: np.zeros(64))
    voice: NDArray[np.int64] = field(default_factory=lambda: np.zeros(64, np.int64))
    service: NDArray[np.int64] = field(default_factory=lambda: np.zeros(64, np.int64))  # 0 = unknown
    spent: NDArray[np.bool_] = field(
        default_factory=lambda: np.zeros(64, np.bool_)
    )  # heard in a surge that has ended
    ids: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)  # id -> row
    began: Seconds = np.inf
    hours: Floats = field(default_factory=lambda: np.zeros(48))  # complaints by hour, weekdays then weekend

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, id: str, time: Seconds, voice: int, service: int, vector: Vector) -> None:
        row = self.count % MAX_KEPT
        if row < len(self.ids):
            del self.rows[self.ids[row]]
            self.ids[row] = id
        else:
            if row == len(self.time):
                self._grow()
            self.ids.append(id)
        self.rows[id] = row
        self.index[row], self.weight[row] = vector.index, vector.weight
        self.time[row], self.voice[row], self.service[row] = time, voice, service
        self.spent[row] = False
        self.count += 1
        self.began = min(self.began, time)
        self.hours[_hour(time)] += 1

    def alike(self, vector: Vector) -> Floats:
        """Return how far each complaint kept says the same, (n,): 0 not at all, 1 surely."""
        n = len(self)
        cosine = alike(self.index[:n], self.weight[:n], vector)
        return np.clip((cosine - ALIKE_FROM) / (ALIKE_SURE - ALIKE_FROM), 0.0, 1.0)

    def lately(self, chosen: NDArray[np.bool_], time: Seconds) -> NDArray[np.intp]:
        """Return the rows of the chosen (n,) within the widest window, oldest first."""
        n = len(self)
        when = self.time[:n]
        rows = np.flatnonzero(chosen & (when > time - WINDOWS[-1]) & (when <= time))
        return rows[np.argsort(when[rows], kind="stable")]

    def rise(self, same: Floats, time: Seconds, voice: int) -> Rise:
        """Return how surprisingly many other customers say the same in the last 10 to 90 minutes.

        Against the same sum over the history, spread by hour of day and weekend; `same` (n,) says how
        far each complaint kept says the same, and one customer has one voice. There is no rise
        before a window's length of history.
        """
        n = len(self)
        when, who = self.time[:n], self.voice[:n]
        near = self.lately((same > 0) & (who != voice), time)
        best = NO_RISE
        if not len(near):
            return best
        oldest = max(self.began if self.count <= MAX_KEPT else float(when.min()), time - HISTORY)
        clock = self._clock(time)
        for window in WINDOWS.tolist():
            # What is going on now is no measure of what is usual; early on, any history is better than none.
            until = time - max(window, min(GAP, (time - oldest) / 2))
            inside = near[when[near] > time - window]
            count = _voices(who[inside], same[inside])
            if count <= 0.3 or until - oldest < window:
                continue
            usual = float(same[(when >= oldest) & (when < until)].sum()) + PRIOR
            expected = usual * _between(clock, time - window, time) / _between(clock, oldest, until)
            tail = special.betainc(count, 1 / SPREAD, expected / (expected + 1 / SPREAD))
            surprise = -float(np.log10(max(tail, 1e-300)))
            best = max(best, Rise(surprise, count, expected, window))
        return best

    def weekly(self, time: Seconds) -> float:
        """Return the complaints of a usual week, at least 100."""
        n = len(self)
        oldest = max(float(self.time[:n].min()), time - HISTORY) if n else time
        span = max(time - oldest, DAY)
        return max(100.0, float((self.time[:n] >= oldest).sum()) * 7 * DAY / span)

    def _clock(self, time: Seconds) -> Floats:
        """Return the usual complaints from Monday 0:00 to each full hour of a week, (169,)."""
        days = max((time - self.began) / DAY, 1.0)
        lived = np.repeat([days * 5 / 7, days * 2 / 7], 24)  # days behind each of the 48 hours
        usual = self.hours.sum() / (24 * days)
        rate = (self.hours + SHRINK * usual) / (lived + SHRINK)
        return np.concatenate(
            [[0.0], np.cumsum(np.concatenate([np.tile(rate[:24], 5), np.tile(rate[24:], 2)]))]
        )

    def _grow(self) -> None:
        more = min(2 * len(self.time), MAX_KEPT)
        for name in ("index", "weight", "time", "voice", "service", "spent"):
            old = getattr(self, name)
            new = np.zeros((more, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)


def voice_of(customer: str, text: str) -> int:
    """Return the customer as a number; without one, the same words are the same voice."""
    said = f"c:{customer}" if customer else f"t:{text}"
    return int.from_bytes(hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=7).digest(), "big")


def _voices(who: NDArray[np.int64], same: Floats) -> float:
    """Return the sum over customers of the likest thing that each said."""
    if not len(who):
        return 0.0
    order = np.lexsort((-same, who))
    first = np.ones(len(order), bool)
    first[1:] = np.diff(who[order]) != 0
    return float(same[order][first].sum())


def _between(clock: Floats, start: Seconds, end: Seconds) -> float:
    """Return the usual complaints between two times. 1970 began on a Thursday."""
    weeks, hours = np.divmod((np.array([start, end]) + 3 * DAY) / HOUR, 168.0)
    upto = weeks * clock[-1] + np.interp(hours, np.arange(169.0), clock)
    return float(upto[1] - upto[0])


def _hour(time: Seconds) -> int:
    """Return the hour of day, 24 later at weekends."""
    day = int(time // DAY)
    return int(time % DAY // HOUR) + (24 if (day + 3) % 7 >= 5 else 0)
