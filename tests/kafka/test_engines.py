"""The same recorded stream through both engines gives the same incidents, also across a kill -9."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pipeline import clock, config, frame
from pipeline.config import Config, Kafka
from pipeline.flow import Pipeline
from pipeline.frame import Frame
from pipeline.ingest.journal import Journal
from pipeline.ingest.recording import Recording
from pipeline.run import topics
from pipeline.run.embedded import Engine
from pipeline.store import sqlite
from tests import nouns, recordings
from tests.kafka.worker import Topic, until, webhook

pytestmark = [pytest.mark.slow]

# Nobody listens on this port: pages are planned by every engine, and none is delivered.
PAGER = (
    "{receivers: [{name: pager, via: [{do: webhook, args: {url: 'http://127.0.0.1:9/'}}]}], receiver: pager}"
)


@dataclass(frozen=True)
class Led:
    """What a stream led to: the newest word of each incident as canonical JSON, and every action's key."""

    incidents: dict[str, bytes]
    actions: set[str]


@dataclass(frozen=True)
class Story:
    """A recorded stream and what the pipeline alone makes of it, one call a frame."""

    catalog: Path
    frames: list[Frame]
    led: Led
    homes: set[str]  # what the actions are about: incidents and complaints


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = recordings.bad_deploy(tmp_path_factory.mktemp("recording"), hours=2.0)
    frames = list(Recording(folder).frames())
    catalog = folder / "catalog.yaml"
    pipeline, led = Pipeline(settings(folder, catalog)), Led({}, set())
    homes: set[str] = set()
    for position, each in enumerate(frames):
        step = pipeline.take(each, position)
        assert step is not None
        led.incidents.update((i.id, canonical(msgspec.json.encode(i))) for i in step.incidents)
        led.actions.update(a.key for a in step.actions)
        homes.update(a.incident for a in step.actions)
    assert len(led.incidents) >= 1
    assert len(led.actions) >= 1
    return Story(catalog, frames, led, homes)


def settings(folder: Path, catalog: Path) -> Config:
    file = folder / "forewarn.yaml"
    file.write_text(f"catalog: {catalog}\nstorage: {{path: '{folder}/data'}}\nresponse: {PAGER}\n")
    return config.load(file)


def canonical(raw: bytes) -> bytes:
    return json.dumps(json.loads(raw), sort_keys=True).encode()


@pytest.fixture
def topic(bootstrap: str, tmp_path: Path, story: Story, request: pytest.FixtureRequest) -> Topic:
    return Topic(
        bootstrap, tmp_path, request.node.name[-40:], f"catalog: {story.catalog}\nresponse: {PAGER}\n"
    )


def led(topic: Topic) -> Led:
    """Return the newest word of each incident in the topic; said twice, it must be the same word."""
    newest: dict[str, tuple[int, bytes]] = {}
    words: dict[tuple[str, int], set[bytes]] = defaultdict(set)
    for id, raw in topic.read("incidents"):
        rev = json.loads(raw)["rev"]
        words[id, rev].add(raw)
        newest[id] = max(newest.get(id, (-1, b"")), (rev, raw))
    assert {len(found) for found in words.values()} <= {1}
    incidents = {id: canonical(raw) for id, (_, raw) in newest.items()}
    return Led(incidents, {key for key, _ in topic.read("actions")})


async def test_the_embedded_engine_comes_to_what_the_pipeline_alone_comes_to(
    tmp_path: Path, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "wall", lambda: story.frames[-1].at)  # its own ticks are no later than that
    chosen = settings(tmp_path, story.catalog)
    journal = Journal(Path(chosen.storage.path) / "journal")
    await journal.append([frame.encode(f) for f in story.frames])
    await journal.close()
    store = sqlite.open(Path(chosen.storage.path))
    engine = Engine(chosen, store)

    await engine.start()
    await engine.stop()

    incidents = await store.incidents()
    homes = story.homes | {i.id for i in incidents}
    actions = {a.key for home in homes for a, _, _ in await store.actions(home)}
    await store.close()
    assert Led({i.id: canonical(msgspec.json.encode(i)) for i in incidents}, actions) == story.led


