"""No model: n-grams alone say what is alike."""

from __future__ import annotations

import numpy as np

from pipeline.complaints.encoders import Dense


class Nothing:
    """Every text becomes a row of no columns: like nothing, and free."""

    version = "none"
    dim = 0

    def encode(self, texts: list[str]) -> Dense:
        return np.zeros((len(texts), 0), np.float32)

    encode_many = encode


def installed() -> bool:
    return True


def build() -> Nothing:
    return Nothing()
