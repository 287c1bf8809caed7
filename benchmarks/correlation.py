"""The hot path beside the real Alertmanager, and what a step costs as state grows."""

from __future__ import annotations

import http.client
import http.server
import json
import math
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline import frame
from pipeline.alerts import AlertState, take_alerts
from pipeline.config import Config, Limits
from pipeline.flow import Pipeline
from pipeline.ingest import alerts as door
from pipeline.run.serve import tune
from pipeline.series import Series
from pipeline.topology import Service, Topology
from pipeline.types import Seconds
from tests.running import Running

PEER = "prometheus-alertmanager"
PATH = "/api/v2/alerts"
JSON = {"Content-Type": "application/json"}
COUNT, BATCH, CONNECTIONS = 100_000, 64, 4
MANY, PILE = (
    300_000,
    500,
)  # active alerts that memory is told of as well, and how many of them are posted at once
RULES = 100  # routes of the Alertmanager, and rules of inhibition of both
INHIBIT = [
    {"source_matchers": [f'alertname="NodeDown{k}"'], "target_matchers": ['severity=~"warning|info"'],
     "equal": ["instance", "cluster"]}
    for k in range(RULES)
]  # fmt: skip
IDLE: Seconds = 0.1  # of CPU time, that a server with nothing to do takes in a second
NEIGHBOURS = 100  # services that call each other, however many others there are
NO_SERIES = Series()  # alerts are no series
SEVERITIES = ("critical", "warning", "info", "page")


class Cost(NamedTuple):
    """What a server took for some alerts."""

    cpu: Seconds
    wall: Seconds
    slow: Seconds  # p99 of a post
    memory: float  # MB resident after it


def run() -> dict[str, float]:
    """Print both tables, and return every figure in them."""
    figures = beside_alertmanager()
    for what, costs in (
        ("active alerts", as_alerts_grow()),
        ("services in the catalogue", as_catalogs_grow()),
    ):
        table = Table(what, "us an alert first seen", "us an alert sent again", title=f"A step, by {what}")
        for size, (first, again) in costs.items():
            table.add_row(f"{size:,}", f"{first:.1f}", f"{again:.2f}")
            figures |= {f"step us, {size} {what}, first": first, f"step us, {size} {what}, again": again}
        Console(width=110).print(table)
    for what, (middle, late) in of_a_thousand_signals().items():
        print(f"a step of 1,000 {what}: {middle:.1f} ms in the median, p99 {late:.1f} ms")
        figures |= {f"step of 1,000 {what}, median ms": middle, f"step of 1,000 {what}, p99 ms": late}
    return figures


def beside_alertmanager() -> dict[str, float]:
    """Return alerts per CPU second of both servers, and their memory; without the peer's binary only ours."""
    now = time.time()
    bodies, many = posts(COUNT, now), posts(MANY, now, size=PILE)
    found: dict[str, tuple[Cost, Cost, Cost]] = {}
    servers: dict[str, Callable[[Path, str], AbstractContextManager[tuple[int, int]]]] = {
        "Alertmanager": alertmanager, "Forewarn": forewarn,
    }  # fmt: skip
    if not shutil.which(PEER):
        del servers["Alertmanager"]
        print(f"{PEER} is not installed: apt-get install {PEER}, to see it beside ours")
    for name, server in servers.items():
        with sink() as url, tempfile.TemporaryDirectory() as folder, server(Path(folder), url) as (pid, port):
            first, again = load(pid, port, bodies), load(pid, port, bodies)
        with sink() as url, tempfile.TemporaryDirectory() as folder, server(Path(folder), url) as (pid, port):
            found[name] = first, again, load(pid, port, many)
    title = f"{COUNT:,} alerts, {BATCH} a post; {RULES} inhibition rules on both sides, routes on the peer's"
    heads = ("first seen / CPU s", "sent again / CPU s", "p99 of a post", "MB", f"MB, {MANY:,} alerts")
    table = Table("", *heads, title=title)
    figures: dict[str, float] = {}
    for name, (first, again, pile) in found.items():
        rates = COUNT / first.cpu, COUNT / again.cpu
        slow = max(first.slow, again.slow)
        table.add_row(
            name, *(f"{rate:,.0f}" for rate in rates), f"{slow * 1e3:.0f} ms",
            f"{again.memory:.0f}", f"{pile.memory:.0f}",
        )  # fmt: skip
        told = (*rates, slow, again.memory, pile.memory)
        figures |= {f"{name}: {head}": value for head, value in zip(heads, told, strict=True)}
    if len(found) == len(servers) == 2:
        (theirs, theirs_again, theirs_many), (ours, ours_again, ours_many) = found.values()
        figures |= {
            "first seen ratio": theirs.cpu / ours.cpu,
            "sent again ratio": theirs_again.cpu / ours_again.cpu,
            "memory ratio": ours_again.memory / theirs_again.memory,
            "memory ratio, many": ours_many.memory / theirs_many.memory,
        }
        ratios = [f"{figures[f'{what} ratio']:.2f}x" for what in ("first seen", "sent again", "memory")]
        table.add_row("ratio", *ratios[:2], "", ratios[2], f"{figures['memory ratio, many']:.2f}x")
    Console(width=110).print(table)
    return figures


