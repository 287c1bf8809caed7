"""Complaints that stop while all else goes on say that their channel is down, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.complaints.channel import ALL, BAR, MAX_CHANNELS, Channels, nothing, silences
from pipeline.types import Complaint, Seconds, Signal

MONDAY = 1_699_833_600.0  # 13 November 2023, 0:00 UTC
DAY, HOUR = 86400.0, 3600.0


def said(n: int, at: Seconds, channel: str) -> Complaint:
    return Complaint(f"c{n}", at, f"u{n}", channel, "en", "it is broken", "1 broken", "", ())


def desk(days: float, seed: int = 3, mail: float = 1.0) -> list[Complaint]:
    """By day 12 an hour in the chat and a third of that by mail, by night a tenth; some days are worse."""
    rng = np.random.default_rng(seed)
    worse = rng.gamma(20, 1 / 20, int(days) + 1)
    found = []
    for hour in range(int(days * 24)):
        rate = (12.0 if 7 <= hour % 24 < 22 else 1.2) * worse[hour // 24]
        for channel, share in (("chat", 1.0), ("mail", mail / 3)):
            times = rng.random(rng.poisson(rate * share)) * HOUR
            found += [(MONDAY + HOUR * hour + float(t), channel) for t in times]
    return [said(k, at, channel) for k, (at, channel) in enumerate(sorted(found))]


def run(
    state: Channels, read: list[Complaint], since: Seconds, until: Seconds, alive: bool = True
) -> list[Signal]:
    """Hear them minute by minute, while samples come in all the time, or do not."""
    told, queue = [], iter(read)
    waiting = next(queue, None)
    for now in _minutes(since, until):
        some = []
        while waiting is not None and waiting.time <= now:
            some.append(waiting)
            waiting = next(queue, None)
        told += silences(state, some, now, alive=alive)
    return told


def _minutes(since: Seconds, until: Seconds) -> Iterator[Seconds]:
    return iter(np.arange(since + 60, until + 1, 60.0).tolist())


def learned(days: float = 17.5) -> Channels:
    state = Channels()
    assert run(state, desk(days), MONDAY, MONDAY + days * DAY) == []
    return state


NOON = MONDAY + 17.5 * DAY  # a Thursday


def test_a_desk_that_nobody_writes_to_any_more_at_noon_is_told_once_with_its_numbers() -> None:
    told = run(learned(), [], NOON, NOON + 5 * HOUR)

    assert [(s.kind, s.detector, s.labels, s.page) for s in told] == [
        ("complaint", "channel", {"channel": ALL}, True)
    ]
    assert NOON + 1.2 * HOUR < told[0].at < NOON + 3 * HOUR
    assert told[0].surprise >= BAR
    assert told[0].reason.startswith("no complaint for ")
    assert told[0].reason.endswith(f" where {told[0].expected:.0f} are usual: is the channel down?")


def test_one_channel_that_falls_silent_beside_another_is_named() -> None:
    rest = [c for c in desk(18.5) if c.time > NOON and c.channel == "mail"]

    told = run(learned(), rest, NOON, NOON + 5 * HOUR)

    assert [s.labels["channel"] for s in told] == ["chat"]
    assert told[0].reason.startswith("no complaint by chat for ")


def test_the_silence_ends_with_the_first_complaint() -> None:
    state = learned()
    [begun] = run(state, [], NOON, NOON + 5 * HOUR)

    ended = silences(state, [said(1, NOON + 6 * HOUR, "mail")], NOON + 6 * HOUR, alive=True)

    assert [(s.id, s.ended) for s in ended] == [(begun.id, NOON + 6 * HOUR)]
    assert state.on == {}


def test_where_nothing_else_comes_either_it_is_not_the_channel() -> None:
    assert run(learned(), [], NOON, NOON + 24 * HOUR, alive=False) == []


def test_what_was_missed_while_forewarn_itself_was_away_counts_for_nothing() -> None:
    state = learned()

    assert run(state, [], NOON + 10 * HOUR, NOON + 10.5 * HOUR) == []


def test_before_two_weeks_nobody_can_say_what_is_usual() -> None:
    state = Channels()
    run(state, desk(12), MONDAY, MONDAY + 12 * DAY)

    assert run(state, [], MONDAY + 12.3 * DAY, MONDAY + 13.9 * DAY) == []


def test_a_channel_hardly_used_is_not_missed_by_itself() -> None:
    state = Channels()
    read = desk(42, mail=0.06)
    cut = [c for c in read if c.channel == "chat" or c.time < MONDAY + 20 * DAY]

    assert run(state, cut, MONDAY, MONDAY + 42 * DAY) == []


@pytest.mark.parametrize("seed", range(4))
def test_eight_weeks_of_nights_and_weekends_and_bad_days_are_no_silence(seed: int) -> None:
    assert run(Channels(), desk(56, seed), MONDAY, MONDAY + 56 * DAY) == []


def test_a_long_silence_is_as_surprising_as_its_numbers_say() -> None:
    assert nothing(0.0) == pytest.approx(0.0)
    assert nothing(29.8) == pytest.approx(6.0, abs=0.01)


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 5 * HOUR))
def test_a_snapshot_in_the_middle_changes_nothing(after: float) -> None:
    middle = NOON + 60 * (after // 60)
    straight, broken = snapshot.load(LEARNED), snapshot.load(LEARNED)
    first = run(straight, [], NOON, NOON + 6 * HOUR)

    second = run(broken, [], NOON, middle)
    second += run(snapshot.load(snapshot.dump(broken)), [], middle, NOON + 6 * HOUR)

    assert first == second
    assert first != []


def test_channels_are_bounded() -> None:
    state = Channels()

    silences(state, [said(k, MONDAY, f"channel {k}") for k in range(200)], MONDAY, alive=True)

    assert len(state.known) == MAX_CHANNELS


LEARNED = snapshot.dump(learned())
