"""Compiled, novelty finds and remembers what it does without, within 1e-4."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from detectors import compiled
from detectors.base import Floats, Rows
from detectors.held import SINGLES
from detectors.novelty import OLD, Args, Novelty
from tests.detectors.common import noise, rows

pytest.importorskip("numba")
N = 600  # more than one tile of them, and a part of one


def take(
    d: Novelty, patch: pytest.MonkeyPatch, large: int, series: Rows, time: Floats, value: Floats
) -> tuple[Floats, Floats]:
    """Take samples, those of at least `large` rows compiled."""
    patch.setattr(compiled, "LARGE", large)
    return d.take_many(series, time, value)


COMPILED, PLAIN = 1, 10**9


def calls(step: float, samples: int) -> Iterator[tuple[Rows, Floats, Floats]]:
    """Yield days and weeks with ties, steps, counter resets, NaN, inf, gaps, some rows, any order."""
    rng = np.random.default_rng(20261122)
    for k in range(samples):
        series = rows(N)
        value: Floats = 50 + 30 * np.sin(2 * np.pi * k * step / 86400) + rng.normal(0, 1, N)
        value -= 30.0 * (k * step // 86400 % 7 > 4)
        value += np.where(k > 0.9 * samples, np.linspace(0, 200, N), 0.0)
        value[:20] = np.round(value[:20])
        value[20], value[21], value[22] = 5.0, k // 50, k % 97 * 1e6
        value[rng.random(N) < 0.02] = np.nan
        value[rng.random(N) < 0.01] = rng.choice([np.inf, -np.inf, 1e300])
        if k % 3 == 1:
            series = rng.permutation(series)
        elif k % 3 == 2:
            series = series[rng.random(N) < 0.7]
        gap = 3 * 86400.0 * (k > samples // 2)
        yield series, k * step + gap + rng.integers(0, 200, len(series)).astype(float), value[series]


@pytest.mark.parametrize(
    ("step", "memory"),
    [
        pytest.param(60.0, 28 * 86400.0, id="half a day"),
        pytest.param(1200.0, 28 * 86400.0, id="a week and more"),
        pytest.param(3600.0, 5 * 86400.0, id="a month, whose records last five to ten days"),
    ],
)
def test_compiled_scores_and_remembers_as_plain_does(
    step: float, memory: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast, slow = Novelty(Args(memory=memory)), Novelty(Args(memory=memory))

    for k, (series, time, value) in enumerate(calls(step, 800)):
        if k == 300:
            for d in (fast, slow):
                d.memory.arrays()[0][SINGLES.index("seen")] += OLD
        got = take(fast, monkeypatch, COMPILED, series, time, value)
        want = take(slow, monkeypatch, PLAIN, series, time, value)
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)

    (held, newest, tables), (held_plain, newest_plain, tables_plain) = (
        fast.memory.arrays(),
        slow.memory.arrays(),
    )
    np.testing.assert_allclose(held, held_plain, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(newest, newest_plain)
    for table, plain in zip(tables, tables_plain, strict=True):
        np.testing.assert_allclose(table, plain, rtol=1e-3, atol=1e-3)


def test_either_goes_on_from_a_snapshot_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    mixed, slow = Novelty(), Novelty()

    for k, (series, time, value) in enumerate(calls(1200.0, 400)):
        mixed = pickle.loads(pickle.dumps(mixed))
        got = take(mixed, monkeypatch, PLAIN if k % 5 < 2 else COMPILED, series, time, value)
        want = take(slow, monkeypatch, PLAIN, series, time, value)
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_compiled_nothing_depends_on_what_comes_later_or_is_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    values = noise(300, N)
    all_of_it, first, alone = Novelty(), Novelty(), Novelty()
    at = [np.full(N, 600.0 * k) for k in range(300)]

    long = [take(all_of_it, monkeypatch, COMPILED, rows(N), t, v) for t, v in zip(at, values, strict=True)]
    short = [take(first, monkeypatch, COMPILED, rows(N), t, v) for t, v in zip(at[:99], values, strict=False)]
    one = [
        take(alone, monkeypatch, COMPILED, rows(N)[70:71], t[:1], v[70:71])[0]
        for t, v in zip(at, values, strict=True)
    ]

    np.testing.assert_array_equal(long[:99], short)
    np.testing.assert_array_equal([surprise[70:71] for surprise, _ in long], one)


def test_a_small_call_does_not_wait_for_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(compiled, "fused", lambda: asked.append(True))
    d = Novelty()

    d.take_many(rows(compiled.LARGE - 1), np.zeros(compiled.LARGE - 1), np.ones(compiled.LARGE - 1))
    assert not asked
    d.take_many(rows(compiled.LARGE), np.full(compiled.LARGE, 60.0), np.ones(compiled.LARGE))
    assert asked


def test_a_large_call_is_plain_where_numba_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    n = compiled.LARGE
    want = Novelty()
    take(want, monkeypatch, PLAIN, rows(n), np.zeros(n), np.ones(n))
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "numba", None)
    compiled.fused.cache_clear()

    try:
        d = Novelty()
        d.take_many(rows(n), np.zeros(n), np.ones(n))
        assert compiled.fused() is None
        assert pickle.dumps(d) == pickle.dumps(want)
    finally:
        compiled.fused.cache_clear()
