"""Complaints: how early a surge is named, at how many false ones, and what else is read out of them."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

PARTS = ("surges", "links", "topics", "urgency", "answers", "languages", "speed")


def run(parts: Sequence[str] = PARTS) -> dict[str, float]:
    """Print the tables of those parts and return their figures; surges take half an hour, the others ten."""
    found: dict[str, float] = {}
    for number, part in enumerate(parts, start=1):
        print(f"complaints: {part}, {number} of {len(parts)}", file=sys.stderr, flush=True)
        print(f"--- {part}", flush=True)
        began = sum(os.times()[:4])
        found |= importlib.import_module(f"benchmarks._complaint_{part}").run()
        print(f"    ({sum(os.times()[:4]) - began:.0f} CPU s)", flush=True)
    return found
