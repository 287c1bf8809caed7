"""What shares a commit of the journal: alerts of many posts are one frame, all else stays as it came."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import frame
from pipeline.frame import Frame
from pipeline.run.commit import BYTES, MOST, ROWS, Commit
from pipeline.series import pack
from pipeline.types import Alerts, Seconds
from tests.test_embedded import running

NOW: Seconds = 1_000.0


def post(*names: str, source: str = "alerts", at: Seconds = 4e9) -> Frame:
    labels = tuple(pack({"alertname": name}) for name in names)
    times = np.arange(len(names), dtype=np.float64) + at
    return frame.alerts(0.0, source, Alerts(labels, (b"{}",) * len(names), times, times + 60))


def names_of(commit: Commit) -> list[list[str]]:
    """The alerts of each frame that the journal would get."""
    frames = [frame.decode(raw) for raw in commit.raws()]
    return [[raw.split(b"\xff")[1].decode() for raw in f.labels] for f in frames]


def test_posts_that_share_a_commit_are_one_frame_at_the_time_of_the_newest() -> None:
    commit = Commit(NOW)

    commit.add([post("a", "b", at=1.0)], NOW)
    commit.add([post("c", at=9.0)], NOW + 1)

    assert len(commit) == 1
    assert names_of(commit) == [["a", "b", "c"]]
    assert commit.frames == [frame.decode(raw) for raw in commit.raws()]
    assert commit.sizes == [len(raw) for raw in commit.raws()]
    assert commit.frames[0].at == NOW + 1
    assert np.frombuffer(commit.frames[0].time).tolist() == [1.0, 2.0, 9.0]
    assert np.frombuffer(commit.frames[0].value).tolist() == [61.0, 62.0, 69.0]


def test_a_second_word_of_an_alert_is_heard_in_a_step_of_its_own() -> None:
    commit = Commit(NOW)

    commit.add([post("a", "b")], NOW)
    commit.add([post("b", "c")], NOW)
    commit.add([post("d")], NOW)

    assert len(commit) == 2
    assert names_of(commit) == [["a", "b"], ["b", "c", "d"]]


def test_what_comes_between_alerts_stays_between_them() -> None:
    commit = Commit(NOW)

    commit.add([post("a")], NOW)
    commit.add([frame.tick(0.0)], NOW + 1)
    commit.add([post("b")], NOW + 2)

    assert names_of(commit) == [["a"], [], ["b"]]
    assert [f.at for f in commit.frames] == [NOW, NOW + 1, NOW + 2]


def test_alerts_of_two_doors_are_two_frames() -> None:
    commit = Commit(NOW)

    commit.add([post("a", source="alerts")], NOW)
    commit.add([post("b", source="other")], NOW)

    assert [f.source for f in map(frame.decode, commit.raws())] == ["alerts", "other"]


def test_no_more_alerts_are_joined_than_a_step_may_have() -> None:
    commit = Commit(NOW)

    for k in range(3):
        commit.add([post(*(f"{k}-{n}" for n in range(ROWS // 2)))], NOW)

    assert [len(names) for names in names_of(commit)] == [ROWS, ROWS // 2]


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([frame.tick(0.0)] * MOST, id="as many frames as one takes"),
        pytest.param([post("x" * BYTES)], id="as many bytes"),
    ],
)
def test_a_commit_that_holds_enough_is_full(frames: list[Frame]) -> None:
    commit = Commit(NOW)
    assert not commit.full

    commit.add(frames, NOW)

    assert commit.full


def test_a_request_that_cannot_be_encoded_leaves_nothing_behind() -> None:
    commit = Commit(NOW)

    with pytest.raises(UnicodeEncodeError):
        commit.add([post("a"), frame.tick(0.0), frame.events(0.0, "\ud800", ())], NOW)

    assert (len(commit), commit.size, [*commit.raws()]) == (0, 0, [])


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=0, max_size=4, unique=True), max_size=12))
def test_all_alerts_come_through_in_order_and_none_twice_in_one_frame(posts: list[list[str]]) -> None:
    commit = Commit(NOW)

    for k, names in enumerate(posts):
        commit.add([post(*names) if names else frame.tick(0.0)], NOW + k)

    found = names_of(commit)
    assert [n for names in found for n in names] == [n for names in posts for n in names]
    assert all(len(set(names)) == len(names) for names in found)
    times = [f.at for f in commit.frames]
    assert times == sorted(times)


@pytest.mark.asyncio
async def test_posts_that_come_at_once_are_one_record_and_what_is_asked_for_has_its_own_position(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as engine:
        first = engine.journal.next

        asked = asyncio.gather(
            engine.take_in([post("a")]), engine.take_in([post("b")]), engine.submit(frame.tick(0.0))
        )
        *_, position = await asked
        await engine.settled()

        records = [frame.decode(raw) for _, raw in engine.journal.replay(first)]
        assert [len(one.labels) for one in records[:2]] == [2, 0]
        assert position == first + 1
        assert len(engine.stepper.pipeline.memory.alerts) == 2
