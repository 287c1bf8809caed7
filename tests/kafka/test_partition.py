"""A partition loses no frame and takes none twice, wherever its worker dies; Kafka is played by a list."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import pytest

from pipeline import frame
from pipeline.config import Config
from pipeline.flow import Pipeline
from pipeline.frame import Frame
from pipeline.run.partition import Partition
from pipeline.run.pieces import Pieces
from pipeline.run.shard import Shard
from tests import nouns

SETTINGS = Config()
BAD = Frame(5.0, "test", (b"a\xffb\xff",), np.array([7], "<i4").tobytes(), b"\0" * 8, b"\0" * 8)


class Killed(Exception):
    pass


@dataclass
class Played:
    """Kafka as a partition sees it; `wrote` keeps the order in which things became durable."""

    frames: list[bytes]
    gone: int = 0  # frames at the beginning that are not retained
    next: int = 0
    lives: int = 10**9  # records that may be sent before the worker is killed
    state: Pieces = field(default_factory=Pieces)
    wrote: list[str] = field(default_factory=list)
    dlq: list[bytes] = field(default_factory=list)

    async def send(self, topic: str, key: bytes, value: bytes | None) -> Awaitable[Any]:
        self.lives -= 1
        if self.lives < 0:
            raise Killed
        return asyncio.ensure_future(self._durable(topic, key, value))

    async def _durable(self, topic: str, key: bytes, value: bytes | None) -> None:
        if topic != "state":
            await asyncio.sleep(0.001)  # the slowest broker there is for what must come before a snapshot
        self.wrote.append(topic)
        if topic == "state":
            self.state.take(key, value)
        if topic == "dlq" and value is not None:
            self.dlq.append(value)

    async def seek(self, position: int) -> None:
        self.next = position

    async def oldest(self) -> int:
        return self.gone

    async def read_state(self) -> Pieces:
        return self.state


@dataclass
class Delivered:
    offset: int
    value: bytes
    broker: Played

    def ack(self) -> None:
        self.broker.wrote.append(f"ack {self.offset}")


async def begin(broker: Played) -> Partition:
    made = Partition(0, SETTINGS, broker, None, Counter(), Shard(Pipeline(SETTINGS)))
    await made.load()
    return made


async def deliver(partition: Partition, broker: Played, upto: int) -> None:
    while broker.next < upto:
        at, broker.next = broker.next, broker.next + 1
        await partition.meet(Delivered(at, broker.frames[at], broker))


def stream(n: int) -> list[bytes]:
    """An alert that begins and ends again and again, and time passing."""
    labels = {"alertname": "Down", "service": "pay", "severity": "critical"}
    frames = []
    for k in range(n):
        now = 1_000.0 + 60 * k
        until = now + 240 if k % 8 < 4 else now
        alert = nouns.alerts((labels, now, until, "down"))
        frames.append(frame.alerts(now, "test", alert) if k % 2 else frame.tick(now))
    return [frame.encode(f) for f in frames]


def alone(frames: list[bytes]) -> Pipeline:
    pipeline = Pipeline(SETTINGS)
    for position, raw in enumerate(frames):
        pipeline.take(frame.decode(raw), position)
    return pipeline


def picture(pipeline: Pipeline) -> str:
    """What is remembered, as text: a NaN is then like another."""
    m = pipeline.memory
    return f"{m.position} {list(m.series.rows)} {m.alerts} {m.correlate} {m.decide}"


async def test_frames_are_acknowledged_after_what_they_led_to_and_the_snapshot() -> None:
    broker = Played(stream(6))
    partition = await begin(broker)

    await deliver(partition, broker, 6)
    before = list(broker.wrote)
    await partition.save()

    assert before == []
    kinds = [w.partition(" ")[0] for w in broker.wrote]
    assert kinds[-8:] == ["state", "state", *["ack"] * 6]
    assert {"signals", "incidents"} <= set(kinds[:-8])


@pytest.mark.parametrize("seed", range(10))
async def test_killed_at_any_record_it_comes_to_what_the_pipeline_alone_comes_to(seed: int) -> None:
    chance = Random(seed)
    broker = Played(stream(60))
    for _ in range(8):
        broker.lives, broker.next = chance.randrange(1, 30), 0
        try:
            partition = await begin(broker)
            for upto in range(0, 61, 5):
                await deliver(partition, broker, upto)
                await partition.save()
        except Killed:
            continue
    broker.lives, broker.next = 10**9, 0

    partition = await begin(broker)
    await deliver(partition, broker, 60)

    assert picture(partition.shard.pipeline) == picture(alone(broker.frames))


async def test_what_a_snapshot_has_behind_it_is_dropped_and_acknowledged_at_once() -> None:
    broker = Played(stream(4))
    first = await begin(broker)
    await deliver(first, broker, 4)
    await first.save()
    broker.wrote.clear()
    broker.next = 2

    second = await begin(broker)
    await deliver(second, broker, 4)

    assert second.count == {"duplicates": 2}
    assert broker.wrote == ["ack 2", "ack 3"]


async def test_a_frame_that_was_left_out_is_sought_and_nothing_ahead_of_it_is_acknowledged() -> None:
    broker = Played(stream(8))
    partition = await begin(broker)
    await deliver(partition, broker, 3)

    await partition.meet(Delivered(5, broker.frames[5], broker))

    assert broker.next == 3
    assert partition.count["gaps"] == 1
    assert [d.offset for d in partition.taken] == [0, 1, 2]


async def test_frames_no_longer_retained_are_counted_and_gone_past() -> None:
    broker = Played(stream(8), gone=5, next=5)
    partition = await begin(broker)

    await deliver(partition, broker, 8)

    assert partition.count == {"lost": 5, "frames": 3}
    assert partition.shard.position == 7


async def test_a_frame_that_cannot_be_stepped_is_put_aside_and_leaves_no_trace_in_the_state() -> None:
    frames = stream(20)
    frames[9] = frames[10] = frame.encode(BAD)
    broker = Played(frames)
    partition = await begin(broker)
    await deliver(partition, broker, 6)
    await partition.save()

    await deliver(partition, broker, 20)
    await partition.save()

    without = Pipeline(SETTINGS)
    for position, raw in enumerate(frames):
        if position in (9, 10):
            without.memory.position = position
        else:
            without.take(frame.decode(raw), position)
    assert picture(partition.shard.pipeline) == picture(without)
    assert broker.dlq == [frames[9], frames[10]]
    assert partition.shard.failed == {}


async def test_a_damaged_snapshot_means_that_all_that_is_retained_is_stepped_again() -> None:
    broker = Played(stream(10))
    first = await begin(broker)
    await deliver(first, broker, 10)
    await first.save()
    keys = [k for k in broker.state.records if k != b"newest"]
    broker.state.records[keys[0]] = b"FW1\n" + b"\0" * 100
    broker.next = 0

    second = await begin(broker)
    await deliver(second, broker, 10)

    assert picture(second.shard.pipeline) == picture(alone(broker.frames))


async def test_a_snapshot_is_deleted_when_the_next_is_whole_also_by_another_worker() -> None:
    broker = Played(stream(10))
    first = await begin(broker)
    for upto in (3, 6):
        await deliver(first, broker, upto)
        await first.save()
    second = await begin(broker)
    await deliver(second, broker, 10)
    await second.save()
    await asyncio.gather(*second.sent)

    newest = broker.state.newest()

    assert newest is not None
    assert newest[0].position == 9
    assert broker.state.stale() == []


async def test_time_does_not_go_back_after_a_restart() -> None:
    broker = Played([frame.encode(frame.tick(at)) for at in (100.0, 50.0)])
    first = await begin(broker)
    await deliver(first, broker, 1)
    await first.save()

    second = await begin(broker)
    await deliver(second, broker, 2)

    assert second.shard.now == 100.0
