"""kill -9 in the middle of intake: every acknowledged frame is in effect, none twice."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from pipeline import config, frame
from pipeline.flow import Pipeline
from pipeline.ingest.journal import Journal
from pipeline.run.shelf import Shelf
from pipeline.series import unpack
from pipeline.store import sqlite
from pipeline.types import Incident
from tests.ingest import prompb
from tests.running import Running, state_bytes
from tests.soak import times

KILLS = times(20)
SEED = 20261122
SENDERS = 4
# Often, so that many kills fall into the writing of a snapshot.
CONFIG = "storage: {snapshot_interval: 100ms}\n"


@pytest.mark.slow
async def test_after_twenty_kills_all_that_was_acknowledged_is_in_effect_and_nothing_is_twice(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    settings, folder, port = tmp_path / "forewarn.yaml", tmp_path / "data", free_port()
    settings.write_text(CONFIG)
    chance, acknowledged = random.Random(SEED), set[str]()
    numbers = itertools.count()

    for _ in range(KILLS):
        running = Running(folder, port, settings)
        running.wait_until_ready()
        senders = [asyncio.create_task(send(running.url, numbers, acknowledged)) for _ in range(SENDERS)]
        await asyncio.sleep(chance.uniform(0.02, 0.8))
        running.kill()
        await asyncio.gather(*senders)
    last = Running(folder, port, settings)
    last.wait_until_ready()
    assert last.stop() == 0

    journaled, stepped = replayed(folder)
    (_, position, raw) = next(Shelf(folder / "snapshots").newest_first())
    found = Pipeline.restore(config.load(settings), raw)
    assert len(acknowledged) > 20 * KILLS
    assert {name: journaled[name] for name in acknowledged} == dict.fromkeys(acknowledged, 1)
    assert found.memory.position == position == stepped.memory.position
    assert state_bytes(found.memory) == state_bytes(stepped.memory)
    assert "frame skipped" not in last.said()
    assert await kept(folder) == {i.id: i.rev for i in stepped.memory.correlate.incidents.values()}


async def send(url: str, numbers: itertools.count[int], acknowledged: set[str]) -> None:
    """Post one thing after the other, each with a number of its own, until the server is gone."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client:
        while True:
            name = f"n{next(numbers)}"
            try:
                answer = await post(client, name)
            except httpx.TransportError:
                return
            if answer.is_success:
                acknowledged.add(name)


async def post(client: httpx.AsyncClient, name: str) -> httpx.Response:
    match int(name[1:]) % 4:
        case 0:
            return await client.post("/api/v1/changes", json={"id": name, "service": "pay", "kind": "deploy"})
        case 1:
            labels = {"alertname": "Down", "service": "pay", "n": name}
            return await client.post("/api/v2/alerts", json=[{"labels": labels}])
        case 2:
            return await client.post(
                "/api/v1/complaints", json={"id": name, "customer": "acme", "text": "I cannot pay"}
            )
        case _:
            labels = {"__name__": "requests", "n": name, "service": "pay"}
            body = prompb.body(prompb.series(labels, (1.0, int(time.time() * 1000))))
            return await client.post("/api/v1/write", content=body)


def replayed(folder: Path) -> tuple[Counter[str], Pipeline]:
    """Return how often each number is in the journal, and the pipeline that has stepped it once through."""
    stepped, seen = Pipeline(config.load()), Counter[str]()
    for position, raw in Journal(folder / "journal").replay(0):
        taken = frame.decode(raw)
        seen.update(event.labels.get("n", event.id) for event in taken.events)
        seen.update(unpack(labels).get("n", "") for labels in taken.labels)
        stepped.take(taken, position)
    return seen, stepped


async def kept(folder: Path) -> dict[str, int]:
    """Return the rev of each open incident as the store has it."""
    store = sqlite.open(folder)
    found: tuple[Incident, ...] = await store.incidents(open_only=True)
    await store.close()
    return {i.id: i.rev for i in found}
