"""Plots: every sample where it belongs, gaps stay gaps, spikes survive thinning, axes say their units."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from pipeline.console.plot import MAX_POINTS, Mark, marks, plot, spark
from pipeline.types import Evidence, Floats
from tests.console.shop import INCIDENT, LATENCY, NOW, curve

NAN = np.nan
NONE = np.full(5, NAN)


def drawn(value: Floats, expected: Floats | None = None, series: str = "latency_seconds") -> str:
    time = NOW - 10.0 * np.arange(len(value), dtype=np.float64)[::-1]
    unknown = np.full(len(value), NAN)
    e = Evidence("s", time, value, unknown if expected is None else expected, unknown, unknown)
    found = plot(replace(LATENCY, series=series, since=time[0]), e, (), NOW)
    assert found is not None
    return str(found)


def points(svg: str) -> list[tuple[float, float, str]]:
    found = re.search(r'data-points="([^"]*)"', svg)
    assert found
    return [(x, y, text) for x, y, text in json.loads(unescape(found[1]))]


def test_a_plot_has_value_expectation_band_onset_and_both_axes() -> None:
    svg = str(plot(LATENCY, curve(LATENCY, NOW, 1), marks(INCIDENT), NOW))

    for name in ("value", "expected", "band", "onset", "axis", "grid", "mark change", "mark paged"):
        assert f'class="{name}"' in svg, name
    assert re.findall(r">(\d\d:\d\d)<", svg) == ["13:30", "13:40", "13:50"]
    assert re.findall(r">([\d.]+ m?s)<", svg) == ["0 s", "0.5 s", "1 s"]
    assert "observed 920 ms, expected 110 ms" in svg


def test_larger_is_higher_and_later_is_further_right() -> None:
    (x0, y0, _), (x1, y1, text) = points(drawn(np.array([1.0, 2.0])))

    assert x1 > x0
    assert y1 < y0
    assert text == "14:00:00  2 s"


def test_what_is_missing_is_a_gap_in_the_line_and_has_no_point() -> None:
    svg = drawn(np.array([1.0, NAN, 1.0, 1.0]))

    path = re.search(r'class="value" d="([^"]*)"', svg)
    assert path
    assert path[1].count("M") == 2
    assert len(points(svg)) == 3


def test_the_spike_of_one_sample_survives_thinning() -> None:
    value = np.ones(20_000)
    value[19_777] = 9.0
    time = NOW - np.arange(20_000)[::-1] / 10

    svg = str(plot(replace(LATENCY, since=time[0]), Evidence("s", time, value, value, value, value), (), NOW))

    found = points(svg)
    assert len(found) <= MAX_POINTS
    assert any(text.startswith("13:59:37  9 s") for _, _, text in found)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(np.zeros(5), id="nothing but zero"),
        pytest.param(np.full(5, 7.0), id="flat"),
        pytest.param(NONE, id="all missing"),
        pytest.param(np.array([NAN, 1.0, NAN, NAN, NAN]), id="one sample"),
        pytest.param(np.array([1e300, -1e300, 0.0, 1.0, 2.0]), id="huge"),
        pytest.param(np.array([1e-12, 2e-12, 3e-12, 1e-12, 2e-12]), id="tiny"),
        pytest.param(np.array([-3.0, -2.0, -1.0, -2.0, -3.0]), id="negative"),
        pytest.param(np.array([1.0, np.inf, 1.0, -np.inf, 1.0]), id="infinite"),
    ],
)
def test_any_values_can_be_drawn(value: Floats) -> None:
    svg = drawn(value)

    assert "nan" not in svg
    assert "inf" not in svg


def test_fewer_than_two_samples_are_no_plot() -> None:
    one = Evidence("s", np.array([NOW]), *(np.ones(1) for _ in range(4)))

    assert plot(LATENCY, one, (), NOW) is None
    assert spark(one) is None


def test_samples_of_one_moment_are_no_plot() -> None:
    same = Evidence("s", np.full(3, NOW), *(np.ones(3) for _ in range(4)))

    assert plot(LATENCY, same, (), NOW) is None
    assert spark(same) is None


def test_marks_close_together_stand_in_rows_of_their_own() -> None:
    close = [Mark(NOW - 500 + k, "paged", f"mark {k}") for k in range(3)]

    svg = str(plot(LATENCY, curve(LATENCY, NOW, 1), close, NOW))

    rows = re.findall(r'<text x="[\d.]+" y="(\d+)">mark', svg)
    assert len(set(rows)) == 3
