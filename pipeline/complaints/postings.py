"""Texts by the n-grams they use, so that one more is compared with no n-gram that it does not use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy import sparse

# What products of scipy's matrices end in: a matrix made to be used once takes longer than the product.
from scipy.sparse._sparsetools import csc_matvec, csr_row_index

from pipeline.complaints.words import SIZE, Ints, Singles, Vector, alike
from pipeline.types import Floats

FRESH = 64  # complaints that are compared one by one before they are posted with the others


class Postings(NamedTuple):
    """For each column the texts that use it, and how much: 8 B an n-gram, and 256 kB."""

    start: Ints = np.zeros(SIZE + 1, np.int32)  # of each column's postings
    rows: Ints = np.zeros(0, np.int32)  # postings: the text's row,
    weight: Singles = np.zeros(0, np.float32)  # and the column's weight in it
    texts: int = 0

    def cosines(self, vector: Vector) -> Floats:
        """Return the cosine of the vector with each text, (texts,) in 0-1."""
        used = np.count_nonzero(vector.weight)
        index = vector.index[:used]
        ends = np.zeros(used + 1, np.int32)
        np.cumsum(self.start[index + 1] - self.start[index], out=ends[1:])
        rows, weight = np.empty(ends[-1], np.int32), np.empty(ends[-1], np.float32)
        csr_row_index(used, index, self.start, self.rows, self.weight, rows, weight)
        found = np.zeros(self.texts, np.float32)
        csc_matvec(self.texts, used, ends, rows, weight, vector.weight[:used], found)
        return found.astype(np.float64)


def posted(index: Ints, weight: Singles) -> Postings:
    """Return the postings of n texts, given their columns, (n, WIDTH)."""
    n, width = index.shape
    ends = np.arange(0, n * width + 1, width)
    table = sparse.csr_matrix((weight.ravel(), index.ravel(), ends), (n, SIZE), copy=True)
    table.eliminate_zeros()
    turned = table.tocsc()
    return Postings(turned.indptr, turned.indices, turned.data, n)


@dataclass(slots=True)
class Lately:
    """The postings of about the last day's complaints. Owned by Heard; 2.3 MB when full."""

    first: int = 0  # number of the first complaint that is posted
    postings: Postings = field(default_factory=Postings)

    def cosines(self, vector: Vector, index: Ints, weight: Singles, rows: slice, offset: int) -> Floats:
        """Return the cosine of the vector with those rows of (n, WIDTH) columns, of number row + offset."""
        begin, end = rows.start + offset, rows.stop + offset
        if begin < self.first or end > self.first + self.postings.texts + FRESH:
            self.first, self.postings = begin, posted(index[rows], weight[rows])
        by_posting = self.postings.cosines(vector)[begin - self.first :]
        if len(by_posting) == end - begin:
            return by_posting
        fresh = slice(rows.start + len(by_posting), rows.stop)
        return np.concatenate([by_posting, alike(index[fresh], weight[fresh], vector)])
