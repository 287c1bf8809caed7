"""A sample of two weeks to how much of what is said is like a text, and how alike unlike texts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.complaints.encoders import Dense
from pipeline.complaints.postings import Postings, posted
from pipeline.complaints.words import SIZE, Ints, Singles, Vector
from pipeline.types import Floats, Seconds

HOUR, DAY = 3600.0, 86400.0
HISTORY = 14 * DAY
GAP = 6 * HOUR  # the newest of the history, which is left out of what is usual
SAMPLE = 2_000  # complaints of the history that are compared, evenly spread over it
# Part of the complaints that may be old ones which came first, as an open ticket of last month does, without
# the history seeming to reach as far back.
STRAY = 0.1
OFTEN = 32  # taken anew when the history grew by so many-th
SHRINK = 2.0  # days of the mean rate that each hour's own rate is mixed with
MEANT = 0.7  # weight of the encoder's cosine beside that of the n-grams
# Which part of all pairs of texts is less alike than two that begin to say the same, and that surely do.
ALIKE_FROM, ALIKE_SURE = 0.93, 0.985
CROWD, LEAST = 50, 3  # one of so many texts of the sample is in a text's crowd, and so many at least
PAIRED = 64  # texts whose pairs are measured
# Cosines for the two until others are measured, with an encoder and without, and there before there are
# directions and with them; they count as so many texts.
MEANING, WORDS, LATENT, TRUST = (0.18, 0.30), (0.08, 0.25), (0.20, 0.46), 500.0
# How far a text's row leans towards those of the NEAREST texts of the history, which leaned before it: what
# people say in the same breath draws together, in whatever words. See benchmarks/_complaint_surges.py.
LEAN, NEAREST = 0.65, 10


@dataclass(slots=True)
class Usual:
    """The history as it stood when it was last taken. Owned by Heard; 5 MB when full, 11 with an encoder."""

    began: Seconds = np.inf
    hours: Floats = field(default_factory=lambda: np.zeros(48))  # complaints by hour, weekdays then weekend
    taken: int = 0  # complaints ever heard when it was
    kept: int = 0
    since: Seconds = 0.0  # of what is sampled
    stray: Seconds = -np.inf  # what is older is a few that came late, no history
    until: Seconds = 0.0
    share: float = 1.0  # of the history that is in the sample
    start: Ints = field(default_factory=lambda: np.zeros(SIZE + 1, np.int32))  # of each column's postings
    rows: Ints = field(default_factory=lambda: np.zeros(0, np.int32))  # postings: row of the sample,
    weight: Singles = field(default_factory=lambda: np.zeros(0, np.float32))  # and the column's weight in it
    dense: Dense = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    service: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    topic: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    sure: Floats = field(default_factory=lambda: np.zeros(0))
    knees: tuple[float, float] = WORDS
    start_knees: tuple[float, float] = WORDS

    def hear(self, time: Seconds) -> None:
        self.began = min(self.began, time)
        self.hours[_hour(time)] += 1

    def change_encoder(self, name: str) -> None:
        """Begin anew to measure cosines, by those of before without what was meant."""
        self.dense = np.zeros((len(self.service), 0), np.float32)
        self.knees = self.start_knees = WORDS if name == "none" else MEANING
        self.taken = 0

    def due(self, heard: int) -> bool:
        return heard - self.taken >= max(8, self.kept // OFTEN)

    def take(self, columns: Mapping[str, Any], heard: int, now: Seconds) -> None:
        """Sample the complaints older than GAP, given the columns of Heard, and measure the knees."""
        index, weight, dense, time = (columns[name] for name in ("index", "weight", "dense", "time"))
        self._reach(time, now)
        # What is going on now is no measure of what is usual; early on, any history is better than none.
        self.until = now - min(GAP, (now - self.since) / 2)
        past = np.flatnonzero((time >= self.since) & (time < self.until))
        self.taken, self.kept = heard, len(time)
        if not len(past):
            return
        some = past[:: -(-len(past) // SAMPLE)]
        self.share = len(some) / len(past)
        self.start, self.rows, self.weight, _ = posted(index[some], weight[some])
        meant = dense if dense.shape[1] else columns["places"]
        self.dense, self.service = meant[some].astype(np.float32), columns["service"][some]
        self.topic, self.sure = columns["topic"][some], columns["sure"][some]
        asked = np.unique(np.linspace(0, len(some) - 1, PAIRED).astype(np.intp))
        found = np.stack([self.words(Vector(index[k], weight[k])) for k in some[asked].tolist()])
        if self.dense.shape[1]:
            found = MEANT * (self.dense[asked] @ self.dense.T) + (1 - MEANT) * found
        found[np.arange(len(asked)), asked] = np.nan
        if len(some) >= PAIRED:
            seen = np.nanquantile(found, [ALIKE_FROM, ALIKE_SURE])
            low, high = (
                (len(past) * seen + TRUST * np.array(self.start_knees)) / (len(past) + TRUST)
            ).tolist()
            self.knees = low, max(high, low + 0.02)

    def _reach(self, time: Floats, now: Seconds) -> None:
        """Set how far back the history reaches: a few old complaints that came first are none of it."""
        first = max(float(time[0]), now - HISTORY)
        early = float(np.quantile(time[time >= now - HISTORY], STRAY, method="higher"))
        lived = (now - early) / (1 - STRAY)
        self.stray = now - lived if lived < (now - first) / 2 else -np.inf
        self.since = max(first, self.stray)

    def same(
        self, cosine: Floats, topics: NDArray[np.int64], surely: Floats, topic: int, sure: float
    ) -> Floats:
        """Return how far texts say the same, 0 not at all, 1 surely: by a known topic, or by being alike.

        Two that are surely about one topic say the same in whatever words. Being about two does not make
        them unlike: few labels put many a text to the wrong topic, and a new trouble to an old one. (With 20
        labels for each of half the topics, known and new by the 5th voice: .61/.37 where it did, .67/.52.)
        """
        low, high = self.knees
        alike = cosine - low
        alike /= high - low
        alike = alike.clip(0.0, 1.0, out=alike)
        if not sure:
            return alike
        both = self.both(topics, surely, topic, sure)
        return both + (1 - both) * alike

    @staticmethod
    def both(topics: NDArray[np.int64], surely: Floats, topic: int, sure: float) -> Floats:
        """Return how surely each of the texts, (n,), and one more are about the same known topic."""
        return np.where(topics == topic, sure * surely, 0.0)

    def words(self, vector: Vector) -> Floats:
        """Return the cosine of a text's n-grams with those of each complaint of the sample, (n,)."""
        return Postings(self.start, self.rows, self.weight, len(self.service)).cosines(vector)

    def lean(self, words: Floats, dense: Dense) -> Dense:
        """Return a text's row (dim,) drawn to its nearest in the sample, at length 1; `words` as above."""
        if not len(dense) or not dense.any() or self.dense.shape[1] != len(dense) or len(words) <= NEAREST:
            return dense
        cosine = mix(words, self.dense, dense)
        nearest = np.argpartition(-cosine, NEAREST)[:NEAREST]
        weight = np.maximum(cosine[nearest], 0.0).astype(np.float32)
        drawn = (1 - LEAN) * dense + LEAN / max(float(weight.sum()), 1e-9) * (weight @ self.dense[nearest])
        return np.asarray(drawn / max(float(np.sqrt(drawn @ drawn)), 1e-9), np.float32)

    def shares(self, time: Seconds, lengths: Floats) -> Floats:
        """Return the part of the history that usually comes in each of the spans before the time."""
        clock = self._clock(time)
        ends = np.empty(3 + len(lengths))
        ends[:3], ends[3:] = (self.since, self.until, time), time - lengths
        upto = _upto(clock, ends)
        whole = float(upto[1] - upto[0])
        found: Floats = (upto[2] - upto[3:]) / whole if whole > 0 else np.zeros(len(lengths))
        return found

    def _clock(self, time: Seconds) -> Floats:
        """Return the usual complaints from Monday 0:00 to each full hour of a week, (169,)."""
        days = max((time - max(self.began, self.stray)) / DAY, 1.0)
        rate = self.hours + SHRINK * (self.hours.sum() / (24 * days))
        rate[:24] /= days * 5 / 7 + SHRINK  # days behind each hour of weekdays,
        rate[24:] /= days * 2 / 7 + SHRINK  # and of weekends
        clock = np.zeros(169)
        rate[WEEK].cumsum(out=clock[1:])
        return clock


