"""Complaints as directions in one space, and how near each topic's centre is to one of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.complaints.words import SIZE, Singles, Vector

SKETCH = 2_048  # columns that the n-grams are folded into, with signs: a cosine is off by about 0.02
MEANT = 0.7  # share of a complaint's squared length that the sentence encoder has, where there is one
SAMPLE = 256  # complaints whose pairs say what is usual
EVERY = 16  # complaints between two of the sample: it spans the last 4,096
STEADY = 64  # complaints between two looks at the mean
RARE = 0.97  # share of pairs of the sample that are less alike than a complaint must be to its topic
# What is near before any pair was seen: sentences about different things have a cosine of about 0.1 by
# their n-grams and of 0.3 by the encoder, until the mean is known.
NEAR_SAID, NEAR_MEANT = 0.25, 0.5
# A stream of a few sentences said again and again has no pair that is alike, and all else would be near.
LEAST_NEAR = 0.06
DOUBT = 100  # complaints that weigh as much as what is assumed before them
MEMORY = 256  # complaints after which a topic's past counts half, so that a centre can follow
MEAN_MEMORY = 20_000
LENS_EVERY = 2_048  # complaints between two looks at how topics vary within; sooner while there are few
LENS_POWER = 0.25  # half of what would make every direction vary alike within a topic
LENS_DOUBT = 500  # complaints that weigh as much as no direction being better than another

# A multiplicative hash (Knuth, vol. 3, sec. 6.4): the column of an n-gram to its fold and its sign.
_MIXED = np.arange(SIZE, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
_FOLD = (_MIXED >> np.uint64(40)).astype(np.int64) % SKETCH
_SIGN = np.where((_MIXED >> np.uint64(20)) & np.uint64(1), 1.0, -1.0).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Point:
    """A complaint as its folded n-grams and its encoder's row, seen through the lens."""

    fold: NDArray[np.int64]
    said: Singles  # weight of each fold
    row: Singles  # (dim,) of the encoder, empty without one
    meant: Singles  # (dim,) the same through the lens
    square: float  # length of both, squared


