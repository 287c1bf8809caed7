"""Complaints a CPU second of `forewarn complaints FILE.jsonl`, end to end, and what its start takes."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._complaint_surges import DATA, SHARED, simulated, texts_of
from pipeline.complaints.encoders import installed

WEEKS, SEED = 4, 1  # two of them fill the history
ROOT = Path(__file__).parents[1]


def run() -> dict[str, float]:
    """Print and return complaints a CPU second, with the start and without, and CPU seconds of the start."""
    if not DATA.is_dir():
        print(f"no labelled complaints at ../{DATA.relative_to(SHARED.parent)}: speed not measured")
        return {}
    figures: dict[str, float] = {}
    print(f"a stream of {WEEKS} weeks, seed {SEED}; one thread")
    for name in ("en_banking77", "zh_cic"):
        rows, _, _ = simulated(texts_of(name), 0, SEED, WEEKS)
        for encoder in ("none", *(["use"] if installed("use") else [])):
            start, whole = _cost(rows[:1], encoder), _cost(rows, encoder)
            figures |= {
                f"speed {name} {encoder} per CPU-s": len(rows) / whole,
                f"speed {name} {encoder} per CPU-s once started": len(rows) / (whole - start),
                f"speed {name} {encoder} start CPU-s": start,
            }
            texts = len({row["text"] for row in rows})
            print(
                f"{name:14} {encoder:5} {len(rows)} complaints, {texts} texts: "
                f"{len(rows) / whole:5.0f} a CPU-second, {len(rows) / (whole - start):5.0f} once started, "
                f"which takes {start:.1f} CPU s",
                flush=True,
            )
    return figures


def _cost(rows: list[dict[str, object]], encoder: str) -> float:
    """Return the CPU seconds of the command over those complaints, in a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows).encode())
        file.flush()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "pipeline", "complaints", "--encoder", encoder, file.name],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            check=True,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
