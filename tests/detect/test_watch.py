"""Watches, bouts, counters and blindness: what is said of samples, when, and when it is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import config, snapshot
from pipeline.detect import DetectState, detect
from pipeline.detect.watch import detectors
from pipeline.series import Series, pack
from pipeline.types import Batch, Signal
from tests.detect.world import NAN, START, World, labels_of, usual, watch


def test_a_step_is_told_once_with_its_numbers_and_ends_when_it_is_back() -> None:
    world = World([watch(page=True)])
    world.feed(pay__p90_s=usual(100))

    said = world.feed(pay__p90_s=[50.0] * 5 + usual(5))

    assert [(s.id, s.ended) for s in said] == [(said[0].id, None), (said[0].id, START + 106 * 60)]
    assert said[0].kind == "metric"
    assert (said[0].service, said[0].series) == ("pay", 'p90_s{service="pay"}')
    assert (said[0].since, said[0].at, said[0].page) == (START + 101 * 60, START + 101 * 60, True)
    assert said[0].observed == 50.0
    assert said[0].expected == pytest.approx(10, rel=0.02)
    assert said[0].reason == "p90_s is 50 s, 4.99 times the 10 s expected, for 60 s"
    assert said[1].reason.startswith(
        "p90_s was 50 s, 4.99 times the 10 s expected, for 5 min, and is back at "
    )


def test_it_is_told_again_only_when_its_surprise_has_grown_by_half() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(100))

    said = world.feed(pay__p90_s=[14.0, 20.0, 14.0, 400.0, 14.0])

    assert [s.observed for s in said] == [14.0, 400.0]
    assert said[1].surprise > 1.5 * said[0].surprise
    assert said[0].id == said[1].id


@pytest.mark.parametrize(
    ("settings", "values", "told_at"),
    [
        pytest.param({}, [50], 1, id="at once without patience"),
        pytest.param({"hold": "90s"}, [50, 50, 50], 2, id="a sample stands for its minute: two are 90 s"),
        pytest.param({"samples": 3}, [50, 50, 50], 3, id="as many samples as asked"),
        pytest.param({"samples": 2}, [50, 10, 50, 10], None, id="one back inside starts the count anew"),
        pytest.param({"detection_direction": "below"}, [50, 50], None, id="above is not below"),
        pytest.param({"detection_direction": "below"}, [1], 1, id="below is"),
        pytest.param({"detection_direction": "above"}, [1, 1], None, id="below is not above"),
        pytest.param({"min_dev_from_expected": 45}, [50, 56], 2, id="no smaller deviation than asked"),
        pytest.param({"min_rel_dev": 4.5}, [50, 56], 2, id="no smaller share than asked"),
        pytest.param({"surprise": 1000}, [50, 50], None, id="no less surprise than asked"),
        pytest.param({"surprise": 1000, "data_range": [0, 40]}, [30, 50], 2, id="out of its range, whatever"),
        pytest.param(
            {"detection_direction": "below", "data_range": [0, 40]},
            [50],
            1,
            id="out of its range, whichever way",
        ),
        pytest.param({"surprise": 1000, "data_range": [0, 40]}, [40, 40.5], 2, id="its bounds are in range"),
        pytest.param(
            {"min_dev_from_expected": 20, "min_rel_dev": 4.5}, [50, 56], 2, id="both deviations, not either"
        ),
        pytest.param({"metrics": ["p90"]}, [50, 50], None, id="patterns match the whole name"),
        pytest.param({"labels": {"service": "pay|cart"}}, [50], 1, id="labels match"),
        pytest.param({"labels": {"service": "cart"}}, [50], None, id="labels do not match"),
        pytest.param({"labels": {"code": ""}}, [50], 1, id="a missing label is empty"),
    ],
)
def test_what_a_watch_asks_for(settings: dict[str, Any], values: list[float], told_at: int | None) -> None:
    world = World([watch(**settings)])
    world.feed(pay__p90_s=usual(100))

    said = [s for s in world.feed(pay__p90_s=values) if s.ended is None]

    assert [s.at for s in said][:1] == ([] if told_at is None else [START + (100 + told_at) * 60])


def test_one_value_may_be_the_only_right_one() -> None:
    world = World([watch(surprise=1000, data_range=[1, 1])])

    assert world.feed(pay__up=[1.0] * 100) == []
    assert [s.at for s in world.feed(pay__up=[1.0, 0.0])] == [START + 102 * 60]


def test_a_moment_back_inside_does_not_end_it() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(100))

    said = world.feed(pay__p90_s=[50.0, 10.0, 50.0, 10.0, 10.0])

    assert [s.ended for s in said] == [None, START + 104 * 60]


def test_what_is_out_comes_back_only_well_inside_its_limits() -> None:
    world = World([watch(min_dev_from_expected=10, clear="60s")])
    world.feed(pay__p90_s=usual(100))

    said = world.feed(pay__p90_s=[50.0, 18.0, 18.0, 14.0])

    assert [s.ended for s in said] == [None, START + 104 * 60]


def test_a_series_belongs_to_the_first_watch_that_matches() -> None:
    world = World([watch(name="first", metrics=["p90.*"]), watch(name="second")])
    world.feed(pay__p90_s=usual(100), pay__ops=usual(100, seed=1))

    said = world.feed(pay__p90_s=[50.0], pay__ops=[50.0])

    assert [(s.labels["__name__"], s.detector) for s in said] == [("p90_s", "first"), ("ops", "second")]


def test_a_level_that_stays_is_learned_and_ends() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(100))

    said = world.feed(pay__p90_s=usual(60, 50.0))

    assert [s.ended is None for s in said] == [True, False]
    assert 15 * 60 <= (said[-1].ended or 0) - said[0].since <= 30 * 60


def test_a_counter_is_watched_as_a_rate_and_a_reset_is_no_anomaly() -> None:
    world = World([watch()])
    steps = np.round(usual(200, 600.0))
    count = np.cumsum(steps)
    count[150:] -= count[149]  # restarted
    world.feed(pay__requests_total=count[:101].tolist())

    assert world.feed(pay__requests_total=count[101:].tolist()) == []
    said = world.feed(pay__requests_total=[float(count[-1] + 6000)])

    assert said[0].observed == 100.0
    assert said[0].expected == pytest.approx(10, rel=0.05)
    assert "is 100 a second" in said[0].reason


def test_a_sum_beside_its_count_is_watched_as_their_mean() -> None:
    world = World([watch(metrics=["took_seconds"])])
    counts, sums = np.cumsum([20.0] * 101), np.cumsum(usual(101, 20 * 0.25))
    world.feed(pay__took_seconds_sum=sums.tolist()[:100], pay__took_seconds_count=counts.tolist()[:100])

    said = world.feed(
        pay__took_seconds_sum=[float(sums[99] + 40)], pay__took_seconds_count=[float(counts[99] + 20)]
    )

    assert said[0].series == 'took_seconds{service="pay"}'
    assert said[0].observed == pytest.approx(2.0)
    assert said[0].expected == pytest.approx(0.25, rel=0.02)


def test_no_round_holds_a_series_twice() -> None:
    world = World([watch()])
    names = ["took_seconds_sum", "took_seconds_count", "ops_total"]
    rows = world.series.intern([pack(labels_of(f"pay__{n}")) for n in names])
    list(world.state.table.look_up(world.series))
    batch = Batch(np.tile(rows, 3), np.repeat(START + np.arange(3.0), 3), np.arange(9.0))

    rounds = list(world.state.table.rounds(batch, world.series, START + 9))

    assert [sorted(r.row.tolist()) for r in rounds] == [[0, 1, 2]] * 3


def test_a_mean_is_whole_though_sum_and_count_come_in_two_frames() -> None:
    world = World([watch(metrics=["took_seconds"])])
    for k in range(1, 102):
        world.now += 60
        last = 4.0 if k == 101 else 0.25 + 0.001 * (k % 5)
        world.send([("pay__took_seconds_count", world.now, 20.0 * k)])
        said = world.send([("pay__took_seconds_sum", world.now, 5.0 * (k - 1) + 20 * last)])

    assert [s.series for s in said] == ['took_seconds{service="pay"}']


def test_a_batch_of_many_samples_of_a_series_is_taken_in_time_order() -> None:
    world, twin = World([watch()]), World([watch()])
    values = [*usual(100), 50.0, 50.0]
    samples = [("pay__p90_s", START + 60.0 * k, v) for k, v in enumerate(values)]
    world.now = twin.now = START + 60 * len(values)

    at_once = world.send(samples[::-1])
    one_by_one = [s for sample in samples for s in twin.send([sample])]

    assert [(s.id, s.since, s.surprise) for s in at_once] == [(s.id, s.since, s.surprise) for s in one_by_one]
    assert len(at_once) == 1


def test_samples_that_are_late_twice_or_from_the_future_are_dropped_and_counted() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(100))
    name, now = "pay__p90_s", world.now

    said = world.send([(name, now - 60, 99.0), (name, now, 99.0), (name, now + 301, 99.0), (name, NAN, 99.0)])

    assert said == []
    assert world.state.dropped == {"out of order": 1, "duplicate": 1, "future": 2}
    assert world.feed(pay__p90_s=[10.0]) == []


def test_missing_values_neither_speak_nor_end() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(100))

    said = world.feed(pay__p90_s=[50.0, NAN, NAN, NAN, NAN, 50.0])

    assert len(said) == 1


def test_a_series_that_is_out_of_band_and_sends_no_more_ends() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(100), pay__ops=usual(100, seed=1))
    world.feed(pay__p90_s=[50.0], pay__ops=[10.0])

    said = world.feed(pay__ops=usual(10, seed=2))

    ended = [s for s in said if s.ended is not None]
    assert [s.ended for s in ended] == [START + 101 * 60]
    assert ended[0].reason.endswith("and sends no more")
    assert [s.detector for s in said if s.ended is None] == ["lost series"]


def test_a_service_gone_quiet_is_told_pages_after_a_while_and_ends_when_heard() -> None:
    world = World([watch()], every=5.0)
    world.feed(pay__ops=usual(30), cart__ops=usual(30, seed=1))

    quiet = world.feed(cart__ops=usual(48, seed=2))
    back = world.feed(pay__ops=usual(1), cart__ops=usual(1))

    assert [(s.kind, s.service, s.page, s.at - s.since) for s in quiet] == [
        ("blind", "pay", False, 65.0),
        ("blind", "pay", True, 185.0),
    ]
    assert quiet[0].reason == "metrics of pay: nothing has come for 65 s, where every 5 s is usual"
    assert [(s.id, s.ended) for s in back] == [(quiet[0].id, world.now)]


def test_when_everything_goes_quiet_no_service_is_blamed_and_one_word_comes_later() -> None:
    world = World([watch()], every=5.0)
    world.feed(pay__ops=usual(30), cart__ops=usual(30, seed=1))

    assert world.wait(890) == []
    assert [(s.service, s.series) for s in world.wait(30)] == [("", "all metrics")]


def test_the_past_is_drawn_with_the_first_word_and_then_each_sample() -> None:
    world = World([watch(clear="60s")])
    world.feed(pay__p90_s=usual(100))

    said = world.feed(pay__p90_s=[50.0, 51.0, 10.0, 10.0])

    assert [(e.signal, len(e.time)) for e in world.shown] == [(said[0].id, n) for n in (60, 1, 1)]
    assert world.shown[0].value[-1] == 50.0
    assert (world.shown[0].lower < 10).all()
    assert (world.shown[0].upper < 50).all()


def test_a_snapshot_goes_on_identically() -> None:
    world = World([watch(), watch(name="x", metrics=["none"])])
    world.feed(pay__p90_s=[*usual(100), 50.0], pay__requests_total=np.arange(101.0).tolist())
    state, series = snapshot.load(snapshot.dump([world.state, world.series]))
    twin = World(world.watches, state, series, world.now)
    more = {"pay__p90_s": [50.0, 500.0, *usual(9)], "pay__requests_total": np.arange(101.0, 112).tolist()}

    assert world.feed(**more) == twin.feed(**more)
    assert world.state.table.rows.tobytes() == twin.state.table.rows.tobytes()


def test_other_rules_end_what_was_said_and_keep_what_was_learned() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=[*usual(100), 50.0])
    world.watches = [watch(name="other", surprise=3.0)]

    said = world.feed(pay__p90_s=[50.0])

    assert [(s.detector, s.ended is None) for s in said] == [("w", False), ("other", True)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"detector": "seasonl"}, 'no detector "seasonl"; did you mean "seasonal"?'),
        ({"with": {"warmup": 60}}, 'with.warmup: unknown key; did you mean "warm_up"?'),
        ({"with": {"warm_up": 3}}, "warm_up: expected at least 10 samples, got 3"),
        ({"metrics": ["p(90"]}, '"p(90" is not a regular expression'),
        ({"surprise": float("nan")}, "expected surprise above 0"),
        ({"min_dev_from_expected": -1}, "min_dev_from_expected: expected 0 or more, got -1"),
        ({"min_rel_dev": float("nan")}, "min_rel_dev: expected 0 or more, got nan"),
        ({"detection_direction": "up"}, '"up" is not known here'),
        ({"data_range": [1, 0]}, "data_range: expected the least, then the most, got 1 and 0"),
        ({"side": {"track": "new"}}, 'side: the detector "seasonal" looks at each series by itself'),
        ({"metrics": []}, "metrics: expected at least one pattern"),
        ({"hold": "1 minute"}, 'expected a duration such as "30s"'),
        ({"surprice": 4}, 'surprice: unknown key; did you mean "surprise"?'),
    ],
)
def test_a_wrong_watch_is_refused_with_the_right_word(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as refused:
        watch(**settings)

    assert words in str(refused.value)


def test_every_shipped_watch_has_a_name_of_its_own_and_a_known_detector() -> None:
    found = config.load().watches

    assert len(found) == len({w.name for w in found}) >= 10
    assert {w.detector for w in found} <= set(detectors())
    assert all(
        w.min_rel_dev or w.min_dev_from_expected
        for w in found
        if w.page and w.detector not in ("limit", "burn")
    )


@pytest.mark.parametrize(
    ("metric", "labels", "name"),
    [
        ("server_p90_s", {}, "latency"),
        ("edge_source_p50_s", {}, "latency of half"),
        ("rpc_duration_seconds", {"quantile": "0.5"}, "latency of half, by quantile"),
        ("rpc_duration_seconds", {"quantile": "0.9"}, "latency"),
        ("server_p99_s", {}, "latency of the slowest"),
        ("client_p90_s", {}, "latency as callers see it"),
        ("http_request_duration_seconds", {"quantile": "0.9"}, "latency"),
        ("http_request_duration_seconds", {"quantile": "0.99"}, "slowest requests"),
        ("success_pct", {}, "success"),
        ("http_success_ratio", {}, "success"),
        ("http_requests_total", {"code": "500"}, "server errors"),
        ("http_requests_total", {"code": "200"}, "traffic"),
        ("payment_failures_total", {}, "errors"),
        ("cpu_pct", {}, "processor"),
        ("process_cpu_seconds_total", {}, "processor time"),
        ("mem_pct", {}, "memory"),
        ("process_resident_memory_bytes", {}, "memory"),
        ("job_queue_length", {}, "queue"),
        ("ops", {}, "traffic"),
        ("shop_orders_total", {}, "orders and logins"),
        ("failed_payments_total", {}, None),
        ("http_request_duration_seconds_bucket", {}, None),
        ("go_goroutines", {}, None),
    ],
)
def test_metric_names_find_their_shipped_watch(metric: str, labels: dict[str, str], name: str | None) -> None:
    found = next((w.name for w in config.load().watches if not w.beside and w.matches(metric, labels)), None)

    assert found == name


@pytest.mark.shared_data
def test_a_real_fault_is_found_and_the_hour_before_is_quiet(shared: Path) -> None:
    from pipeline.frame import batch
    from pipeline.ingest.recording import Recording

    state, series, watches = DetectState(), Series(), config.load().watches
    said: list[Signal] = []
    for frame in Recording(shared / "data/recordings/OB-1").frames():
        if frame.at > 1661140434 + 300:
            break
        said += detect(state, batch(frame, series), series, watches, frame.at)[0]

    pages = [s for s in said if s.page]

    assert [s.service for s in pages[:1]] == ["frontend"]
    assert 0 <= pages[0].at - 1661140434 <= 180
