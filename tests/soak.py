"""How often what is left to chance is tried: short in CI, long by `make soak`."""

from __future__ import annotations

import os


def times(usual: int) -> int:
    """Return the usual number of tries, or FOREWARN_SOAK times as many."""
    return usual * int(os.environ.get("FOREWARN_SOAK", "1"))
