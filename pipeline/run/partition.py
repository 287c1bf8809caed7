"""One Kafka partition: its frames stepped, words sent, state saved, in an order that loses none.

Outputs, their acknowledgement, the snapshot, its acknowledgement, and only then are frames acknowledged:
so what a snapshot has behind it was sent, and what it has not is delivered again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import structlog

from pipeline import clock
from pipeline.config import Config
from pipeline.flow import Pipeline
from pipeline.run import pieces
from pipeline.run.pieces import Pieces
from pipeline.run.shard import TRIES, Due, Shard
from pipeline.snapshot import Damaged
from pipeline.types import Step

log = structlog.get_logger()

Act = Callable[[Step, int], Awaitable[None]]  # record a step, then perform its actions

MAX_UNSAVED = 2_000  # frames between two snapshots; the engine holds each until it is acknowledged


class Broker(Protocol):
    """What a partition asks of Kafka."""

    async def send(self, topic: str, key: bytes, value: bytes | None) -> Awaitable[Any]:
        """Send a record; what is returned comes true when the broker has acknowledged it."""
        ...

    async def seek(self, position: int) -> None:
        """Deliver this frame next, and those behind it."""
        ...

    async def oldest(self) -> int:
        """Return the position of the oldest frame that is retained."""
        ...

    async def read_state(self) -> Pieces: ...


class Delivery(Protocol):
    """A frame as it was delivered."""

    @property
    def offset(self) -> int: ...
    @property
    def value(self) -> bytes: ...
    def ack(self) -> None: ...


@dataclass(slots=True)
class Partition:
    """At most MAX_UNSAVED deliveries and as many sent records wait in it."""

    number: int
    settings: Config
    broker: Broker
    act: Act | None
    count: Counter[str]
    shard: Shard
    stale: list[bytes] = field(default_factory=list)  # keys of state that the next snapshot makes needless
    taken: list[Delivery] = field(default_factory=list)  # not acknowledged
    sent: list[Awaitable[Any]] = field(default_factory=list)  # not acknowledged by the broker

    async def load(self) -> None:
        """Go to the newest snapshot, or to the beginning where there is none."""
        found = await self.broker.read_state()
        newest = found.newest()
        self.shard, self.stale = Shard(Pipeline(self.settings), failed=self.shard.failed), found.stale()
        self.taken.clear()
        if newest is None:
            return
        name, raw = newest
        self.stale += name.pieces()
        try:
            pipeline = Pipeline.restore(self.settings, raw)
        except Damaged as why:
            log.error("snapshot left out, all frames are replayed", partition=self.number, why=str(why))
            return
        self.shard = Shard(pipeline, name.now, name.position, failed=self.shard.failed)
        log.info("snapshot", partition=self.number, position=name.position, bytes=len(raw))

    async def meet(self, delivery: Delivery) -> None:
        """Do with a frame what its position asks for; raises Stuck where others are missing for too long."""
        if self.shard.due(delivery.offset) is Due.AHEAD and self.shard.gap is None:
            await self._jump_what_is_gone()
        due = self.shard.due(delivery.offset)
        if due is Due.AHEAD:
            await self._go_back(delivery.offset)
            return
        if due is Due.SEEN:
            self.count["duplicates"] += 1
        elif not await self._take(delivery):
            return
        if delivery.offset <= self.shard.saved:
            delivery.ack()
        else:
            self.taken.append(delivery)
        if len(self.taken) >= MAX_UNSAVED:
            await self.save()

    async def save(self) -> None:
        """Write a snapshot, then acknowledge the frames that are in it."""
        if self.shard.position <= self.shard.saved:
            return
        await self._acknowledged()
        shard, writer = self.shard, pieces.WRITER
        name, records = pieces.cut(shard.pipeline.snapshot(), shard.position, shard.now, writer)
        for key, value in records:
            # One after the other: the name must not be there before its pieces are.
            await (await self.broker.send("state", key, value))
        shard.safe()
        for delivery in self.taken:
            delivery.ack()
        self.taken.clear()
        for key in set(self.stale).difference(name.pieces()):
            self.sent.append(await self.broker.send("state", key, None))
        self.stale = name.pieces()
        self.count["snapshots"] += 1

    async def _take(self, delivery: Delivery) -> bool:
        """Step a frame and send what came of it; False where it will be delivered again."""
        if self.shard.hopeless(delivery.offset):
            self.shard.skip(delivery.offset)
            return True
        try:
            step = self.shard.take(delivery.value, delivery.offset)
        except msgspec.DecodeError as error:
            await self._put_aside(delivery, error)
            self.shard.skip(delivery.offset)
            return True
        except Exception as error:
            self.shard.failed[delivery.offset] += 1
            if self.shard.failed[delivery.offset] == TRIES:
                await self._put_aside(delivery, error)
            await self._go_back_to_snapshot()
            return False
        self.count["frames"] += 1
        if step:
            if self.act is not None:
                await self.act(step, delivery.offset)
            await self._emit(step)
        return True

    async def _put_aside(self, delivery: Delivery, error: Exception) -> None:
        log.error("frame left out", partition=self.number, at=delivery.offset, why=repr(error)[:300])
        self.count["dead letters"] += 1
        await self._send("dlq", f"{self.number}.{delivery.offset}", delivery.value)

    async def _go_back_to_snapshot(self) -> None:
        """A stage that raised may have changed half of its state."""
        await self.load()
        self.shard.seek(clock.steady())
        await self.broker.seek(self.shard.position + 1)

    async def _go_back(self, came: int) -> None:
        if self.shard.gap is None:
            self.count["gaps"] += 1
            log.warning("gap", partition=self.number, due=self.shard.position + 1, came=came)
        if self.shard.seek(clock.steady()):
            await self.broker.seek(self.shard.position + 1)

    async def _jump_what_is_gone(self) -> None:
        """Go on at the oldest frame that the topic retains, where that is after the next."""
        oldest = await self.broker.oldest()
        lost = oldest - self.shard.position - 1
        if lost > 0:
            log.error("frames lost, no longer retained", partition=self.number, frames=lost)
            self.count["lost"] += lost
            self.shard.skip(oldest - 1)

    async def _emit(self, step: Step) -> None:
        for signal in step.signals:
            await self._send("signals", signal.id, msgspec.json.encode(signal))
        for incident in step.incidents:
            await self._send("incidents", incident.id, msgspec.json.encode(incident))
        for action in step.actions:
            await self._send("actions", action.key, msgspec.json.encode(action))
        if len(self.sent) >= MAX_UNSAVED:
            await self._acknowledged()

    async def _send(self, topic: str, key: str, raw: bytes) -> None:
        self.sent.append(await self.broker.send(topic, key.encode(), raw))

    async def _acknowledged(self) -> None:
        sent, self.sent = self.sent, []
        await asyncio.gather(*sent)
