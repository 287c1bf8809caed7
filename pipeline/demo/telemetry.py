"""What a shop service tells of itself: /metrics as Prometheus scrapes it, and a log file."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A summary's window: long enough to hold some dozens of requests, short enough to turn within seconds.
WINDOW = 5.0
QUANTILES = (0.5, 0.9, 0.99)
UNMEASURED = ("/metrics", "/-/")


class Telemetry:
    """One service's metrics. Holds the requests of the last few seconds, at most 4,096 of them."""

    def __init__(self, service: str, logs: Path) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("http_requests_total", "Requests answered.", ["code"], registry=self.registry)
        self.in_flight = Gauge("http_requests_in_flight", "Requests begun.", registry=self.registry)
        self.log = _log(service, logs)
        self._recent: deque[tuple[float, float, bool]] = deque(maxlen=4096)
        self._count, self._sum = 0, 0.0
        self._stored: deque[tuple[float, float]] = deque(maxlen=4096)
        self.registry.register(_Recent(self))
        ProcessCollector(registry=self.registry)
        for code in ("200", "500"):
            self.requests.labels(code)

    def answered(self, code: int, took: float) -> None:
        self.requests.labels(str(code)).inc()
        self._count, self._sum = self._count + 1, self._sum + took
        self._recent.append((time.monotonic(), took, code < 500))

    def stored(self, took: float) -> None:
        self._stored.append((time.monotonic(), took))

    def render(self) -> bytes:
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        since = time.monotonic() - WINDOW
        recent = [(took, ok) for at, took, ok in self._recent if at >= since]
        latency = SummaryMetricFamily(
            "http_request_duration_seconds", "How long requests took.", self._count, self._sum
        )
        for q, value in quantiles([took for took, _ in recent]).items():
            latency.add_sample("http_request_duration_seconds", {"quantile": q}, value)
        yield latency
        good = float(np.mean([ok for _, ok in recent])) if recent else float("nan")
        yield GaugeMetricFamily("http_success_ratio", f"Answered below 500, last {WINDOW:.0f} s.", good)
        stored = [took for at, took in self._stored if at >= since]
        if stored:
            worst = quantiles(stored)["0.9"]
            yield GaugeMetricFamily("storage_write_duration_seconds", "90 % of writes were quicker.", worst)


class _Recent:
    """The collector that prometheus_client asks; it wants an object with `collect` and nothing else."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.collect = telemetry.collect


class Measured:
    """ASGI middleware that times every request but those for the service's own upkeep."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app, self.telemetry = app, telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(UNMEASURED):
            return await self.app(scope, receive, send)
        began, code = time.monotonic(), 500

        async def watch(message: Message) -> None:
            nonlocal code
            code = message.get("status", code)
            await send(message)

        with self.telemetry.in_flight.track_inprogress():
            try:
                await self.app(scope, receive, watch)
            finally:
                self.telemetry.answered(code, time.monotonic() - began)


def quantiles(took: list[float]) -> dict[str, float]:
    """Return {quantile: seconds}; NaN where nothing was measured, as Prometheus clients do.

    >>> quantiles([0.1, 0.2, 0.3])
    {'0.5': 0.2, '0.9': 0.28, '0.99': 0.298}
    """
    if not took:
        return {str(q): float("nan") for q in QUANTILES}
    return {str(q): round(float(v), 6) for q, v in zip(QUANTILES, np.quantile(took, QUANTILES), strict=True)}


def _log(service: str, folder: Path) -> logging.Logger:
    log = logging.getLogger(f"shop.{service}")
    to_file = logging.FileHandler(folder / f"{service}.log", encoding="utf-8")
    to_file.setFormatter(
        logging.Formatter("%(asctime)s.%(msecs)03d %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    )
    log.addHandler(to_file)
    log.setLevel(logging.INFO)
    log.propagate = False
    return log
