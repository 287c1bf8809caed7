"""Kafka topics beside Faust: made where missing, fed with frames, and the state of a partition read back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, TopicAlreadyExistsError, for_code

from pipeline import frame
from pipeline.config import Kafka
from pipeline.frame import Frame
from pipeline.run.pieces import Pieces

TOPICS = {
    "frames": {"cleanup.policy": "delete"},  # offsets without holes: never compacted, never transactional
    "state": {"cleanup.policy": "compact", "segment.bytes": "8388608", "min.cleanable.dirty.ratio": "0.1"},
    "signals": {"cleanup.policy": "delete"},
    "incidents": {"cleanup.policy": "compact"},
    "actions": {"cleanup.policy": "delete"},
    "dlq": {"cleanup.policy": "delete"},
}

# Every frame has this key until detection is cut into shards and correlation into scopes.
KEY = b"all"

MAX_UNACKNOWLEDGED = 1_000  # frames sent before the first of them must have been acknowledged


class Unreachable(ValueError):
    """No broker answers where the config says one is."""


async def declare(settings: Kafka) -> None:
    """Create the topics that are missing, one partition each; raises Unreachable."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    try:
        await admin.start()
    except KafkaConnectionError as error:
        raise Unreachable(f"kafka.bootstrap: no Kafka answers at {settings.bootstrap}") from error
    try:
        made = await admin.create_topics([_topic(settings, name) for name in TOPICS])
        for topic, code, why in made.topic_errors:
            if code not in (0, TopicAlreadyExistsError.errno):
                raise for_code(code)(f"{topic}: {why}")
    finally:
        await admin.close()


async def feed(settings: Kafka, frames: Iterable[Frame]) -> int:
    """Put frames into the topic; return how many once the broker has acknowledged all."""
    n = 0
    async with producer(settings) as out:
        waiting = []
        for each in frames:
            n += 1
            waiting.append(await out.send(f"{settings.prefix}.frames", frame.encode(each), KEY))
            if len(waiting) >= MAX_UNACKNOWLEDGED:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)
    return n


def producer(settings: Kafka) -> AIOKafkaProducer:
    """Return a producer of frames: idempotent, for a frame that is sent again would be a second frame."""
    return AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap, acks="all", enable_idempotence=True, linger_ms=5
    )


def _topic(settings: Kafka, name: str) -> NewTopic:
    topic = NewTopic(f"{settings.prefix}.{name}", 1, 1, topic_configs=TOPICS[name])
    topic.replication_factor = -1  # the broker's default; the class takes no such number, the protocol does
    return topic


async def read_state(settings: Kafka, partition: int) -> Pieces:
    """Return all that one partition of the state topic holds."""
    tp = TopicPartition(f"{settings.prefix}.state", partition)
    found = Pieces()
    async with AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, enable_auto_commit=False) as consumer:
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        end = (await consumer.end_offsets([tp]))[tp]
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(tp, timeout_ms=1_000)).values():
                for record in records:
                    found.take(record.key, record.value)
    return found
