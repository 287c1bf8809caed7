"""Buckets of a histogram are watched as its percentiles, whole ones only, as Prometheus computes them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.clock import DAY
from pipeline.detect.histograms import MAX_BUCKETS, Histograms, quantiles
from pipeline.detect.samples import Table
from pipeline.series import LOOKS, Series, pack
from pipeline.types import Batch

BOUNDS = ("0.1", "0.5", "+Inf")
INF = float("inf")


class Shop:
    """A table fed with the buckets of one histogram; returns the percentiles that come of it."""

    def __init__(self, bounds: tuple[str, ...] = BOUNDS, limit: int = 100) -> None:
        self.table, self.series, self.now = Table(), Series(limit), 1e9
        self.sets = [pack({"__name__": "took_seconds_bucket", "service": "pay", "le": b}) for b in bounds]

    def send(self, *counts: float, which: slice = slice(None), wait: float = 60.0) -> dict[str, float]:
        self.now += wait
        self.series.reborn.clear()
        rows = self.series.intern(self.sets[which])
        rows, counted = rows[rows >= 0], np.array(counts, float)[: len(rows)]
        list(self.table.look_up(self.series))
        batch = Batch(rows, np.full(len(rows), self.now), counted)
        found = {}
        for each in self.table.rounds(batch, self.series, self.now):
            for row, value in zip(each.row.tolist(), each.value.tolist(), strict=True):
                labels = self.series.labels[row]
                if "quantile" in labels:
                    found[labels["__name__"] + labels["quantile"]] = value
        return found


def test_buckets_come_out_as_percentiles_of_what_came_since_the_last_time() -> None:
    shop = Shop()
    shop.send(7, 7, 7)

    found = shop.send(7 + 500, 7 + 900, 7 + 1000)

    assert found == pytest.approx({"took_seconds0.5": 0.1, "took_seconds0.9": 0.5, "took_seconds0.99": 0.5})


def test_percentiles_come_as_often_as_their_buckets() -> None:
    shop = Shop()
    for k in range(3):
        shop.send(k, k, k, wait=600.0)

    rows = [row for row, labels in enumerate(shop.series.labels) if "quantile" in labels]
    assert shop.table.rows["cadence"][rows].tolist() == [600.0] * 3


def test_the_order_in_which_buckets_are_met_is_irrelevant() -> None:
    one, other = Shop(), Shop(BOUNDS[::-1])
    one.send(0, 0, 0)
    other.send(0, 0, 0)

    assert one.send(600, 900, 1000) == other.send(1000, 900, 600)


def test_a_histogram_that_comes_in_parts_is_told_once_when_it_is_whole() -> None:
    shop = Shop()
    shop.send(0, 0, 0)

    assert shop.send(500, 900, which=slice(0, 2)) == {}
    assert set(shop.send(1000, which=slice(2, 3), wait=0.0)) == {
        "took_seconds0.5", "took_seconds0.9", "took_seconds0.99",
    }  # fmt: skip


def test_percentiles_of_a_handful_are_not_known() -> None:
    shop = Shop()
    shop.send(0, 0, 0)

    found = shop.send(5, 8, 10)

    assert found["took_seconds0.5"] == pytest.approx(0.1)
    assert np.isnan(found["took_seconds0.9"])


def test_a_bucket_whose_bound_is_no_number_is_left_out() -> None:
    shop = Shop(("0.1", "much", "+Inf"))
    shop.send(0, 0, 0)

    assert shop.send(900, 5, 1000)["took_seconds0.5"] == pytest.approx(0.1 * 500 / 900)


def test_more_buckets_than_are_kept_are_left_out() -> None:
    shop = Shop((*(str(k) for k in range(1, MAX_BUCKETS + 20)), "+Inf"))
    n = len(shop.sets)
    shop.send(*np.zeros(n))

    found = shop.send(*np.minimum(np.arange(1.0, n + 1) * 100, 3000))

    assert found["took_seconds0.5"] == pytest.approx(15.0)


def test_percentiles_that_the_series_limit_turns_away_are_not_told() -> None:
    shop = Shop(limit=4)
    shop.send(0, 0, 0)

    assert shop.send(500, 900, 1000) == {}


def test_a_histogram_that_is_no_more_gives_its_place_to_another() -> None:
    histograms, series = Histograms(), Series()
    sets = [pack({"__name__": "a_bucket", "le": b}) for b in BOUNDS]
    rows = series.intern(sets)
    for row in rows.tolist():
        histograms.add(series, row, "a")
    histograms.forget(rows)

    again = series.intern([pack({"__name__": "b_bucket", "le": b}) for b in BOUNDS])
    for row in again.tolist():
        histograms.add(series, row, "b")

    assert list(histograms.number.values()) == [0]
    assert histograms.member[0][[0, 1, -1]].tolist() == again.tolist()


def test_percentiles_stay_as_long_as_their_buckets_come() -> None:
    shop = Shop()
    for k in range(LOOKS * 2):
        shop.series.looked = 0.0
        shop.series.evict(shop.now)
        shop.send(k, k, k)

    assert len(shop.series.rows) == 6


def test_percentiles_stay_while_buckets_come_with_a_wrong_clock() -> None:
    shop = Shop()
    shop.send(0, 0, 0)
    ahead = np.full(3, shop.now + DAY)
    for _ in range(LOOKS * 2):
        shop.series.looked = 0.0
        shop.series.evict(shop.now)
        batch = Batch(shop.series.intern(shop.sets), ahead, np.ones(3))
        list(shop.table.rounds(batch, shop.series, shop.now))

    assert len(shop.series.rows) == 6


def test_a_percentile_that_a_sender_tells_itself_is_taken_once() -> None:
    shop = Shop()
    shop.sets.append(pack({"__name__": "took_seconds", "service": "pay", "quantile": "0.5"}))
    shop.send(0, 0, 0, 7.0)

    rows = shop.series.intern(shop.sets)
    batch = Batch(rows, np.full(4, shop.now + 60), np.array([500.0, 900.0, 1000.0, 7.0]))
    (each,) = shop.table.rounds(batch, shop.series, shop.now + 60)

    assert len(set(each.row.tolist())) == len(each.row) == 6
    assert each.value[each.row == rows[3]].tolist() == [7.0]


def test_quantiles_agree_with_a_plain_loop_over_random_histograms() -> None:
    rng = np.random.default_rng(5)
    bound = np.sort(rng.uniform(0.01, 10, (50, 9)), axis=1)
    bound[:, -1] = INF
    counts = np.cumsum(rng.integers(0, 400, (50, 9)), axis=1).astype(float)

    got = quantiles(bound, counts)

    for b, c, row in zip(bound, counts, got, strict=True):
        for q, value in zip((0.5, 0.9, 0.99), row, strict=True):
            if c[-1] * (1 - q) < 3:
                assert np.isnan(value)
                continue
            rank, low, below = q * c[-1], 0.0, 0.0
            for high, count in zip(b, c, strict=True):
                if count >= rank:
                    want = low if high == INF else low + (high - low) * (rank - below) / (count - below)
                    break
                low, below = high, count
            assert value == pytest.approx(want)
