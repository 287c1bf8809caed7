"""Recordings replayed as a stream: faults found and rightly blamed, beside chance; complaints three ways."""

from __future__ import annotations

import gzip
import json
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks._incidents_given import RECORDINGS
from benchmarks._incidents_score import (
    GRACE,
    Incident,
    Scores,
    Truth,
    read_truth,
    score,
    shifted,
)
from pipeline import config
from pipeline.ingest.recording import Recording
from pipeline.run.replay import replay

SEED = 7
DRAWS = 200
WAYS = ("with complaints", "without", "shuffled")
SYSTEMS = ("OB", "TT", "")

Replayed = list[tuple[str, Truth, list[Incident]]]  # by recording


def streamed(recordings: Path) -> dict[str, float]:
    """Print the scores of each way and system, and of our own incidents shifted in time; return them."""
    print(
        "\nStreamed, nothing known of windows; evidence/ is not read. Complaints are simulated: their times\n"
        "shuffled among themselves keep every text, and no fault.\n"
        f"{'':<24}{'found':>7}{'E2E AC@1':>10}{'AC@3':>7}{'false/day':>11}{'again':>7}{'delay p50/p90':>15}"
        f"{'first':>7}{'attached':>10}{'right':>7}"
    )
    figures: dict[str, float] = {}
    for way in WAYS:
        with tempfile.TemporaryDirectory() as folder:
            found = _replayed(recordings, way, Path(folder))
        for system in SYSTEMS:
            part = [each for each in found if each[0].startswith(system)]
            name = f"{way}, {system or 'all'}"
            figures |= _print(name, score([(truth, incidents) for _, truth, incidents in part]))
            if way == WAYS[0]:
                figures |= _placebo(name, part)
    return figures


def _replayed(recordings: Path, way: str, folder: Path) -> Replayed:
    found = []
    for name in RECORDINGS:
        heard = _heard(recordings / name, way, folder / name)
        source = Recording(heard)
        out = folder / f"{name}-out"
        replay(source, config.load(catalog=source.catalog), out, lambda at, counted: None)
        lines = (out / "incidents.jsonl").read_text(encoding="utf-8").splitlines()
        found.append((name, read_truth(recordings / name, heard), [json.loads(line) for line in lines]))
    return found


def _heard(recording: Path, way: str, folder: Path) -> Path:
    """Return a folder with the same metrics, and the complaints as they are, none, or at shuffled times."""
    folder.mkdir()
    for name in ("metrics.parquet", "catalog.yaml"):
        (folder / name).symlink_to((recording / name).resolve())
    path = recording / "complaints.jsonl.gz"
    if way == "without":
        return folder
    with gzip.open(path, "rt", encoding="utf-8") as file:
        said = [json.loads(line) for line in file]
    if way == "shuffled":
        times = [each["t"] for each in said]
        random.Random(SEED).shuffle(times)
        said = sorted(({**each, "t": t} for each, t in zip(said, times, strict=True)), key=lambda s: s["t"])
    with gzip.open(folder / path.name, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in said)
    return folder


def _print(name: str, found: Scores) -> dict[str, float]:
    p50, p90 = np.quantile(found.delays, (0.5, 0.9)) if found.delays else (np.nan, np.nan)
    print(
        f"{name:<24}{found.found:>7.2f}{found.first:>10.2f}{found.among:>7.2f}"
        f"{found.false / found.days:>11.1f}{found.second:>7}{f'{p50:.0f} / {p90:.0f}':>15}"
        f"{found.machine:>7.2f}{found.attached:>10.2f}{found.right:>7.2f}"
    )
    return {
        f"{name}: found": found.found,
        f"{name}: E2E AC@1": found.first,
        f"{name}: E2E AC@3": found.among,
        f"{name}: false a day": found.false / found.days,
        f"{name}: second pages": float(found.second),
        f"{name}: delay p50": float(p50),
        f"{name}: delay p90": float(p90),
        f"{name}: paged before the first complaint": found.machine,
        f"{name}: complaints attached": found.attached,
        f"{name}: of those attached right": found.right,
    }


def _placebo(name: str, part: Sequence[tuple[str, Truth, list[Incident]]]) -> dict[str, float]:
    """Print what the same incidents earn at random other times of the evaluation windows."""
    rng = random.Random(SEED)
    drawn = []
    for _ in range(DRAWS):
        moved = []
        for _, truth, incidents in part:
            by = rng.uniform(GRACE, truth.end - truth.start - GRACE)
            moved.append((truth, shifted(truth, incidents, by)))
        drawn.append(score(moved))
    found, first, among = (
        float(np.mean([getattr(s, f) for s in drawn])) for f in ("found", "first", "among")
    )
    print(f"{f'  shifted, {DRAWS} draws':<24}{found:>7.2f}{first:>10.2f}{among:>7.2f}")
    return {f"{name}, shifted: found": found, f"{name}, shifted: E2E AC@1": first}
