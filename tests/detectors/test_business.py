"""Orders, logins, shares of success: what falls is told within minutes, what is usual for the hour is not."""

from __future__ import annotations

import copy
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detectors.base import Floats
from detectors.business import Args, Business
from detectors.counts import surprise_of_silence
from tests.detectors.common import MINUTE, constant, drop, feed, noise, ramp, rows, spike, step_up
from tests.naive.business import NaiveBusiness

DAY = 86400.0
TEN_MINUTES = 600.0
BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = np.array([1.0, 1.0, 1.0, 1.0, 1.2, 0.7, 0.4])


def at(year: int, month: int, day: int, hour: int = 0) -> float:
    return datetime(year, month, day, hour, tzinfo=BERLIN).timestamp()


def shop(time: float, level: float = 100.0, sundays: tuple[str, ...] = ()) -> float:
    """Return the mean orders a minute of a shop in Berlin that is shut from midnight to six."""
    local = datetime.fromtimestamp(time, BERLIN)
    kind = 6 if str(local.date()) in sundays else local.weekday()
    hour = local.hour + local.minute / 60
    return float(level * WEEKDAYS[kind] * np.sin(np.pi * (hour - 6) / 18)) if hour >= 6 else 0.0


def trade(
    d: Business, begin: float, end: float, step: float = TEN_MINUTES, share: float = 1.0,
    level: float = 100.0, sundays: tuple[str, ...] = (), series: int = 4,
) -> Floats:  # fmt: skip
    """Feed the shop's orders; return the surprise, (samples, series)."""
    rng, times = np.random.default_rng(int(begin)), np.arange(begin, end, step)
    return np.array(
        [
            d.take_many(
                rows(series),
                np.full(series, t),
                rng.poisson(share * shop(t, level, sundays), series).astype(float),
            )[0]
            for t in times
        ]
    )


@pytest.fixture(scope="module")
def learned() -> Business:
    """A shop after two weeks that end on a Tuesday's midnight."""
    d = Business(Args(timezone="Europe/Berlin", country="DE"))
    trade(d, at(2026, 4, 14), at(2026, 4, 28))
    return d


def test_half_of_the_orders_gone_at_ten_is_told_within_minutes(learned: Business) -> None:
    d = copy.deepcopy(learned)
    before = trade(d, at(2026, 4, 28), at(2026, 4, 28, 10))

    after = trade(d, at(2026, 4, 28, 10), at(2026, 4, 28, 11), MINUTE, share=0.5)

    assert (before < 4).all(), "the night's zero and the morning's rise are usual"
    assert (after[:5].max(axis=0) >= 4).all()


def test_a_shop_of_few_orders_is_told_within_the_hour_by_their_sum() -> None:
    d = Business(Args(timezone="Europe/Berlin"))
    trade(d, at(2026, 4, 14), at(2026, 4, 28, 9), level=10.0)
    trade(d, at(2026, 4, 28, 9), at(2026, 4, 28, 12), MINUTE, level=10.0)

    after = trade(d, at(2026, 4, 28, 12), at(2026, 4, 28, 13), MINUTE, share=0.3, level=10.0)

    assert surprise_of_silence(np.array([3.0]), np.array([9.0]))[0] < 2, "no minute of it says much"
    assert (after.max(axis=0) >= 4).sum() >= 3, "of four"


def test_what_a_sunday_sells_is_usual_on_sundays_only(learned: Business) -> None:
    quiet, loud = copy.deepcopy(learned), copy.deepcopy(learned)
    for d in (quiet, loud):
        trade(d, at(2026, 4, 28), at(2026, 5, 2))

    sunday = trade(quiet, at(2026, 5, 3, 6), at(2026, 5, 4))
    tuesday = trade(loud, at(2026, 5, 5, 6), at(2026, 5, 6), sundays=("2026-05-05",))

    assert (sunday < 4).all()
    assert (tuesday.max(axis=0) > 4).all()


def test_a_public_holiday_is_a_sunday_where_its_country_is_known(learned: Business) -> None:
    unaware = copy.deepcopy(learned)
    unaware._calendar = Business(Args(timezone="Europe/Berlin"))._calendar
    noon = np.full(4, at(2026, 5, 1, 12))
    said, found = [], []
    for d in (copy.deepcopy(learned), unaware):
        trade(d, at(2026, 4, 28), at(2026, 5, 1))
        said.append(d.expect_many(rows(4), noon).expected / shop(noon[0], sundays=("2026-05-01",)))
        found.append(trade(d, at(2026, 5, 1), at(2026, 5, 2), sundays=("2026-05-01",)).max(axis=0))

    assert (said[0] < 1.5).all()
    assert (said[1] > 2).all()
    assert (found[0] < 4).all()
    assert (found[1] > 4).all()


