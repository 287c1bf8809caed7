"""The text of /metrics, parsed as Prometheus parses it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import prometheus_client
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from pipeline import frame
from pipeline.complaints import ComplaintState
from pipeline.detect.slo import Budget
from pipeline.metrics import MAX_REASONS, Metrics, Readings, drops
from pipeline.tally import Count, Spans
from pipeline.types import Action, Event, Incident, Outcome, Reason, State, Step, Verdict

INCIDENT = Incident("i1", 100.0, 160.0, "checkout is slow", "P1", ("checkout",), ())


def readings(dropped: dict[str, Counter[str]] | None = None) -> Readings:
    return Readings(
        dropped=lambda: dropped or {},
        queues=lambda: {"steps": 3},
        incidents=lambda: (INCIDENT,),
        lag=lambda: (7, 0.25),
        series=lambda: 42,
        habits=lambda: (4, 1),
    )


def scraped(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text, _ = metrics.render()
    families = text_string_to_metric_families(text.decode())
    return {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples}


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return scraped(metrics)[name, frozenset(labels.items())]


def paged(lead: float) -> Step:
    incident = Incident(
        "i1", 100.0, 160.0, "slow", "P1", ("checkout",), (), paged=200.0, first_complaint=200.0 + lead
    )
    return Step(300.0, incidents=(incident,), verdicts={"i1": Verdict(True, Reason.NEW)})


def test_a_frame_is_counted_by_its_samples_lines_and_events() -> None:
    metrics = Metrics()
    samples = frame.samples(1.0, "remote_write", [b"a"], np.zeros(3, np.int32), np.zeros(3), np.zeros(3))
    lines = frame.lines(1.0, "loki", [b"a"], np.zeros(2, np.int32), np.zeros(2), ["x", "y"], ["", ""])
    change = frame.events(1.0, "changes", [Event("change", "c1", 1.0)])

    for each in (samples, lines, change):
        metrics.took(each, 100)

    assert value(metrics, "forewarn_samples_total") == 3
    assert value(metrics, "forewarn_lines_total") == 2
    assert value(metrics, "forewarn_events_total", kind="change") == 1
    assert value(metrics, "forewarn_frames_total", source="loki") == 1
    assert value(metrics, "forewarn_journal_bytes_total") == 300


def test_what_the_engine_has_anyway_is_read_at_the_scrape() -> None:
    metrics = Metrics(readings({"series": Counter({"series limit": 5})}))

    assert value(metrics, "forewarn_lag_frames") == 7
    assert value(metrics, "forewarn_lag_seconds") == 0.25
    assert value(metrics, "forewarn_series") == 42
    assert value(metrics, "forewarn_habit_joins_total") == 4
    assert value(metrics, "forewarn_habit_splits_total") == 1
    assert value(metrics, "forewarn_queue_length", queue="steps") == 3
    assert value(metrics, "forewarn_dropped_total", stage="series", reason="series limit") == 5
    assert value(metrics, "forewarn_incidents", state=State.OPEN.value, priority="P1") == 1


def test_a_lead_time_is_counted_once_and_keeps_its_sign() -> None:
    metrics = Metrics()

    metrics.stepped(paged(-30.0), 0.001)
    metrics.stepped(paged(-30.0), 0.001)

    assert value(metrics, "forewarn_lead_seconds_bucket", le="-60.0") == 0
    assert value(metrics, "forewarn_lead_seconds_bucket", le="0.0") == 1
    assert value(metrics, "forewarn_pages_total") == 1
    assert value(metrics, "forewarn_verdicts_total", act="true", reason="new") == 2
    assert value(metrics, "forewarn_step_seconds_count") == 2


def test_a_lead_time_of_a_former_run_is_not_counted_again() -> None:
    metrics = Metrics()
    metrics.remember(paged(60.0).incidents)

    metrics.stepped(paged(60.0), 0.001)

    assert value(metrics, "forewarn_lead_seconds_count") == 0
    assert value(metrics, "forewarn_pages_total") == 0


def test_actions_are_counted_by_outcome() -> None:
    metrics = Metrics()
    action = Action("k", "i1", "notify", "webhook", {}, "tell the on-call", 1.0)

    metrics.acted(action, Outcome(False, "refused", 0.2))

    assert value(metrics, "forewarn_actions_total", kind="notify", do="webhook", outcome="failed") == 1
    assert value(metrics, "forewarn_action_seconds_count", do="webhook") == 1


def test_a_failed_reload_keeps_the_time_of_the_last_good_one() -> None:
    metrics = Metrics()

    metrics.reloaded(True, 50.0)
    metrics.reloaded(False, 60.0)

    assert value(metrics, "forewarn_config_last_reload_successful") == 0
    assert value(metrics, "forewarn_config_last_reload_success_timestamp_seconds") == 50


def test_reasons_past_the_bound_become_other() -> None:
    reasons = Counter({f"reason {k}": 1 for k in range(MAX_REASONS + 9)})
    metrics = Metrics(readings({"doors": reasons}))

    assert value(metrics, "forewarn_dropped_total", stage="doors", reason="other") == 9


def test_drops_are_found_on_every_stage_that_counts_them() -> None:
    @dataclass
    class Stage:
        dropped: Counter[str] = field(default_factory=Counter)

    @dataclass
    class Memory:
        position: int = 0
        series: Stage = field(default_factory=lambda: Stage(Counter(limit=2)))

    assert drops(Memory()) == {"series": {"limit": 2}}


def test_openmetrics_is_spoken_to_those_who_accept_it() -> None:
    text, content_type = Metrics().render("application/openmetrics-text; version=1.0.0")

    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")


def test_a_scrape_carries_no_time_of_creation() -> None:
    assert b"_created" not in Metrics().render("")[0]


def test_promises_are_counted_by_kind_and_by_how_they_stand() -> None:
    read = replace(readings(), promises=lambda: {("respond", "broken"): 2, ("resolve", "open"): 5})

    metrics = Metrics(read)

    assert value(metrics, "forewarn_promises", promise="respond", state="broken") == 2
    assert value(metrics, "forewarn_promises", promise="resolve", state="open") == 5
    assert value(metrics, "forewarn_promises", promise="update", state="warned") == 0


@dataclass
class Stages:
    complaints: ComplaintState


def test_what_a_part_of_a_stage_turned_away_is_counted_beside_the_stage() -> None:
    state = ComplaintState()
    state.dropped["heard before"] += 1
    state.proposals.dropped["aliases past the bound"] += 2

    found = drops(Stages(state))

    assert found["complaints"] == {"heard before": 1}
    assert found["complaints proposals"] == {"aliases past the bound": 2}


def test_what_is_left_of_an_error_budget_is_told_by_objective_and_service() -> None:
    told = [
        Budget("orders succeed", {"service": "shop"}, 0.75, 0.5),
        Budget("requests succeed", {"service": "pay", "zone": "eu", "path": "/buy"}, -0.1, 20.0),
    ]

    metrics = Metrics(replace(readings(), budgets=lambda: told))

    whose = {"slo": "orders succeed", "service": "shop", "by": ""}
    other = {"slo": "requests succeed", "service": "pay", "by": "path=/buy,zone=eu"}
    assert value(metrics, "forewarn_slo_error_budget_left_ratio", **whose) == 0.75
    assert value(metrics, "forewarn_slo_burn_rate", **whose) == 0.5
    assert value(metrics, "forewarn_slo_error_budget_left_ratio", **other) == -0.1


@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5, 7.0]) | st.floats(0, 1e6), max_size=20))
def test_our_own_counters_and_histograms_are_told_as_those_of_the_library(spans: list[float]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    told, known = Spans(ours, "a_seconds", "A.", (0.1, 0.5, 1.0)), Count(ours, "b", "B.", "door", "code")
    Count(ours, "c", "C.")
    other = prometheus_client.Histogram("a_seconds", "A.", buckets=(0.1, 0.5, 1.0), registry=theirs)
    counter = prometheus_client.Counter("b", "B.", ["door", "code"], registry=theirs)
    prometheus_client.Counter("c", "C.", registry=theirs)

    for span in spans:
        told.observe(span)
        other.observe(span)
        known.by["alerts", "200"] += 1
        counter.labels("alerts", "200").inc()

    assert parsed(ours) == parsed(theirs)


def parsed(registry: CollectorRegistry) -> list[tuple[str, str, frozenset[tuple[str, str]], float]]:
    text = prometheus_client.generate_latest(registry).decode()
    return [
        (f.type, s.name, frozenset(s.labels.items()), s.value)
        for f in text_string_to_metric_families(text)
        for s in sorted(f.samples, key=lambda s: (s.name, float(s.labels.get("le", 0))))
    ]
