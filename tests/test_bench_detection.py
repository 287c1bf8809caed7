"""What benchmarks/detection/ counts is what the published rules count; peers see no further than we do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import _kpi, _nab, peers
from benchmarks.detection import _aims, rates
from benchmarks.detection._aims import Span
from detectors.base import Floats
from pipeline import kinds

MINUTE = 60.0
HOUR = 3600.0


def one_window(rows: int = 1000, first: int = 500, last: int = 509) -> _nab.Labelled:
    return _nab.Labelled(
        "one", MINUTE * np.arange(rows, dtype=np.float64), np.zeros(rows), np.array([[first, last]])
    )


def at(rows: dict[int, float], length: int = 1000) -> Floats:
    told = np.zeros(length)
    told[list(rows)] = list(rows.values())
    return told


def sigmoid(distance: float) -> float:
    return float(2 / (1 + np.exp(5 * distance)) - 1)


FIRST_ROW = 1.0
THIRD_ROW = sigmoid(-0.8) / sigmoid(-1)
FAR, NEAR = -0.11, 0.11 * sigmoid(9 / 9)


@pytest.mark.parametrize(
    ("told", "raw"),
    [
        pytest.param({}, -1.0, id="nothing told, the window is missed"),
        pytest.param({500: 5.0}, FIRST_ROW, id="at its first row"),
        pytest.param({502: 5.0}, THIRD_ROW, id="two rows later"),
        pytest.param({502: 5.0, 505: 5.0}, THIRD_ROW, id="a repeat in the window is free"),
        pytest.param({502: 5.0, 505: 9.0}, THIRD_ROW, id="the earliest counts, not the highest"),
        pytest.param({502: 5.0, 300: 5.0}, THIRD_ROW + FAR, id="a false row before any window costs in full"),
        pytest.param({502: 5.0, 518: 5.0}, THIRD_ROW + NEAR, id="one just after a window costs less"),
        pytest.param({502: 5.0, 149: 5.0}, THIRD_ROW, id="the first 15 % of rows are free"),
        pytest.param({502: 5.0, 150: 5.0}, THIRD_ROW + FAR, id="and no more than they"),
    ],
)
def test_nab_raw_scores_are_those_worked_out_by_hand(told: dict[int, float], raw: float) -> None:
    profile = _nab.PROFILES["standard"]

    found = _nab.score_at([one_window()], [at(told)], profile, 4.0)

    assert found == pytest.approx(100 * (raw + 1) / 2)


def test_the_best_threshold_leaves_out_what_costs_more_than_it_earns() -> None:
    told = at({500: 7.0, 300: 6.0, 200: 6.0})

    score, threshold = _nab.score([one_window()], [told], _nab.PROFILES["standard"])

    assert score == pytest.approx(100.0)
    assert threshold == pytest.approx(7.0)


def test_silence_scores_nought_in_every_draw_and_a_perfect_detector_a_hundred() -> None:
    series = [one_window(), one_window(800, 300, 350)]
    profile = _nab.PROFILES["low_fn"]

    silent = _nab.drawn(series, [np.zeros(1000), np.zeros(800)], profile, 4.0)
    perfect = _nab.drawn(series, [at({500: 5.0}), at({300: 5.0}, 800)], profile)

    assert silent == pytest.approx(np.zeros(_nab.DRAWS))
    assert perfect == pytest.approx(np.full(_nab.DRAWS, 100.0))


def test_told_rows_at_most_twelve_apart_are_one_false_alert() -> None:
    told = at({300: 5.0, 312: 5.0, 325: 5.0, 505: 5.0, 506: 5.0, 10: 5.0})

    found = _nab.counted([one_window(1441)], [np.r_[told, np.zeros(441)]], 4.0)

    assert (found.hit, found.false, found.windows) == (1, 2, 1)
    assert found.f1 == pytest.approx(0.5)
    assert found.false_a_day == pytest.approx(2.0)


# What ../shared/checks/score_detect.py gives for the same told rows; it needs pandas, which we have not.
@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("peer", "given"),
    [
        pytest.param("records", (53.10698888635711, 51.808378070463796, 54.849103702015846), id="records"),
        pytest.param("metronome", (23.48570882967601, 0.0, 36.490472553117336), id="metronome"),
    ],
)
def test_the_corpus_scores_as_the_shared_scorer_has_it(
    shared: Path, peer: str, given: tuple[float, float, float]
) -> None:
    series = _nab.corpus(shared / "data" / "nab_dev")
    told = [kinds.find(peers.__name__, peer).score(s.value, MINUTE) for s in series]

    found = [_nab.score(series, told, profile)[0] for profile in _nab.PROFILES.values()]

    assert found == pytest.approx(given)


def kpi(wrong: slice, length: int = 400) -> _kpi.Part:
    labels = np.zeros(length, np.bool_)
    labels[wrong] = True
    return _kpi.Part(np.zeros(length), labels)


@pytest.mark.parametrize(
    ("told", "points", "events"),
    [
        pytest.param([107], 1.0, 1.0, id="in time, all its points count"),
        pytest.param([108], 0.0, 0.0, id="eight points late is too late"),
        pytest.param([100, 350], 2 * 20 / (20 + 1 + 20), 2 / 3, id="and one false point"),
        pytest.param([100, *range(200, 260)], 2 * 20 / (20 + 60 + 20), 2 / 3, id="sixty are one event"),
        pytest.param([100, *range(200, 261)], 2 * 20 / (20 + 61 + 20), 2 / 4, id="the next is charged again"),
    ],
)
def test_kpi_f1_is_that_worked_out_by_hand(told: list[int], points: float, events: float) -> None:
    part = kpi(slice(100, 120))
    part.score[told] = 5.0

    assert _kpi.delay_f1([part], np.array([4.0]))[0] == pytest.approx(points)
    assert _kpi.event_f1([part], 4.0) == pytest.approx(events)


def test_the_first_halves_choose_the_threshold_that_judges_the_second() -> None:
    wrong = np.zeros(800, np.bool_)
    wrong[[100, 101, 500, 501]] = True
    score = at({100: 6.0, 300: 5.0, 500: 4.0, 700: 9.0}, 800)
    series = _kpi.Labelled("one", MINUTE * np.arange(800, dtype=np.float64), np.zeros(800), wrong, 400)

    found = _kpi.judge([series], [score])

    assert found.threshold == pytest.approx(6.0)
    assert found.delay_f1 == pytest.approx(0.0)
    assert found.best_delay_f1 == pytest.approx(2 * 2 / (2 + 1 + 2))


Score = Callable[[Floats, float], Floats]
SEEING = [peer for peer in kinds.names(peers.__name__) if peer != "metronome"]


@pytest.mark.parametrize("to", [pytest.param(40.0, id="up"), pytest.param(-20.0, id="down")])
@pytest.mark.parametrize("peer", SEEING)
def test_a_peer_scores_a_spike_higher_than_what_is_usual(peer: str, to: float) -> None:
    value = np.random.default_rng(3).normal(10.0, 1.0, 1000)
    value[900] = to

    found = kinds.find(peers.__name__, peer).score(value, HOUR)

    assert found[900] > np.nanquantile(found[700:900], 0.99)


@pytest.mark.parametrize("peer", kinds.names(peers.__name__))
def test_a_peer_sees_no_further_than_the_sample_it_scores(peer: str) -> None:
    score: Score = kinds.find(peers.__name__, peer).score
    value = np.random.default_rng(4).normal(10.0, 1.0, 900)

    whole, part = score(value, HOUR), score(value[:700], HOUR)

    assert len(whole) == len(value)
    assert part == pytest.approx(whole[:700], rel=1e-6, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("peer", kinds.names(peers.__name__))
@pytest.mark.parametrize(
    "value", [pytest.param(np.zeros(800), id="nought"), pytest.param(np.full(800, 7.0), id="seven")]
)
def test_a_peer_takes_a_flat_line(peer: str, value: Floats) -> None:
    found = kinds.find(peers.__name__, peer).score(value, HOUR)

    assert np.isfinite(found[-1])
    assert not np.isinf(found).any()


@pytest.mark.parametrize("asked", [1.0, 2.0, 3.0])
def test_exact_p_values_are_alerted_on_just_as_often_as_asked(asked: float) -> None:
    p = (np.arange(100_000) + 0.5) / 100_000

    ratio = rates.realised(-np.log10(np.vstack((p, p[::-1], p / 4))), asked)

    assert ratio == pytest.approx([1.0, 1.0, 4.0], rel=0.01)
    assert rates.within(ratio, 2) == pytest.approx(2 / 3)
    assert rates.within(1 / ratio, 3) == pytest.approx(2 / 3)


def test_what_is_not_known_yet_is_no_sample_that_was_asked_about() -> None:
    ratio = rates.realised(np.array([[np.nan, np.nan, 2.0, 0.0]]), 1.0)

    assert ratio == pytest.approx([5.0])


@pytest.mark.parametrize(
    ("floor", "aim", "measured", "said"),
    [
        pytest.param(Span(72), Span(79), 80.0, "aim", id="beyond the aim"),
        pytest.param(Span(72), Span(79), 72.0, "floor", id="at the floor"),
        pytest.param(Span(72), Span(79), 71.9, "short", id="below the floor"),
        pytest.param(Span(most=6), Span(most=2), 3.0, "floor", id="less is better"),
        pytest.param(Span(most=6), Span(most=2), 7.0, "short", id="less is better, and there is more"),
        pytest.param(Span(0.7, 0.9), Span(0.75, 0.85), 0.88, "floor", id="too much is not the aim"),
        pytest.param(None, Span(0.9), 0.8, "short", id="only an aim"),
        pytest.param(Span(0.9), None, 0.95, "floor", id="only a floor"),
        pytest.param(Span(72), Span(79), None, "left out", id="not measured"),
        pytest.param(Span(72), Span(79), float("nan"), "short", id="measured, and no number"),
    ],
)
def test_what_was_reached_is_said(
    floor: Span | None, aim: Span | None, measured: float | None, said: str
) -> None:
    assert _aims.reached(_aims.Aim("it", "it", floor, aim), measured) == said
