"""A snapshot restores exactly, and is no door for foreign code."""

from __future__ import annotations

import gc
import os
import pickle
import zlib
from collections import Counter
from dataclasses import dataclass, field, make_dataclass
from typing import Any

import numpy as np
import pytest

from pipeline import frame, series, snapshot
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


def version(monkeypatch: pytest.MonkeyPatch, *stated: tuple[object, ...], **how: bool) -> Any:
    """Put a class of state into our code, as one version of it states its fields."""
    kind: Any = make_dataclass("Kept", stated, **how)  # type: ignore[arg-type]
    kind.__module__ = "pipeline.series"
    monkeypatch.setattr(series, "Kept", kind, raising=False)
    return kind


BASE = (("name", "str"), ("seen", "int"), ("old", "float"))
HOW: tuple[dict[str, bool], ...] = ({}, {"slots": True}, {"frozen": True}, {"frozen": True, "slots": True})


@pytest.mark.parametrize("how", HOW, ids=str)
def test_state_of_an_older_version_is_kept_and_what_is_new_has_its_default(
    how: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    then = version(monkeypatch, *BASE, **how)
    raw = snapshot.dump([then("a", 1, 0.5), {"b": then("b", 2, 1.5)}])
    news: tuple[object, ...] = ("news", "list[int]", field(default_factory=list))
    now = version(monkeypatch, ("seen", "int"), news, ("name", "str", ""), **how)

    first, second = snapshot.load(raw)

    assert first == now(1, [], "a")
    assert type(first) is now
    assert second == {"b": now(2, [], "b")}
    assert first.news is not second["b"].news
    assert not hasattr(first, "old")
    assert snapshot.load(snapshot.dump(first)) == first


@pytest.mark.parametrize("other", [("seen", "float"), ("since", "float")], ids=" ".join)
@pytest.mark.parametrize("how", HOW, ids=str)
def test_a_snapshot_of_a_class_that_had_other_fields_is_refused_by_name(
    how: dict[str, bool], other: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = snapshot.dump(version(monkeypatch, *BASE, **how)("a", 1, 0.5))
    version(monkeypatch, ("name", "str"), other, ("old", "float"), **how)

    with pytest.raises(snapshot.Damaged, match="Kept had other fields"):
        snapshot.load(raw)


def test_a_seen_frame_changes_nothing_and_a_gap_is_told() -> None:
    pipeline = Pipeline(Config())
    pipeline.take(frame.tick(1.0), 0)

    assert pipeline.take(frame.tick(2.0), 0) is None
    with pytest.raises(LookupError, match="seek back"):
        pipeline.take(frame.tick(2.0), 2)
    assert Pipeline.restore(Config(), pipeline.snapshot()).memory.position == 0


@dataclass(frozen=True, slots=True)
class Word:
    at: float
    text: str


def test_a_snapshot_holds_what_pickle_would_write() -> None:
    word = Word(1.0, "down")
    state = {"a": word, "b": [word, Word(2.0, "up")], "c": np.arange(3.0), "d": Counter("ab")}

    raw = snapshot.dump(state)

    assert raw.endswith(pickle.dumps(state, protocol=5))


def test_a_look_for_young_garbage_does_not_walk_what_pickle_has_seen() -> None:
    class Asked:
        def __reduce__(self) -> tuple[type, tuple[()]]:
            seen.append([type(each).__name__ for old in (0, 1) for each in gc.get_objects(old)])
            return dict, ()

    seen: list[list[str]] = []
    snapshot.dump(Asked())

    assert snapshot._Writer.__name__ not in seen[0]


def test_pieces_are_small_and_stay_as_they_were_when_the_state_goes_on() -> None:
    numbers = np.arange(50_000.0)
    state = [{b"%d" % k: k for k in range(100_000)}, numbers]
    pieces = snapshot.pieces(state)

    numbers[:] = 0.0

    assert max(map(len, pieces[:-2])) < 100_000
    table, array = snapshot.load(b"".join(pieces))
    assert table[b"99999"] == 99_999
    assert array[-1] == pytest.approx(49_999.0)
