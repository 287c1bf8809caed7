"""A series that falls silent while its service is heard is missed, once a service, and found again."""

from __future__ import annotations

import numpy as np

from tests.detect.world import World, usual, watch


def world() -> World:
    found = World([watch(metrics=["none"])], every=15.0)
    found.feed(pay__ops=usual(200), pay__errors=usual(200, seed=1), pay__queue=usual(200, seed=2))
    return found


def lost(w: World, n: int, **values: list[float]) -> list[tuple[float, str, bool]]:
    said = w.feed(**{name: v[:n] for name, v in values.items()})
    return [(s.observed, s.reason, s.ended is not None) for s in said if s.detector == "lost series"]


def test_a_series_that_stops_is_missed_once_and_found_again() -> None:
    w = world()

    gone = lost(w, 40, pay__ops=usual(40), pay__errors=usual(40))
    back = lost(w, 5, pay__ops=usual(5), pay__errors=usual(5), pay__queue=usual(5))

    assert [(n, over) for n, _, over in gone] == [(1.0, False)]
    assert gone[0][1].startswith("a series stopped while pay is heard: queue has sent nothing for")
    assert back == [(1.0, "series of pay that stopped: no longer missed", True)]


def test_it_is_told_again_when_more_are_missed() -> None:
    w = world()

    first = lost(w, 20, pay__ops=usual(20), pay__errors=usual(20))
    then = lost(w, 40, pay__ops=usual(40))

    assert [n for n, _, _ in first + then] == [1.0, 2.0]


def test_a_service_wholly_silent_is_blind_and_misses_no_series() -> None:
    w = world()
    w.feed(cart__ops=usual(60))

    said = w.feed(cart__ops=usual(60))

    assert [s.detector for s in said if s.service == "pay" and s.ended is None] == []
    assert "pay" in w.state.ears.open


def test_what_stays_away_for_an_hour_was_taken_away() -> None:
    w = world()

    said = lost(w, 280, pay__ops=usual(280), pay__errors=usual(280))

    assert [over for _, _, over in said] == [False, True]
    assert said[1][1] == "series of pay that stopped: taken to be gone"


def test_a_service_that_falls_silent_after_a_part_of_it_misses_no_series() -> None:
    w = world()
    w.feed(cart__ops=usual(60), pay__ops=usual(60))
    assert w.state.lost.on.keys() == {"pay"}

    said = lost(w, 10, cart__ops=usual(10))

    assert [reason for _, reason, _ in said] == ["series of pay that stopped: all of pay is silent"]


def test_a_series_that_comes_now_and_then_is_not_missed() -> None:
    w = World([watch(metrics=["none"])], every=15.0)
    rng = np.random.default_rng(4)
    for _ in range(2000):
        w.now += 15
        some = [("pay__rare", w.now, 1.0)] if rng.random() < 0.2 else []
        w.send([("pay__ops", w.now, 1.0), *some])

    assert lost(w, 20, pay__ops=usual(20)) == []


def test_a_snapshot_misses_what_was_missed() -> None:
    from pipeline import snapshot

    w = world()
    lost(w, 20, pay__ops=usual(20), pay__errors=usual(20))
    twin = snapshot.load(snapshot.dump(w.state))

    assert twin.lost.on == w.state.lost.on


def test_after_we_were_down_nobody_is_missed_before_its_turn() -> None:
    w, every = World([watch(metrics=["none"])], every=5.0), [f"pay_{k}__ops" for k in range(6)]
    for k in range(900):
        w.now += 5
        w.send([(every[k % 6], w.now, 1.0)])
    w.now += 600

    said = []
    for k in range(60):
        w.now += 5
        said += w.send([(every[k % 5], w.now, 1.0)])

    assert [s.reason for s in said if s.detector == "lost series"] == [
        'a series stopped while pay is heard: ops{instance="5"} has sent nothing for 12 min'
    ]


def test_instances_that_a_deploy_replaces_are_not_missed() -> None:
    w = World([watch(metrics=["none"])], every=15.0)
    w.feed(pay_a__ops=usual(200), pay_b__ops=usual(200), pay_z__ops=usual(200))
    w.feed(pay_a__ops=usual(10), pay_c__ops=usual(10), pay_z__ops=usual(10))

    said = w.feed(pay_c__ops=usual(40), pay_d__ops=usual(40), pay_z__ops=usual(40))
    gone = w.feed(pay_c__ops=usual(40), pay_d__ops=usual(40))

    assert said == []
    assert [s.observed for s in gone] == [1.0], "the one that nobody stands in for"