@pytest.mark.broker
def test_faust_on_kafka_comes_to_what_the_pipeline_alone_comes_to(topic: Topic, story: Story) -> None:
    topic.feed(story.frames)

    with topic.worker() as worker:
        until("all frames stepped", lambda: topic.saved() == len(story.frames) - 1, topic)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0

    assert led(topic) == story.led


@pytest.mark.broker
def test_a_worker_killed_half_way_is_taken_up_where_its_snapshot_was(topic: Topic, story: Story) -> None:
    half, end = len(story.frames) // 2, len(story.frames) - 1
    topic.feed(story.frames[:half])

    with topic.worker() as worker:
        until("a snapshot", lambda: topic.saved() > 0, topic)
        before = topic.count("signals")
        topic.feed(story.frames[half:])
        until("words that no snapshot has behind it", lambda: topic.count("signals") > before, topic)
        worker.kill()
        worker.wait()
    killed_at = topic.saved()
    with topic.worker() as worker:
        until("all frames stepped", lambda: topic.saved() == end, topic)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0

    assert 0 < killed_at < end
    assert led(topic) == story.led


@pytest.mark.broker
def test_what_cannot_be_stepped_is_put_aside_and_the_rest_goes_on(topic: Topic) -> None:
    row_7 = np.full(1, 7, np.int32)  # of one label set: no code of ours makes such a frame
    samples = frame.samples(1.0, "test", [b"a\xffb\xff"], row_7, np.ones(1), np.ones(1))
    asyncio.run(_send(topic.kafka, b"\xc1 not a frame"))
    topic.feed([*(frame.tick(float(at)) for at in range(50)), samples, frame.tick(60.0)])

    with topic.worker():
        until("all frames stepped", lambda: topic.saved() == 52, topic)

    assert topic.read("dlq") == [("0.0", b"\xc1 not a frame"), ("0.51", frame.encode(samples))]


async def _send(chosen: Kafka, raw: bytes) -> None:
    async with topics.producer(chosen) as out:
        await out.send_and_wait(f"{chosen.prefix}.frames", raw, topics.KEY)


def closed(folder: Path) -> bool:
    """Say whether an action stands as finished in a worker's store."""
    for file in folder.rglob("*.sqlite"):
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            if db.execute("SELECT count(*) FROM actions WHERE finished IS NOT NULL").fetchone()[0]:
                return True
    return False


@pytest.mark.broker
def test_a_worker_with_a_store_pages_once_across_a_kill_and_hears_what_came_of_it(
    bootstrap: str, tmp_path: Path
) -> None:
    labels = {"alertname": "Down", "service": "pay", "severity": "critical"}
    now = time.time()
    alert = frame.alerts(now, "test", nouns.alerts((labels, now, now + 3_600, "down")))
    with webhook() as (url, keys):
        topic = Topic(
            bootstrap, tmp_path, "acting", f"response: {PAGER.replace('http://127.0.0.1:9/', url)}\n"
        )
        topic.feed([alert])

        with topic.worker("--storage.path", f"{tmp_path}/data", ticks=True) as worker:
            until("an outcome among the frames", lambda: "outcome" in kinds(topic), topic)
            # Between the two a kill would have the page told again, under its key: see Performer._settle.
            until("the page closed in the store", lambda: closed(tmp_path / "data"), topic)
            worker.kill()
            worker.wait()
        ticks = topic.count("frames")
        with topic.worker("--storage.path", f"{tmp_path}/data", ticks=True):
            until("frames after the kill", lambda: topic.saved() > ticks, topic)

    assert len(keys) == 1
    assert keys[0] in {key for key, _ in topic.read("actions")}


def kinds(topic: Topic) -> set[str]:
    return {e.kind for _, raw in topic.read("frames") for e in frame.decode(raw).events}