@dataclass(slots=True)
class Space:
    """The sums of each topic's complaints, their mean, what is near. Owned by Topics: 12 kB a topic, 6 MB.

    All cosines are between what differs from the mean: what everyone says, and how the encoder sees any
    sentence, is no likeness. The lens weakens the directions in which complaints of one topic differ among
    themselves, learned from those that joined. Sums are kept raw, so that mean and lens may move under them.
    """

    topics: int = 0
    count: float = 0.0  # complaints behind the mean
    seen: int = 0
    near: float = NEAR_SAID  # cosine to a centre from which a complaint belongs
    fitted: int = 0  # complaints seen when `near` was last fitted
    ground: int = 0  # complaints seen when the lens was last ground
    said: Singles = field(default_factory=lambda: np.zeros((SKETCH, 16), np.float32))  # a column a topic
    rows: Singles = field(default_factory=lambda: np.zeros((16, 0), np.float32))  # a row a topic
    meant: Singles = field(default_factory=lambda: np.zeros((16, 0), np.float32))  # `rows` through the lens
    size: Singles = field(default_factory=lambda: np.zeros(16, np.float32))
    square: Singles = field(default_factory=lambda: np.zeros(16, np.float32))  # length of the sum, squared
    along: Singles = field(default_factory=lambda: np.zeros(16, np.float32))  # of the sum on the mean
    total: Singles = field(default_factory=lambda: np.zeros(SKETCH, np.float32))
    mean: Singles = field(default_factory=lambda: np.zeros(SKETCH, np.float32))  # through the lens
    mean_square: float = 0.0
    sample: Singles = field(default_factory=lambda: np.zeros((0, SKETCH), np.float32))
    lens: Singles = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    scatter: Singles = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # within topics
    joined: float = 0.0  # complaints behind the scatter
    apart: Singles = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # not yet in the scatter

    def point(self, vector: Vector, dense: Singles | None) -> Point:
        """Return the complaint in this space; an encoder of another width begins anew beside the n-grams."""
        dim = self.rows.shape[1]
        if dense is not None and len(dense) not in (0, dim):
            dim = len(dense)
            self._widen(dim)
        heavy = np.count_nonzero(vector.weight)
        column = vector.index[:heavy]
        folds = _FOLD[column]
        spread, used = np.zeros(SKETCH, np.float32), np.zeros(SKETCH, np.bool_)
        np.add.at(spread, folds, _SIGN[column] * vector.weight[:heavy])
        used[folds] = True
        fold = np.flatnonzero(used)
        said = spread[fold]
        row = np.zeros(dim, np.float32)
        if dense is not None and dense.any():
            said *= np.float32(np.sqrt(1 - MEANT))
            row = (np.float32(np.sqrt(MEANT)) * dense).astype(np.float32)
        meant = row @ self.lens
        return Point(fold, said, row, meant, float(said @ said + meant @ meant))

    def cosines(self, p: Point) -> Singles:
        """Return how near the complaint is to each topic's centre, (topics,) in -1 to 1."""
        n = self.topics
        along, inner = self.mean[p.fold] @ p.said, p.said @ self.said[p.fold, :n]
        if len(p.row):
            along, inner = along + self.mean[SKETCH:] @ p.meant, inner + self.meant[:n] @ p.meant
        on_mean = float(along)
        inner += self.size[:n] * np.float32(self.mean_square - on_mean) - self.along[:n]
        own = np.sqrt(max(p.square - 2 * on_mean + self.mean_square, 1e-6))
        return np.asarray(inner / (np.sqrt(self._squares()) * own), np.float32)

    def between(self) -> Singles:
        """Return the cosine of each topic's centre with each other's, (topics, topics)."""
        n = self.topics
        centred = np.concatenate([self.said[:, :n].T, self.meant[:n]], axis=1)
        centred -= self.size[:n, None] * self.mean
        length = np.sqrt(self._squares())
        return np.asarray(centred @ centred.T / np.outer(length, length), np.float32)

    def lead(self) -> int:
        """Return the row of a new topic."""
        if self.topics == len(self.size):
            self.said = np.concatenate([self.said, np.zeros_like(self.said)], axis=1)
            for name in ("rows", "meant", "size", "square", "along"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate([old, np.zeros_like(old)]))
        self.topics += 1
        self.clear(self.topics - 1)
        return self.topics - 1

    def drop(self, k: int) -> None:
        """Forget a topic; the last row takes its place."""
        self.topics -= 1
        last = self.topics
        self.said[:, k] = self.said[:, last]
        for column in (self.rows, self.meant, self.size, self.square, self.along):
            column[k] = column[last]

    def clear(self, k: int) -> None:
        self.said[:, k] = self.rows[k] = self.meant[k] = self.size[k] = self.square[k] = self.along[k] = 0

    def add(self, k: int, p: Point) -> None:
        """Move the topic's centre towards the complaint."""
        if self.size[k] >= MEMORY:
            self._halve(k)
        n = self.size[k]
        if n and len(p.row) and p.row.any():
            residual = (p.row - self.rows[k] / n) * np.sqrt(n / (n + 1))
            self.apart = np.concatenate([self.apart, residual[None]])
            if len(self.apart) >= STEADY:
                self._scatter()
        theirs = self.said[p.fold, k]
        inner, along = p.said @ theirs, self.mean[p.fold] @ p.said
        self.said[p.fold, k] = theirs + p.said
        if len(p.row):
            inner, along = inner + self.meant[k] @ p.meant, along + self.mean[SKETCH:] @ p.meant
            self.rows[k] += p.row
            self.meant[k] += p.meant
        self.square[k] += 2 * inner + p.square
        self.along[k] += along
        self.size[k] += 1

    def merge(self, k: int, into: int) -> None:
        """Add one topic's complaints to another's."""
        inner = self.said[:, k] @ self.said[:, into] + self.meant[k] @ self.meant[into]
        self.square[into] += 2 * inner + self.square[k]
        self.said[:, into] += self.said[:, k]
        for column in (self.rows, self.meant, self.size, self.along):
            column[into] += column[k]
        self.clear(k)

    def learn(self, p: Point) -> None:
        """Take the complaint into the mean and, one in EVERY, into what is usual."""
        if self.count >= MEAN_MEMORY:
            self.total /= 2
            self.count /= 2
        self.total[p.fold] += p.said
        self.total[SKETCH:] += p.row
        self.count += 1
        if self.seen < SAMPLE or self.seen % EVERY == 0:
            self._take(p)
        self.seen += 1
        if self.joined and self.seen >= self.ground + min(max(self.ground, SAMPLE), LENS_EVERY):
            self._grind()
        elif self.seen < SAMPLE or self.seen % STEADY == 0:
            self._settle()
        if self.seen >= self.fitted + min(max(self.seen // 4, EVERY), 4 * SAMPLE):
            self._fit()

    def _take(self, p: Point) -> None:
        if len(self.sample) < SAMPLE:
            self.sample = np.concatenate([self.sample, np.zeros((1, len(self.total)), np.float32)])
        k = self.seen if self.seen < SAMPLE else self.seen // EVERY % SAMPLE
        self.sample[k] = 0
        self.sample[k, p.fold] = p.said
        self.sample[k, SKETCH:] = p.row

    def _settle(self) -> None:
        """Take the mean as it is by now."""
        self.mean = self.total / np.float32(self.count + DOUBT)
        self.mean[SKETCH:] = self.mean[SKETCH:] @ self.lens
        self.mean_square = float(self.mean @ self.mean)
        n = self.topics
        self.along[:n] = self.mean[:SKETCH] @ self.said[:, :n] + self.meant[:n] @ self.mean[SKETCH:]

    def _fit(self) -> None:
        """Say anew what is near: what RARE of all pairs are not, as far as there are pairs to tell."""
        rows = self.sample.copy()
        rows[:, SKETCH:] = rows[:, SKETCH:] @ self.lens
        rows -= self.mean
        rows /= np.maximum(np.sqrt(np.einsum("ij,ij->i", rows, rows)), 1e-6)[:, None]
        pairs = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
        pairs = pairs[pairs < 0.999]  # the same words again are no pair of complaints
        usual = float(np.quantile(pairs, RARE)) if len(pairs) else self._assumed()
        near = (DOUBT * self._assumed() + self.seen * usual) / (DOUBT + self.seen)
        self.near = min(self._assumed(), max(near, LEAST_NEAR))
        self.fitted = self.seen

    def _grind(self) -> None:
        """Make the lens anew, of the same strength on the whole; the sums are looked at through it again."""
        self._scatter()
        spread, directions = np.linalg.eigh(self.scatter.astype(np.float64) / self.joined)
        usual = max(float(spread.mean()), 1e-12)
        trusted = (self.joined * spread + LENS_DOUBT * usual) / (self.joined + LENS_DOUBT)
        lens = directions * (np.maximum(trusted, 0) / usual + 0.1) ** -LENS_POWER
        rows = self.sample[:, SKETCH:] - self.total[SKETCH:] / np.float32(self.count)
        strength = np.sqrt((rows**2).sum() / max(float(((rows @ lens) ** 2).sum()), 1e-12))
        self.lens = (lens * strength).astype(np.float32)
        self.scatter /= 2
        self.joined /= 2
        self.ground = self.seen
        self._look()
        self._settle()
        self._fit()

    def _look(self) -> None:
        n = self.topics
        self.meant = self.rows @ self.lens
        self.square[:n] = np.einsum("ij,ij->j", self.said[:, :n], self.said[:, :n])
        self.square[:n] += np.einsum("ij,ij->i", self.meant[:n], self.meant[:n])

    def _scatter(self) -> None:
        self.scatter += self.apart.T @ self.apart
        self.joined += len(self.apart)
        self.apart = self.apart[:0]

    def _assumed(self) -> float:
        return (1 - MEANT) * NEAR_SAID + MEANT * NEAR_MEANT if self.rows.shape[1] else NEAR_SAID

    def _squares(self) -> Singles:
        n = self.topics
        found = self.square[:n] - 2 * self.size[:n] * self.along[:n]
        found += self.size[:n] ** 2 * np.float32(self.mean_square)
        return np.maximum(found, np.float32(1e-6))

    def _halve(self, k: int) -> None:
        self.said[:, k] /= 2
        for column in (self.rows, self.meant, self.size, self.along):
            column[k] /= 2
        self.square[k] /= 4

    def _widen(self, dim: int) -> None:
        self.rows = np.zeros((len(self.size), dim), np.float32)
        self.total = np.concatenate([self.total[:SKETCH], np.zeros(dim, np.float32)])
        blank = np.zeros((len(self.sample), dim), np.float32)
        self.sample = np.concatenate([self.sample[:, :SKETCH], blank], axis=1)
        self.lens = np.eye(dim, dtype=np.float32)
        self.scatter, self.apart = np.zeros((dim, dim), np.float32), np.zeros((0, dim), np.float32)
        self.joined = 0.0
        self.near = self._assumed()
        self._look()
        self._settle()
