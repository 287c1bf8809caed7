"""An encoder that remembers its rows: benchmarks ask for the same texts again and again."""

from __future__ import annotations

from functools import cache

import numpy as np

from pipeline.complaints.encoders import Dense, Encoder, encoder


class Remembered:
    """The named encoder; a text is encoded once a process. 2 kB each, for benchmarks alone."""

    def __init__(self, model: Encoder) -> None:
        self.model, self.version, self.dim = model, model.version, model.dim
        self.rows: dict[str, Dense] = {}

    def encode(self, texts: list[str]) -> Dense:
        new = [text for text in dict.fromkeys(texts) if text not in self.rows]
        # In order of length: a batch costs what its longest text does.
        new.sort(key=lambda text: (len(text), text))
        self.rows.update(zip(new, self.model.encode_many(new) if new else (), strict=True))
        return np.array([self.rows[text] for text in texts], np.float32).reshape(len(texts), self.dim)

    encode_many = encode


@cache
def remembered(name: str) -> Remembered:
    return Remembered(encoder(name))
