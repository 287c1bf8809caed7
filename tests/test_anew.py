"""What speaks of something new is taken from its incident: as a plain twin has it, and as people see it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.correlate.anew import again, release
from pipeline.correlate.state import CorrelateState
from pipeline.types import Complaint, Seconds, Signal, State
from tests.naive.anew import Past, released, surprises
from tests.nouns import Desk, command, complaint, incident, over, signal

VOICE = st.tuples(st.integers(0, 60), st.integers(0, 9))  # tens of seconds after the last one, and who
SAID = st.lists(VOICE, max_size=20)


def told(voices: list[tuple[int, int]], prefix: str = "") -> list[Complaint]:
    """Return complaints with so long between each two."""
    found, now = [], 1000.0
    for k, (wait, who) in enumerate(voices):
        now += 10.0 * wait
        found.append(complaint(f"{prefix}{k:02}", now, "payment", customer=f"customer-{who}"))
    return found


PAST = st.tuples(SAID, st.none() | st.integers(0, 400), st.booleans())


@given(PAST, PAST, st.integers(3, 12))
def test_what_is_taken_from_incidents_that_were_over_is_what_a_plain_twin_takes(
    one: tuple[list[tuple[int, int]], int | None, bool],
    two: tuple[list[tuple[int, int]], int | None, bool],
    many: int,
) -> None:
    state, pasts = CorrelateState(), []
    for id, (voices, after, measured) in zip("ab", (one, two), strict=True):
        past = Past(told(voices, id), None if after is None else 1000.0 + 10 * after, measured)
        bad = signal("payment", 1000, kind="metric" if measured else "complaint", ended=past.resolved)
        state.put(
            incident(
                bad, id=id, resolved=past.resolved, state=State.RESOLVED if past.resolved else State.OPEN
            )
        )
        state.give(id, past.said)
        pasts.append(past)
    newest = sorted((c for p in pasts for c in p.said), key=lambda c: (c.time, c.id))[-many:]

    release(state, signal("payment", 1000, kind="complaint", ids=[c.id for c in newest]))

    assert set(state.loose) == released(pasts, [c.id for c in newest])
    assert {*state.loose, *state.owner} == {c.id for p in pasts for c in p.said}


WAVE = st.lists(VOICE, min_size=3, max_size=12)


@given(WAVE, st.integers(0, 90), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=70))
def test_a_crowd_that_comes_again_is_the_one_that_a_plain_twin_finds_least_likely(
    first: list[tuple[int, int]], lull: int, second: list[tuple[int, int]]
) -> None:
    said = told([*first, *((wait + lull * (k == 0), who) for k, (wait, who) in enumerate(second))])

    for ended in (None, said[len(first) // 2].time):
        found, odds = again(said, ended), surprises(said, ended)

        most = max(odds.values(), default=0.0)
        assert list(found) == said[len(said) - len(found) :]
        assert odds[len(found)] >= max(most - 1e-6, 1.0) if found else most <= 1 + 1e-6


FADING = [0, 20, 60, 150, 290, 400]  # s after the first


def surge(ids: list[str], at: Seconds) -> Signal:
    return signal("payment", 1000, "voices", kind="complaint", at=at, id="surge", ids=ids)


def desk_with(before: list[int], after: list[int], *, kind: str = "complaint", ended: bool = True) -> Desk:
    """Return a desk where customers wrote of payment, and wrote again."""
    desk = Desk()
    ids: list[str] = []
    if kind == "metric":
        desk.step(990, [signal("payment", 990)])
    for k, late in enumerate([*before, *after]):
        now = 1000.0 + late
        ids.append(f"{k:02}")
        if kind == "metric" and ended and k == len(before):
            desk.step(now - 90, [over(signal("payment", 990), now - 90)])
        said = [complaint(ids[-1], now, "payment")]
        desk.step(now, [surge(ids, now)] if len(ids) >= 3 else [], said)
    return desk


AGAIN = [600, 603, 606, 609, 612, 615]


@pytest.mark.parametrize("kind", ["complaint", "metric"])
def test_customers_who_write_again_where_ever_fewer_did_open_another_incident(kind: str) -> None:
    desk = desk_with(FADING, AGAIN, kind=kind)

    old, new = sorted(desk.all, key=lambda i: i.opened)
    assert (len(old.complaints), len(new.complaints)) == (6, 6)
    assert (old.state, new.state) == (State.RESOLVED, State.OPEN)
    assert any("customers wrote again, of something new" in e.what for e in old.timeline)
    assert any(e.what == f"so many wrote again that it is not {old.id} going on" for e in new.timeline)


def test_who_writes_when_both_are_over_speaks_of_the_newer() -> None:
    desk = desk_with(FADING, AGAIN)
    newest = desk.open[0].signals[-1]
    desk.step(1800, [replace(newest, at=1800, ended=1620)])
    assert desk.open == []

    desk.step(1850, complaints=[complaint("late", 1850, "payment")])

    newer = max(desk.all, key=lambda i: i.opened)
    assert "late" in newer.complaints


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(FADING, [500, 600, 700, 800], id="as many as on the average"),
        pytest.param([0, 150, 290, 340, 380, 400, 420], AGAIN, id="ever more wrote: it grows"),
        pytest.param([0, 10, 20, 90, 150], [200, 203, 206, 209, 212, 215], id="so soon it may be growing"),
        pytest.param(FADING, [600, 603], id="no crowd"),
    ],
)
def test_customers_who_write_on_speak_of_the_same(before: list[int], after: list[int]) -> None:
    [one] = desk_with(before, after).all

    assert len(one.complaints) == len(before) + len(after)


def test_nothing_is_taken_from_what_is_still_measured() -> None:
    [one] = desk_with(FADING, AGAIN, kind="metric", ended=False).all

    assert len(one.complaints) == 12


def test_nothing_is_taken_from_an_incident_that_somebody_is_at_work_on() -> None:
    desk = desk_with(FADING, [])
    [one] = desk.all
    desk.step(1500, events=[command("acknowledge", 1500, incident=one.id)])

    ids = [f"{k:02}" for k in range(6)]
    for late in AGAIN:
        ids.append(f"n{late}")
        desk.step(1000 + late, [surge(ids, 1000 + late)], [complaint(ids[-1], 1000 + late, "payment")])

    [one] = desk.all
    assert one.state is State.ACKNOWLEDGED
    assert len(one.complaints) == 12


def test_one_customer_who_writes_again_and_again_is_no_crowd() -> None:
    said = [replace(complaint(f"{k:02}", 1000.0 + late), customer=f"c{k}") for k, late in enumerate(FADING)]
    more = [replace(complaint(f"m{late}", 1000.0 + late), customer="c1") for late in AGAIN]

    assert again([*said, *more], None) == ()
