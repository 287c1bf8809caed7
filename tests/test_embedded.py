"""The embedded engine: what it refuses, what it survives, what it goes on from."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest
from starlette.applications import Starlette

from pipeline import config, frame, snapshot
from pipeline.clock import Span
from pipeline.config import Config, Limits, Storage
from pipeline.flow import Pipeline
from pipeline.frame import Frame
from pipeline.ingest.journal import Unwritable
from pipeline.run.embedded import Busy, Engine
from pipeline.run.serve import Launch, _pages
from pipeline.run.web import Web
from pipeline.store import sqlite
from pipeline.types import Batch, Event, Reason, Seconds, Step
from pipeline.windows import Maintenance
from tests import nouns
from tests.running import state_bytes

NOW = 1_790_000_000.0


def settings(folder: Path, queue: int = 1_000) -> Config:
    limits = Limits(queue=queue)
    # NOW is long ago to the engine, which goes by the wall clock and would forget what is older than a month.
    storage = Storage(path=str(folder), retention=Span(100 * 365 * 86400))
    return msgspec.structs.replace(config.load(), storage=storage, limits=limits)


def change(id: str, source: str = "changes") -> Frame:
    return frame.events(NOW, source, [Event("change", id, NOW, {"service": "pay", "kind": "deploy"})])


def alert(name: str) -> Frame:
    return frame.alerts(NOW, "alerts", nouns.alerts(({"alertname": name, "service": "pay"}, NOW, None, "")))


@asynccontextmanager
async def running(folder: Path, queue: int = 1_000) -> AsyncIterator[Engine]:
    store = sqlite.open(folder)
    engine = Engine(settings(folder, queue), store)
    try:
        await engine.start()
        yield engine
    finally:
        await engine.stop()
        await store.close()


async def changes(engine: Engine) -> list[str]:
    await asyncio.wait_for(engine.settled(), 10)
    return sorted(event.id for event in await engine.store.changes(0.0))


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sources whose frames make a step fail half way, with the state already touched."""
    sources: list[str] = []
    real = Pipeline.step

    def step(self: Pipeline, batch: Batch, now: Seconds) -> Step:
        done = real(self, batch, now)
        if any(event.id in sources for event in batch.events):
            raise ZeroDivisionError("poison")
        return done

    monkeypatch.setattr(Pipeline, "step", step)
    return sources


async def test_a_frame_that_fails_is_skipped_and_the_stream_goes_on(
    tmp_path: Path, poison: list[str]
) -> None:
    poison.append("bad")
    async with running(tmp_path / "poisoned") as engine:
        for id in ("one", "bad", "two"):
            await engine.take_in([change(id)])
        found = await changes(engine)
        at = engine.stepper.position

    assert found == ["one", "two"]
    assert len(engine.stepper.poison) == 1
    assert "ZeroDivisionError" in (tmp_path / "poisoned" / "skipped.jsonl").read_text()
    poison.clear()
    async with running(tmp_path / "poisoned") as again:
        assert again.stepper.position >= at
        assert await changes(again) == ["one", "two"], "skipped once, skipped in every replay"


async def test_nothing_of_a_skipped_frame_stays_in_the_state(tmp_path: Path, poison: list[str]) -> None:
    poison.append("bad")
    async with running(tmp_path) as engine:
        for id in ("one", "bad"):
            await engine.take_in([change(id)])
        await changes(engine)
        clean = Pipeline(engine.config)
        for position, raw in engine.journal.replay(0, engine.stepper.position + 1):
            if position not in engine.stepper.poison:
                clean.take(frame.decode(raw), position)
            clean.memory.position = position
        found = engine.stepper.pipeline

    assert len(engine.stepper.poison) == 1
    assert state_bytes(found.memory) == state_bytes(clean.memory)


async def test_a_frame_that_fails_once_is_taken_from_a_state_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failed = Pipeline.step, list[str]()

    def step(self: Pipeline, batch: Batch, now: Seconds) -> Step:
        done = real(self, batch, now)
        if batch.events and not failed:
            failed.append(batch.events[0].id)
            raise MemoryError
        return done

    monkeypatch.setattr(Pipeline, "step", step)
    async with running(tmp_path) as engine:
        await engine.take_in([change("one")])
        found = await changes(engine)

    assert (failed, found) == (["one"], ["one"])
    assert len(engine.stepper.poison) == 0


