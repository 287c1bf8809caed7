"""A real Prometheus that writes to Forewarn and alerts through it, wired as an SRE would."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.store import sqlite
from pipeline.types import Incident, State
from tests.running import Running

pytestmark = [pytest.mark.prometheus, pytest.mark.slow]

FOREWARN = """
shipped: false
rules: [watches.yaml]
policy: {resolve_after: 3s}
"""
WATCHES = """
watches:
  - name: shop latency
    metrics: [shop_latency_seconds]
    detection_direction: above
    min_rel_dev: 1.0
    with: {warm_up: 25}
    samples: 2
    clear: 2s
    page: true
"""
PROMETHEUS = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 1s}}
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{shop}"], labels: {{service: pay}}}}]
remote_write:
  - url: http://127.0.0.1:{forewarn}/api/v1/write
    queue_config: {{batch_send_deadline: 200ms}}
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["127.0.0.1:{forewarn}"]}}]
rule_files: [alerts.yml]
"""
ALERTS = """
groups:
  - name: shop
    rules:
      - {alert: ShopIsSlow, expr: shop_latency_seconds > 1, labels: {severity: critical}}
"""


class Shop(BaseHTTPRequestHandler):
    """An exporter with one number that the test turns."""

    latency = 0.1

    def do_GET(self) -> None:
        wobble = 0.01 * (time.monotonic_ns() // 1000 % 7)
        body = f"shop_latency_seconds {Shop.latency + wobble}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop() -> Iterator[int]:
    Shop.latency = 0.1
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.fixture
def forewarn(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[tuple[Running, int]]:
    (tmp_path / "watches.yaml").write_text(WATCHES)
    (tmp_path / "forewarn.yaml").write_text(FOREWARN)
    port = free_port()
    running = Running(tmp_path / "data", port, tmp_path / "forewarn.yaml")
    running.wait_until_ready()
    yield running, port
    running.stop()


@pytest.fixture
def prometheus(
    tmp_path: Path, forewarn: tuple[Running, int], shop: int, free_port: Callable[[], int]
) -> Iterator[None]:
    found = shutil.which("prometheus")
    if found is None:
        pytest.skip("no prometheus on this machine (Debian package prometheus)")
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS.format(shop=shop, forewarn=forewarn[1]))
    (tmp_path / "alerts.yml").write_text(ALERTS)
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                found,
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{free_port()}",
                "--rules.alert.resend-delay=1s",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
        yield
        process.terminate()
        process.wait(30)


async def test_its_samples_are_detected_on_and_its_alert_becomes_an_incident_and_resolves(
    prometheus: None, forewarn: tuple[Running, int]
) -> None:
    folder = forewarn[0].folder
    await asyncio.sleep(9)  # the watch warms up on 25 samples, 5 a second
    assert await incidents(folder) == ()

    Shop.latency = 4.0
    burning = await until(folder, lambda i: {"metric", "alert"} <= {s.kind for s in i.signals})
    Shop.latency = 0.1
    over = await until(folder, lambda i: i.state is State.RESOLVED)

    alert = next(s for s in burning.signals if s.kind == "alert")
    metric = next(s for s in burning.signals if s.kind == "metric")
    assert burning.services == ("pay",)
    assert alert.labels["alertname"] == "ShopIsSlow"
    assert (metric.service, metric.labels["__name__"], metric.observed > 3) == (
        "pay",
        "shop_latency_seconds",
        True,
    )
    assert over.id == burning.id
    assert {s.kind for s in over.signals if s.ended is not None} == {"metric", "alert"}


async def until(folder: Path, true: Callable[[Incident], bool], within: float = 45.0) -> Incident:
    """Return the one incident once it is so."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        found = await incidents(folder)
        if found and true(found[0]):
            return found[0]
        await asyncio.sleep(0.2)
    raise AssertionError(f"not so within {within:g} s: {await incidents(folder)}")


async def incidents(folder: Path) -> tuple[Incident, ...]:
    store = sqlite.open(folder)
    try:
        return await store.incidents()
    finally:
        await store.close()
