"""A real `forewarn worker` on topics of its own, what it wrote there, and a pager that it may call."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline import config
from pipeline.config import Kafka
from pipeline.frame import Frame
from pipeline.run import topics

FOREWARN = Path(sys.executable).with_name("forewarn")


class Topic:
    """A fresh set of topics on the broker; `more` is the rest of the worker's forewarn.yaml."""

    def __init__(self, bootstrap: str, folder: Path, name: str, more: str = "") -> None:
        self.folder = folder
        self.file = folder / "forewarn.yaml"
        self.file.write_text(
            f"kafka: {{bootstrap: '{bootstrap}', prefix: {name}, group: {name}, worker: {name}}}\n"
            f"storage: {{path: '{folder}/data', snapshot_interval: 500ms}}\n{more}"
        )
        self.kafka: Kafka = config.load(self.file).kafka
        asyncio.run(topics.declare(self.kafka))

    def feed(self, frames: list[Frame]) -> None:
        assert asyncio.run(topics.feed(self.kafka, frames)) == len(frames)

    @contextmanager
    def worker(self, *more: str, ticks: bool = False) -> Iterator[subprocess.Popen[bytes]]:
        ticking = "--ticks" if ticks else "--no-ticks"
        command = [str(FOREWARN), "worker", "--config.file", str(self.file), ticking, *more]
        with (self.folder / "out").open("ab") as out:
            running = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            yield running
        finally:
            running.kill()
            running.wait()

    def saved(self) -> int:
        """The position of the newest snapshot; -1 where there is none."""
        newest = asyncio.run(topics.read_state(self.kafka, 0)).newest()
        return newest[0].position if newest else -1

    def read(self, name: str) -> list[tuple[str, bytes]]:
        return asyncio.run(_records(self.kafka, name))

    def count(self, name: str) -> int:
        return len(self.read(name))


async def _records(settings: Kafka, name: str) -> list[tuple[str, bytes]]:
    tp = TopicPartition(f"{settings.prefix}.{name}", 0)
    found = []
    async with AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, enable_auto_commit=False) as consumer:
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        end = (await consumer.end_offsets([tp]))[tp]
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(tp, timeout_ms=500)).values():
                found += [(r.key.decode(), r.value) for r in records]
    return found


def until(what: str, met: Callable[[], bool], topic: Topic, limit: float = 60.0) -> None:
    """Wait for it; where it takes too long, say what the worker said."""
    end = time.monotonic() + limit
    while not met():
        said = (topic.folder / "out").read_text()[-3000:]
        assert time.monotonic() < end, f"{what}: not within {limit:.0f} s\n{said}"
        time.sleep(0.1)


@contextmanager
def webhook() -> Iterator[tuple[str, list[str]]]:
    """A pager that says yes to everything; yields its address and the Idempotency-Keys it hears."""
    keys: list[str] = []

    class Pager(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            keys.append(self.headers["Idempotency-Key"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pager)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", keys
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