async def test_a_damaged_snapshot_gives_way_to_the_one_before_it(tmp_path: Path) -> None:
    for id in ("one", "two"):
        async with running(tmp_path) as engine:
            await engine.take_in([change(id)])
            await changes(engine)
    snapshots = sorted((tmp_path / "snapshots").glob("*.snapshot"))
    snapshots[-1].write_bytes(snapshots[-1].read_bytes()[:-1] + b"x")

    async with running(tmp_path) as engine:
        position = engine.stepper.position

    assert position >= int(snapshots[-1].stem)


async def test_an_upgrade_that_no_snapshot_fits_loses_no_frame_and_leaves_no_incident_open_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, poison: list[str]
) -> None:
    async with running(tmp_path) as engine:
        engine.journal._segment = 64  # so that each group of frames is a segment of its own
        await engine.take_in([alert("early")])
        for _ in range(2):
            await changes(engine)
            await engine._save()
            await engine.take_in([change("one")])
        (before,) = await engine.store.incidents(open_only=True)
        first = engine.journal.first
    monkeypatch.setattr(snapshot, "VERSION", b"FW9\n")
    poison.append("bad")

    async with running(tmp_path) as engine:
        still_open = await engine.store.incidents(open_only=True)
        after = await engine.store.incident(before.id)
        await engine.take_in([change("bad")])
        await engine.take_in([change("two")])
        found = await changes(engine)

    assert first > 0
    assert still_open == ()
    assert after is not None
    assert after.timeline[-1].what.startswith("closed: Forewarn lost what it knew of this")
    assert found == ["one", "two"]
    assert len(engine.stepper.poison) == 1, "only the frame that fails by itself"


async def test_without_any_snapshot_the_journal_is_stepped_from_its_start(tmp_path: Path) -> None:
    async with running(tmp_path) as engine:
        await engine.take_in([change("one")])
        await changes(engine)
        before = engine.stepper.position
    for path in (tmp_path / "snapshots").iterdir():
        path.unlink()

    async with running(tmp_path) as engine:
        assert engine.stepper.position >= before
        assert await changes(engine) == ["one"]


async def test_time_never_goes_back_even_over_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as engine:
        await engine.take_in([change("one")])
        before = engine.now
    monkeypatch.setattr("pipeline.clock.wall", lambda: before - 3600)

    async with running(tmp_path) as engine:
        await engine.take_in([change("two")])
        assert engine.now == before


async def test_a_clock_set_back_is_told_while_time_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as engine:
        await engine.take_in([change("d1")])
        before = engine.now
        assert engine.wrong == ""

        monkeypatch.setattr("pipeline.clock.wall", lambda: before - 7200)

        assert engine.wrong == "the clock was set back by 7200 s: timers stand still until it has caught up"


async def test_a_full_queue_takes_nothing_from_doors_but_still_outcomes_and_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()

    async def stuck(self: Engine, group: Sequence[tuple[int, Frame]]) -> None:
        await held.wait()
        self._left(len(group))

    monkeypatch.setattr(Engine, "_step", stuck)
    async with running(tmp_path, queue=3) as engine:
        for id in ("one", "two", "three"):
            await engine.take_in([change(id)])
        with pytest.raises(Busy):
            await engine.take_in([change("four")])
        async with client(engine) as posts:
            refused = await posts.post("/api/v1/changes", json={"service": "pay"})
        position = await engine.submit(change("outcome", "perform"))
        held.set()

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert position >= 3


async def test_what_the_disk_does_not_take_is_answered_503_and_never_stepped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with running(tmp_path) as engine, client(engine) as posts:
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwritev", full)
            patch.setattr(os, "fdatasync", full)
            with pytest.raises(Unwritable):
                await engine.take_in([change("lost")])
            refused = await posts.post("/api/v1/changes", json={"id": "refused", "service": "pay"})
        kept = await posts.post("/api/v1/changes", json={"id": "kept", "service": "pay"})
        found = await changes(engine)

    assert (refused.status_code, kept.status_code) == (503, 200)
    assert "No space left on device" in refused.text
    assert found == ["kept"]