def test_the_clock_going_back_leaves_the_morning_where_it_was() -> None:
    half_hour = 3 * TEN_MINUTES
    local, utc = Business(Args(timezone="Europe/Berlin")), Business()
    for d in (local, utc):
        trade(d, at(2026, 10, 12), at(2026, 10, 26), half_hour, level=1000.0)

    monday = [trade(d, at(2026, 10, 26), at(2026, 10, 27), half_hour, level=1000.0) for d in (local, utc)]

    assert (monday[0] < 4).all()
    assert (monday[1].max(axis=0) > 20).all()


def test_the_rate_of_surprise_is_the_rate_it_claims_where_counts_are_poisson_or_come_in_clumps() -> None:
    rng, minutes = np.random.default_rng(4), np.arange(4 * 144)
    mean = 30 + 20 * np.sin(2 * np.pi * minutes / 144)[:, None]
    poisson, clumps = rng.poisson(mean, (len(minutes), 60)), 3 * rng.poisson(mean / 3, (len(minutes), 60))

    for counts in (poisson, clumps):
        surprise = feed(Business(), counts.astype(float), step=600.0)[2 * 144 :]

        assert 0.0004 < (surprise >= 2).mean() <= 0.012
        assert (surprise >= 3).mean() <= 0.002
        assert (surprise >= 4).mean() <= 0.0003


def test_a_rate_a_second_is_as_surprising_as_the_count_a_minute() -> None:
    counts = np.random.default_rng(5).poisson(40.0, (700, 3)).astype(float)

    a, b = feed(Business(), counts, step=300.0), feed(Business(), counts / 64, step=300.0)

    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def test_a_share_of_success_strays_as_few_or_many_requests_let_it() -> None:
    rng, n = np.random.default_rng(6), np.array([200, 20000])
    d = Business(Args(whole=1.0))
    surprise = feed(d, 1 - rng.binomial(n, 0.01, (900, 2)) / n, step=300.0)
    now = np.full(2, 900 * 300.0)

    told = d.score_many(rows(2), now, np.array([0.98, 0.98]))
    worse = d.score_many(rows(2), now, np.array([0.8, 0.8]))

    assert np.nanmax(surprise[300:]) < 5
    assert told[0] < 2 < 5 < told[1]
    assert (worse > 6).all()
    assert (np.abs(d.expect_many(rows(2), now).expected - 0.99) < 0.004).all()


def test_a_share_that_began_in_an_outage_is_none_the_worse() -> None:
    rng = np.random.default_rng(7)
    share = 1 - rng.binomial(20000, 0.01, (900, 1)) / 20000
    share[:5] = 0.1
    d = Business(Args(whole=1.0))

    surprise = feed(d, share, step=300.0)

    assert np.nanmax(surprise[600:]) < 5
    assert d.score_many(rows(1), np.full(1, 900 * 300.0), np.array([0.9]))[0] > 4


def test_an_outage_of_two_hours_is_not_what_is_usual_a_week_later(learned: Business) -> None:
    d = copy.deepcopy(learned)
    trade(d, at(2026, 4, 28), at(2026, 4, 28, 10))
    trade(d, at(2026, 4, 28, 10), at(2026, 4, 28, 12), share=0.0)
    trade(d, at(2026, 4, 28, 12), at(2026, 5, 5, 10))

    band = d.expect_many(rows(1), np.full(1, at(2026, 5, 5, 11)))

    assert band.lower[0] < shop(at(2026, 5, 5, 11)) < band.upper[0]
    assert band.expected[0] > 0.85 * shop(at(2026, 5, 5, 11))


def test_a_lasting_fall_becomes_what_today_is_after_four_hours(learned: Business) -> None:
    d = copy.deepcopy(learned)
    trade(d, at(2026, 4, 28), at(2026, 4, 28, 10))

    fallen = trade(d, at(2026, 4, 28, 10), at(2026, 4, 28, 19), share=0.5)

    assert (fallen[6:18] >= 4).mean() > 0.8
    assert (fallen[-6:] < 4).all()


def test_who_borrows_a_week_expects_its_rhythm_at_the_own_level(learned: Business) -> None:
    d = copy.deepcopy(learned)
    d.borrow_many(np.array([9], np.int32), np.array([0], np.int32))
    rng, times = np.random.default_rng(8), at(2026, 4, 28, 9) + TEN_MINUTES * np.arange(18)
    for t in times:
        d.take_many(np.array([9], np.int32), np.array([t]), np.array([float(rng.poisson(7 * shop(t)))]))

    evening, night = (
        d.expect_many(np.array([9], np.int32), np.array([at(2026, 4, 28, 21)])).expected[0],
        d.expect_many(np.array([9], np.int32), np.array([at(2026, 4, 29, 3)])).expected[0],
    )

    assert abs(evening / (7 * shop(at(2026, 4, 28, 21))) - 1) < 0.2
    assert night < 5


