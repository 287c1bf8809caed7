"""The evidence folders and metrics of a recording to plain columns, to rank causes with the window given.

A replay never opens these: that spans or logs exist at a time would give the fault away.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.types import Floats


class Bundles(NamedTuple):
    """Rows of a spans.parquet; times in s."""

    caller: list[str]
    parent: list[str]
    callee: list[str]
    op: list[str]
    time: Floats
    spans: Floats  # in each bundle
    duration: Floats
    gap: Floats
    failed: Floats


class Written(NamedTuple):
    """Lines of a logs.jsonl.gz; times in s."""

    pod: list[str]
    op: list[str]
    trace: list[str]
    text: list[str]
    time: Floats


class Sampled(NamedTuple):
    service: str
    entity: str
    metric: str
    time: Floats
    value: Floats


def folders(recording: Path) -> list[Path]:
    """Return the folders of evidence, sorted by name."""
    root = recording / "evidence"
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def read_spans(folder: Path) -> Bundles | None:
    """Return the spans; None where there are none. Their own pieces (10 s) are kept."""
    path = folder / "spans.parquet"
    if not path.exists():
        return None
    table = _table(path)

    def words(name: str) -> list[str]:
        return ["" if word in (None, "root") else word for word in table[name].to_pylist()]

    def numbers(name: str, unit: float) -> Floats:
        if name not in table.column_names:
            return np.zeros(len(table))
        found: Floats = table[name].to_numpy(zero_copy_only=False).astype(np.float64) * unit
        return found

    return Bundles(
        words("caller"), words("parent_op"), words("callee"), words("op"),
        numbers("t", 1.0), numbers("n", 1.0), numbers("p50_us", 1e-6), numbers("gap_p50_us", 1e-6),
        numbers("failed", 1.0),
    )  # fmt: skip


def read_logs(folder: Path) -> Written | None:
    """Return the log lines in order of time; None where there are none. A line without a time is left out."""
    path = folder / "logs.jsonl.gz"
    if not path.exists():
        return None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines: list[dict[str, Any]] = [json.loads(line) for line in file]
    lines = sorted((line for line in lines if line["t"] > 0), key=lambda line: line["t"])
    return Written(
        [line["pod"] for line in lines],
        [line.get("op") or "" for line in lines],
        [line.get("trace") or "" for line in lines],
        [line["msg"] for line in lines],
        np.array([line["t"] for line in lines], np.float64),
    )


def read_samples(recording: Path) -> Iterator[Sampled]:
    """Yield every series of metrics.parquet, each in order of time."""
    path = recording / "metrics.parquet"
    if not path.exists():
        return
    table = _table(path).combine_chunks()
    names = ("service", "entity", "metric")
    words = [table[name].to_pylist() for name in names]
    time = table["t"].to_numpy().astype(np.float64)
    value = table["value"].to_numpy().astype(np.float64)
    rows: dict[tuple[str, str, str], list[int]] = {}
    for at, key in enumerate(zip(*words, strict=True)):
        rows.setdefault(key, []).append(at)
    for key in sorted(rows):
        held = np.array(rows[key])
        held = held[np.argsort(time[held], kind="stable")]
        yield Sampled(*key, time[held], value[held])


def _table(path: Path) -> Any:
    import pyarrow.parquet as pq  # here: 28 MB that a server, which reads no recording, does without

    return pq.read_table(path)
