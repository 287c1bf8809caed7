"""A text's dense row without what all texts share, so that cosines tell meanings apart."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.complaints.encoders import Dense

PRIOR = 20.0  # rows of nothing that the mean begins with: the first few texts stay what they are


@dataclass(slots=True)
class Sense:
    """The running mean of one encoder's rows; 4 kB. Owned by ComplaintState."""

    encoder: str = "none"  # its name; vectors of two models do not compare
    total: np.ndarray[tuple[int], np.dtype[np.float64]] = field(default_factory=lambda: np.zeros(0))
    rows: int = 0

    def centre(self, dense: Dense) -> Dense:
        """Return the row (dim,) less the mean of those so far, at length 1, and remember it; 0 stays 0."""
        if not len(dense) or not dense.any():
            return dense
        if not len(self.total):
            self.total = np.zeros(len(dense))
        self.total += dense
        self.rows += 1
        found = dense - (self.total / (self.rows + PRIOR)).astype(np.float32)
        return found / max(float(np.sqrt(found @ found)), 1e-9)
