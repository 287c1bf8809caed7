"""A template that its service says no more is told; one of a silent or a quieter service is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.logs import vanished
from pipeline.logs.templates import Templates
from pipeline.logs.vanished import BAR, Beat, BeatState, Clock, end_beats, hear_beat
from pipeline.types import Signal
from tests.test_logs import QUIET, Feed

BEAT = "heartbeat of worker 7"
USUAL = QUIET * 3


def run(feed: Feed, seconds: int, every: int, *texts: str) -> list[Signal]:
    """Read the texts every five seconds, and a heartbeat every so many; 0 = none."""
    said: list[Signal] = []
    for t in range(0, seconds, 5):
        feed.now += 5.0
        said += feed.read(*texts, *([BEAT] if every and t % every == 0 else []))
    return said


@pytest.mark.parametrize(("every", "within"), [(5, 70), (30, 180), (60, 400)])
def test_a_heartbeat_that_stops_is_told_and_its_return_ends_it(every: int, within: int) -> None:
    feed = Feed()
    before = run(feed, 7200, every, *USUAL)

    said = run(feed, within, 0, *USUAL)
    after = run(feed, 60, every, *USUAL)

    assert before == []
    assert [(s.detector, s.series, s.page) for s in said] == [("vanished", "heartbeat of worker <*>", False)]
    assert said[0].surprise >= BAR
    assert said[0].observed == 0
    assert said[0].expected == pytest.approx((said[0].at - said[0].since) / every, rel=0.3)
    assert said[0].samples == ("heartbeat of worker <*>",)
    assert [(s.id, s.ended is not None) for s in after if s.detector == "vanished"] == [(said[0].id, True)]


def test_the_reason_has_its_numbers() -> None:
    feed = Feed()
    run(feed, 7200, 30, *USUAL)

    said = run(feed, 180, 0, *USUAL)

    assert said[0].reason == (
        'no line of pay for 3 min where 6 are usual, while others of it come: "heartbeat of worker <*>"'
    )


@pytest.mark.parametrize(
    ("texts", "every"),
    [
        pytest.param((), 0, id="a silent service is blind"),
        pytest.param(QUIET, 90, id="a service with a third of its lines has a third of these"),
    ],
)
def test_a_quieter_service_has_lost_no_template(texts: tuple[str, ...], every: int) -> None:
    feed = Feed()
    run(feed, 7200, 30, *USUAL)

    assert [s for s in run(feed, 1800, every, *texts) if s.detector == "vanished"] == []


def test_a_template_that_comes_in_clumps_is_not_missed() -> None:
    feed = Feed()
    said: list[Signal] = []

    for pause in [60, 600, 120, 900, 30, 1200] * 8:
        said += run(feed, 30, 10, *USUAL) + run(feed, pause, 0, *USUAL)

    assert [s for s in said if s.detector == "vanished"] == []


def test_a_template_that_comes_by_phases_is_missed_once_and_not_again() -> None:
    feed = Feed()
    said: list[Signal] = []

    for pause in (600, 2000, 7000):
        said += run(feed, 1200, 10, *USUAL) + run(feed, pause, 0, *USUAL)

    assert len({s.id for s in said if s.detector == "vanished"}) == 1


def test_an_error_that_comes_no_more_is_not_missed() -> None:
    feed = Feed()
    run(feed, 3600, 0, *USUAL, "ERROR disk 7 is full")

    assert [s for s in run(feed, 600, 0, *USUAL) if s.detector == "vanished"] == []


def test_what_stays_away_for_an_hour_is_taken_to_be_gone() -> None:
    feed = Feed()
    run(feed, 7200, 30, *USUAL)

    said = [s for s in run(feed, 2 * 3600, 0, *USUAL) if s.detector == "vanished"]

    assert [s.ended is not None for s in said] == [False, True]
    assert feed.state.beats.on == {}


def test_half_the_lines_make_the_clock_go_at_half_its_speed() -> None:
    clock = Clock(0)
    times = []

    for slot in range(1, 400):
        clock.lines += 10 if slot < 300 else 5 if slot < 310 else 0
        clock.turn(slot)
        times.append(clock.time)

    assert times[308] - times[298] == pytest.approx(5, rel=0.1)
    assert times[-1] == pytest.approx(times[309])


@given(st.lists(st.floats(0.01, 50), min_size=2, max_size=80), st.floats(0, 1e4), st.floats(0, 1e4))
def test_a_longer_gap_is_never_less_surprising(gaps: list[float], one: float, two: float) -> None:
    beat, time = Beat(0, 0.0, ""), 0.0
    for slot, gap in enumerate(gaps, 1):
        time += gap
        beat.hear(slot, time, 1, "")

    short, long = sorted((one, two))

    assert 0 <= beat.surprise(short) <= beat.surprise(long) <= 300


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(0, 10_000), st.integers(1, 9)),
        max_size=60,
    )
)
def test_any_lines_in_any_order_are_taken_and_survive_a_snapshot(
    lines: list[tuple[str, int, int, int]],
) -> None:
    one, two, templates = BeatState(), BeatState(), Templates()
    said: list[list[Signal]] = [[], []]
    for k, (service, template, slot, count) in enumerate(lines):
        if k == len(lines) // 2:
            two = snapshot.load(snapshot.dump(two))
        for which, state in enumerate((one, two)):
            hear_beat(state, service, template, slot, count, "x")
            said[which] += end_beats(state, templates, slot * 10.0)

    assert said[0] == said[1]
    assert one == two


def test_a_flood_of_templates_forgets_the_longest_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vanished, "MAX_BEATS", 40)
    state = BeatState()

    for k in range(100):
        hear_beat(state, "pay", k, k, 1, "x")

    assert len(state.beats) <= 40
    assert ("pay", 99) in state.beats
    assert state.dropped["idle beat"] >= 60


def test_random_lines_are_hardly_ever_missed() -> None:
    rng, state, templates = np.random.default_rng(5), BeatState(), Templates()
    told = 0
    rates = (0.3, 1.0, 4.0, 20.0)

    for slot in range(1, 8_640):
        for template, lines in enumerate(rng.poisson(rates).tolist()):
            if lines:
                hear_beat(state, "pay", template, slot, lines, "x")
        told += len(end_beats(state, templates, slot * 10.0 + 10))

    assert told == 0
