"""Evidence of a window names the cause: a slow edge, a busy service, code that stops half way."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from detectors.apart import middle, shares_apart
from pipeline.commands.cause import command
from pipeline.evidence import (
    Evidence,
    Readings,
    VisitState,
    Window,
    blame,
    edges,
    strongest,
    take_lines,
    weigh_calls,
    weigh_samples,
    weigh_visits,
)
from pipeline.evidence.found import Sort
from pipeline.run.inquest import inquire, open_recording, suspects
from pipeline.spans import Call, Spans, SpanState, take_spans
from pipeline.types import Floats
from tests.nouns import SHOP

START = 1_700_000_040.0
SINCE = START + 20 * 60
WINDOW = Window(SINCE, SINCE + 180)

# caller, operation of the parent, callee, operation, spans in 10 s, s, s between client and server
TREE = (
    ("", "", "front", "GET /", 20.0, 0.2, np.nan),
    ("front", "GET /", "front", "call cart", 20.0, 0.05, np.nan),
    ("front", "call cart", "cart", "/cart", 20.0, 0.04, 0.003),
    ("cart", "/cart", "cart", "call inventory", 20.0, 0.02, np.nan),
    ("cart", "call inventory", "inventory", "/stock", 20.0, 0.01, 0.002),
    ("front", "GET /", "front", "call checkout", 6.0, 0.1, np.nan),
    ("front", "call checkout", "checkout", "/order", 6.0, 0.09, 0.003),
    ("checkout", "/order", "checkout", "check order", 6.0, 0.01, np.nan),
    ("checkout", "/order", "checkout", "call payment", 6.0, 0.06, np.nan),
    ("checkout", "call payment", "payment", "/pay", 6.0, 0.05, 0.002),
    ("payment", "/pay", "payment", "charge card", 6.0, 0.04, np.nan),
)
Change = Callable[[Call, float, float, float], tuple[float, float, float]]


def same(call: Call, n: float, duration: float, gap: float) -> tuple[float, float, float]:
    return n, duration, gap


def spans(change: Change = same, seed: int = 7) -> SpanState:
    """Return twenty quiet minutes of the shop's traces, then three as `change` makes them."""
    rng = np.random.default_rng(seed)
    state = SpanState()
    for slot in range(138):
        at = START + 10.0 * slot
        rows = []
        for caller, parent, callee, op, n, duration, gap in TREE:
            call = Call(caller, parent, callee, op)
            found = n, duration * rng.lognormal(0, 0.1), gap * rng.lognormal(0, 0.1)
            rows.append((call, at, *(found if at < SINCE else change(call, *found)), 0.0))
        calls, *columns = zip(*rows, strict=True)
        take_spans(state, Spans(calls, *(np.array(column) for column in columns)))
    return state


def ranked(state: SpanState, window: Window = WINDOW, more: Sequence[Evidence] = ()) -> list[str]:
    found = strongest((*weigh_calls(state, window), *more))
    return [s.service for s in blame(found, SHOP, edges(state)) if s.score > 0]


def slow_network(service: str) -> Change:
    def change(call: Call, n: float, duration: float, gap: float) -> tuple[float, float, float]:
        return n, duration, gap + 0.25 if service in (call.caller, call.callee) else gap

    return change


@pytest.mark.parametrize("service", ["cart", "checkout", "payment", "inventory", "front"])
def test_the_service_all_of_whose_edges_are_slow_is_first(service: str) -> None:
    assert ranked(spans(slow_network(service)))[0] == service


def test_a_service_whose_answers_alone_are_late_is_first_though_it_calls_as_fast_as_ever() -> None:
    def change(call: Call, n: float, duration: float, gap: float) -> tuple[float, float, float]:
        return n, duration, 2.0 if call.callee == "checkout" else gap

    found = {e.service: e for e in weigh_calls(spans(change), WINDOW) if e.sort == "network"}

    assert ranked(spans(change))[0] == "checkout"
    assert found["checkout"].weight > 1.9 * found["front"].weight
    assert found["checkout"].reason.startswith("1 of 1 edges into it are slow")


