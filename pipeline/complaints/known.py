"""Labelled complaints to which known topic a text is about, and how surely: 0 where it is none of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipeline.complaints.encoders import Dense
from pipeline.complaints.head import FOLDED, Head
from pipeline.complaints.words import WIDTH, Ints, Singles, Vector
from pipeline.types import Floats

FEW = 3  # labels a topic below which nothing is known
# By how much the likeliest topic's margin must exceed the next one's to be likely, and sure. On banking77, 20
# labels a topic for half of them: 1.2 in the middle where it is right, 0.24 for a text of no known topic.
MAYBE, SURELY = 0.3, 1.0


@dataclass(slots=True)
class Known:
    """What closed tickets say of topics. Owned by ComplaintState; its size is that of a Head."""

    head: Head = field(default_factory=Head)
    read: int = 0  # labels taken when all that is kept was last read again

    def teach(self, id: str, topic: str, vector: Vector, dense: Dense) -> None:
        self.head.teach(id, topic, vector, dense if len(dense) else None)

    def due(self) -> bool:
        """Say whether so much was learned since that what is kept should be read again."""
        return self.head.count > self.read + self.read // 10

    def of(self, vector: Vector, dense: Dense) -> tuple[int, float]:
        """Return the number of the likeliest topic, from 1, and how surely it is that one, 0-1."""
        topics, surely = self.of_all(vector.index[None], vector.weight[None], dense[None])
        return int(topics[0]), float(surely[0])

    def of_all(self, index: Ints, weight: Singles, dense: Dense) -> tuple[NDArray[np.int64], Floats]:
        """Return the same of n texts, given their columns, (n, WIDTH), and rows, (n, dim). 10 us a text."""
        n, topics = len(index), len(self.head.services)
        if topics < 2 or len(self.head.names) < FEW * topics:
            return np.zeros(n, np.int64), np.zeros(n)
        table = sparse.csr_matrix(
            (weight.ravel(), index.ravel() % FOLDED, np.arange(0, n * WIDTH + 1, WIDTH)), (n, FOLDED)
        )
        margin = np.asarray(table @ self.head.words, np.float64)
        if dense.shape[1] and dense.shape[1] == len(self.head.meaning):
            margin += dense @ self.head.meaning
        two = np.partition(margin, -2, axis=1)[:, -2:]
        surely = np.clip((two[:, 1] - two[:, 0] - MAYBE) / (SURELY - MAYBE), 0.0, 1.0)
        return np.where(surely > 0, margin.argmax(axis=1) + 1, 0), surely
