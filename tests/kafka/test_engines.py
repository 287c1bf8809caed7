"""The same recorded stream through both engines gives the same incidents, also across a kill -9."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline import config, frame
from pipeline.config import Config, Kafka
from pipeline.flow import Pipeline
from pipeline.frame import Frame
from pipeline.run import topics
from tests.kafka.stream import CATALOG, stream

pytestmark = [pytest.mark.broker, pytest.mark.slow]

FOREWARN = Path(sys.executable).with_name("forewarn")


@dataclass(frozen=True)
class Led:
    """What a stream led to, as canonical JSON: the newest word of each incident, and every action's key."""

    incidents: Mapping[str, bytes]
    actions: frozenset[str]


def plain_loop(settings: Config, frames: list[Frame]) -> Led:
    """The pipeline alone, one call a frame: what any engine must come to."""
    pipeline = Pipeline(settings)
    incidents: dict[str, bytes] = {}
    actions: set[str] = set()
    for position, each in enumerate(frames):
        step = pipeline.take(each, position)
        assert step is not None
        incidents.update((i.id, canonical(msgspec.json.encode(i))) for i in step.incidents)
        actions.update(a.key for a in step.actions)
    return Led(incidents, frozenset(actions))


def canonical(raw: bytes) -> bytes:
    return json.dumps(json.loads(raw), sort_keys=True).encode()


class Topic:
    """A fresh set of topics on the broker, and a worker's view of them."""

    def __init__(self, bootstrap: str, folder: Path, prefix: str) -> None:
        self.folder = folder
        self.file = folder / "forewarn.yaml"
        (folder / "catalog.yaml").write_text(CATALOG)
        self.file.write_text(
            f"kafka: {{bootstrap: '{bootstrap}', prefix: {prefix}, group: {prefix}}}\n"
            f"storage: {{path: '{folder}/data', snapshot_interval: 500ms}}\n"
            "catalog: catalog.yaml\n"
        )
        self.settings = config.load(self.file)
        asyncio.run(topics.declare(self.kafka))

    @property
    def kafka(self) -> Kafka:
        return self.settings.kafka

    def feed(self, frames: list[Frame]) -> None:
        assert asyncio.run(topics.feed(self.kafka, frames)) == len(frames)

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [str(FOREWARN), "worker", "--no-ticks", "--config.file", str(self.file)]
        with (self.folder / "out").open("ab") as out:
            running = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            yield running
        finally:
            running.kill()
            running.wait()

    def said(self) -> str:
        return (self.folder / "out").read_text()

    def saved(self) -> int:
        """The position of the newest snapshot; -1 where there is none."""
        newest = asyncio.run(topics.read_state(self.kafka, 0)).newest()
        return newest[0].position if newest else -1

    def count(self, name: str) -> int:
        return len(self.read(name))

    def read(self, name: str) -> list[tuple[str, bytes]]:
        return asyncio.run(_records(self.kafka, name))

    def led(self) -> Led:
        newest: dict[str, tuple[int, bytes]] = {}
        words: dict[tuple[str, int], set[bytes]] = defaultdict(set)
        for id, raw in self.read("incidents"):
            rev = json.loads(raw)["rev"]
            words[id, rev].add(raw)
            newest[id] = max(newest.get(id, (-1, b"")), (rev, raw))
        assert all(len(found) == 1 for found in words.values()), "said again, it is the same word"
        actions = frozenset(key for key, _ in self.read("actions"))
        return Led({id: canonical(raw) for id, (_, raw) in newest.items()}, actions)


async def _records(settings: Kafka, name: str) -> list[tuple[str, bytes]]:
    tp = TopicPartition(f"{settings.prefix}.{name}", 0)
    found = []
    async with AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, enable_auto_commit=False) as consumer:
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        end = (await consumer.end_offsets([tp]))[tp]
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(tp, timeout_ms=500)).values():
                found += [(r.key.decode(), r.value) for r in records]
    return found


def until(what: str, met: Any, topic: Topic, limit: float = 60.0) -> None:
    end = time.monotonic() + limit
    while not met():
        assert time.monotonic() < end, f"{what}: not within {limit:.0f} s\n{topic.said()[-3000:]}"
        time.sleep(0.1)


@pytest.fixture
def topic(bootstrap: str, tmp_path: Path, request: pytest.FixtureRequest) -> Topic:
    return Topic(bootstrap, tmp_path, f"t{abs(hash(request.node.name)) % 10**8}")


def test_faust_on_kafka_comes_to_what_the_pipeline_alone_comes_to(topic: Topic) -> None:
    frames = stream()
    topic.feed(frames)

    with topic.worker() as worker:
        until("all frames stepped", lambda: topic.saved() == len(frames) - 1, topic)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0

    expected = plain_loop(topic.settings, frames)
    assert len(expected.incidents) >= 3
    assert topic.led() == expected


def test_a_worker_killed_half_way_is_taken_up_where_its_snapshot_was(topic: Topic) -> None:
    frames = stream()
    half = len(frames) // 2
    topic.feed(frames[:half])

    with topic.worker() as worker:
        until("a snapshot", lambda: topic.saved() > 0, topic)
        before = topic.count("signals")
        topic.feed(frames[half:])
        until("words that no snapshot has behind it", lambda: topic.count("signals") > before, topic)
        worker.kill()
        worker.wait()
    assert 0 < topic.saved() < len(frames) - 1
    with topic.worker() as worker:
        until("all frames stepped", lambda: topic.saved() == len(frames) - 1, topic)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0

    assert topic.led() == plain_loop(topic.settings, frames)


def test_what_cannot_be_stepped_is_put_aside_and_the_rest_goes_on(topic: Topic) -> None:
    samples = frame.samples(1.0, "test", [b"a\xffb\xff"], ROW_7, np.ones(1), np.ones(1))
    asyncio.run(_send(topic.kafka, b"\xc1 not a frame"))
    topic.feed([*(frame.tick(float(at)) for at in range(50)), samples, frame.tick(60.0)])

    with topic.worker():
        until("all frames stepped", lambda: topic.saved() == 52, topic)

    assert topic.read("dlq") == [("0.0", b"\xc1 not a frame"), ("0.51", frame.encode(samples))]


ROW_7 = np.full(1, 7, np.int32)  # of one label set: no code of ours makes such a frame


async def _send(settings: Kafka, raw: bytes) -> None:
    async with topics.producer(settings) as out:
        await out.send_and_wait(f"{settings.prefix}.frames", raw, topics.KEY)
