"""Objectives: as people declare them, to watches that page, to tickets, and to what is left of a budget."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pipeline import config, snapshot
from pipeline.config import Rules
from pipeline.detect import detect
from pipeline.detect.slo import Slo, budgets, selector, watches
from pipeline.series import pack
from pipeline.types import Batch, Signal
from tests.detect.world import World

MINUTE, RATE = 60.0, 10.0  # a sample every minute, requests a second


def slo(**changes: Any) -> Slo:
    sli = {"total": "all_total", "error": "bad_total"}
    return config.parse({"name": "it works", "objective": 99, "sli": sli, **changes}, Slo)


def world(**changes: Any) -> World:
    return World(watches(slo(**changes)), every=MINUTE)


def feed(world: World, **columns: Any) -> list[Signal]:
    """Take equally long columns, each of a series in Prometheus' notation with _ for its braces."""
    said: list[Signal] = []
    series = {name: pack({"service": "shop", **labels_of(name)}) for name in columns}
    for row in zip(*columns.values(), strict=True):
        world.now += world.every
        rows = world.series.intern(list(series.values()))
        said += world.step(Batch(rows, np.full(len(rows), world.now), np.array(row, float)))
    return said


def labels_of(name: str) -> dict[str, str]:
    metric, _, labels = name.partition("__")
    pairs = labels.split("__") if labels else []
    return {"__name__": metric} | {k: v.replace("o", ".") for k, _, v in (p.partition("_") for p in pairs)}


def first(told: list[Signal]) -> list[Signal]:
    """Return the first word of each signal that pages."""
    return list({s.id: s for s in reversed(told) if s.page}.values())


def counter(rate: float, samples: int, start: float = 0.0) -> list[float]:
    return [start + rate * MINUTE * (k + 1) for k in range(samples)]


