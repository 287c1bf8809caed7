"""What the detectors find, how often they are wrong, and what they cost: each file here is one table."""

from __future__ import annotations

from pipeline import kinds

FIRST = ("nab", "kpi", "speed", "rates")  # of the default detector; then each kind's own


def run() -> dict[str, float]:
    """Print every table, a section a file, and return its figures as `file.figure`."""
    found: dict[str, float] = {}
    others = [name for name in kinds.names(__name__) if name not in FIRST]
    for name in (*FIRST, *others):
        print(f"\n-- {name}")
        measured = kinds.find(__name__, name).run()
        found |= {f"{name}.{figure}": value for figure, value in measured.items()}
    return found
