"""metrics.parquet or metrics.csv in, sample frames out, a chunk of rows in memory at a time."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import frame
from pipeline.frame import MAX_ROWS, Frame
from pipeline.series import pack
from pipeline.types import NO_FLOATS, Floats, Seconds

SLACK: Seconds = 60.0  # a file may be this far out of order
MAX_TIME: Seconds = 4_102_444_800.0  # the year 2100: what lies past it was not written in seconds
CHUNK = 50_000  # rows read at a time
NAMES = ("t", "service", "entity", "metric", "value")

Ids = NDArray[np.int64]
Table = tuple[Floats, Ids, Floats]  # time, id of the label set, value


class Columns:
    """Samples in time order. Holds the label sets seen and the rows of two chunks or one minute."""

    def __init__(self, path: Path, bad: Counter[str]) -> None:
        self._path, self._bad = path, bad
        self._labels: list[bytes] = []
        self._ids: dict[tuple[str, str, str], int] = {}
        self._chunks = self._csv() if path.suffix == ".csv" else self._parquet()
        self._held: Table = (NO_FLOATS, np.zeros(0, np.int64), NO_FLOATS)
        self._newest = self._done = -math.inf

    def span(self) -> tuple[Seconds, Seconds] | None:
        """Return first and last time from the parquet file's own statistics."""
        if self._path.suffix == ".csv":
            return None
        import pyarrow.parquet as pq  # here: 36 MB that a server, which reads no recording, does without

        meta = pq.read_metadata(self._path)
        k = meta.schema.names.index("t")
        stats = [meta.row_group(g).column(k).statistics for g in range(meta.num_row_groups)]
        if not stats or any(s is None or not s.has_min_max for s in stats):
            return None
        return float(min(s.min for s in stats)), float(max(s.max for s in stats))

    def peek(self) -> Seconds:
        """Return the time of the next sample, inf after the last."""
        if not len(self._held[0]):
            self._read(-math.inf)
        while len(self._held[0]) and self._newest < self._held[0][0] + SLACK:
            if not self._read(self._held[0][0]):
                break
        return float(self._held[0][0]) if len(self._held[0]) else math.inf

    def take(self, at: Seconds) -> Iterator[Frame]:
        """Yield what was measured up to `at`, in frames of at most MAX_ROWS rows."""
        self._read(at)
        time, ids, value = self._held
        n = int(np.searchsorted(time, at, "right"))
        self._held = (time[n:], ids[n:], value[n:])
        self._done = at
        for start in range(0, n, MAX_ROWS):
            part = slice(start, min(n, start + MAX_ROWS))
            used, series = np.unique(ids[part], return_inverse=True)
            labels = [self._labels[k] for k in used.tolist()]
            yield frame.samples(at, "recording", labels, series.astype(np.int32), time[part], value[part])

    def _read(self, at: Seconds) -> bool:
        """Read on until a minute past `at`, at least a chunk where none is held; False at the end."""
        found: list[Table] = []
        while self._newest < at + SLACK or not (found or len(self._held[0])):
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            late = chunk[0] <= self._done
            self._count("out of order by more than a minute", int(late.sum()))
            self._newest = max(self._newest, float(chunk[0].max(initial=-math.inf)))
            if not late.all():
                found.append((chunk[0][~late], chunk[1][~late], chunk[2][~late]))
        if found:
            time, ids, value = (np.concatenate(c) for c in zip(self._held, *found, strict=True))
            order = np.argsort(time, kind="stable")
            self._held = (time[order], ids[order], value[order])
        return bool(found)

    def _parquet(self) -> Iterator[Table]:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        file = pq.ParquetFile(self._path)
        missing = [n for n in NAMES if n != "entity" and n not in file.schema_arrow.names]
        if missing:
            raise ValueError(f"{self._path}: no column {', '.join(missing)}; expected {', '.join(NAMES)}")
        present = [n for n in NAMES if n in file.schema_arrow.names]
        for rows in file.iter_batches(CHUNK, columns=present):
            try:
                time, value = (pc.cast(rows[n], pa.float64()) for n in ("t", "value"))
            except pa.ArrowInvalid as error:
                raise ValueError(f"{self._path}: t and value must be numbers: {error}") from error
            yield self._checked(
                time.to_numpy(zero_copy_only=False), self._coded(rows), value.to_numpy(zero_copy_only=False)
            )

    def _coded(self, rows: Any) -> Ids:
        """Return the id of each row's label set, from the columns' dictionaries."""
        import pyarrow as pa
        import pyarrow.compute as pc

        ids: Ids = np.zeros(len(rows), np.int64)
        words: list[list[str]] = []
        for name in NAMES[1:4]:
            column = rows[name] if name in rows.schema.names else pa.array([""] * len(rows))
            if not pa.types.is_dictionary(column.type):
                column = column.dictionary_encode()
            words.append([str(w) for w in column.dictionary.to_pylist()] + [""])
            codes = pc.fill_null(column.indices.cast(pa.int64()), len(words[-1]) - 1)
            ids = ids * len(words[-1]) + codes.to_numpy(zero_copy_only=False)
        distinct, back = np.unique(ids, return_inverse=True)
        known = np.zeros(len(distinct), np.int64)
        for k, code in enumerate(distinct.tolist()):
            rest, m = divmod(code, len(words[2]))
            s, e = divmod(rest, len(words[1]))
            known[k] = self._id(words[0][s], words[1][e], words[2][m])
        return known[back]

    def _csv(self) -> Iterator[Table]:
        with self._path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = csv.DictReader(file)
            missing = [n for n in NAMES if n != "entity" and n not in (rows.fieldnames or ())]
            if missing:
                raise ValueError(f"{self._path}: no column {', '.join(missing)}; expected {', '.join(NAMES)}")
            while chunk := list(islice(rows, CHUNK)):
                table = [r for row in chunk if (r := self._row(row))]
                time, ids, value = zip(*table, strict=True) if table else ((), (), ())
                yield self._checked(np.array(time, float), np.array(ids, np.int64), np.array(value, float))

    def _row(self, row: dict[str, str]) -> tuple[float, int, float] | None:
        try:
            value = math.nan if row["value"] == "" else float(row["value"])
            return float(row["t"]), self._id(row["service"], row.get("entity") or "", row["metric"]), value
        except (TypeError, ValueError):
            self._count("t or value is not a number", 1)
            return None

    def _checked(self, time: Floats, ids: Ids, value: Floats) -> Table:
        strange = ~((time >= 0) & (time < MAX_TIME))
        self._count("t is not in epoch seconds", int(strange.sum()))
        endless = np.isinf(value) & ~strange
        self._count("value is infinite", int(endless.sum()))
        nameless = (ids < 0) & ~strange & ~endless
        self._count("no metric name", int(nameless.sum()))
        good = ~(strange | endless | nameless)
        return time[good], ids[good], value[good]

    def _id(self, service: str, entity: str, metric: str) -> int:
        """Return the id of a label set, -1 where the metric has no name."""
        if not metric:
            return -1
        key = (service, entity, metric)
        if key not in self._ids:
            self._ids[key] = len(self._labels)
            self._labels.append(pack({"__name__": metric, "service": service, "entity": entity}))
        return self._ids[key]

    def _count(self, reason: str, n: int) -> None:
        if n:
            self._bad[f"{self._path.name}: {reason}"] += n
