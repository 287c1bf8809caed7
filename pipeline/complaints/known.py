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

# Gone over oftener than for services: topics are many and labels of each few. With 10 and 1.0 new texts are
# told as known in 17 of 100, not 13, where four in five known ones are (see LIKER). A label takes 6 ms where
# topics are 20, 18 where they are 200.
AGAIN, COST = 60, 3.0
FEW = 3  # labels of a topic below which it is not told
NEAR = 3  # labelled ones of a topic that a text is compared with: the likest
# Weight, beside the margin, of how much liker a text is to those than to all that is said: a new trouble is
# liker its own kind. Of banking77, 20 labels for each of half the topics, where four in five known
# texts are told so are 13 in 100 new ones; by the margin alone 32, by its lead before the next topic's 43.
LIKER = 4.0
MAYBE, SURELY = 0.0, 1.5  # the sum where 1 in 10 is right, and 19 in 20; of 27,000 texts


@dataclass(slots=True)
class Known:
    """What closed tickets say of topics. Owned by ComplaintState; a Head and 64 kB a topic more.

    What is said now and the history that it is held against are read by the same labels: those known when
    the history was last read. Else all that is usual of a topic is a surge once somebody labels it.
    """

    head: Head = field(default_factory=Head)
    learned: int = 0  # labels ever told, and told anew
    read: int = 0  # of them, those told when all that is kept was last read
    words: Singles = field(default_factory=lambda: np.zeros((FOLDED, 0), np.float32))  # of the head, then
    meaning: Singles = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    label: Ints = field(default_factory=lambda: np.zeros(0, np.int32))
    enough: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))  # FEW labels, a topic

    def teach(self, id: str, topic: str, vector: Vector, dense: Dense) -> None:
        self.head.teach(id, topic, vector, dense if len(dense) else None, again=AGAIN, cost=COST)
        self.learned += 1

    def due(self) -> bool:
        """Say whether something was learned since all that is kept was last read."""
        return self.learned != self.read

    def reread(self) -> None:
        """Read by all that was learned from now on; what is kept wants to be read again by of_all."""
        self.read = self.learned
        self.words, self.meaning = self.head.words.copy(), self.head.meaning.copy()
        self.label = self.head.label[: len(self.head.names)].copy()
        self.enough = np.bincount(self.label, minlength=len(self.head.services)) >= FEW

    def change_encoder(self) -> None:
        """Tell nothing until all that is kept is read again: what was said before is not told alike."""
        none = Known()
        self.words, self.meaning, self.label, self.enough = none.words, none.meaning, none.label, none.enough
        self.read = -1

    def of(self, vector: Vector, dense: Dense, crowd: float) -> tuple[int, float]:
        """Return the number of the likeliest topic, from 1, and how surely it is that one, 0-1.

        `crowd` is how like the text is to the likest of all that is said, 0-1: see `crowded`.
        """
        head, index = self.head, vector.index % FOLDED
        if self.enough.sum() < 2:
            return 0, 0.0
        meant = self._meant(len(dense))
        margin = np.asarray(vector.weight @ self.words[index], np.float64)
        if meant:
            margin += dense @ self.meaning
        best = int(margin.argmax())
        if not self.enough[best]:
            return 0, 0.0
        own = np.flatnonzero(self.label == best)
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
        if self.enough.sum() < 2:
            return np.zeros(n, np.int64), np.zeros(n)
        table = _table(index, weight)
        margin = np.asarray(table @ self.words, np.float64)
        meant = self._meant(dense.shape[1])
        if meant:
            margin += dense @ self.meaning
        best = margin.argmax(axis=1)
        near = np.full(n, -np.inf)
        for topic in np.unique(best[self.enough[best]]).tolist():
            asked, own = np.flatnonzero(best == topic), np.flatnonzero(self.label == topic)
            cosine = (table[asked] @ _table(self.head.index[own], self.head.weight[own]).T).toarray()
            if meant:
                cosine = MEANT * (dense[asked] @ self.head.sense[own].T) + (1 - MEANT) * cosine
            near[asked] = _nearest(cosine)
        surely = _surely(margin[np.arange(n), best], near, crowd)
        return np.where(surely > 0, best + 1, 0), surely

    def _meant(self, dim: int) -> bool:
        """Say whether the labels were encoded as rows of so many numbers."""
        return bool(dim) and dim == len(self.meaning)


def _nearest(cosine: NDArray[Any]) -> Any:
    """Return the mean of the NEAR greatest along the last axis."""
    return np.sort(cosine, axis=-1)[..., -NEAR:].mean(axis=-1)


def _surely(margin: Any, near: Any, crowd: Any) -> Any:
    return np.clip((margin + LIKER * (near - crowd) - MAYBE) / (SURELY - MAYBE), 0.0, 1.0)


def _table(index: Ints, weight: Singles) -> sparse.csr_matrix:
    n = len(index)
    ends = np.arange(0, n * WIDTH + 1, WIDTH)
    return sparse.csr_matrix((weight.ravel(), index.ravel() % FOLDED, ends), (n, FOLDED))
