"""A snapshot restores exactly, and is no door for foreign code."""

from __future__ import annotations

import os
import pickle
import zlib
from collections import Counter

import numpy as np
import pytest

from pipeline import frame, snapshot
from pipeline.config import Config
from pipeline.flow import Pipeline
from pipeline.series import Series, pack


def test_arrays_and_tables_come_back_equal() -> None:
    state = Series(dropped=Counter({"late": 2}))
    state.intern([pack({"service": "pay"})])

    got = snapshot.load(snapshot.dump((state, np.arange(3.0), np.float64(2), {"a"})))

    assert got[0] == state
    np.testing.assert_array_equal(got[1], [0.0, 1.0, 2.0])
    assert got[2:] == (2.0, {"a"})


class Foreign:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


def test_a_snapshot_that_names_foreign_code_is_refused() -> None:
    body = pickle.dumps({}) + pickle.dumps(Foreign())
    raw = snapshot.VERSION + zlib.crc32(body).to_bytes(4, "little") + body

    with pytest.raises(snapshot.Damaged, match="system"):
        snapshot.load(raw)


@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b[:-1] + b"x", lambda b: b"FW0" + b[3:], lambda b: b""]
)
def test_a_damaged_snapshot_is_refused(change: object) -> None:
    raw = snapshot.dump(Series())

    with pytest.raises(snapshot.Damaged):
        snapshot.load(change(raw))  # type: ignore[operator]


def test_a_snapshot_of_a_class_that_had_other_fields_is_refused_by_name() -> None:
    pipeline = Pipeline(Config())
    raw = pipeline.snapshot().replace(b"dropped: Counter[str]", b"skipped: Counter[str]")
    head = len(snapshot.VERSION)
    raw = raw[:head] + zlib.crc32(raw[head + 4 :]).to_bytes(4, "little") + raw[head + 4 :]

    with pytest.raises(snapshot.Damaged, match=r"AlertState.* had other fields"):
        Pipeline.restore(Config(), raw)


def test_a_seen_frame_changes_nothing_and_a_gap_is_told() -> None:
    pipeline = Pipeline(Config())
    pipeline.take(frame.tick(1.0), 0)

    assert pipeline.take(frame.tick(2.0), 0) is None
    with pytest.raises(LookupError, match="seek back"):
        pipeline.take(frame.tick(2.0), 2)
    assert Pipeline.restore(Config(), pipeline.snapshot()).memory.position == 0
