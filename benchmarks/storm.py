"""A storm of alerts at both servers: when all is told, what that takes, and how long a post waits meanwhile.

An alert is told when a webhook lists it. Both list what joins a group, or an incident, after a second.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import httptools
import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import correlation as both
from pipeline.types import Seconds

COUNT = 100_000
PATIENCE: Seconds = 300.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Storm(NamedTuple):
    """What a storm took."""

    told: Seconds  # from the first post; infinite where not all was told in PATIENCE
    cpu: Seconds  # until then
    slow: Seconds  # p99 of a post
    webhooks: int
    memory: float  # MB resident at most


def run() -> dict[str, float]:
    """Print a row a server and storm, and return the figures."""
    title = f"{COUNT:,} alerts, {both.BATCH} a post; both list what joins a group after 1 s"
    table = Table("groups", "", "all told", "CPU", "p99 of a post", "webhooks", "memory", title=title)
    figures: dict[str, float] = {}
    for groups, by, names in ((10, ("alertname",), 10), (COUNT, ("...",), COUNT)):
        found = {"Forewarn": _ours(names)}
        if shutil.which(both.PEER):
            found["Alertmanager"] = _theirs(by, names)
        for name, storm in found.items():
            told, cpu, slow = f"{storm.told:.1f} s", f"{storm.cpu:.1f} s", f"{storm.slow * 1e3:.0f} ms"
            told_by, memory = f"{storm.webhooks:,}", f"{storm.memory:.0f} MB"
            table.add_row(f"{groups:,}", name, told, cpu, slow, told_by, memory)
            for what, figure in storm._asdict().items():
                figures[f"storm, {groups} groups, {name}: {what}"] = figure
    Console(width=110).print(table)
    return figures


def _ours(names: int) -> Storm:
    with (
        Sink() as sink,
        tempfile.TemporaryDirectory() as folder,
        both.forewarn(Path(folder), sink.url, {"group_interval": "1s"}) as (pid, port),
    ):
        return _storm(pid, port, names, sink)


def _theirs(by: tuple[str, ...], names: int) -> Storm:
    with (
        Sink() as sink,
        tempfile.TemporaryDirectory() as folder,
        both.alertmanager(Path(folder), sink.url, by, "1s") as (pid, port),
    ):
        return _storm(pid, port, names, sink)


def _storm(pid: int, port: int, names: int, sink: Sink) -> Storm:
    listed: set[str] = set()
    read = 0

    def told() -> bool:
        nonlocal read
        new, read = sink.heard[read:], len(sink.heard)
        for body in new:
            listed.update(alert["labels"].get("pod", "") for alert in msgspec.json.decode(body)["alerts"])
        return len(listed - {""}) == COUNT

    bodies = both.posts(COUNT, time.time(), names=names)
    cpu, began = both.cpu_of(pid), time.perf_counter()
    slow = float(np.quantile(both.pump(port, bodies), 0.99))
    while not (done := told()) and time.perf_counter() - began < PATIENCE:
        time.sleep(0.1)
    took = time.perf_counter() - began if done else float("inf")
    return Storm(took, both.cpu_of(pid) - cpu, slow, len(sink.heard), both.memory_of(pid, "VmHWM"))


class Sink:
    """A receiver of webhooks, in a thread, that keeps what it hears; a plain server would be the brake."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._loop = asyncio.new_event_loop()
        listening = self._loop.create_server(lambda: _Connection(self.heard), "127.0.0.1", 0)
        self._server = self._loop.run_until_complete(listening)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Sink:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


class _Connection(asyncio.Protocol):
    def __init__(self, heard: list[bytes]) -> None:
        self._heard = heard
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport if isinstance(transport, asyncio.WriteTransport) else None

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._heard.append(b"".join(self._body))
        self._body.clear()
        if self._transport is not None:
            self._transport.write(OK)
