"""The Kafka engine: Faust brings frames, the same pipeline steps them, what they led to goes to topics.

Apache Kafka 3.9 or 4.x. One message is one frame, and its offset is the frame's position. At least once by
Faust, each once by the position inside the snapshot: outputs, their acknowledgement, the snapshot, its
acknowledgement, and only then the frames are acknowledged. What Faust delivers again is dropped, what it
leaves out is sought again; it does both when workers come and go.

    kafka: {bootstrap: "127.0.0.1:9092", prefix: forewarn, group: forewarn}
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import faust
import msgspec
import structlog

from pipeline import clock, frame
from pipeline.config import Config
from pipeline.flow import Pipeline
from pipeline.run import pieces, topics
from pipeline.run.shard import Due, Shard, Stuck
from pipeline.snapshot import Damaged
from pipeline.types import Seconds, Step

log = structlog.get_logger()

Act = Callable[[Step, int], Awaitable[None]]  # record a step, then perform its actions

MAX_UNSAVED = 2_000  # frames between two snapshots; Faust keeps each until it is acknowledged
MAX_STALL: Seconds = 60.0  # without a step while frames wait
STOP = 70  # sysexits.h: internal error; whoever supervises the worker starts it anew


def work(settings: Config, act: Act | None = None, *, ticks: bool = True) -> NoReturn:
    """Run a worker until a signal stops it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(topics.declare(settings.kafka))
    Path(settings.storage.path).mkdir(parents=True, exist_ok=True)
    app = _app(settings)
    _Engine(app, settings, act).connect(ticks)
    # Not by Faust's own command line: that starts its web server, on every interface.
    worker = faust.Worker(app, loop=loop, quiet=True, override_logging=False)
    worker.spinner = None  # it writes to the terminal, whatever `quiet` says
    worker.execute_from_commandline()


@dataclass(slots=True)
class _Held:
    """A partition that this worker owns, and what of it is not safe yet."""

    shard: Shard
    stale: list[bytes]  # keys in the state topic that the next snapshot makes needless
    saved_at: Seconds
    events: list[Any] = field(default_factory=list)  # taken, not acknowledged; at most MAX_UNSAVED


