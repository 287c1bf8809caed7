"""The hot path beside the real Alertmanager, and what a step costs as state grows."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
COUNT, BATCH, CONNECTIONS = 50_000, 64, 4
RULES = 100  # routes of the Alertmanager, and rules of inhibition of both
INHIBIT = [
    {"source_matchers": [f'alertname="NodeDown{k}"'], "target_matchers": ['severity=~"warning|info"'],
     "equal": ["instance", "cluster"]}
    for k in range(RULES)
]  # fmt: skip
NEIGHBOURS = 100  # services that call each other, however many others there are
NO_SERIES = Series()  # alerts are no series
SEVERITIES = ("critical", "warning", "info", "page")


class Cost(NamedTuple):
    """What a server took for COUNT alerts."""

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
    middle, late = of_a_thousand_signals()
    print(f"a step of 1,000 signals that are new: {middle:.1f} ms in the median, p99 {late:.1f} ms")
    return figures | {"step of 1,000 signals, median ms": middle, "step of 1,000 signals, p99 ms": late}


def beside_alertmanager() -> dict[str, float]:
    """Return alerts per CPU second of both servers; without the peer's binary only ours."""
    bodies = posts(COUNT, time.time())
    found: dict[str, tuple[Cost, Cost]] = {}
    with sink() as url, tempfile.TemporaryDirectory() as folder:
        if shutil.which(PEER):
            with alertmanager(Path(folder), url) as (pid, port):
                found["Alertmanager"] = load(pid, port, bodies), load(pid, port, bodies)
        with forewarn(Path(folder), url) as (pid, port):
            found["Forewarn"] = load(pid, port, bodies), load(pid, port, bodies)
    title = f"{COUNT:,} alerts, {BATCH} a post; {RULES} inhibition rules on both sides, routes on the peer's"
    table = Table("", "first seen / CPU s", "sent again / CPU s", "p99 of a post", "memory", title=title)
    figures: dict[str, float] = {}
    for name, (first, again) in found.items():
        table.add_row(
            name, f"{COUNT / first.cpu:,.0f}", f"{COUNT / again.cpu:,.0f}", f"{first.slow * 1e3:.0f} ms",
            f"{again.memory:.0f} MB",
        )  # fmt: skip
        figures |= {
            f"{name}: first seen/CPU s": COUNT / first.cpu,
            f"{name}: sent again/CPU s": COUNT / again.cpu,
        }
        figures[f"{name}: MB"] = again.memory
    if "Alertmanager" in found:
        (theirs, theirs_again), (ours, ours_again) = found["Alertmanager"], found["Forewarn"]
        figures |= {
            "first seen ratio": theirs.cpu / ours.cpu,
            "sent again ratio": theirs_again.cpu / ours_again.cpu,
        }
        table.add_row(
            "ratio", f"{theirs.cpu / ours.cpu:.2f}x", f"{theirs_again.cpu / ours_again.cpu:.2f}x", "",
            f"{ours_again.memory / theirs_again.memory:.2f}x",
        )  # fmt: skip
    Console(width=110).print(table)
    if "Alertmanager" not in found:
        print(f"{PEER} is not installed: apt-get install {PEER}, to see it beside ours")
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


def of_a_thousand_signals() -> tuple[float, float]:
    """Return median and p99 of the CPU ms of steps in which 1,000 alerts are each a signal of its own."""
    pipeline, now, steps = Pipeline(Config(topology=Topology(_catalog(10_000)))), time.time(), 100
    alerts = [_alert(k, now, "r", 9_973, 1_000 * steps) for k in range(1_000 * steps)]
    frames = [
        f
        for k in range(steps)
        for f in door.decode(
            json.dumps(alerts[1_000 * k : 1_000 * (k + 1)]).encode(), {}, now, Limits()
        ).frames
    ]
    pipeline.take(frame.tick(now), 0)  # loads what the first step needs
    tune()
    took = []
    for position, each in enumerate(frames, 1):
        began = time.process_time()
        pipeline.take(msgspec.structs.replace(each, at=now + position / 10), position)
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


def posts(count: int, now: Seconds, run: str = "r", services: int = 997, names: int = 100) -> list[bytes]:
    """Return bodies of BATCH alerts each: eight labels and two annotations, 520 B an alert, all distinct."""
    return [
        json.dumps(
            [_alert(k, now, run, services, names) for k in range(first, min(first + BATCH, count))]
        ).encode()
        for first in range(0, count, BATCH)
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
    """Post all; return what the process took until a second after the last."""
    cpu, began = cpu_of(pid), time.perf_counter()
    took = pump(port, bodies)
    wall = time.perf_counter() - began
    time.sleep(1.0)
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
