"""What is wrong in a shop of which only traces tell: one incident, paged, that names the cause first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from pipeline import config, frame
from pipeline.config import Limits
from pipeline.flow import Pipeline
from pipeline.ingest import otlp_traces
from pipeline.types import Incident, State, Step
from tests.tracing import WELL, Fault, Shop, protobuf

START = 1_790_000_000.0
EVERY = 5.0
RATE = 4.0
LEARNED = 1_500.0  # seconds


def trade(
    pipeline: Pipeline, shop: Shop, since: float, seconds: float, fault: Fault = WELL
) -> Iterator[Step]:
    """Yield what each post of the shop's spans, and each tick, leads to."""
    for now in np.arange(since, since + seconds, EVERY).tolist():
        spans = shop.spans(now - EVERY, now - 1.0, RATE, fault)
        decoded = otlp_traces.decode(protobuf(spans), {}, now, Limits())
        for each in (*decoded.frames, frame.tick(now)):
            step = pipeline.take(each, pipeline.memory.position + 1)
            if step is not None:
                yield step


@pytest.fixture(scope="module")
def learned() -> bytes:
    """Return the state of a Forewarn that has heard nothing else than the traces of a shop that is well."""
    pipeline = Pipeline(config.load())
    said = [s for step in trade(pipeline, Shop(), START, LEARNED) for s in step.signals]
    assert said == []
    return pipeline.snapshot()


def incidents(learned: bytes, fault: Fault, seconds: float = 60.0, seed: int = 2) -> list[Incident]:
    """Return the newest word of each incident that is open after so long."""
    pipeline = Pipeline.restore(config.load(), learned)
    found = {
        incident.id: incident
        for step in trade(pipeline, Shop(seed), START + LEARNED, seconds, fault)
        for incident in step.incidents
    }
    return [incident for incident in found.values() if incident.state is not State.RESOLVED]


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        pytest.param(Fault(work={"pay": 8.0}), "pay", id="a service is slow"),
        pytest.param(Fault(fails={"stock": 0.3}), "stock", id="a service fails"),
        pytest.param(Fault(fails={"checkout": 0.3}), "checkout", id="one in the middle fails"),
        pytest.param(Fault(way={("checkout", "pay"): 0.2}), "pay", id="one way of many is slow"),
        pytest.param(
            Fault(way={("front", "checkout"): 0.2, ("checkout", "pay"): 0.2, ("checkout", "stock"): 0.2}),
            "checkout", id="all ways of a service are slow",
        ),
        pytest.param(Fault(work={"bank-db": 50.0}), "bank-db", id="a database without spans is slow"),
        pytest.param(Fault(fails={"bank-db": 0.5}), "bank-db", id="a database without spans fails"),
    ],
)  # fmt: skip
def test_within_a_minute_the_cause_is_paged_and_first(learned: bytes, fault: Fault, cause: str) -> None:
    paged = [incident for incident in incidents(learned, fault) if incident.paged]

    assert [incident.suspects[0].service for incident in paged] == [cause]
    assert paged[0].paged is not None
    assert paged[0].paged - START - LEARNED <= 30.0


@pytest.mark.parametrize("seed", [3, 4])
def test_while_all_is_well_nothing_is_said(learned: bytes, seed: int) -> None:
    assert incidents(learned, WELL, 600.0, seed) == []


def test_a_restart_in_the_middle_changes_nothing(learned: bytes) -> None:
    fault = Fault(work={"pay": 8.0})
    whole = Pipeline.restore(config.load(), learned)
    shop = Shop(5)
    spans = [*trade(whole, shop, START + LEARNED, 60.0, fault)]

    first = Pipeline.restore(config.load(), learned)
    shop = Shop(5)
    parts = [*trade(first, shop, START + LEARNED, 15.0, fault)]
    second = Pipeline.restore(config.load(), first.snapshot())
    parts += trade(second, shop, START + LEARNED + 15.0, 45.0, fault)

    assert [step.incidents for step in parts] == [step.incidents for step in spans]
    assert any(step.incidents for step in parts)