def as_alerts_grow() -> dict[int, tuple[float, float]]:
    """Return us an alert, first seen and sent again, of steps beside so many active alerts."""
    found = {}
    for size in (1_000, 10_000, 100_000, 300_000):
        state, now = AlertState(), time.time()
        _taken(state, posts(size, now), now)
        new = posts(6_400, now, "new")
        found[size] = (
            _us(lambda: _taken(state, new, now), 6_400),  # noqa: B023 called at once
            _us(lambda: _taken(state, new, now), 6_400),  # noqa: B023
        )
    return found


def as_catalogs_grow() -> dict[int, tuple[float, float]]:
    """Return the same of whole steps with catalogues of so many services, NEIGHBOURS call each other.

    What alerts, and who is near it, is the same in each: it is what a step is about. The rest is around it.
    """
    found = {}
    for size in (100, 1_000, 10_000, 100_000):
        pipeline, now = Pipeline(Config(topology=Topology(_catalog(size)))), time.time()
        bodies = posts(6_400, now, services=NEIGHBOURS)
        frames = [f for body in bodies for f in door.decode(body, {}, now, Limits()).frames]
        at = iter(range(10**9))

        def steps(
            frames: Sequence[frame.Frame] = frames, pipeline: Pipeline = pipeline, now: Seconds = now
        ) -> None:
            for each in frames:
                position = next(at)  # noqa: B023 called at once
                pipeline.take(msgspec.structs.replace(each, at=now + position / 100), position)

        found[size] = _us(steps, 6_400), _us(steps, 6_400)
    return found


def of_a_thousand_signals() -> dict[str, tuple[float, float]]:
    """Return median and p99 of the CPU ms of a hundred steps, by what is in them.

    Alerts that are each a new signal, the same sent again, and new alerts of which many share a signal.
    """
    now, steps = time.time(), 100
    own = [_alert(k, now, "r", 9_973, 1_000 * steps) for k in range(1_000 * steps)]
    shared = [_alert(k, now, "s", NEIGHBOURS, 1) for k in range(1_000 * steps)]
    pipeline = Pipeline(Config(topology=Topology(_catalog(10_000))))
    pipeline.take(frame.tick(now), 0)  # loads what the first step needs
    tune()
    found = {"alerts, each a new signal": _thousands(pipeline, own, now, 0.0)}
    found["alerts sent again"] = _thousands(pipeline, own, now, steps / 10)
    found["new alerts of known signals"] = _thousands(pipeline, shared, now, 2 * steps / 10)
    return found


def _thousands(
    pipeline: Pipeline, alerts: Sequence[Mapping[str, object]], now: Seconds, later: Seconds
) -> tuple[float, float]:
    """Return the same of steps of a thousand alerts each, one every tenth of a second."""
    took = []
    for first in range(0, len(alerts), 1_000):
        body = json.dumps(alerts[first : first + 1_000]).encode()
        for each in door.decode(body, {}, now, Limits()).frames:
            taken = msgspec.structs.replace(each, at=now + later + first / 10_000)
            began = time.process_time()
            pipeline.take(taken, pipeline.memory.position + 1)
            took.append((time.process_time() - began) * 1e3)
    return float(np.quantile(took, 0.5)), float(np.quantile(took, 0.99))


def _catalog(size: int) -> dict[str, Service]:
    """Return services in neighbourhoods; each calls two of its own."""

    def name(k: int, of: int) -> str:
        return f"svc-{k - k % NEIGHBOURS + of % NEIGHBOURS}"

    return {f"svc-{k}": Service((name(k, k * 7 + 1), name(k, k * 3 + 2))) for k in range(size)}


def _taken(state: AlertState, bodies: Sequence[bytes], now: Seconds) -> None:
    for body in bodies:
        for each in door.decode(body, {}, now, Limits()).frames:
            take_alerts(state, frame.batch(each, NO_SERIES).alerts, now)


def _us(work: Callable[[], None], count: int) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) / count * 1e6


