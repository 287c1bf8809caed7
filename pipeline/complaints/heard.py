"""What customers said of late, as columns, and how surprising it is that one more says it now."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.complaints.encoders import Dense
from pipeline.complaints.known import Known
from pipeline.complaints.latent import Latent
from pipeline.complaints.postings import Lately
from pipeline.complaints.usual import DAY, HISTORY, LATENT, Usual, crowded, mix
from pipeline.complaints.words import WIDTH, Ints, Singles, Vector
from pipeline.types import Floats, Seconds

HOUR = 3600.0
WINDOWS = np.array([600.0, 1200.0, 2400.0, 5400.0])
SLOW_COST = 0.5  # surprise that is taken off there: a bad day is no news
SLOW = np.array([6 * HOUR, 24 * HOUR])  # for what burns slowly
LENGTHS = np.concatenate([WINDOWS, SLOW])
COSTS = np.where(WINDOWS[-1] < LENGTHS, SLOW_COST, 0.0)
# History before which a window tells nothing but a crowd.
LIVED = np.where(WINDOWS[-1] < LENGTHS, 4 * LENGTHS, LENGTHS)
MAX_KEPT = 8_000  # complaints; past it the oldest eighth goes. 1.1 kB each, 3.1 kB with an encoder
MAX_LATELY = 2_000  # of the last day that are compared one by one
# Variance of a day's complaints about one thing beyond Poisson, over mean**2: some days are just worse.
SPREAD = 0.3
PRIOR = 0.5  # like complaints that are granted to a history that has none
# Other customers that are no chance where no history can tell, if they are more than half of all who write.
FIRST = 7
FINEST = 0.15  # grain of what is like a text, at least


class Rise(NamedTuple):
    """How many other customers say the same in a window, and how surprising that is."""

    surprise: float  # -log10 p, >= 0
    voices: float  # customers, each as far as he says the same
    expected: float
    window: Seconds


NO_RISE = Rise(0.0, 0.0, np.nan, 0.0)


class Said(NamedTuple):
    """One text as it is compared."""

    vector: Vector
    dense: Dense  # (dim,) of length 1, leaning to what is usual; (0,) without an encoder
    topic: int = 0  # number of the known topic that it is likeliest about, 0 = none
    sure: float = 0.0  # that it is
    usual: Floats = np.zeros(0)  # its cosines with the sample of what is usual
    crowd: float = 1.0  # mean of the likest of them
    latent: Singles = np.zeros(0, np.float32)  # (DIMS,) its row of Latent, (0,) with an encoder

    @property
    def meant(self) -> Singles:
        """What it means by the encoder; without one, by what is said beside the same words."""
        return self.dense if len(self.dense) else self.latent


@dataclass(slots=True)
class Heard:
    """The complaints of two weeks in the order they came, at most MAX_KEPT. Owned by ComplaintState."""

    first: int = 0  # number of the complaint in row 0
    count: int = 0  # rows in use
    index: Ints = field(default_factory=lambda: np.zeros((64, WIDTH), np.int32))
    weight: Singles = field(default_factory=lambda: np.zeros((64, WIDTH), np.float32))
    dense: Dense = field(default_factory=lambda: np.zeros((64, 0), np.float32))
    time: Floats = field(default_factory=lambda: np.zeros(64))
    voice: NDArray[np.int64] = field(default_factory=lambda: np.zeros(64, np.int64))
    service: NDArray[np.int64] = field(default_factory=lambda: np.zeros(64, np.int64))  # 0 = unknown
    topic: NDArray[np.int64] = field(default_factory=lambda: np.zeros(64, np.int64))  # known one, 0 = none
    sure: Floats = field(default_factory=lambda: np.zeros(64))
    crowd: Floats = field(default_factory=lambda: np.ones(64))
    spent: NDArray[np.bool_] = field(
        default_factory=lambda: np.zeros(64, np.bool_)
    )  # in a surge that is over
    changed: Seconds = -np.inf  # newest complaint when the encoder was last changed
    ids: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)  # id -> first + row
    usual: Usual = field(default_factory=Usual)
    latent: Latent = field(default_factory=Latent)
    places: Singles = field(default_factory=lambda: np.zeros((64, 0), np.float32))  # rows of Latent
    day: Lately = field(default_factory=Lately)

    def __len__(self) -> int:
        return self.count

    def add(self, id: str, time: Seconds, voice: int, service: int, said: Said, known: Known) -> None:
        if self.places.shape != (len(self.time), len(said.latent)):
            self.places = np.zeros((len(self.time), len(said.latent)), np.float32)
        if len(self.crowd) < len(self.time):  # a state of before they were kept
            self.crowd = np.ones(len(self.time))
        if self.count == MAX_KEPT:
            self._forget(MAX_KEPT // 8)
        if self.count == len(self.time):
            self._grow()
        row = self.count
        if said.dense.shape != self.dense.shape[1:]:
            self.dense = np.zeros((len(self.time), len(said.dense)), np.float32)
        self.ids.append(id)
        self.numbers[id] = self.first + row
        self.index[row], self.weight[row], self.dense[row] = said.vector.index, said.vector.weight, said.dense
        self.time[row], self.voice[row], self.service[row] = time, voice, service
        self.topic[row], self.sure[row] = said.topic, said.sure
        self.places[row], self.crowd[row] = said.latent, said.crowd
        self.spent[row] = False
        self.count += 1
        self.usual.hear(time)
        heard = self.first + self.count
        if not len(said.dense) and self.latent.due(heard, self.count):
            self._place_again(heard)
        if self.usual.due(heard):
            newest = float(self.time[: self.count].max())  # not of one that comes late
            anew = self.time[0] > self.changed or newest - self.changed >= HISTORY
            if anew and known.due():
                self._read_again(known)
            columns = {name: getattr(self, name)[: self.count] for name in SAMPLED}
            self.usual.take(columns, heard, newest)

    def _read_again(self, known: Known) -> None:
        """Look again for the known topics in what was said before they were known."""
        known.reread()
        n = self.count
        found = known.of_all(self.index[:n], self.weight[:n], self.dense[:n], self.crowd[:n])
        self.topic[:n], self.sure[:n] = found

    def _place_again(self, heard: int) -> None:
        """Learn anew how what is said varies, and look through it at what was said before."""
        n = self.count
        self.latent.learn(self.index[:n], self.weight[:n], heard)
        self.places = np.zeros((len(self.time), len(self.latent.centre)), np.float32)
        self.places[:n] = self.latent.rows(self.index[:n], self.weight[:n])
        self.usual.taken, self.usual.start_knees = 0, LATENT  # what it has is of before

    def rows(self, ids: tuple[str, ...]) -> list[int]:
        """Return the rows of those complaints that are still kept."""
        return [self.numbers[one] - self.first for one in ids if one in self.numbers]

    def lately(self, time: Seconds) -> slice:
        """Return the rows of about the last day, at most MAX_LATELY; what came late stands among them."""
        upto = self.count
        least = max(upto - MAX_LATELY, 0)
        return slice(least + int(np.searchsorted(self.time[least:upto], time - SLOW[-1])), upto)

    def alike(self, said: Said, rows: slice) -> Floats:
        """Return how far each of those rows says the same, (n,): 0 not at all, 1 surely."""
        words = self.day.cosines(said.vector, self.index, self.weight, rows, self.first)
        cosine = mix(words, self.dense[rows] if len(said.dense) else self.places[rows], said.meant)
        return self.usual.same(cosine, self.topic[rows], self.sure[rows], said.topic, said.sure)

    def about(self, said: Said, rows: slice) -> Floats:
        """Return how surely each of those rows is about the known topic that this one is about, (n,)."""
        return self.usual.both(self.topic[rows], self.sure[rows], said.topic, said.sure)

    def read(self, vector: Vector, dense: Dense) -> Said:
        """Return the text as it is compared with those of the history, of which topic is not known."""
        words = self.usual.words(vector)
        latent = self.latent.row(vector) if not len(dense) else np.zeros(0, np.float32)
        dense = self.usual.lean(words, dense)
        usual = mix(words, self.usual.dense, dense if len(dense) else latent)
        # Labels are compared by words where there is no encoder: directions of old ones are not kept.
        return Said(vector, dense, usual=usual, crowd=crowded(usual if len(dense) else words), latent=latent)

    def often(self, said: Said) -> tuple[float, float]:
        """Return how many complaints of the history said the same, and the grain that they come in.

        Many that are a little like it vary less than few that surely are: one of grain 0.2 that counts 1
        is five complaints, of a fifth each: (sum of squares) / sum. Nearer 1 while the history is young.
        """
        usual = self.usual
        return self._grained(usual.same(said.usual, usual.topic, usual.sure, said.topic, said.sure))

    def often_about(self, said: Said) -> tuple[float, float]:
        """Return the same of those about the known topic that the text is about, in whatever words."""
        usual = self.usual
        return self._grained(usual.both(usual.topic, usual.sure, said.topic, said.sure))

    def _grained(self, found: Floats) -> tuple[float, float]:
        times = float(found.sum()) / self.usual.share
        squares = float(found @ found) / self.usual.share
        grain = max((squares + PRIOR / 2) / (times + PRIOR), FINEST)
        lived = min((self.usual.until - self.usual.since) / HISTORY, 1.0)
        return times, 1 - lived * (1 - grain)

    def rise(
        self, same: Floats, rows: slice, usually: float, time: Seconds, voice: int, grain: float = 1.0
    ) -> Rise:
        """Return how surprisingly many other customers say the same in the last 10 minutes to 24 hours.

        `same` (n,) says how far each of the rows says the same, `usually` sums it over the history, which
        is spread by hour of day and weekend, `grain` as of `often`; one customer has one voice. Before a
        window's length of history, four where it is long, only a crowd that is most of all is a rise.
        """
        when, who = self.time[rows], self.voice[rows]
        (near,) = (same > 0).nonzero()
        near = near[(who[near] != voice) & (when[near] <= time) & ~self.spent[rows][near]]
        if not len(near):
            return NO_RISE
        counts = voices(time - when[near], who[near], same[near])
        shares = self.usual.shares(time, LENGTHS)
        lived = self.usual.until - self.usual.since >= LIVED
        crowd = ~lived & (WINDOWS[-1] >= LENGTHS) & (counts >= FIRST)
        if crowd.any():
            others = (who != voice) & (when <= time)
            crowd &= 2 * counts > voices(time - when[others], who[others], np.ones(int(others.sum())))
            shares = np.where(crowd, LENGTHS / HISTORY, shares)
            lived |= crowd
        (risen,) = (lived & (counts > 0.3) & (shares > 0)).nonzero()
        if not len(risen):
            return NO_RISE
        expected = (usually + PRIOR) * shares[risen]
        chance = expected / (expected + grain / SPREAD)
        tails = special.betainc(counts[risen] / grain, 1 / SPREAD, chance)
        surprise = -np.log10(np.maximum(tails, 1e-300)) - COSTS[risen]
        best = int(surprise.argmax())
        if surprise[best] <= 0:
            return NO_RISE
        k = risen[best]
        return Rise(float(surprise[best]), float(counts[k]), float(expected[best]), float(LENGTHS[k]))

    def weekly(self, time: Seconds) -> float:
        """Return the complaints of a usual week, at least 100."""
        n = self.count
        oldest = max(float(self.time[0]), time - HISTORY) if n else time
        span = max(time - oldest, DAY)
        return max(100.0, (n - int(np.searchsorted(self.time[:n], oldest))) * 7 * DAY / span)

    def change_encoder(self, name: str) -> None:
        """Forget what the texts mean to the encoder of before; their words are kept."""
        self.changed = float(self.time[: self.count].max(initial=-np.inf))
        self.topic[:], self.sure[:] = 0, 0.0  # found by what was meant
        self.dense = np.zeros((len(self.time), 0), np.float32)
        self.places, self.latent = self.dense.copy(), Latent()
        self.usual.change_encoder(name)

    def _forget(self, rows: int) -> None:
        """Drop the oldest rows."""
        for one in self.ids[:rows]:
            del self.numbers[one]
        del self.ids[:rows]
        left = self.count - rows
        for name in COLUMNS:
            column = getattr(self, name)
            column[:left] = column[rows : self.count].copy()
        self.first, self.count = self.first + rows, left

    def _grow(self) -> None:
        more = min(2 * len(self.time), MAX_KEPT)
        for name in COLUMNS:
            old = getattr(self, name)
            new = np.zeros((more, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)


SAMPLED = ("index", "weight", "dense", "time", "service", "topic", "sure", "places")
COLUMNS = (*SAMPLED, "voice", "crowd", "spent")


def voice_of(customer: str, text: str) -> int:
    """Return the customer as a number; without one, the same words are the same voice."""
    said = f"c:{customer}" if customer else f"t:{text}"
    return int.from_bytes(hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=7).digest(), "big")


def voices(age: Floats, who: NDArray[np.int64], same: Floats) -> Floats:
    """Return how many customers say the same in each of LENGTHS, (6,): each by the likest he said in it."""
    order = who.argsort(kind="stable")
    who = who[order]
    new = np.empty(len(who), np.bool_)
    new[0] = True
    np.not_equal(who[1:], who[:-1], out=new[1:])
    inside = np.where(age[order] < LENGTHS[:, None], same[order], 0.0)
    found: Floats = np.maximum.reduceat(inside, new.nonzero()[0], axis=1).sum(axis=1)
    return found