def test_facts_tell_what_is_usual_and_for_how_long_nothing_was_as_high(learned: Business) -> None:
    d = copy.deepcopy(learned)
    trade(d, at(2026, 4, 28), at(2026, 4, 28, 15))
    noon = np.full(4, at(2026, 4, 28, 15))
    d.take_many(rows(4), noon, np.array([500.0, 100.0, 0.0, 100.0]))

    highest, usual = d.facts_of(0, noon[0], 500.0), d.facts_of(1, noon[0], 100.0)

    assert highest.highest == 13 * DAY, "of two weeks and today, but neither the first day nor this one"
    assert np.isnan(highest.lowest)
    assert abs(usual.usual / shop(noon[0]) - 1) < 0.1


def test_the_surprise_of_a_sample_at_the_end_of_its_band_is_about_the_bands() -> None:
    d = Business()
    feed(d, np.random.default_rng(9).poisson(100.0, (600, 2)).astype(float), step=300.0)
    now = np.full(2, 600 * 300.0 + 6 * 3600)  # the sums have faded, so that the sample stands alone
    band = d.expect_many(rows(2), now)

    for edge in (band.lower, band.upper):
        assert (np.abs(d.score_many(rows(2), now, edge) - 3.0) < 0.15).all()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(constant(np.arange(200.0)), id="a flat line"),
        pytest.param(np.zeros(200), id="nothing at all"),
        pytest.param(ramp(np.arange(200.0)), id="a ramp"),
        pytest.param(np.arange(200.0) % 100, id="a counter that is reset"),
        pytest.param(50.0 + 50 * (np.arange(200) // 10 % 2), id="a square wave"),
        pytest.param(np.r_[np.full(100, 5.0), noise(100, 1)[:, 0]], id="constant, then noise"),
        pytest.param(-noise(200, 1)[:, 0], id="refunds"),
        pytest.param(np.where(np.arange(200) % 7 == 0, np.nan, 1e17), id="huge, with gaps"),
        pytest.param(np.where(np.arange(200) % 9 == 0, np.inf, 1e-9), id="tiny, with infinities"),
    ],
)
def test_whatever_comes_the_surprise_is_a_number_from_0_up(values: Floats) -> None:
    with np.errstate(all="raise", under="ignore"):
        surprise = feed(Business(), values[:, None], step=1800.0)[70:, 0]

    assert ((surprise >= 0) | ~np.isfinite(values[70:])).all()
    assert (surprise[np.isfinite(surprise)] <= 800).all()


def test_a_spike_a_step_and_a_drop_are_told_once_the_day_is_known() -> None:
    for shape, odd in ((spike, 400), (step_up, 400), (drop, 400)):
        surprise = feed(Business(), shape(np.arange(402.0))[:, None], step=900.0)[:, 0]

        assert surprise[odd] > 4
        assert (surprise[200:400] < 4).all()


def test_a_clock_that_jumps_ahead_and_stays_is_survived() -> None:
    d = Business()
    feed(d, noise(100, 2))

    after = feed(d, noise(100, 2), start=1e12)

    assert np.isfinite(after).all()


def test_the_fast_detector_agrees_with_its_slow_twin() -> None:
    rng = np.random.default_rng(20261122)
    n, samples, step = 8, 1100, 900.0
    k = np.arange(samples)[:, None]
    mean = 40 * (1.1 + np.sin(2 * np.pi * k * step / DAY)) * np.where(k * step // DAY % 7 >= 5, 0.5, 1.0)
    values = rng.poisson(mean, (samples, n)).astype(float)
    values[:, 0] = 5.0
    values[:, 1] = rng.integers(0, 2, samples)
    values[900:, 2] *= 0.3
    values[rng.random((samples, n)) < 0.05] = np.nan
    values[300, 2:5] = np.inf, -np.inf, 1e300
    times = k * step + rng.integers(0, 800, (samples, n)) + np.where(k > 500, 5 * 3600, 0)
    fast, slow = Business(), [NaiveBusiness() for _ in range(n)]

    for time, value in zip(times.astype(float), values, strict=True):
        got = fast.take_many(rows(n), time, value)
        want = np.array([s.take(float(t), float(v)) for s, t, v in zip(slow, time, value, strict=True)]).T
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=1e-4)  # weeks are kept in single precision


def test_a_series_takes_less_than_three_kilobytes() -> None:
    assert Business().bytes_a_series() < 2500


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"warm_up": 3}, "warm_up: expected at least 10"),
        ({"whole": -1.0}, "whole: expected 0 for counts"),
        ({"memory": 0.0}, "above 0"),
        ({"timezone": "Europe/Atlantis"}, 'no zone "Europe/Atlantis"'),
        ({"country": "XX"}, "country"),
        ({"country": "DE", "subdivision": "ZZ"}, "subdivision"),
        ({"subdivision": "BY"}, "expected a country"),
        ({"dates": ("24.12.2026",)}, "expected days such as 2026-12-24"),
    ],
)
def test_wrong_arguments_are_refused_by_name(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Args(**given)  # type: ignore[arg-type]
