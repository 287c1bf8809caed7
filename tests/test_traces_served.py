"""From the exporter of OpenTelemetry's SDK to the page: a shop's traces posted to a running Forewarn."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult

from tests.ingest.conftest import Served, serving
from tests.tracing import WELL, Fault, Shop, told

NOW = 1_790_000_000.0
EVERY = 5.0  # seconds: how often the SDK sends
RATE = 4.0  # requests a second


class Clock:
    """The time that the served Forewarn goes by."""

    def __init__(self) -> None:
        self.now = NOW

    def wall(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("pipeline.clock.wall", clock.wall)
    return clock


async def trade(forewarn: Served, clock: Clock, shop: Shop, seconds: float, fault: Fault = WELL) -> None:
    """Send what the shop's services have to say, as long as it takes."""
    exporter = OTLPSpanExporter(f"http://{forewarn.at}/v1/traces", compression=Compression.Gzip)
    for _ in range(int(seconds / EVERY)):
        spans = shop.spans(clock.now, clock.now + EVERY - 1, RATE, fault)
        clock.now += EVERY
        assert await asyncio.to_thread(exporter.export, told(spans)) is SpanExportResult.SUCCESS
    exporter.shutdown()  # type: ignore[no-untyped-call]  # the SDK says nothing of it


async def opened(forewarn: Served) -> list[dict[str, Any]]:
    """Return the incidents that are paged, once there are any."""
    for _ in range(400):
        found = [i for i in (await forewarn.client.get("/api/v1/incidents")).json() if i["paged_at"]]
        if found:
            return found
        await asyncio.sleep(0.05)
    return []


@pytest.mark.slow
async def test_a_slow_service_of_which_only_traces_tell_is_paged_and_named(
    tmp_path: Path, clock: Clock
) -> None:
    shop = Shop()
    async with serving(tmp_path / "data") as forewarn:
        await trade(forewarn, clock, shop, 900)
    async with serving(tmp_path / "data") as forewarn:
        await trade(forewarn, clock, shop, 600)
        await trade(forewarn, clock, shop, 60, Fault(work={"pay": 8.0}))
        found = await opened(forewarn)

        page = (await forewarn.client.get("/services")).text
    assert [incident["suspects"][0]["service"] for incident in found] == ["pay"]
    assert '<td>cart, checkout<small class="seen">seen in traces</small></td>' in page
