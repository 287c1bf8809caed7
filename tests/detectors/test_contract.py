"""Every detector in detectors/ keeps the family's promises, from the day its file is there."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest

from detectors.base import Borrowing, Floats, Grouped
from pipeline.detect.watch import detectors
from tests.detectors.common import MINUTE, constant, fed, feed, make, noise, ramp, rows, seated

KINDS = detectors()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_score_leaves_what_was_learned_alone(kind: str) -> None:
    d = make(kind)
    feed(d, noise(100, 3))
    before = pickle.dumps(d)

    d.score_many(rows(3), np.full(3, 6000.0), np.array([10.0, 99.0, np.nan]))
    d.expect_many(rows(3), np.full(3, 6000.0))

    assert pickle.dumps(d) == before


def test_the_order_of_series_is_irrelevant(kind: str) -> None:
    values, turned = noise(90, 5), rows(5)[::-1]
    straight, reverse = make(kind), seated(make(kind), 5)

    a = feed(straight, values)
    given = enumerate(fed(reverse, values))
    b = [reverse.take_many(turned, np.full(5, k * MINUTE), v[::-1])[0][::-1] for k, v in given]

    np.testing.assert_array_equal(a, b)


def test_a_series_is_scored_the_same_alone_and_among_others(kind: str) -> None:
    if isinstance(make(kind), Grouped):
        pytest.skip("a group's series are scored beside each other: that is its purpose")
    values = noise(90, 7)

    np.testing.assert_array_equal(feed(make(kind), values)[:, :1], feed(make(kind), values[:, :1]))


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf, 1e300, -1e300])
def test_what_is_no_measurement_scores_nan_and_teaches_nothing(kind: str, missing: float) -> None:
    d = make(kind)
    feed(d, noise(100, 2))
    before = pickle.dumps(d)

    surprise, _ = d.take_many(rows(2), np.full(2, 6000.0), np.array([missing, missing]))

    assert np.isnan(surprise).all()
    assert pickle.dumps(d) == before


def test_warming_up_is_nan_then_known(kind: str) -> None:
    surprise = feed(make(kind), noise(200, 4))  # of fewer there are no peers to be compared with

    assert np.isnan(surprise[:10]).all()
    assert not np.isnan(surprise[100:]).any()


def test_memory_grows_with_series_and_not_with_samples(kind: str) -> None:
    d = make(kind)
    feed(d, noise(100, 4))
    early = len(pickle.dumps(d))

    feed(d, noise(500, 4), 6000.0)

    assert len(pickle.dumps(d)) == early


def test_a_pickle_goes_on_bit_for_bit(kind: str) -> None:
    d = make(kind)
    feed(d, noise(150, 3))
    twin = pickle.loads(pickle.dumps(d))

    np.testing.assert_array_equal(feed(d, noise(80, 3, 2), 9000.0), feed(twin, noise(80, 3, 2), 9000.0))
    assert pickle.dumps(d) == pickle.dumps(twin)


def test_taking_is_scoring_then_learning(kind: str) -> None:
    one, two = seated(make(kind), 3), seated(make(kind), 3)
    for k, value in enumerate(noise(120, 3)):
        time = np.full(3, k * MINUTE)

        surprise, expected = one.take_many(rows(3), time, value)
        np.testing.assert_array_equal(surprise, two.score_many(rows(3), time, value))
        np.testing.assert_array_equal(expected, two.expect_many(rows(3), time).expected)
        two.learn_many(rows(3), time, value)

    assert pickle.dumps(one) == pickle.dumps(two)


def test_what_comes_later_changes_nothing_said_before(kind: str) -> None:
    values = noise(200, 2)
    other = np.vstack((values[:120], noise(80, 2, 5) * 100))

    np.testing.assert_array_equal(feed(make(kind), values)[:120], feed(make(kind), other)[:120])


@pytest.mark.parametrize(
    ("shape", "odd"),
    [
        pytest.param(constant, [], id="a flat line is never odd"),
        pytest.param(ramp, [], id="a steady ramp is followed"),
    ],
)
def test_shapes(kind: str, shape: Callable[[Floats], Floats], odd: list[int]) -> None:
    surprise = feed(make(kind), shape(np.arange(600.0))[:, None])[:, 0]

    assert list(np.flatnonzero(surprise >= 4)) == odd


def test_a_gap_of_hours_is_no_anomaly(kind: str) -> None:
    d = make(kind)
    feed(d, noise(300, 5))

    after = feed(d, noise(20, 5, 2), start=300 * MINUTE + 6 * 3600)

    assert np.nanmax(after) < 4


def test_a_row_that_was_forgotten_is_as_good_as_new(kind: str) -> None:
    d = make(kind)
    feed(d, noise(150, 3) + 50.0)
    d.forget_many(rows(3))

    np.testing.assert_array_equal(feed(d, noise(120, 3), 9000.0), feed(make(kind), noise(120, 3), 9000.0))


def test_forgetting_one_row_leaves_the_others_alone(kind: str) -> None:
    if isinstance(make(kind), Grouped):
        pytest.skip("a group's series are scored beside each other: that is its purpose")
    d, twin = make(kind), make(kind)
    for each in (d, twin):
        feed(each, noise(150, 3))
    d.forget_many(np.array([1, 7], np.int32))

    np.testing.assert_array_equal(
        feed(d, noise(30, 3, 2), 9000.0)[:, [0, 2]], feed(twin, noise(30, 3, 2), 9000.0)[:, [0, 2]]
    )


def test_who_borrows_is_ready_at_once_and_keeps_its_own_level(kind: str) -> None:
    d = make(kind)
    if not isinstance(d, Borrowing):
        pytest.skip("has nothing to lend")
    feed(d, noise(600, 1))
    d.borrow_many(np.array([1], np.int32), np.array([0], np.int32))
    values = 100 * noise(30, 1, 4)[:, 0]
    values[29] = 9000.0
    at = np.full(1, 600 * MINUTE)

    surprise = [
        d.take_many(np.array([1], np.int32), at + MINUTE * k, values[k : k + 1])[0][0] for k in range(30)
    ]

    assert np.isfinite(surprise[10:]).all()
    assert np.nanmax(surprise[:29]) < 4 < surprise[29]
