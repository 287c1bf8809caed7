"""The Kafka engine: Faust brings frames, the same pipeline steps them, what they led to goes to topics.

Apache Kafka 3.9 or 4.x. One message is one frame, and its offset is the frame's position. At least once by
Faust, each once by the position inside the snapshot: what Faust delivers again is dropped, what it leaves
out is sought again. It does both when workers come and go.

    kafka: {bootstrap: "127.0.0.1:9092", prefix: forewarn, group: forewarn}
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import faust
import structlog

from pipeline import clock, frame
from pipeline.config import Config
from pipeline.flow import Pipeline
from pipeline.frame import Frame
from pipeline.run import topics
from pipeline.run.acting import Acting
from pipeline.run.partition import Partition
from pipeline.run.pieces import Pieces
from pipeline.run.shard import Shard, Stuck
from pipeline.types import Seconds

log = structlog.get_logger()

MAX_STALL: Seconds = 60.0  # without a step while frames wait
STOP = 70  # sysexits.h: internal error; whoever supervises the worker starts it anew


def work(settings: Config, *, ticks: bool = True, act: bool = False) -> NoReturn:
    """Run a worker until a signal stops it.

    `ticks` lets time pass where no frame comes; `act` also records each step in the store and performs.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    Path(settings.storage.path).mkdir(parents=True, exist_ok=True)
    app = _app(settings)
    engine = _Engine(app, settings)
    loop.run_until_complete(engine.begin(ticks, act))
    # Not by Faust's own command line: that starts its web server, on every interface.
    worker = faust.Worker(app, loop=loop, quiet=True, override_logging=False)
    worker.spinner = None  # it writes to the terminal, whatever `quiet` says
    worker.execute_from_commandline()


class _Engine:
    """Every partition that this worker owns. Steps and snapshots take turns under one lock."""

    def __init__(self, app: faust.App, settings: Config) -> None:
        self.app, self.settings = app, settings
        self.count: Counter[str] = Counter()
        self.own: dict[int, Partition] = {}
        self.met = clock.steady()
        self.lock = asyncio.Lock()
        self.out: Any = None  # a producer of frames
        self.acting: Acting | None = None
        self.topic = {
            name: app.topic(
                f"{settings.kafka.prefix}.{name}",
                key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw",
            )
            for name in topics.TOPICS
        }  # fmt: skip

    async def begin(self, ticks: bool, act: bool) -> None:
        await topics.declare(self.settings.kafka)
        self.out = topics.producer(self.settings.kafka)
        await self.out.start()
        if act:
            self.acting = Acting(self.settings, self.put)
            await self.acting.begin()
        self.app.agent(self.topic["frames"], concurrency=1)(self.frames)
        self.app.timer(interval=self.settings.storage.snapshot_interval)(self.save)
        self.app.timer(interval=5.0)(self.watch)
        if ticks:
            self.app.timer(interval=1.0)(self.tick)
        self.app.on_partitions_revoked.connect(self.revoked, weak=False)
        self.app.on_rebalance_complete.connect(self.rebalanced, weak=False)
        self.app.on_before_shutdown.connect(self.stopping, weak=False)

    async def put(self, given: Frame) -> None:
        await self.out.send_and_wait(f"{self.settings.kafka.prefix}.frames", frame.encode(given), topics.KEY)

    async def frames(self, stream: Any) -> None:
        stream = stream.noack()
        async for event in stream.events():
            message = event.message
            try:
                async with self.lock:
                    partition = await self.partition(message.tp)
                    await partition.meet(_Delivered(message.offset, message.value, event))
                    self.met = clock.steady()
            except Stuck as why:
                self.leave(str(why))
            except Exception:
                # Faust would acknowledge the frame and go on: a frame lost. Nothing unsaved is
                # acknowledged, so a new process takes up at the last snapshot.
                log.exception("worker failed", partition=message.partition, at=message.offset)
                self.leave("an exception that is not the frame's own")

    async def partition(self, tp: Any) -> Partition:
        found = self.own.get(tp.partition)
        if found is None:
            broker, blank = _Broker(self, tp), Shard(Pipeline(self.settings))
            act = self.acting.act if self.acting else None
            found = Partition(tp.partition, self.settings, broker, act, self.count, blank)
            await found.load()
            self.own[tp.partition] = found
        return found

    async def save(self) -> None:
        async with self.lock:
            for partition in self.own.values():
                await partition.save()

    async def watch(self) -> None:
        """Leave when frames wait and none comes: Faust's consumers are known to hang and stay up."""
        now = clock.steady()
        try:
            for partition in self.own.values():
                partition.shard.check(now)
        except Stuck as why:
            self.leave(str(why))
        if not any(self.waiting(tp) for tp in self.assigned()):
            self.met = now
        elif now - self.met > MAX_STALL:
            self.leave(f"frames wait and none came for {MAX_STALL:.0f} s")

    def waiting(self, tp: Any) -> bool:
        position = self.own[tp.partition].shard.position if tp.partition in self.own else -1
        return (self.app.consumer.highwater(tp) or 0) > position + 1

    def assigned(self) -> list[Any]:
        wanted = f"{self.settings.kafka.prefix}.frames"
        return [tp for tp in self.app.consumer.assignment() if tp.topic == wanted]

    async def tick(self) -> None:
        """Let time pass in each partition; its owner does, so that it passes once."""
        for tp in self.assigned():
            raw = frame.encode(frame.tick(clock.wall()))
            await self.out.send(tp.topic, raw, topics.KEY, partition=tp.partition)

    async def revoked(self, app: Any, /, *_: Any, signal: Any, **__: Any) -> None:
        for partition in self.own.values():
            partition.taken.clear()  # they come again, to whoever owns the partition then

    async def rebalanced(self, app: Any, /, *_: Any, signal: Any, **__: Any) -> None:
        kept = {tp.partition for tp in self.assigned()}
        self.own = {number: partition for number, partition in self.own.items() if number in kept}
        log.info("partitions", own=sorted(kept))

    async def stopping(self, app: Any, /, *_: Any, signal: Any, **__: Any) -> None:
        if self.acting is not None:
            await self.acting.close()
        await self.save()
        await self.out.stop()
        log.info("worker stops", **self.count)

    def leave(self, why: str) -> NoReturn:
        log.critical("worker leaves", why=why, **self.count)
        os._exit(STOP)