def test_a_caller_is_not_blamed_for_the_time_its_callee_takes() -> None:
    slower = {"/pay": 1.0, "charge card": 1.0, "call payment": 1.0, "/order": 1.0, "call checkout": 1.0}

    def change(call: Call, n: float, duration: float, gap: float) -> tuple[float, float, float]:
        return n, duration + slower.get(call.op, 0.0), gap

    found = {e.service: e for e in weigh_calls(spans(change), WINDOW) if e.sort == "time"}

    assert set(found) == {"payment"}
    assert found["payment"].reason == "charge card takes 998 ms longer by itself, where 40.9 ms are usual"


def test_code_that_stops_half_way_shows_in_the_child_spans_that_vanish() -> None:
    def change(call: Call, n: float, duration: float, gap: float) -> tuple[float, float, float]:
        return 0.0 if call.op == "charge card" else n, duration, gap

    found = weigh_calls(spans(change), WINDOW)

    assert ranked(spans(change))[0] == "payment"
    assert [e.reason for e in found if e.sort == "shape"] == [
        "0 charge card in each /pay, where 1 were usual"
    ]


def test_a_service_that_fails_its_callers_is_first_and_says_how_often() -> None:
    state = spans()
    for call, row in state.rows.items():
        if call.op in ("/pay", "/order"):
            state.failed[row, state.slots >= SINCE // 10] = 3.0

    found = weigh_calls(state, WINDOW)

    assert ranked(state)[0] == "payment"
    assert "50% of the calls to it fail, where 0% are usual" in [e.reason for e in found]


def test_four_spans_are_too_few_to_speak_against_anyone() -> None:
    def change(call: Call, n: float, duration: float, gap: float) -> tuple[float, float, float]:
        return 0.1, duration, gap + 0.25 if call.callee == "payment" else gap

    assert [e for e in weigh_calls(spans(change), WINDOW) if e.service == "payment"] == []


def test_what_comes_after_the_window_changes_nothing() -> None:
    window = Window(SINCE - 60, SINCE - 10)

    assert weigh_calls(spans(slow_network("cart")), window) == weigh_calls(spans(), window)


def test_an_earlier_incident_is_no_measure_of_what_is_usual() -> None:
    state = spans()
    for call, row in state.rows.items():
        if call.op == "charge card":
            state.count[row, state.slots >= SINCE // 10 - 60] = 0.0
    trouble = ((SINCE - 600, SINCE - 1),)

    (told,) = [e for e in weigh_calls(state, WINDOW._replace(trouble=trouble)) if e.sort == "shape"]
    (doubted,) = [e for e in weigh_calls(state, WINDOW) if e.sort == "shape"]

    assert told.weight > doubted.weight + 1
    assert told.reason == "0 charge card in each /pay, where 1 were usual"


def test_a_share_that_always_wanders_is_no_news() -> None:
    now, of = np.array([0.0, 0.0]), np.array([20.0, 20.0])
    before = np.array([[20.0, 20, 20, 20, 20], [2.0, 20, 1, 19, 12]])

    surprise = shares_apart(now, of, before, np.full((2, 5), 20.0))

    assert surprise[0] > 8
    assert surprise[1] < 1.5


def test_a_tenth_of_what_was_taken_for_quiet_may_have_been_none() -> None:
    before = np.array([[20.0, *[0.0] * 9]])

    surprise = shares_apart(np.array([20.0]), np.array([20.0]), before, np.full((1, 10), 20.0))

    assert surprise[0] > 8


def test_the_middle_of_weights_is_that_of_the_values_told_as_often() -> None:
    value = np.array([[3.0, 1.0, 2.0, 9.0], [1.0, 1.0, 1.0, 1.0]])
    weight = np.array([[1.0, 1.0, 5.0, 1.0], [0.0, 0.0, 0.0, 0.0]])

    assert middle(value, weight)[0] == pytest.approx(2.0)
    assert np.isnan(middle(value, weight)[1])


def reading(service: str, metric: str, late: float, entity: str = "", noise: float = 0.02) -> Readings:
    """Return four quiet hours of a series around 1, then four minutes around `late`."""
    rng = np.random.default_rng(3)
    time: Floats = SINCE + 60.0 * np.arange(-240.0, 4.0)
    value: Floats = np.where(time < SINCE, 1.0, late)
    value += noise * rng.standard_normal(len(time))
    return Readings(service, entity or f"{service}-1", metric, time, value)


def sampled(*readings: Readings) -> list[str]:
    return [s.service for s in blame(weigh_samples(readings, WINDOW), SHOP) if s.score > 0]


def test_a_busy_service_is_blamed_before_the_callers_it_makes_slow() -> None:
    assert sampled(
        reading("payment", "cpu_ratio", 3.0),
        reading("payment", "latency_p90_seconds", 2.0),
        reading("checkout", "latency_p90_seconds", 4.0),
        reading("front", "latency_p90_seconds", 5.0),
        reading("front", "cpu_ratio", 1.0),
    )[:1] == ["payment"]


def test_a_noisy_innocent_is_measured_by_its_own_noise() -> None:
    noisy = reading("cart", "cpu_ratio", 1.6, noise=0.8)

    assert sampled(reading("payment", "cpu_ratio", 1.5), noisy)[0] == "payment"


def test_an_idle_service_is_not_blamed_for_a_step_that_busy_ones_make_all_the_time() -> None:
    idle = reading("mailer", "cpu_millicores", 1.3, noise=0.0)
    busy = [reading(s, "cpu_millicores", 1.0, noise=1.0) for s in ("front", "cart", "inventory")]

    alone = weigh_samples([idle], WINDOW)

    assert alone[0].weight > 2
    assert all(e.weight < 0.5 for e in weigh_samples([idle, *busy], WINDOW))


def test_a_service_one_of_whose_series_is_always_odd_is_not_blamed_for_one_more() -> None:
    def leaping(k: int) -> Readings:
        series = reading("cart", f"cpu_{k}", 2.0 if k == 0 else 1.0)
        series.value[20 * k : 20 * k + 5] = 3.0
        return series

    alone = weigh_samples([leaping(0)], WINDOW)
    among = weigh_samples([leaping(k) for k in range(10)], WINDOW)

    assert alone[0].weight > 2
    assert all(e.weight < 0.5 for e in among)


def test_the_time_between_both_ends_of_an_edge_is_the_networks() -> None:
    edge = "checkout->payment"
    found = weigh_samples(
        [
            reading("payment", "edge_source_p50_s", 3.0, edge),
            reading("payment", "edge_destination_p50_s", 1.0, edge),
            reading("cart", "edge_source_p50_s", 1.0, "front->cart"),
            reading("cart", "edge_destination_p50_s", 1.0, "front->cart"),
        ],
        WINDOW,
    )

    assert {(e.service, e.sort) for e in found} == {("checkout", "edge"), ("payment", "edge")}


def test_a_caller_that_no_longer_calls_is_named_and_not_its_callee() -> None:
    silent = reading("payment", "edge_source_p50_s", 1.0, "checkout->payment")
    silent.value[silent.time >= SINCE] = np.nan

    found = weigh_samples([silent], WINDOW)

    assert [(e.service, e.sort) for e in found] == [("checkout", "shape")]
    assert "no calls to payment in 4 of 4 samples" in found[0].reason


def visits(lines: Callable[[str, float], list[tuple[str, str]]]) -> VisitState:
    """Return traces of every 5 s, each with the lines (service, text) that are given for it."""
    state = VisitState()
    for k in range(276):
        at = START + 5.0 * k
        told = lines(f"trace-{k}", at)
        services = [service for service, _ in told]
        texts = [text for _, text in told]
        empty = [""] * len(told)
        take_lines(state, services, empty, [f"trace-{k}"] * len(told), texts, np.full(len(told), at))
    return state


def test_a_line_that_a_service_no_longer_writes_speaks_against_it() -> None:
    def lines(trace: str, at: float) -> list[tuple[str, str]]:
        done = [("payment", "card was charged")] if at < SINCE else []
        return [("checkout", "order received"), ("payment", "charge requested"), *done]

    found = weigh_visits(visits(lines), WINDOW)

    assert [e.service for e in found] == ["payment"]
    assert found[0].reason == '"card was charged" in 0% of its traces, where 100% is usual'


def test_a_line_without_a_trace_is_no_evidence() -> None:
    state = VisitState()

    take_lines(state, ["payment"] * 9, [""] * 9, [""] * 9, ["error"] * 9, np.full(9, SINCE + 1))

    assert state.visits == {}
    assert weigh_visits(state, WINDOW) == []


def test_a_line_written_after_the_window_changes_nothing() -> None:
    def lines(trace: str, at: float) -> list[tuple[str, str]]:
        return [("payment", "charge requested"), ("payment", "card was charged")][: 1 if at >= SINCE else 2]

    late = visits(lines)
    window = Window(SINCE - 300, SINCE - 10)

    assert weigh_visits(late, window) == []


@pytest.mark.parametrize(
    ("caller", "callee"),
    [
        pytest.param(
            ("log", 2.2), ("log", 2.0), id="code that does otherwise makes its callers do otherwise"
        ),
        pytest.param(("late", 12.0), ("own", 2.0), id="one that is busy makes its callers slow"),
        pytest.param(("fails", 4.0), ("shape", 3.0), id="one that stops half way makes its callers fail"),
    ],
)
def test_a_callee_explains_what_its_caller_shows(
    caller: tuple[Sort, float], callee: tuple[Sort, float]
) -> None:
    found = [Evidence("checkout", *caller, "a"), Evidence("payment", *callee, "b")]

    assert blame(found, SHOP)[0].service == "payment"


def test_equal_suspects_are_ordered_by_name() -> None:
    same_weight = [Evidence(s, "own", 2.0, "cpu_ratio is 3") for s in ("payment", "cart", "front")]

    assert [s.service for s in blame(same_weight, SHOP)][:3] == ["cart", "front", "payment"]


def test_evidence_comes_in_any_order() -> None:
    found = weigh_calls(spans(slow_network("cart")), WINDOW)

    assert blame(found, SHOP) == blame(reversed(found), SHOP)


def test_the_command_ranks_a_recording_and_says_why(tmp_path: Path) -> None:
    from tests.recordings import bad_deploy, fault_time

    folder = bad_deploy(tmp_path / "shop", hours=5)
    began = fault_time(5)
    folder.joinpath("evidence", "a").mkdir(parents=True)
    line = {"t": began, "pod": "payment-1", "sev": "INFO", "trace": "a", "op": "", "msg": "[pay] charged"}
    with gzip.open(folder / "evidence" / "a" / "logs.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")

    said = CliRunner().invoke(
        command, [str(folder), "--from", str(began), "--to", str(began + 240), "--json"]
    )

    first = json.loads(said.output.splitlines()[0])
    assert first["service"] == "payment"
    assert "cpu_ratio is 0.8" in first["reason"]


def test_a_window_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    said = CliRunner().invoke(command, [str(tmp_path), "--from", "2026-11-22T10:00:00", "--to", "100"])

    assert said.exit_code == 2
    assert "expected --from before --to" in said.output


@pytest.mark.shared_data
@pytest.mark.slow
def test_the_cause_of_47_real_faults_is_found_as_often_as_was_promised(shared: Path) -> None:
    places = []
    for name in ("OB-1", "TT-1", "TT-2"):
        folder = shared / "data" / "recordings" / name
        inquest = open_recording(folder)
        trouble: tuple[tuple[float, float], ...] = ()
        for fault in json.loads((folder / "labels.json").read_text(encoding="utf-8"))["faults"]:
            window = Window(fault["inject_time"], fault["inject_time"] + 240, trouble)
            order = [s.service for s in suspects(inquest, inquire(inquest, window))]
            places.append(order.index(fault["service"]) + 1)
            trouble = (*trouble, (window.since, window.until))

    assert sum(place <= 1 for place in places) >= 0.9 * 47
    assert sum(place <= 3 for place in places) >= 0.95 * 47
