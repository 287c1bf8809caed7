"""What complaints say in other words: the directions in which their n-grams vary together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipeline.complaints.words import SIZE, WIDTH, Ints, Singles, Vector

DIMS = 50  # directions kept: more tell noise apart
OVER, ROUNDS = 20, 3  # directions more, and how often they are turned, to find those: they differ little
SAMPLE = 2_000  # complaints that they are learned from, evenly spread over those kept
FAINT = 1e-3  # of the strongest direction's variance: below it there is none, but rounding
LEAST = 128  # complaints before the first
OFTEN = 4  # learned anew when the complaints grew by so many-th


@dataclass(slots=True)
class Latent:
    """Latent semantic analysis of the stream itself: no model is needed. Owned by Heard; 13 MB.

    Deerwester et al. 1990, "Indexing by Latent Semantic Analysis": two words that are said beside the same
    words lie near each other. Found by the randomised subspace iteration of Halko et al. 2011, algorithm 4.4.
    """

    axes: Singles = field(default_factory=lambda: np.zeros((SIZE, 0), np.float32))
    centre: Singles = field(default_factory=lambda: np.zeros(0, np.float32))  # (DIMS,) of what is said
    learned: int = 0  # complaints ever heard when it last was
    kept: int = 0

    def row(self, vector: Vector) -> Singles:
        """Return a text's place among the directions, (DIMS,) of length 1; (0,) before any is learned."""
        place = vector.weight @ self.axes[vector.index] - self.centre
        return np.asarray(place / max(float(np.sqrt(place @ place)), 1e-9), np.float32)

    def rows(self, index: Ints, weight: Singles) -> Singles:
        """Return the same of n texts, (n, DIMS), given their columns, (n, WIDTH)."""
        place = _table(index, weight) @ self.axes - self.centre
        length = np.sqrt(np.einsum("ij,ij->i", place, place))[:, None]
        return np.asarray(place / np.maximum(length, 1e-9), np.float32)

    def due(self, heard: int, kept: int) -> bool:
        return kept >= LEAST and heard - self.learned >= self.kept // OFTEN

    def learn(self, index: Ints, weight: Singles, heard: int) -> None:
        """Find the directions of the complaints kept, given their columns: 0.1 s."""
        self.learned, self.kept = heard, len(index)
        some = slice(None, None, -(-len(index) // SAMPLE))
        table, used = _squeezed(_table(index[some], weight[some]))
        turned = table.T.tocsr()
        n = table.shape[0]
        basis = np.random.default_rng(0).standard_normal((n, min(DIMS + OVER, n))).astype(np.float32)
        for _ in range(ROUNDS):
            basis = np.linalg.qr(_centred(table @ (turned @ _centred(basis))))[0]
        spread, mixed = np.linalg.eigh(basis.T @ _centred(table @ (turned @ basis)))
        strong = np.argsort(-spread)[:DIMS]
        there = spread[strong] > FAINT * spread.max()
        scale = np.where(there, np.maximum(spread[strong], 1e-9) ** -0.5, 0.0).astype(np.float32)
        axes = np.asarray((turned @ _centred(basis @ mixed[:, strong])) * scale, np.float32)
        self.axes = np.zeros((SIZE, axes.shape[1]), np.float32)
        self.axes[used] = axes
        self.centre = np.asarray((table @ axes).mean(axis=0), np.float32)


def _centred(columns: Singles) -> Singles:
    return np.asarray(columns - columns.mean(axis=0), np.float32)


def _squeezed(table: sparse.csr_matrix) -> tuple[sparse.csr_matrix, NDArray[np.intp]]:
    """Return the table without the columns that nobody uses, four in five, and which are left, in order.

    The products are the same; what they go through fits the cache, which takes a third of the time.
    """
    seen = np.zeros(table.shape[1], np.bool_)
    seen[table.indices] = True
    place = np.cumsum(seen, dtype=np.int32) - 1
    used = np.flatnonzero(seen)
    return sparse.csr_matrix(
        (table.data, place[table.indices], table.indptr), (table.shape[0], len(used))
    ), used


def _table(index: Ints, weight: Singles) -> sparse.csr_matrix:
    n = len(index)
    table = sparse.csr_matrix(
        (weight.ravel(), index.ravel(), np.arange(0, n * WIDTH + 1, WIDTH)), (n, SIZE), copy=True
    )
    table.eliminate_zeros()
    return table
