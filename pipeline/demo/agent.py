"""The shop's telemetry agent: scrapes each second, tails the logs, and pushes both as Alloy would."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click
import httpx
from prometheus_client.parser import text_string_to_metric_families

from pipeline.demo import remote_write

Sample = tuple[dict[str, str], float, float]

INTERVAL = 1.0
BACKLOG = 120  # pushes kept while Forewarn is away; then the oldest goes
LINES = 2_000  # read of one file at a time

# As a `write_relabel_configs: action: keep` would: what is looked at, not all that there is.
KEEP = re.compile(
    "http_requests_total|http_requests_in_flight|http_request_duration_seconds|http_success_ratio|"
    "storage_write_duration_seconds|process_cpu_seconds_total|process_resident_memory_bytes|up"
)
LEVEL = re.compile(r"\S+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) ")


class Agent:
    """Scrapes `targets` and tails `logs` into Forewarn at `url`."""

    def __init__(self, targets: dict[str, str], logs: Path, url: str) -> None:
        self.targets, self.logs, self.url = targets, logs, url
        self.client = httpx.AsyncClient(timeout=0.9)
        self.files: dict[str, BinaryIO] = {}
        self.unsent: deque[tuple[str, bytes, dict[str, str]]] = deque(maxlen=BACKLOG)

    async def run(self) -> None:
        """Scrape on each full second, push what was scraped and written; never ends."""
        while True:
            await asyncio.sleep(INTERVAL - time.time() % INTERVAL)
            now = time.time()
            scraped = await asyncio.gather(*(self.scrape(s, now) for s in self.targets))
            samples = [one for found in scraped for one in found]
            self.unsent.append(("/api/v1/write", remote_write.body(samples), remote_write.HEADERS))
            streams = [s for name in self.targets for s in self.tail(name)]
            if streams:
                body = httpx.Request("POST", self.url, json={"streams": streams}).content
                self.unsent.append(("/loki/api/v1/push", body, {"Content-Type": "application/json"}))
            await self.push()

    async def scrape(self, service: str, now: float) -> list[Sample]:
        """Return the target's samples, and `up` as Prometheus adds it."""
        about = {"job": "shop", "service": service, "instance": self.targets[service].removeprefix("http://")}
        try:
            answer = await self.client.get(self.targets[service] + "/metrics")
            found = [
                ({**labels, **about, "__name__": name}, value, now)
                for name, labels, value in parse(answer.text)
            ]
        except httpx.TransportError:
            found = []
        return [*found, ({**about, "__name__": "up"}, float(bool(found)), now)]

    def tail(self, service: str) -> Iterator[dict[str, Any]]:
        """Yield a Loki stream for each level that the service has logged at since last time."""
        path = self.logs / f"{service}.log"
        if service not in self.files and path.exists():
            self.files[service] = path.open("rb")
        by_level: dict[str, list[list[str]]] = {}
        for text in whole_lines(self.files[service]) if service in self.files else ():
            level = LEVEL.match(text)
            at = str(time.time_ns())
            by_level.setdefault(level[1].lower() if level else "info", []).append([at, text])
        for word, values in by_level.items():
            yield {"stream": {"service": service, "job": "shop", "level": word}, "values": values}

    async def push(self) -> None:
        """Send what is unsent, oldest first; what is refused with 429 or 5xx, or not taken, stays."""
        while self.unsent:
            path, body, headers = self.unsent[0]
            try:
                answer = await self.client.post(self.url + path, content=body, headers=headers)
            except httpx.TransportError:
                return
            if answer.status_code == 429 or answer.status_code >= 500:
                return
            if answer.status_code >= 400:
                click.echo(f"agent: {path} answered {answer.status_code}: {answer.text[:200]}", err=True)
            self.unsent.popleft()


def parse(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield name, labels and value of each sample of a /metrics page that is kept."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if KEEP.fullmatch(sample.name) and not math.isnan(sample.value):
                yield sample.name, dict(sample.labels), sample.value


def whole_lines(file: BinaryIO) -> Iterator[str]:
    """Yield the lines that are complete; a half one is read again next time."""
    for _ in range(LINES):
        start = file.tell()
        line = file.readline()
        if not line.endswith(b"\n"):
            file.seek(start)
            return
        yield line.decode("utf-8", "replace").rstrip("\n")


@click.command()
@click.option("--target", multiple=True, help="NAME=URL of a service to scrape.")
@click.option("--logs", type=click.Path(path_type=Path), required=True)
@click.option("--forewarn", required=True, help="URL.")
def main(target: tuple[str, ...], logs: Path, forewarn: str) -> None:
    """Run until SIGTERM."""
    asyncio.run(Agent(dict(t.split("=", 1) for t in target), logs, forewarn).run())


if __name__ == "__main__":
    main()
