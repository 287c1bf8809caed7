"""Complaints: how early a surge is named, at how many false ones, and what else is read out of them."""

from __future__ import annotations

import importlib
import importlib.util

PARTS = ("surges", "links", "topics", "urgency", "answers")


def run() -> dict[str, float]:
    """Print all tables and return their figures."""
    found: dict[str, float] = {}
    for part in PARTS:
        name = f"benchmarks._complaint_{part}"
        if importlib.util.find_spec(name) is None:
            continue
        print(f"--- {part}")
        found |= importlib.import_module(name).run()
    return found
