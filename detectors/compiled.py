"""Novelty's pass over the rows of a large call, compiled where numba is installed; the same within 1e-4."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable

import numpy as np

from detectors.base import Floats, Rows
from detectors.held import Memory

# Rows of a call. Who has fewer is spared the compiler, which takes seconds once an installation.
LARGE = 2048


def worth(series: Rows) -> bool:
    """Return whether a call with so many rows is to be compiled, and can be."""
    return len(series) >= LARGE and fused() is not None


def take(
    memory: Memory, warm_up: int, floor: float, series: Rows, time: Floats, value: Floats
) -> tuple[Floats, Floats]:
    """Score and learn samples, all of them measurements of rows that `memory` has room for."""
    kernel = fused()
    if kernel is None:
        raise RuntimeError("numba: not installed, or told not to compile")
    surprise, expected = np.empty(len(series)), np.empty(len(series))
    # Of another layout or read-only, they would be compiled for once more.
    rows = np.require(series, np.int32, ["C", "W"])
    at, values = np.require(time, np.float64, ["C", "W"]), np.require(value, np.float64, ["C", "W"])
    kernel(
        *memory.arrays(), rows, at, values, float(memory.length), warm_up, float(floor), surprise, expected
    )
    return surprise, expected


@functools.cache
def fused() -> Callable[..., None] | None:
    """Return the compiled pass; None where there is no numba, or NUMBA_DISABLE_JIT is set."""
    try:
        if importlib.import_module("numba").config.DISABLE_JIT:
            return None
        found: Callable[..., None] = importlib.import_module("detectors._fused").fused
    except ImportError:
        return None
    except RuntimeError:  # nowhere to keep what is compiled: no folder that can be written to
        return None
    return found