WAYS = [
    pytest.param({"total": "all_total", "error": "bad_total"}, "all_total", "bad_total", id="failed of all"),
    pytest.param({"total": "all_total", "good": "good_total"}, "all_total", "good_total", id="good of all"),
    pytest.param(
        {"total": "all_total", "error": 'all_total{code=~"5.."}'},
        "all_total__code_200", "all_total__code_500", id="failed among all",
    ),
    pytest.param(
        {"latency": "lat_bucket", "below": 0.3}, "lat_count", "lat_bucket__le_0o3", id="slow, by a bucket"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sli", "every", "counted"), WAYS)
def test_however_it_is_counted_a_tenth_that_fails_is_told_alike(sli: Any, every: str, counted: str) -> None:
    good = "good" in counted or "le_" in counted
    shop = world(sli=sli, objective=99.9)

    def step(failing: float, n: int, base: tuple[float, float]) -> tuple[float, float, list[Signal]]:
        count = 1 - failing if good else failing
        whole = 1 - failing if "code" in counted else 1.0
        a, b = counter(whole * RATE, n, base[0]), counter(count * RATE, n, base[1])
        return a[-1], b[-1], feed(shop, **{every: a, counted: b})

    a, b, quiet = step(0.0002, 180, (0.0, 0.0))
    _, _, told = step(0.1, 20, (a, b))

    fast = first(told)
    assert quiet == []
    assert [s.detector for s in fast] == ["it works: fast burn"]
    assert 8 <= (fast[0].at - shop.now) / MINUTE + 20 <= 13
    assert fast[0].series.startswith(counted.partition("__")[0])
    assert "objective: 99.9 % in 30 d, it works" in fast[0].reason
    assert "times too fast" in fast[0].reason


RATIOS = [
    pytest.param({"error_ratio": "bad_ratio"}, 0.001, 0.2, id="a share that fails"),
    pytest.param({"good_ratio": "ok_pct", "whole": 100}, 99.9, 80, id="a share that succeeds, in per cent"),
    pytest.param({"latency": "p99_seconds", "below": 0.5}, 0.2, 0.9, id="a percentile that is sampled"),
]


@pytest.mark.parametrize(("sli", "usual", "wrong"), RATIOS)
def test_a_share_or_a_percentile_without_counts_has_a_budget_too(
    sli: Any, usual: float, wrong: float
) -> None:
    shop = world(sli=sli)
    name = next(v for v in sli.values() if isinstance(v, str))

    quiet = feed(shop, **{name: [usual] * 180})
    told = feed(shop, **{name: [wrong] * 60})

    assert quiet == []
    assert [s.detector for s in first(told)] == ["it works: fast burn"]


def test_a_slow_burn_is_a_ticket_and_pages_nobody() -> None:
    shop = world(window="1h")  # a slow one takes nine minutes of an hour, a fast one half a minute

    feed(shop, all_total=counter(10, 60), bad_total=counter(0.05, 60))
    told = feed(shop, all_total=counter(10, 60, 36000), bad_total=counter(0.3, 60, 180))

    assert [(s.detector, s.page) for s in told] == [("it works: slow burn", False)]


def test_one_series_speaks_for_a_service_and_each_service_has_its_own_budget() -> None:
    shop = world()
    names = [f"bad_total__instance_{k}" for k in range(5)]
    quiet: dict[str, Any] = {name: counter(0.001, 100) for name in names}
    other = {"all_total__service_cart": counter(10, 100), "bad_total__service_cart": counter(0.01, 100)}

    feed(shop, all_total=counter(10, 100), **quiet, **other)
    loud: dict[str, Any] = {name: counter(2, 30, 6.0) for name in names}
    calm = {
        "all_total__service_cart": counter(10, 30, 60000),
        "bad_total__service_cart": counter(0.01, 30, 60),
    }
    told = feed(shop, all_total=counter(10, 30, 60000), **loud, **calm)

    assert [(s.service, s.labels["instance"]) for s in first(told)] == [("shop", "0")]


def test_what_is_left_of_a_budget_can_be_read() -> None:
    shop = world(window="10h")
    failed = counter(0.05, 300)  # half the pace for half of the period,
    failed[-1] += 0.15 * MINUTE  # and twice the pace in the last minute
    feed(shop, all_total=counter(10, 300), bad_total=failed)

    [budget] = budgets(shop.state, shop.series)

    assert (budget.slo, budget.labels) == ("it works", {"service": "shop"})
    assert math.isclose(budget.left, 0.75, abs_tol=0.01)
    assert math.isclose(budget.burn, 2.0, abs_tol=0.3)


@pytest.mark.parametrize(
    ("by", "series", "labels"),
    [
        pytest.param(["service"], {"job": "till"}, {"service": "till"}, id="a service that its job names"),
        pytest.param(["instance"], {"instance": "a"}, {"instance": "a"}, id="none of a service"),
    ],
)
def test_a_budget_has_the_labels_that_it_goes_by(
    by: list[str], series: dict[str, str], labels: dict[str, str]
) -> None:
    shop = world(sli={"good_ratio": "ok_ratio"}, by=by)
    given = pack({"__name__": "ok_ratio", **series})
    for _ in range(180):
        shop.now += MINUTE
        shop.step(Batch(shop.series.intern([given]), np.array([shop.now]), np.array([0.999])))

    [budget] = budgets(shop.state, shop.series)

    assert (budget.slo, budget.labels) == ("it works", labels)
    assert budget.burn == pytest.approx(0.1, abs=0.01)  # a thousandth fails where a hundredth may


def test_no_more_budgets_are_told_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.detect.slo.MAX_BUDGETS", 2)
    shop = world(sli={"good_ratio": "ok_ratio"})
    feed(shop, **{f"ok_ratio__service_s{k}": [0.999] * 180 for k in range(3)})

    assert [b.labels["service"] for b in budgets(shop.state, shop.series)] == ["s0", "s1"]


@pytest.mark.parametrize(
    ("window", "said"), [("30d", "30 d"), ("1d", "1 d"), ("36h", "1.5 d"), ("6h", "6 h")]
)
def test_an_objective_says_how_long_its_budget_is_for(window: str, said: str) -> None:
    assert all(f"in {said}" in watch.says for watch in watches(slo(window=window)))


def test_of_a_hundred_one_may_be_promised() -> None:
    assert slo(objective=1).objective == 1


def test_a_budget_survives_a_snapshot() -> None:
    shop = world()
    feed(shop, all_total=counter(10, 100), bad_total=counter(0.05, 100))
    state, series = snapshot.load(snapshot.dump((shop.state, shop.series)))

    twin = World(shop.watches, state, series, shop.now, MINUTE)
    after = {"all_total": counter(10, 30, 60000), "bad_total": counter(5, 30, 300)}

    assert feed(twin, **after) == feed(shop, **after) != []
    assert budgets(twin.state, twin.series) == budgets(shop.state, shop.series)


def test_series_that_no_objective_asks_for_cost_no_look() -> None:
    shop = world()
    feed(shop, other=[1.0] * 20)

    said, _ = detect(shop.state, Batch(), shop.series, shop.watches, shop.now)

    assert said == ()
    assert [lane.used for lane in shop.state.lanes] == [False, False, False]
    assert shop.state.desks == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objective": 0.999}, "objective: expected per cent, got 0.999; did you mean 99.9?"),
        ({"objective": 100}, "objective: expected per cent below 100 such as 99.9, got 100"),
        ({"objectiv": 99}, 'objectiv: unknown key; did you mean "objective"?'),
        ({"window": "30m"}, "window: expected at least an hour"),
        ({"sli": {"total": "a"}}, "sli: expected one of: total and error, total and good"),
        ({"sli": {}}, "got none"),
        ({"sli": {"total": "a", "eror": "b"}}, 'sli.eror: unknown key; did you mean "error"?'),
        ({"sli": {"total": "a", "error": 'b{code="5"'}}, "sli: error: expected a series such as"),
        ({"sli": {"total": "a", "error": 'b{code=~"5("}'}}, "sli: error: "),
        ({"sli": {"total": "a", "error": '{code="5"}'}}, "expected the name of a metric before the brace"),
        ({"sli": {"error_ratio": "a", "whole": 10}}, "whole: expected 1, or 100 for per cent, got 10"),
        ({"sli": {"latency": "a", "below": 0}}, "below: expected above 0, beside latency and nowhere else"),
        ({"sli": {"latency": "a"}}, "below: expected above 0, beside latency and nowhere else"),
    ],
)
def test_a_wrong_objective_is_refused_with_the_right_word(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        slo(**changes)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ('a_total{code!="200"}', {"code": "500"}, {"code": "200"}),
        ('a_total{code!~"2.."}', {"code": ""}, {"code": "204"}),
        ('a_total{path="/a.b"}', {"path": "/a.b"}, {"path": "/axb"}),
        ('{__name__=~"a_.*"}', {}, {"__name__": "b_total"}),
        ('a_total{service="pay"}', {"job": "pay"}, {"job": "cart"}),
    ],
)
def test_a_selector_means_what_prometheus_means_by_it(text: str, yes: Any, no: Any) -> None:
    [watch, _] = watches(slo(sli={"error_ratio": text}))

    assert selector(text)
    assert watch.matches("a_total", {"__name__": "a_total", **yes})
    assert not watch.matches("a_total", {"__name__": "a_total", **no})