# Which of the 48 hours each of a week is, from Monday 0:00.
WEEK = (np.array([0, 0, 0, 0, 0, 24, 24])[:, None] + np.arange(24)).ravel()
HOURS = np.arange(169.0)


def mix(words: Floats, rows: Dense, dense: Dense) -> Floats:
    """Return the cosines by words (n,) mixed with those by meaning, where there are any."""
    if not len(dense) or rows.shape[1] != len(dense):
        return words
    found = (rows @ dense).astype(np.float64)
    found *= MEANT
    found += (1 - MEANT) * words
    return found


def crowded(cosine: Floats) -> float:
    """Return a text's mean cosine with its crowd, the likest of the sample; 1.0 of too small a one."""
    n = max(len(cosine) // CROWD, LEAST)
    return float(np.partition(cosine, -n)[-n:].mean()) if len(cosine) >= n else 1.0


def _upto(clock: Floats, time: Floats) -> Floats:
    """Return the usual complaints before each time, (n,), since an old Monday. 1970 began on a Thursday."""
    weeks, hours = np.divmod((time + 3 * DAY) / HOUR, 168.0)
    found: Floats = weeks * clock[-1] + np.interp(hours, HOURS, clock)
    return found


def _hour(time: Seconds) -> int:
    """Return the hour of day, 24 later at weekends."""
    day = int(time // DAY)
    return int(time % DAY // HOUR) + (24 if (day + 3) % 7 >= 5 else 0)
