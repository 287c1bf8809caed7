"""Texts to dense vectors whose cosine says how alike they mean; one model a file."""

from __future__ import annotations

from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline import kinds

Dense = NDArray[np.float32]

FAMILY = "pipeline.complaints.encoders"


class Encoder(Protocol):
    """What a file of this folder builds; a model is loaded at the first text, once a process."""

    version: str  # of the model: vectors of two versions do not compare
    dim: int

    def encode(self, texts: list[str]) -> Dense:
        """Return a row of length 1 for each text, (n, dim); 0 for a text that holds nothing.

        The same text gives the same bits whatever it is encoded beside.
        """

    def encode_many(self, texts: list[str]) -> Dense:
        """Return the same rows within 1e-5, (n, dim), faster: for files, whose lines are known ahead."""


def installed(name: str) -> bool:
    """Say whether the model of that name can be loaded here."""
    return bool(kinds.find(FAMILY, name).installed())


def chosen(name: str) -> str:
    """Return the model that a configured name means: "auto" is the one that is installed."""
    return name if name != "auto" else "use" if installed("use") else "none"


@cache
def encoder(name: str) -> Encoder:
    """Return the model of that name; raises ValueError with the nearest right word, or what to install."""
    built: Encoder = kinds.find(FAMILY, name).build()
    return built
