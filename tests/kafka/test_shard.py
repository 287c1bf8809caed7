"""Each frame of a partition is stepped once and in order, however it is delivered."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from pipeline import frame
from pipeline.config import Config
from pipeline.flow import Pipeline
from pipeline.run.shard import PATIENCE, SEEK_AGAIN, TRIES, Due, Shard, Stuck


def shard(position: int = -1) -> Shard:
    made = Shard(Pipeline(Config()))
    made.pipeline.memory.position = position
    return made


def tick(at: float) -> bytes:
    return frame.encode(frame.tick(at))


@pytest.mark.parametrize(
    ("position", "due"),
    [
        pytest.param(5, Due.NEXT, id="the one after the newest is next"),
        pytest.param(4, Due.SEEN, id="the newest again was seen"),
        pytest.param(0, Due.SEEN, id="an older one was seen"),
        pytest.param(6, Due.AHEAD, id="one too far is ahead"),
    ],
)
def test_the_position_alone_says_what_is_due(position: int, due: Due) -> None:
    assert shard(4).due(position) is due


@pytest.mark.parametrize("seed", range(20))
def test_any_delivery_with_seeks_applies_each_frame_once(seed: int) -> None:
    chance = Random(seed)
    taken, one, fetch, now = [], shard(), 0, 0
    while one.position < 199:
        now += 1
        at = fetch + chance.choice([0] * 40 + [1, 3, -2, -7])  # left out, delivered again
        if not 0 <= at < 200:
            fetch = one.position + 1
            continue
        due, fetch = one.due(at), at + 1
        if due is Due.NEXT:
            one.take(tick(float(at)), at)
            taken.append(at)
        elif due is Due.AHEAD and one.seek(now):
            fetch = one.position + 1

    assert taken == list(range(200))


def test_time_never_goes_back_in_a_shard() -> None:
    one = shard()

    steps = [one.take(tick(at), k) for k, at in enumerate([10.0, 8.0, 12.0])]

    assert [step.at for step in steps if step is not None] == [10.0, 10.0, 12.0]


def test_a_gap_is_sought_at_once_and_then_every_ten_seconds() -> None:
    one = shard()

    sought = [k for k in range(int(PATIENCE) + 1) if one.seek(float(k))]

    assert sought == [0, SEEK_AGAIN, 2 * SEEK_AGAIN, 3 * SEEK_AGAIN]


def test_a_gap_that_seeking_does_not_close_ends_the_worker() -> None:
    one = shard(6)
    one.seek(100.0)

    with pytest.raises(Stuck, match="frame 7 did not come for 30 s"):
        one.check(100.0 + PATIENCE + 1)


def test_a_gap_that_closed_is_forgotten() -> None:
    one = shard()
    one.seek(100.0)

    one.take(tick(1.0), 0)

    assert one.gap is None
    one.check(1_000.0)


def test_bytes_that_are_no_frame_change_nothing() -> None:
    one = shard(3)

    with pytest.raises(msgspec.DecodeError):
        one.take(b"\xc1", 4)

    assert one.position == 3


def test_a_frame_that_failed_three_times_stays_hopeless_until_a_snapshot_is_behind_it() -> None:
    one = shard(3)

    tries = []
    for _ in range(TRIES):
        tries.append(one.hopeless(4))
        one.failed[4] += 1
    again = one.hopeless(4)
    one.skip(4)
    one.safe()

    assert tries == [False, False, False]
    assert again
    assert one.due(5) is Due.NEXT
    assert one.failed == {}
