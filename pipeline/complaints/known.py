"""Labelled complaints to which known topic a text is about, and how surely: 0 where it is none of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipeline.complaints.encoders import Dense
from pipeline.complaints.head import FOLDED, Head
from pipeline.complaints.usual import MEANT
from pipeline.complaints.words import WIDTH, Ints, Singles, Vector
from pipeline.types import Floats

# Gone over oftener than for services: topics are many and labels of each few. With 10 and 1.0 the confusion
# told of below is .17, not .13, and .82, not .60, where nine in ten of the known are told. 6 ms a label.
AGAIN, COST = 60, 3.0
FEW = 3  # labels a topic below which nothing is known
NEAR = 3  # labelled ones of a topic that a text is compared with: the likest
# Weight, beside the margin, of how much liker a text is to those than to all that is said: a new trouble is
# liker its own kind. Of banking77, 20 labels for each of half the topics, where four in five known
# texts are told so are 13 in 100 new ones; by the margin alone 32, by its lead before the next topic's 43.
LIKER = 4.0
MAYBE, SURELY = 0.0, 1.5  # the sum where 1 in 10 is right, and 19 in 20; of 27,000 texts


@dataclass(slots=True)
class Known:
    """What closed tickets say of topics. Owned by ComplaintState; its size is that of a Head."""

    head: Head = field(default_factory=lambda: Head(again=AGAIN, cost=COST))
    read: int = 0  # labels taken when all that is kept was last read again

    def teach(self, id: str, topic: str, vector: Vector, dense: Dense) -> None:
        self.head.teach(id, topic, vector, dense if len(dense) else None)

    def due(self) -> bool:
        """Say whether so much was learned since that what is kept should be read again."""
        return self.head.count > self.read + self.read // 10

    def of(self, vector: Vector, dense: Dense, crowd: float) -> tuple[int, float]:
        """Return the number of the likeliest topic, from 1, and how surely it is that one, 0-1.

        `crowd` is how like the text is to the likest of all that is said, 0-1: see `crowded`.
        """
        head, index = self.head, vector.index % FOLDED
        if self._knows_little():
            return 0, 0.0
        meant = self._meant(len(dense))
        margin = head.say(index, vector.weight, dense if meant else None)
        best = int(margin.argmax())
        own = np.flatnonzero(head.label[: len(head.names)] == best)
        # What of_all does of many, without the matrices of scipy, which cost five times as much for one.
        spread = np.zeros(FOLDED, np.float32)
        np.add.at(spread, index, vector.weight)
        cosine = np.einsum("ij,ij->i", head.weight[own], spread[head.index[own]])
        if meant:
            cosine = MEANT * (head.sense[own] @ dense) + (1 - MEANT) * cosine
        surely = _surely(margin[best], _nearest(cosine), crowd)
        return (best + 1 if surely > 0 else 0), float(surely)

    def of_all(
        self, index: Ints, weight: Singles, dense: Dense, crowd: Floats
    ) -> tuple[NDArray[np.int64], Floats]:
        """Return the same of n texts of those columns, (n, WIDTH), rows, (n, dim), and crowds, (n,)."""
        n = len(index)
        if self._knows_little():
            return np.zeros(n, np.int64), np.zeros(n)
        table = _table(index, weight)
        margin = np.asarray(table @ self.head.words, np.float64)
        meant = self._meant(dense.shape[1])
        if meant:
            margin += dense @ self.head.meaning
        best, labels = margin.argmax(axis=1), self.head.label[: len(self.head.names)]
        near = np.zeros(n)
        for topic in np.unique(best).tolist():
            asked, own = np.flatnonzero(best == topic), np.flatnonzero(labels == topic)
            cosine = (table[asked] @ _table(self.head.index[own], self.head.weight[own]).T).toarray()
            if meant:
                cosine = MEANT * (dense[asked] @ self.head.sense[own].T) + (1 - MEANT) * cosine
            near[asked] = _nearest(cosine)
        surely = _surely(margin[np.arange(n), best], near, crowd)
        return np.where(surely > 0, best + 1, 0), surely

    def _knows_little(self) -> bool:
        topics = len(self.head.services)
        return topics < 2 or len(self.head.names) < FEW * topics

    def _meant(self, dim: int) -> bool:
        """Say whether the labels were encoded as rows of so many numbers."""
        return bool(dim) and dim == len(self.head.meaning)


def _nearest(cosine: NDArray[Any]) -> Any:
    """Return the mean of the NEAR greatest along the last axis, 0 where there are none."""
    nearest = np.sort(cosine, axis=-1)[..., -NEAR:]
    return nearest.sum(axis=-1) / max(nearest.shape[-1], 1)


def _surely(margin: Any, near: Any, crowd: Any) -> Any:
    return np.clip((margin + LIKER * (near - crowd) - MAYBE) / (SURELY - MAYBE), 0.0, 1.0)


def _table(index: Ints, weight: Singles) -> sparse.csr_matrix:
    n = len(index)
    ends = np.arange(0, n * WIDTH + 1, WIDTH)
    return sparse.csr_matrix((weight.ravel(), index.ravel() % FOLDED, ends), (n, FOLDED))
