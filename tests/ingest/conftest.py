"""Forewarn itself on a free port of loopback, its folder empty, for one file of tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from pipeline.run.serve import Launch, serve


@dataclass
class Served:
    """A running Forewarn: its address, its folder, a client."""

    at: str
    folder: Path
    client: httpx.AsyncClient

    async def counts(self, name: str, *labels: str) -> dict[str, float]:
        """Return a metric as /metrics has it, by the values of these labels."""
        text = (await self.client.get("/metrics")).text
        return {
            ": ".join(sample.labels[label] for label in labels): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
        }

    async def dropped(self) -> dict[str, float]:
        """Return what was turned away at the doors, by "door NAME: reason"."""
        found = await self.counts("forewarn_dropped_total", "stage", "reason")
        return {name: count for name, count in found.items() if name.startswith("door ")}


@contextlib.asynccontextmanager
async def serving(folder: Path, config: Path | None = None) -> AsyncIterator[Served]:
    up: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(Launch(config, str(folder), "127.0.0.1:0"), up.set_result))
    await asyncio.wait((task, up), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        async with httpx.AsyncClient(base_url=f"http://{up.result()}", timeout=20, trust_env=False) as client:
            yield Served(up.result(), folder, client)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def forewarn(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """One Forewarn for all tests of a file: each asks how a number changed, none what it is."""
    async with serving(tmp_path_factory.mktemp("data")) as served:
        yield served
