"""A step waits for posts that are being written, as long as there is room for more of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from unittest.mock import PropertyMock

import pytest

from pipeline.ingest.journal import Journal
from pipeline.run import embedded
from tests.test_embedded import change, changes, running


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> PropertyMock:
    """Whether posts are being written, as long as the test says so, and a wait that time does not end."""
    said = PropertyMock(return_value=False)
    monkeypatch.setattr(Journal, "busy", said)
    monkeypatch.setattr(embedded, "GIVE_WAY", float("inf"))
    monkeypatch.setattr(embedded, "LOOK", 0.0)
    return said


async def test_a_step_waits_while_posts_are_being_written(tmp_path: Path, busy: PropertyMock) -> None:
    async with running(tmp_path) as engine:
        busy.return_value = True
        await engine.take_in([change("c1")])
        for _ in range(200):
            await asyncio.sleep(0)
        assert await engine.store.changes(0.0) == ()

        busy.return_value = False
        assert await changes(engine) == ["c1"]


async def test_it_does_not_wait_where_the_queue_is_half_full(tmp_path: Path, busy: PropertyMock) -> None:
    async with running(tmp_path, queue=2) as engine:
        busy.return_value = True
        await engine.take_in([change("c1")])

        assert await changes(engine) == ["c1"]