class _Engine:
    """Every partition that this worker owns. Steps and snapshots take turns under one lock."""

    def __init__(self, app: faust.App, settings: Config, act: Act | None) -> None:
        self.app, self.settings, self.act = app, settings, act
        self.writer = uuid.uuid4().hex[:12]  # names this process; nothing that is computed depends on it
        self.count: Counter[str] = Counter()
        self.held: dict[int, _Held] = {}
        self.sent: list[Awaitable[Any]] = []  # not acknowledged by the broker yet
        self.moved = clock.steady()
        self.lock = asyncio.Lock()
        self.ticker: Any = None
        self.topic = {
            name: app.topic(
                f"{settings.kafka.prefix}.{name}",
                key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw",
            )
            for name in topics.TOPICS
        }  # fmt: skip

    def connect(self, ticks: bool) -> None:
        self.app.agent(self.topic["frames"], concurrency=1)(self.frames)
        self.app.timer(interval=5.0)(self.watch)
        if ticks:
            self.app.timer(interval=1.0)(self.tick)
        self.app.on_partitions_revoked.connect(self.revoked, weak=False)
        self.app.on_rebalance_complete.connect(self.rebalanced, weak=False)
        self.app.on_before_shutdown.connect(self.stopping, weak=False)

    async def frames(self, stream: Any) -> None:
        stream = stream.noack()
        async for event in stream.events():
            try:
                async with self.lock:
                    await self.meet(event)
            except Stuck as why:
                self.leave(str(why))
            except Exception:
                # Faust would acknowledge the frame and go on: a frame lost. Nothing unsaved is
                # acknowledged, so a new process takes up at the last snapshot.
                log.exception("worker failed", partition=event.message.partition, at=event.message.offset)
                self.leave("an exception that is not the frame's own")

    async def meet(self, event: Any) -> None:
        message = event.message
        held = await self.own(message.partition)
        shard = held.shard
        if shard.due(message.offset) is Due.AHEAD and shard.gap is None:
            await self.jump_what_is_gone(shard, message)
        due = shard.due(message.offset)
        if due is Due.AHEAD:
            await self.go_back(shard, message)
            return
        if due is Due.SEEN:
            self.count["duplicates"] += 1
        elif not await self.take(held, message):
            return
        if message.offset <= shard.saved:
            event.ack()
        else:
            held.events.append(event)
        waited = clock.steady() - held.saved_at
        if len(held.events) >= MAX_UNSAVED or waited >= self.settings.storage.snapshot_interval:
            await self.save(message.partition, held)

    async def take(self, held: _Held, message: Any) -> bool:
        """Step a frame and send what came of it; False where it will be tried again."""
        try:
            step = held.shard.take(message.value, message.offset)
        except Exception as error:
            last = held.shard.fail(message.offset)
            if not last and not isinstance(error, msgspec.DecodeError):
                await self.go_back_to_snapshot(held, message)
                return False
            await self.leave_out(held.shard, message, repr(error)[:300])
            return True
        self.moved = clock.steady()
        self.count["frames"] += 1
        if step:
            if self.act is not None:
                await self.act(step, message.offset)
            await self.emit(step)
        return True

    async def go_back_to_snapshot(self, held: _Held, message: Any) -> None:
        """Load the last snapshot: a stage that raised may have changed half of its state."""
        failed = held.shard.failed
        held.shard, held.stale = await self.load(message.partition)
        held.shard.failed = failed
        held.events.clear()
        held.shard.seek(clock.steady())
        await self.seek(held.shard, message)

    async def leave_out(self, shard: Shard, message: Any, why: str) -> None:
        log.error("frame left out", partition=message.partition, at=message.offset, why=why)
        self.count["dead letters"] += 1
        await self.send("dlq", f"{message.partition}.{message.offset}", message.value)
        shard.skip(message.offset)

    async def emit(self, step: Step) -> None:
        for signal in step.signals:
            await self.send("signals", signal.id, msgspec.json.encode(signal))
        for incident in step.incidents:
            await self.send("incidents", incident.id, msgspec.json.encode(incident))
        for action in step.actions:
            await self.send("actions", action.key, msgspec.json.encode(action))
        if len(self.sent) >= MAX_UNSAVED:
            await self.acknowledged()

    async def send(self, topic: str, key: str, raw: bytes) -> None:
        self.sent.append(await self.topic[topic].send(key=key.encode(), value=raw, force=True))

    async def acknowledged(self) -> None:
        sent, self.sent = self.sent, []
        await asyncio.gather(*sent)

    async def save(self, partition: int, held: _Held) -> None:
        await self.acknowledged()  # before the snapshot: what it has behind it is never sent again
        shard, state = held.shard, self.topic["state"]
        name, records = pieces.cut(shard.pipeline.snapshot(), shard.position, shard.now, self.writer)
        for key, value in records:
            # One after the other: the name must not be there before its pieces are.
            await (await state.send(key=key, value=value, partition=partition, force=True))
        shard.saved, held.saved_at = shard.position, clock.steady()
        for event in held.events:
            event.ack()
        held.events.clear()
        for key in set(held.stale).difference(name.pieces()):
            await state.send(key=key, value=None, partition=partition, force=True)
        held.stale = name.pieces()
        self.count["snapshots"] += 1

    async def own(self, partition: int) -> _Held:
        if partition not in self.held:
            self.held[partition] = _Held(*await self.load(partition), clock.steady())
        return self.held[partition]

    async def load(self, partition: int) -> tuple[Shard, list[bytes]]:
        """Return the shard as its newest snapshot has it, and the keys that the next one makes needless."""
        found = await topics.read_state(self.settings.kafka, partition)
        newest = found.newest()
        if newest is None:
            return Shard(Pipeline(self.settings)), found.stale()
        name, raw = newest
        stale = [*found.stale(), *name.pieces()]
        try:
            pipeline = Pipeline.restore(self.settings, raw)
        except Damaged as why:
            log.error("snapshot left out, all frames are replayed", partition=partition, why=str(why))
            return Shard(Pipeline(self.settings)), stale
        log.info("snapshot", partition=partition, position=name.position, bytes=len(raw))
        return Shard(pipeline, name.now, name.position), stale

    async def jump_what_is_gone(self, shard: Shard, message: Any) -> None:
        """Go on at the oldest frame that the topic retains, where that is after the next."""
        oldest = (await self.app.consumer.earliest_offsets(message.tp))[message.tp]
        lost = oldest - shard.position - 1
        if lost > 0:
            log.error("frames lost, no longer retained", partition=message.partition, frames=lost)
            self.count["lost"] += lost
            shard.skip(oldest - 1)

    async def go_back(self, shard: Shard, message: Any) -> None:
        if shard.gap is None:
            self.count["gaps"] += 1
            log.warning("gap", partition=message.partition, due=shard.position + 1, came=message.offset)
        if shard.seek(clock.steady()):
            await self.seek(shard, message)

    async def seek(self, shard: Shard, message: Any) -> None:
        consumer: Any = self.app.consumer
        await consumer.seek(message.tp, shard.position + 1)
        consumer._gap[message.tp].clear()  # Faust commits what it left out as if it had been acknowledged

    async def watch(self) -> None:
        """Leave when frames wait and none is stepped: Faust's consumers are known to hang and stay up."""
        now = clock.steady()
        try:
            for held in self.held.values():
                held.shard.check(now)
        except Stuck as why:
            self.leave(str(why))
        if not any(self.lag(tp) for tp in self.assigned()):
            self.moved = now
        elif now - self.moved > MAX_STALL:
            self.leave(f"frames wait and none was stepped for {MAX_STALL:.0f} s")

    def lag(self, tp: Any) -> int:
        held = self.held.get(tp.partition)
        return (self.app.consumer.highwater(tp) or 0) - 1 - (held.shard.position if held else -1)

    def assigned(self) -> list[Any]:
        wanted = f"{self.settings.kafka.prefix}.frames"
        return [tp for tp in self.app.consumer.assignment() if tp.topic == wanted]

    async def tick(self) -> None:
        """Let time pass in each partition; whoever owns it does, so that it passes once."""
        if self.ticker is None:
            self.ticker = topics.producer(self.settings.kafka)
            await self.ticker.start()
        for tp in self.assigned():
            raw = frame.encode(frame.tick(clock.wall()))
            await self.ticker.send(tp.topic, raw, topics.KEY, partition=tp.partition)

    async def revoked(self, app: Any, /, *_: Any, signal: Any, **__: Any) -> None:
        for held in self.held.values():
            held.events.clear()  # they come again, to whoever owns the partition then

    async def rebalanced(self, app: Any, /, *_: Any, signal: Any, **__: Any) -> None:
        own = {tp.partition for tp in self.assigned()}
        for partition in self.held.keys() - own:
            del self.held[partition]
        log.info("partitions", own=sorted(own))

    async def stopping(self, app: Any, /, *_: Any, signal: Any, **__: Any) -> None:
        async with self.lock:
            for partition, held in self.held.items():
                if held.shard.position > held.shard.saved:
                    await self.save(partition, held)
        if self.ticker is not None:
            await self.ticker.stop()
        log.info("worker stops", **self.count)

    def leave(self, why: str) -> NoReturn:
        log.critical("worker leaves", why=why, **self.count)
        os._exit(STOP)


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
    )
