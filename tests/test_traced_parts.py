"""Slow ways and their ends, percentiles of few calls, numbers given and taken back: the parts of spans."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.spans import Graph, TraceState, seats, tally
from pipeline.spans.ends import slow_ends
from pipeline.spans.seats import Seats
from pipeline.topology import Service, Topology

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("slow", "ends"),
    [
        pytest.param({("a", "b"): 3.0}, ["b"], id="one way of two services: whom it leads to"),
        pytest.param({("a", "b"): 3.0, ("b", "c"): 3.0, ("b", "d"): 3.0}, ["b"] * 3, id="all ways of one"),
        pytest.param({("b", "c"): 3.0}, ["c"], id="one of many: its other end"),
        pytest.param({("a", "b"): 3.0, ("e", "b"): 3.0}, ["b", "b"], id="all that lead to it"),
        pytest.param({("a", "b"): 3.0, ("a", "e"): 3.0}, ["a", "a"], id="all that lead away"),
    ],
)
def test_slow_ways_speak_of_the_end_whose_ways_are_slow(
    slow: dict[tuple[str, str], float], ends: list[str]
) -> None:
    calls = {"a": ("b", "e"), "b": ("c", "d"), "e": ("b",)}
    topology = Topology({caller: Service(depends_on=callees) for caller, callees in calls.items()})

    assert list(slow_ends(slow, topology).values()) == ends


@given(st.lists(st.floats(1e-5, 900.0), min_size=3, max_size=200), st.sampled_from([0.5, 0.9]))
def test_a_percentile_is_within_a_bin_of_the_call_of_that_rank(durations: list[float], q: float) -> None:
    counts = tally.Tally()
    row = np.full(len(durations), counts.row(("service", "pay"), NOW, NOW), np.int32)

    counts.add(row, np.zeros(len(row)), np.array(durations))

    n, ordered = len(durations), sorted(durations)
    rank = max(q * n - tally.SURE * (n * q * (1 - q)) ** 0.5, 0.0)
    width = 10 ** (1 / tally.WIDTH) * 1.0001
    found = tally.quantile(counts.times[:1], q)[0]
    assert ordered[max(math.ceil(rank) - 1, 0)] / width <= found <= ordered[math.floor(rank)] * width


def test_numbers_of_those_forgotten_are_given_again() -> None:
    names = Seats(2)
    first = [names.find((name,), NOW) for name in ("a", "b", "c")]

    gone = names.forget(NOW + 2 * seats.IDLE)
    again = [names.find((name,), NOW + 2 * seats.IDLE) for name in ("c", "d", "e")]

    assert first == [0, 1, -1]
    assert sorted(gone) == [(0, ("a",)), (1, ("b",))]
    assert (sorted(again), len(names.names)) == ([-1, 0, 1], 2)


def test_who_was_heard_within_the_hour_keeps_a_number_however_many_came_since() -> None:
    names = Seats(1_000)
    for k in range(64):
        names.find((f"s{k}",), NOW)

    names.find(("one more",), NOW + seats.IDLE)

    assert names.forget(NOW + seats.IDLE) == []
    assert len(names.forget(NOW + seats.IDLE + 1.0)) == 64


def test_what_takes_longer_than_can_be_told_is_told_as_the_longest() -> None:
    counts = tally.Tally()
    row = np.full(9, counts.row(("service", "pay"), NOW, NOW), np.int32)

    counts.add(row, np.zeros(9), np.full(9, 1e6))

    assert 850 < tally.quantile(counts.times[:1], 0.9)[0] <= 1000


def test_the_catalogue_is_believed_and_traces_tell_what_it_does_not() -> None:
    state, graph = TraceState(), Graph()
    catalog = Topology({"front": Service(owner="web"), "cart": Service(depends_on=("db",))})

    before = graph.around(state, catalog)
    state.tally.row(("call", "cart", "front"), NOW, NOW)
    state.tally.row(("peer", "cache", "cart"), NOW, NOW)
    state.edges += 2
    after = graph.around(state, catalog)

    assert before is catalog
    assert after.services["front"] == Service(owner="web", depends_on=("cart",))
    assert after.services["cart"] == Service(depends_on=("db",))
    assert (before.seen, after.seen) == (frozenset(), frozenset({"front"}))
    assert graph.around(state, catalog) is after