def posts(
    count: int, now: Seconds, run: str = "r", services: int = 997, names: int = 100, size: int = BATCH
) -> list[bytes]:
    """Return bodies of some alerts each: eight labels and two annotations, 520 B an alert, all distinct."""
    return [
        json.dumps(
            [_alert(k, now, run, services, names) for k in range(first, min(first + size, count))]
        ).encode()
        for first in range(0, count, size)
    ]


def _alert(k: int, now: Seconds, run: str, services: int, names: int) -> dict[str, object]:
    labels = {
        "alertname": f"HighErrorRate{k % names}", "cluster": f"eu-{k % 7}", "severity": SEVERITIES[k % 4],
        "namespace": f"team-{k % 53}", "service": f"svc-{k % services}", "job": "node",
        "instance": f"10.{k >> 16}.{k >> 8 & 255}.{k & 255}:9100", "pod": f"{run}-pod-{k:07}",
    }  # fmt: skip
    notes = {
        "summary": f"More than 5 % of what svc-{k % services} answers are errors",
        "description": f"svc-{k % services} answers more than 5 % with errors for 10 min; now {k % 90} %",
    }
    return {
        "labels": labels, "annotations": notes, "startsAt": _iso(now), "endsAt": _iso(now + 7200),
        "generatorURL": f"http://prometheus.example/graph?g0.expr=errors&i={k}",
    }  # fmt: skip


def _iso(at: Seconds) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def load(pid: int, port: int, bodies: Sequence[bytes]) -> Cost:
    """Post all; return what the process took until it had nothing left to do."""
    cpu, began = cpu_of(pid), time.perf_counter()
    took = pump(port, bodies)
    wall = time.perf_counter() - began
    before, after = -math.inf, cpu_of(pid)
    while after - before > IDLE:
        time.sleep(1.0)
        before, after = after, cpu_of(pid)
    return Cost(cpu_of(pid) - cpu, wall, float(np.quantile(took, 0.99)), memory_of(pid))


def pump(port: int, bodies: Sequence[bytes]) -> list[Seconds]:
    """Post all over a few connections; return how long each post took. What is turned away is sent again."""
    left, took = list(reversed(bodies)), []

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while left:
            at, body = time.perf_counter(), left.pop()
            connection.request("POST", PATH, body, JSON)
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter() - at)
            if answer.status == 429:
                left.append(body)
                time.sleep(0.1)
            elif answer.status >= 300:
                raise RuntimeError(f"{PATH} answered {answer.status}")

    threads = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def memory_of(pid: int, which: str = "VmRSS") -> float:
    """Return what is resident of a process, or was at most (VmHWM), in MB."""
    return int(Path(f"/proc/{pid}/status").read_text().split(f"{which}:")[1].split()[0]) / 1024


def cpu_of(pid: int) -> Seconds:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def alertmanager(
    folder: Path, url: str, by: Sequence[str] = ("alertname", "cluster"), interval: str = "5m"
) -> Iterator[tuple[int, int]]:
    """Run the peer with RULES routes and rules of inhibition, none of which holds; yield its pid and port."""
    routes = [
        {"matchers": [f'service="none-{k}"', 'severity=~"crit.*|warn.*"'], "receiver": "sink"}
        for k in range(RULES)
    ]
    route = {
        "receiver": "sink", "group_by": by, "group_wait": "1s", "group_interval": interval, "routes": routes,
    }  # fmt: skip
    receivers = [{"name": "sink", "webhook_configs": [{"url": url, "max_alerts": 0}]}]
    file, port = folder / "alertmanager.yml", _free_port()
    file.write_text(json.dumps({"route": route, "inhibit_rules": INHIBIT, "receivers": receivers}))
    command = [
        PEER, f"--config.file={file}", f"--storage.path={folder / 'peer'}", "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until_ready(port)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def forewarn(folder: Path, url: str, policy: Mapping[str, str] = {}) -> Iterator[tuple[int, int]]:
    file, port = folder / "forewarn.yaml", _free_port()
    receiver = {"name": "sink", "via": [{"do": "webhook", "args": {"url": url}}]}
    response = {"receiver": "sink", "receivers": [receiver]}
    file.write_text(json.dumps({"response": response, "inhibit_rules": INHIBIT, "policy": policy}))
    running = Running(folder / "data", port, file)
    try:
        running.wait_until_ready()
        yield running.process.pid, port
    finally:
        running.stop()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _until_ready(port: int) -> None:
    for _ in range(200):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/-/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"nothing answers on port {port}")


@contextmanager
def sink() -> Iterator[str]:
    """Answer 200 to every page."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
