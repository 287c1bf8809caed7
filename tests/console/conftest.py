"""A console over a real store, and the commands that it posted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from pipeline import console
from pipeline.frame import Frame
from pipeline.store import Store, sqlite
from pipeline.types import Event
from tests.console import shop


@dataclass
class Site:
    """What a test of a page holds in its hands."""

    store: Store
    client: httpx.AsyncClient
    posted: list[Frame] = field(default_factory=list)
    now: float = shop.NOW

    @property
    def commands(self) -> list[Event]:
        return [e for f in self.posted for e in f.events]

    async def page(self, path: str) -> str:
        answer = await self.client.get(path)
        assert answer.status_code == 200, path
        return answer.text

    async def press(self, **fields: str) -> httpx.Response:
        return await self.client.post("/do", data=fields)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The shop on its bad afternoon."""
    store = sqlite.open(tmp_path)
    posted: list[Frame] = []

    async def submit(frame: Frame) -> int:
        posted.append(frame)
        return len(posted)

    routes = console.routes(store, submit, lambda: found.now, lambda: shop.TOPOLOGY)
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://forewarn") as client:
        found = Site(store, client, posted)
        await store.record(shop.afternoon(), 1)
        yield found
    await store.close()
