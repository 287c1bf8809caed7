"""An instance beside its peers: told when it leaves them, not when all move; the slow twin agrees."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.base import Floats, Rows
from detectors.fleet import Args, Fleet
from tests.detectors.common import MINUTE, rows
from tests.naive.fleet import NaiveFleet


def seat(d: Fleet, series: Rows, group: int = 0) -> Fleet:
    d.seat_many(series, np.full(len(series), group, np.int32), np.zeros(len(series), np.int32))
    return d


def take(d: Fleet, values: Floats, start: float = 0.0, series: Rows | None = None) -> Floats:
    """Take (samples, members) by the minute; return their surprise."""
    series = rows(values.shape[1]) if series is None else series
    return np.array(
        [d.take_many(series, np.full(len(series), start + k * MINUTE), v)[0] for k, v in enumerate(values)]
    )


def fleet(samples: int, members: int, seed: int) -> Floats:
    """Load that swings threefold, 15 % between instances, 5 % of noise."""
    rng = np.random.default_rng(seed)
    load = 100 + 50 * np.sin(np.arange(samples) / 100)[:, None]
    return np.array(
        load * np.exp(0.15 * rng.normal(size=members) + 0.05 * rng.normal(size=(samples, members)))
    )


@pytest.mark.parametrize("members", [3, 5, 50])
def test_an_instance_three_times_as_slow_as_its_peers_is_told_at_once_and_no_peer_is(members: int) -> None:
    d = seat(Fleet(), rows(members))
    take(d, fleet(300, members, 1))
    values = fleet(303, members, 1)[300:]
    values[:, 1] *= 3

    surprise = take(d, values, 300 * MINUTE)

    assert (surprise[:, 1] > 4).all()
    assert np.delete(surprise, 1, axis=1).max() < 3


def test_an_instance_that_is_a_little_off_is_told_within_half_an_hour() -> None:
    values = np.random.default_rng(2).normal(100, 5, (330, 50))
    values[300:, 7] += 10

    surprise = take(seat(Fleet(), rows(50)), values)

    assert surprise[:300, 7].max(initial=0, where=np.isfinite(surprise[:300, 7])) < 4
    assert surprise[300:, 7].max() > 4


def test_what_moves_all_is_nobodys_surprise() -> None:
    values = fleet(400, 5, 3)
    values[300:] *= 3

    assert np.nanmax(take(seat(Fleet(), rows(5)), values)[300:]) < 4


def test_an_instance_that_always_runs_hotter_is_no_outlier() -> None:
    values = fleet(400, 5, 4)
    values[:, 2] *= 2

    assert np.nanmax(take(seat(Fleet(), rows(5)), values)) < 4


def test_a_new_place_is_usual_after_hours() -> None:
    values = np.random.default_rng(5).normal(100, 2, (900, 5))
    values[300:, 0] += 40

    surprise = take(seat(Fleet(), rows(5)), values)[:, 0]

    assert (surprise[300:640] > 4).all()
    assert (surprise[-200:] < 4).all()


def test_two_instances_say_nothing_of_each_other() -> None:
    assert np.isnan(take(seat(Fleet(), rows(2)), fleet(100, 2, 6))).all()


def test_an_instance_that_stopped_is_no_peer_any_more() -> None:
    d = seat(Fleet(), rows(3))
    take(d, fleet(100, 3, 7))

    surprise = take(d, fleet(10, 2, 7), 100 * MINUTE, rows(2))

    assert np.isfinite(surprise[:3]).all(), "it may only be late"
    assert np.isnan(surprise[4:]).all()
    assert d.facts_of(0, 110 * MINUTE, 1.0).peers == 1


def test_members_scraped_apart_see_the_newest_of_each_other() -> None:
    d, values = seat(Fleet(), rows(6)), fleet(300, 6, 8)
    values[250:, 4] *= 2
    surprise = np.full(values.shape, np.nan)

    for k, line in enumerate(values):
        for late, part in enumerate((rows(6)[::2], rows(6)[1::2])):
            at = np.full(3, k * MINUTE + 25 * late)
            surprise[k, part] = d.take_many(part, at, line[part])[0]

    assert (surprise[250:, 4] > 4).all()
    assert np.nanmax(np.delete(surprise, 4, axis=1)) < 4


def test_the_order_of_rows_and_sparse_group_numbers_change_no_bit() -> None:
    rng = np.random.default_rng(9)
    group = rng.choice(np.array([5, 2_000_000_000], np.int32), 3000)
    values, turned = fleet(50, 3000, 9), rng.permutation(3000).astype(np.int32)
    one, two = Fleet(), Fleet()
    one.seat_many(rows(3000), group, np.zeros(3000, np.int32))
    two.seat_many(turned, (group % 8)[turned], np.zeros(3000, np.int32))

    np.testing.assert_array_equal(take(one, values)[:, turned], take(two, values[:, turned], series=turned))


def test_groups_in_one_call_do_not_see_each_other() -> None:
    values = np.hstack((fleet(100, 4, 10), 1e6 * fleet(100, 5, 11)))
    both = Fleet()
    both.seat_many(rows(9), (rows(9) >= 4).astype(np.int32), np.zeros(9, np.int32))

    np.testing.assert_array_equal(take(both, values)[:, :4], take(seat(Fleet(), rows(4)), values[:, :4]))


def test_many_groups_in_blocks_are_scored_as_alone() -> None:
    values = fleet(40, 9000, 12)
    many = Fleet()
    many.seat_many(rows(9000), rows(9000) // 6, np.zeros(9000, np.int32))

    surprise = take(many, values)

    for first in (0, 4092, 8994):
        alone = take(seat(Fleet(), rows(6)), values[:, first : first + 6])
        np.testing.assert_array_equal(surprise[:, first : first + 6], alone)


def test_a_row_that_moves_to_another_group_begins_anew() -> None:
    d = seat(Fleet(), rows(8))
    take(d, fleet(100, 8, 13))
    seat(d, rows(4), 1)

    assert np.isnan(take(d, fleet(20, 8, 13), 100 * MINUTE)[:, :4]).all()
    assert np.isfinite(take(d, fleet(20, 8, 13), 130 * MINUTE)[:, 4:]).all()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        pytest.param("flat", np.full(600, 7.0), id="all flat"),
        pytest.param("zero", np.zeros(600), id="all zero"),
        pytest.param("square", np.where(np.arange(600) // 20 % 2, 5.0, 500.0), id="a square wave"),
        pytest.param("counter", np.arange(600.0) % 97 * 1e6, id="a counter that is reset"),
        pytest.param("negative", -3.0 - np.arange(600.0), id="a fall below zero"),
        pytest.param("huge", np.full(600, 9e17), id="as large as may be"),
    ],
)
def test_what_all_do_without_noise_is_never_odd(name: str, line: Floats) -> None:
    surprise = take(seat(Fleet(), rows(4)), np.repeat(line[:, None], 4, axis=1))

    assert np.nanmax(surprise) < 1, name


def test_an_instance_that_falls_to_nothing_is_told() -> None:
    values = fleet(310, 5, 14)
    values[300:, 3] = 0.0

    assert (take(seat(Fleet(), rows(5)), values)[300:, 3] > 4).all()


def test_a_clock_that_jumps_years_ahead_harms_nothing_for_long() -> None:
    d = seat(Fleet(), rows(5))
    take(d, fleet(200, 5, 15))

    after = take(d, fleet(60, 5, 15), 2e9)

    assert np.nanmax(after[30:]) < 4


@pytest.mark.parametrize("members", [3, 5, 50])
def test_the_rate_of_surprise_is_at_most_the_rate_it_claims(members: int) -> None:
    series = rows(600 // members * members)
    d = Fleet()
    d.seat_many(series, series // members, np.zeros(len(series), np.int32))

    surprise = take(d, np.random.default_rng(17).normal(100, 5, (240, len(series))))[100:]

    assert 0.002 < (surprise >= 2).mean() < 0.015
    assert (surprise >= 3).mean() < 0.0015
    assert (surprise >= 4).mean() < 0.0002


def test_the_facts_are_the_peers_and_what_is_usual_of_them() -> None:
    values = np.tile([10.0, 11.0, 12.0, 13.0, 90.0], (100, 1))
    values += np.random.default_rng(18).normal(0, 0.1, values.shape)
    values[97:, 1] = 40.0
    d = seat(Fleet(), rows(5))
    take(d, values)

    facts = d.facts_of(1, 99 * MINUTE, 40.0)

    assert facts.peers == 4
    assert 12.2 < facts.usual < 12.8
    assert round(facts.onset / MINUTE) == 97
    assert d.facts_of(99, 0.0, 0.0).peers == 0


def test_expected_is_what_the_peers_suggest_with_the_members_own_offset() -> None:
    values = fleet(300, 5, 19)
    values[:, 0] *= 2
    d = seat(Fleet(), rows(5))
    take(d, values)

    band = d.expect_many(rows(5), np.full(5, 300 * MINUTE))

    np.testing.assert_allclose(band.expected, values[-1], rtol=0.2)
    assert (band.lower < band.expected).all()
    assert (band.upper > band.expected).all()


def test_the_fast_detector_agrees_with_its_slow_twin() -> None:
    rng = np.random.default_rng(20261123)
    values = fleet(500, 10, 20)
    values[:, 4:] = np.round(values[:, 4:] - 60)
    values[:, 6] = rng.integers(0, 3, 500)
    values[300:, 1] *= 1.7
    values[350:, 8] = 0.0
    values[rng.random(values.shape) < 0.05] = np.nan
    values[250, 2:5] = np.inf, -np.inf, 1e300
    d, slow = Fleet(), {0: NaiveFleet(), 9: NaiveFleet()}
    group = np.repeat(np.array([0, 9], np.int32), [4, 6])
    d.seat_many(rows(10), group, np.zeros(10, np.int32))
    gap = np.where(np.arange(500) > 400, 9000.0, 0.0)

    for k, line in enumerate(values):
        part = np.flatnonzero(rng.random(10) < 0.8).astype(np.int32)
        time = k * 300.0 + gap[k] + rng.integers(0, 200, len(part))
        got = d.take_many(part, time.astype(float), line[part])
        want: dict[int, tuple[float, float]] = {}
        for g, twin in slow.items():
            mine = [j for j in range(len(part)) if group[part[j]] == g]
            if mine:
                want |= twin.take({int(part[j]): (float(time[j]), float(line[part[j]])) for j in mine})
        told = np.array([want[int(r)] for r in part]).reshape(-1, 2)
        np.testing.assert_allclose(np.array(got).T, told, rtol=1e-6, atol=1e-8)


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="warm_up: expected at least 10"):
        Args(warm_up=3)
    with pytest.raises(ValueError, match="peers: expected at least 2"):
        Args(peers=1)
    with pytest.raises(ValueError, match="above 0"):
        Args(memory=float("nan"))