async def test_a_store_that_fails_holds_everything_up_until_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.run.embedded.TRY_AGAIN", 0.0)
    async with running(tmp_path) as engine:
        real, tries = engine.store.record, list[tuple[int, str]]()

        async def failing(step: Step, position: int) -> tuple[object, ...]:
            tries.append((position, engine.trouble))
            if len(tries) < 3:
                raise OSError("disk I/O error")
            return await real(step, position)

        monkeypatch.setattr(engine.store, "record", failing)
        await engine.take_in([change("one")])
        found = await changes(engine)

    assert found == ["one"]
    assert [trouble for _, trouble in tries[:3]] == ["", *["store: disk I/O error"] * 2]
    assert len({position for position, _ in tries[:3]}) == 1
    assert engine.trouble == ""


async def test_time_goes_on_though_the_store_cannot_forget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgot = asyncio.Event()

    async def failing(before: Seconds) -> int:
        forgot.set()
        raise sqlite3.OperationalError("database or disk is full")

    store = sqlite.open(tmp_path)
    monkeypatch.setattr(store, "forget", failing)
    engine = Engine(settings(tmp_path), store)
    await engine.start()
    await asyncio.wait_for(forgot.wait(), 10)
    at = engine.stepper.position
    while engine.stepper.position == at and not engine.broken:  # noqa: ASYNC110 the next tick is not ours
        await asyncio.sleep(0.05)
    await engine.stop()
    await store.close()

    assert engine.broken == ""


async def test_a_loop_that_breaks_shows_in_healthy_and_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as engine:

        async def unrecordable(step: Step, position: int) -> tuple[object, ...]:
            raise TypeError("a record holds object, which no store can keep")

        monkeypatch.setattr(engine.store, "record", unrecordable)
        await engine.take_in([change("one")])
        await asyncio.wait(engine._tasks, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        app = _pages(engine, Launch(), bool)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as asks:
            told = [await asks.get(path) for path in ("/-/healthy", "/-/ready")]
        monkeypatch.setattr("pipeline.run.embedded.STOP_WITHIN", 0.0)

    assert [answer.status_code for answer in told] == [500, 503]
    assert "no store can keep" in told[0].text


async def test_nothing_is_taken_before_the_state_is_restored(tmp_path: Path) -> None:
    store = sqlite.open(tmp_path)
    engine = Engine(settings(tmp_path), store)

    async with client(engine) as posts:
        refused = await posts.post("/api/v1/changes", json={"service": "pay"})

    await engine.journal.close()
    await store.close()
    assert refused.status_code == 503


async def test_a_verdict_that_changes_is_kept_though_its_incident_does_not(tmp_path: Path) -> None:
    async with running(tmp_path) as engine:
        await engine.take_in([alert("pay")])
        await changes(engine)
        (incident,) = await engine.store.incidents()
        planned = Maintenance(("pay",), datetime.fromtimestamp(0, UTC), datetime.fromtimestamp(4e9, UTC))
        policy = msgspec.structs.replace(engine.config.policy, maintenance=(planned,))
        await engine.adopt(msgspec.structs.replace(engine.config, policy=policy))
        engine.now += 2.0  # no feed has spoken since
        await engine.take_in([frame.tick(0.0)])
        await changes(engine)
        found = await engine.store.verdicts(incident.id)

    assert found[-1][1].reason is Reason.MAINTENANCE


async def test_the_journal_shrinks_as_snapshots_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as engine:
        engine.journal._segment = 100
        for k in range(20):
            await engine.take_in([change(f"c{k}")])
            await changes(engine)
            await engine._save()
        first, position = engine.journal.first, engine.stepper.position

    assert position - 4 <= first <= position


def client(engine: Engine) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Web(engine, Starlette()))
    return httpx.AsyncClient(transport=transport, base_url="http://forewarn")
