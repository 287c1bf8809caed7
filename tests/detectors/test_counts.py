"""Counts to surprise agree with the sums of their probabilities."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectors.counts import surprise_of_counts, surprise_of_silence


def poisson_tail(count: int, mean: float) -> float:
    below = sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count))
    return -math.log10(1 - below)


@pytest.mark.parametrize(("count", "mean"), [(1, 0.1), (5, 2.0), (12, 3.5), (100, 80.0)])
def test_counts_agree_with_the_sum_of_their_probabilities(count: int, mean: float) -> None:
    got = surprise_of_counts(np.array([float(count)]), np.array([mean]))

    np.testing.assert_allclose(got, poisson_tail(count, mean), rtol=1e-6)


def test_part_of_a_count_is_as_rare_as_the_whole() -> None:
    usual = np.array([2.0, 2.0])

    np.testing.assert_allclose(*surprise_of_counts(np.array([4.2, 5.0]), usual))
    np.testing.assert_allclose(*surprise_of_silence(np.array([1.8, 1.0]), usual))


def test_clumps_make_many_less_surprising_and_few_likewise() -> None:
    many, few, usual = np.array([60.0]), np.array([2.0]), np.array([20.0])

    assert surprise_of_counts(many, usual)[0] > 2 * surprise_of_counts(many, usual, dispersion=0.3)[0] > 2
    assert surprise_of_silence(few, usual)[0] > 2 * surprise_of_silence(few, usual, dispersion=0.3)[0] > 2


def test_counts_of_nothing_and_of_the_impossible() -> None:
    count = np.array([0.0, 3.0, np.nan, 3.0, 1e9])
    usual = np.array([0.0, 0.0, 1.0, np.nan, 1.0])

    np.testing.assert_array_equal(surprise_of_counts(count, usual), [0.0, 300.0, np.nan, np.nan, 300.0])
    np.testing.assert_array_equal(surprise_of_silence(count, usual)[[0, 2, 3]], [0.0, np.nan, np.nan])
