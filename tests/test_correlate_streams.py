"""Correlation on random streams: as its plain twin, whatever the order, and as if never interrupted."""

from __future__ import annotations

import itertools
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.types import Signal
from tests.naive.correlate import Naive
from tests.nouns import SHOP, Desk, change, over, signal

Storm: TypeAlias = list[tuple[str, str, bool]]
SERVICES = st.sampled_from(sorted(SHOP.services))
BURST = st.lists(
    st.tuples(SERVICES, st.sampled_from(["cpu_ratio", "latency_seconds"]), st.booleans()),
    max_size=8,
    unique_by=lambda s: s[:2],
)


@given(BURST.flatmap(lambda storm: st.tuples(st.just(storm), st.permutations(storm))))
def test_the_order_of_what_comes_at_one_time_does_not_matter(storms: tuple[Storm, Storm]) -> None:
    desks = (Desk(), Desk())

    for desk, storm in zip(desks, storms, strict=True):
        desk.step(1000, [signal(s, 1000, m, page=p) for s, m, p in storm])

    assert repr(desks[0].all) == repr(desks[1].all)


@given(st.lists(BURST, min_size=1, max_size=6), st.integers(0, 5))
def test_a_snapshot_at_any_time_changes_nothing(storms: list[Storm], cut: int) -> None:
    whole, halved = Desk(), Desk()

    for k, storm in enumerate(storms):
        now = 1000.0 + 90 * k
        signals = [signal(s, now, m, page=p) for s, m, p in storm]
        ending = [over(x, now) for i in whole.open for x in i.signals[:1] if x.ended is None]
        if k == cut:
            halved.state = snapshot.load(snapshot.dump(halved.state))
        assert repr(whole.step(now, [*signals, *ending])) == repr(halved.step(now, [*signals, *ending]))


@given(st.lists(BURST, min_size=1, max_size=6))
def test_a_signal_is_in_one_incident_only_and_every_index_agrees(
    storms: list[Storm],
) -> None:
    desk = Desk()

    for k, storm in enumerate(storms):
        desk.step(1000.0 + 90 * k, [signal(s, 1000.0 + 90 * k, m, page=p) for s, m, p in storm])

    held = list(itertools.chain.from_iterable((s.id for s in i.signals) for i in desk.open))
    assert len(held) == len(set(held))
    assert set(desk.state.burning) == {i.id for i in desk.open}
    assert {id for ids in desk.state.open.values() for id in ids} == set(desk.state.burning)
    assert desk.state.touched == {}


HAPPENS = st.lists(
    st.tuples(
        st.sampled_from(["payment", "checkout", "front", "mailer"]),
        st.sampled_from(["cpu_ratio", "latency_seconds"]),
        st.booleans(),
        st.sampled_from([0, 1, 8]),
    ),
    max_size=2,
)


CHANGED = st.lists(st.sampled_from(["payment", "front", "mailer"]), max_size=1)


@given(st.lists(st.tuples(st.sampled_from([20, 60, 90, 180]), HAPPENS, CHANGED), min_size=5, max_size=30))
def test_incidents_are_those_of_a_plain_twin_that_asks_every_incident_about_every_signal(
    steps: list[tuple[int, list[tuple[str, str, bool, int]], list[str]]],
) -> None:
    desk, twin, now = Desk(), Naive(SHOP), 1000.0
    on: dict[tuple[str, str], tuple[Signal, int]] = {}  # by series: the signal and for how many steps

    for wait, happens, changed in steps:
        now += wait
        said = []
        for series, (known, left) in list(on.items()):
            on[series] = known, left - 1
            if left == 0:
                said.append(over(known, now))
                del on[series]
        for service, metric, page, lasts in happens:
            if (service, metric) not in on and not any(
                s.series == signal(service, now, metric).series for s in said
            ):
                on[service, metric] = signal(service, now, metric, page=page), lasts
                said.append(on[service, metric][0])
        desk.step(now, said, events=[change(f"{service} {now}", now, service) for service in changed])
        twin.step(now, said, changed)

        merged = {i.id for i in desk.all if i.by}
        ours = {
            i.id: (frozenset(s.id for s in i.signals), i.resolved) for i in desk.all if i.id not in merged
        }
        assert ours == twin.parted
