"""Suspects are ranked by what speaks against them, and say so."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from pipeline.cause import AHEAD, MAX_SUSPECTS, REACH, rank, services, sort_of, within_reach
from pipeline.topology import Service, Topology
from pipeline.types import Complaint, Event, Signal
from tests.nouns import SHOP, change, complaint, signal


def first(
    *signals: Signal, complaints: tuple[Complaint, ...] = (), changes: tuple[Event, ...] = ()
) -> tuple[str, ...]:
    return services(rank(signals, complaints, changes, SHOP, 1000))


@pytest.mark.parametrize(
    ("metric", "entity", "sort"),
    [
        ("http_request_duration_seconds", "", "slow"),
        ("latency_p90_seconds", "", "slow"),
        ("server_p99_s", "pod-1", "slow"),
        ("p50_s", "", "slow"),
        ("edge_source_p50_s", "front->cart", "edge"),
        ("http_client_duration_seconds", "", "waits"),
        ("http_errors_total", "", "fails"),
        ("success_pct", "", "fails"),
        ("grpc_server_handled_latency_error_ratio", "", "fails"),
        ("requests_per_second", "", "traffic"),
        ("net_rx_bytes", "", "traffic"),
        ("ops", "", "traffic"),
        ("cpu_pct", "", "own"),
        ("process_cpu_seconds_total", "", "own"),
        ("process_resident_memory_bytes", "", "own"),
        ("node_disk_io_ratio", "", "own"),
        ("up", "", "own"),
    ],
)
def test_a_metrics_name_says_what_it_is_evidence_of(metric: str, entity: str, sort: str) -> None:
    assert sort_of(signal("payment", 1000, metric, entity=entity)) == sort


def test_a_slow_callee_explains_its_slow_callers() -> None:
    slow = [
        signal("front", 990, "latency_seconds", surprise=40),
        signal("checkout", 1000, "latency_seconds", surprise=35),
        signal("payment", 1000, "latency_seconds", surprise=30),
    ]

    assert first(*slow)[0] == "payment"


def alert(name: str, service: str, since: float) -> Signal:
    given = signal(service, since, name, kind="alert", surprise=20)
    return replace(given, labels={**given.labels, "alertname": name})


def test_an_alert_of_a_symptom_is_explained_by_what_fires_below_it() -> None:
    symptoms = [alert("HighErrorRate", "front", 980), alert("CheckoutLatencyHigh", "checkout", 985)]

    assert first(*symptoms, alert("DiskFull", "payment", 1000))[0] == "payment"
    assert first(*symptoms, alert("PaymentErrors", "payment", 1000))[0] == "payment"
    assert first(*symptoms)[0] == "checkout"
    assert [sort_of(alert(name, "front", 980)) for name in ("SlowCheckout", "InstanceDown")] == [
        "slow",
        "own",
    ]


def test_an_alert_of_a_fault_of_its_own_is_not_explained_by_what_fires_below_it() -> None:
    assert first(alert("HighCPU", "front", 980), alert("DiskFull", "payment", 1000))[0] == "front"


def test_a_slow_call_speaks_against_the_one_called_not_the_caller() -> None:
    edge = signal("payment", 1000, "edge_p50_s", entity="checkout->payment", surprise=20)

    assert first(edge, signal("checkout", 990, "latency_seconds", surprise=25))[0] == "payment"


@pytest.mark.parametrize(
    ("ways", "suspects"),
    [
        pytest.param(["front->cart"], ("cart", "front"), id="one way: whom it leads to"),
        pytest.param(
            ["front->checkout", "checkout->cart", "checkout->payment"],
            ("checkout", "cart", "front", "payment"), id="all ways of one",
        ),
    ],
)  # fmt: skip
def test_slow_ways_speak_against_one_end_and_little_against_the_other(
    ways: list[str], suspects: tuple[str, ...]
) -> None:
    gaps = [signal(w.partition("->")[2], 1000, "span_gap_seconds", entity=w, surprise=16) for w in ways]

    ranked = rank(gaps, (), (), SHOP, 1000)

    assert services(ranked) == suspects
    assert ranked[0].score == pytest.approx(4.2)  # the root of 16, and a twentieth of it
    assert {round(s.score, 9) for s in ranked[1:]} == {0.4}


def test_of_many_callers_the_middle_one_says_how_slow_a_service_is() -> None:
    edges = [
        signal("cart", 1000, "edge_p50_s", entity=f"c{k}->cart", surprise=each)
        for k, each in enumerate((100, 1, 9, 4, 4))
    ]

    assert rank(edges, (), (), SHOP, 1000)[0].score == pytest.approx(2 * 1.05)
    assert rank(edges[:2], (), (), SHOP, 1000)[0].score == pytest.approx(10 * 1.05)


@pytest.mark.parametrize(
    ("lag", "expected"), [(-REACH - 1, False), (-REACH, True), (0, True), (AHEAD, True), (AHEAD + 1, False)]
)
def test_a_change_is_in_reach_for_half_an_hour_before_and_two_minutes_after(
    lag: float, expected: bool
) -> None:
    assert within_reach(change("d1", 10_000 + lag, "cart"), 10_000) is expected


def test_an_error_log_that_names_a_callee_speaks_against_the_callee() -> None:
    said = signal("cart", 1000, "ERROR call to inventory/stock failed", kind="log", surprise=30)
    unnamed = signal("cart", 1000, "ERROR session store is full", kind="log", surprise=30)

    assert first(said)[0] == "inventory"
    assert (
        rank([said, signal("inventory", 1000, "up")], (), (), SHOP, 1000)[0].reason
        == "up of inventory is high"
    )
    assert first(unnamed) == ("cart",)


def test_a_change_told_beside_a_log_is_no_word_of_the_log() -> None:
    lines = signal("checkout", 1000, "error lines", kind="log", surprise=30)
    why = '19 error lines, such as "call to inventory failed"; change payment-3 of payment came 4 min before'
    said = replace(lines, reason=why, samples=("call to inventory failed",))
    shop = Topology({"checkout": Service(("inventory", "payment"))})

    assert services(rank([said], (), [change("payment-3", 760, "payment")], shop, 1000))[0] == "inventory"


def test_answers_of_500_are_failures_whatever_the_metric_is_called() -> None:
    answered = signal("cart", 1000, "http_requests_total")

    assert sort_of(answered) == "traffic"
    assert sort_of(replace(answered, labels={**answered.labels, "code": "503"})) == "fails"


def test_cpu_of_the_caller_is_not_explained_by_a_slow_callee() -> None:
    busy = signal("checkout", 1000, "cpu_ratio", surprise=20)

    assert first(busy, signal("payment", 1000, "latency_seconds", surprise=20))[0] == "checkout"


def test_a_failing_entry_is_the_suspect_while_nothing_below_it_is_abnormal() -> None:
    failing = signal("front", 1000, "success_ratio", surprise=12)

    assert first(failing) == ("front",)
    assert first(failing, signal("payment", 1010, "error_ratio", surprise=12))[0] == "payment"


@pytest.mark.parametrize(
    ("metric", "below", "said"),
    [
        pytest.param("error_ratio", True, True, id="it fails, and what it calls is abnormal"),
        pytest.param("latency_seconds", True, True, id="it is slow"),
        pytest.param("cpu_ratio", True, False, id="nobody else explains its processor"),
        pytest.param("error_ratio", False, False, id="of what it calls only customers speak"),
    ],
)
def test_a_suspect_says_which_callee_explains_part_of_it(metric: str, below: bool, said: bool) -> None:
    faint = signal("checkout", 1000, metric, surprise=0.5)
    other = [signal("payment", 1000, "cpu_ratio", surprise=0.5)] if below else []
    heard = [complaint("c", 1000, "payment")]

    reasons = {s.service: s.reason for s in rank([faint, *other], heard, (), SHOP, 1000)}

    assert ("payment, which it depends on, explains part of it" in reasons["checkout"]) is said


def test_customers_who_name_a_service_count_for_it() -> None:
    failing = signal("front", 1000, "success_ratio", surprise=6)
    said = tuple(complaint(str(k), 1000, "checkout") for k in range(3))

    suspects = rank([failing], said, (), SHOP, 1000)

    assert suspects[0].service == "checkout"
    assert "3 complaints may mean it" in suspects[0].reason


def test_many_customers_who_name_the_place_they_feel_it_do_not_drown_the_cause() -> None:
    disk = signal("inventory", 990, "disk_io_ratio", surprise=30)
    heard = tuple(complaint(str(k), 1000, "payment") for k in range(12))

    assert first(disk, complaints=heard)[0] == "inventory"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        pytest.param([change("d1", 910, "payment")], "d1", id="one on the suspect itself"),
        pytest.param([change("d1", 400, "payment"), change("d2", 910, "payment")], "d2", id="nearer"),
        pytest.param([change("d1", 910, "payment"), change("d2", 920, "front")], "d1", id="on another"),
        pytest.param([change("late", 1075, "payment"), change("d1", 910, "payment")], "d1", id="after"),
        pytest.param([], None, id="none"),
    ],
)  # fmt: skip
def test_a_change_within_reach_is_named_with_its_lag(changes: list[Event], named: str | None) -> None:
    slow = (signal("payment", 1000, "latency_seconds", surprise=30), signal("front", 1000, "latency_seconds"))

    best = rank(slow, (), changes, SHOP, 1000)[0]

    assert (best.service, best.change) == ("payment", named)
    assert named is None or best.reason == "deploy v2, 90 s before the first signal"


@pytest.mark.parametrize(
    ("service", "at", "reason"),
    [
        ("payment", 910, "deploy v2, 90 s before the first signal"),
        ("payment", 1075, "deploy v2, 75 s after the first signal"),
        ("cart", 910, "deploy v2, 90 s before the first signal; nothing else speaks against it"),
    ],
)
def test_a_change_says_when_it_was_and_whether_it_stands_alone(service: str, at: float, reason: str) -> None:
    ranked = rank([signal("payment", 1000)], (), [change("d1", at, service)], SHOP, 1000)

    assert next(s.reason for s in ranked if s.change) == reason


def test_ties_go_to_the_earlier_onset_then_by_name_whatever_the_order() -> None:
    tied = [signal("mailer", 1000), signal("batch", 1000), signal("inventory", 900)]

    rankings = {first(*order) for order in itertools.permutations(tied)}

    assert rankings == {("inventory", "batch", "mailer")}


def test_a_ranking_is_bounded() -> None:
    assert len(rank([signal(f"s{k}", 1000) for k in range(50)], (), (), SHOP, 1000)) == MAX_SUSPECTS


def test_each_suspect_says_why_in_a_sentence() -> None:
    slow = [signal("checkout", 1000, "latency_seconds"), signal("payment", 1000, "latency_seconds")]

    reasons = {s.service: s.reason for s in rank(slow, (), (), SHOP, 1000)}

    assert reasons == {
        "payment": "latency_seconds of payment is high",
        "checkout": "latency_seconds of checkout is high; payment, which it depends on, explains part of it",
    }
