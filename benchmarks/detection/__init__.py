"""What the detectors find, how often they are wrong, and what they cost: each file here is one table."""

from __future__ import annotations

from benchmarks.detection import _aims
from pipeline import kinds

FIRST = ("nab", "kpi", "speed", "rates")  # of the default detector; then each kind's own


def run() -> dict[str, float]:
    """Print every table and what was aimed at, and return all figures as `file.figure`."""
    found: dict[str, float] = {}
    others = [name for name in kinds.names(__name__) if name not in FIRST]
    for name in (*FIRST, *others):
        print(f"\n-- {name}", flush=True)
        measured = kinds.find(__name__, name).run()
        found |= {f"{name}.{figure}": value for figure, value in measured.items()}
    _aims.show(found)
    return found