@pytest.mark.parametrize("bound", ["0.3", "0.30", ".3", "3e-01"])
def test_a_bucket_is_found_however_its_bound_is_written(bound: str) -> None:
    [watch, _] = watches(slo(sli={"latency": "lat_bucket", "below": 0.3}))

    assert watch.side_of({"__name__": "lat_bucket", "le": bound}) == 1
    assert not watch.matches("lat_bucket", {"__name__": "lat_bucket", "le": "0.31"})


def test_an_objective_of_the_same_name_replaces_the_shipped_one(tmp_path: Any) -> None:
    (tmp_path / "forewarn.yaml").write_text("rules: [mine.yaml]")
    (tmp_path / "mine.yaml").write_text(
        "slos: [{name: requests succeed, objective: 99.95, sli: {error_ratio: mine}}]"
    )

    found = [
        w for w in config.load(tmp_path / "forewarn.yaml").watches if w.name.startswith("requests succeed")
    ]

    assert [(w.args["pairs"], w.args["objective"]) for w in found] == [("fast", 0.9995), ("slow", 0.9995)]


def test_a_rule_file_holds_watches_and_objectives() -> None:
    file = config.parse({"watches": [{"name": "w", "metrics": ["x"]}], "slos": [{
        "name": "s", "objective": 99, "sli": {"error_ratio": "e"},
    }]}, Rules)  # fmt: skip

    assert [w.name for w in file.looks] == ["w", "s: fast burn", "s: slow burn"]