@dataclass(frozen=True, slots=True)
class _Delivered:
    offset: int
    value: bytes
    event: Any

    def ack(self) -> None:
        self.event.ack()


@dataclass(frozen=True, slots=True)
class _Broker:
    """Kafka through Faust, for one partition of the frames."""

    engine: _Engine
    tp: Any

    async def send(self, topic: str, key: bytes, value: bytes | None) -> Awaitable[Any]:
        to = self.tp.partition if topic == "state" else None
        sent: Awaitable[Any] = await self.engine.topic[topic].send(
            key=key, value=value, partition=to, force=True
        )
        return sent

    async def seek(self, position: int) -> None:
        consumer: Any = self.engine.app.consumer
        await consumer.seek(self.tp, position)
        consumer._gap[self.tp].clear()  # Faust commits what it left out as if it had been acknowledged

    async def oldest(self) -> int:
        found: int = (await self.engine.app.consumer.earliest_offsets(self.tp))[self.tp]
        return found

    async def read_state(self) -> Pieces:
        return await topics.read_state(self.engine.settings.kafka, self.tp.partition)


def _app(settings: Config) -> faust.App:
    """Return the app with each setting that README's Decisions on Faust gives a reason for."""
    return faust.App(
        settings.kafka.group,
        broker=f"kafka://{settings.kafka.bootstrap}",
        store="memory://",
        datadir=Path(settings.storage.path) / "faust",
        autodiscover=False,
        web_enabled=False,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=4 * 1024 * 1024,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        stream_wait_empty=False,
        stream_buffer_maxsize=64,
        producer_acks=-1,
        producer_linger=0.02,
        broker_session_timeout=20.0,
        broker_heartbeat_interval=3.0,
        broker_rebalance_timeout=30.0,
        broker_commit_interval=1.0,
        consumer_group_instance_id=settings.kafka.worker or None,
    )
