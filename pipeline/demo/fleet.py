"""The demo's processes, and the deployer: starts, replaces, rolls back and restarts the shop's services."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

SERVICES = ("front", "cart", "checkout", "payment", "inventory")
CALLS = {
    "front": ("cart", "checkout"),
    "cart": ("inventory",),
    "checkout": ("inventory", "payment"),
    "payment": (),
    "inventory": (),
}
START = 20.0  # s a process may take to answer
GRACE = 4.0  # s a process may take to end


@dataclass(frozen=True, slots=True)
class Version:
    number: str
    bug: str = ""
    change: str = ""  # id of the change that brought it


@dataclass(slots=True)
class Service:
    """One service: its listening socket outlives its processes, so a deploy refuses nobody."""

    name: str
    door: socket.socket
    history: list[Version]  # the last one runs
    process: subprocess.Popen[bytes] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.door.getsockname()[1]}"


class Fleet:
    """Starts every process of the demo on a leash: none outlives this one."""

    def __init__(self, data: Path, forewarn: str, seed: int) -> None:
        self.data, self.forewarn, self.seed = data, forewarn, seed
        self.logs = data / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.services = {
            name: Service(name, listen(), [Version(f"{2 + k}.4.0")]) for k, name in enumerate(SERVICES)
        }
        self.others: dict[str, subprocess.Popen[bytes]] = {}
        self.client = httpx.AsyncClient(timeout=2.0)
        self.changes = 0

    def start(self, name: str, module: str, *args: str) -> None:
        """Start a process that is not a service of the shop: Forewarn, the agent, the customers."""
        self.others[name] = self._spawn(name, module, args)

    async def open_shop(self) -> None:
        for service in self.services.values():
            service.process = self._serve(service)
        await asyncio.gather(*(self._answering(s) for s in self.services.values()))

    def pid(self, name: str) -> int:
        process = self.services[name].process
        return process.pid if process else 0

    async def deploy(self, name: str, bug: str = "", summary: str = "") -> str:
        """Replace the service by its next version, say so to Forewarn, and return the id of the change."""
        service = self.services[name]
        async with service.lock:
            number = following(service.history[-1].number)
            change = self._next_change(name, number)
            await self._announce(change, name, "deploy", summary or f"{name} {number} deployed")
            service.history.append(Version(number, bug, change))
            await self._replace(service)
        return change

    async def rollback(self, name: str, change: str = "") -> str:
        """Go back one version; raises LookupError where `change` is not what runs, or nothing was before."""
        service = self.services[name]
        async with service.lock:
            running = service.history[-1]
            if change and running.change != change:
                raise LookupError(f"{name} runs {running.number}, which {change} did not bring")
            if len(service.history) < 2:
                raise LookupError(f"{name} {running.number} has no version before it")
            service.history.pop()
            back = service.history[-1].number
            said = f"{name} rolled back from {running.number} to {back}"
            await self._announce(self._next_change(name, back), name, "rollback", said)
            await self._replace(service)
        return back

    async def restart(self, name: str) -> None:
        """Start the running version anew; a process that is stuck is killed."""
        service = self.services[name]
        async with service.lock:
            await self._replace(service)

    async def stop(self) -> None:
        """End every process: asked first, killed after a grace."""
        running = [s.process for s in self.services.values() if s.process] + list(self.others.values())
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        await asyncio.gather(*(asyncio.to_thread(end, p) for p in running))
        await self.client.aclose()

    async def _replace(self, service: Service) -> None:
        """Let the new process answer before the old one is asked to end."""
        old = service.process
        service.process = self._serve(service)
        await self._answering(service)
        if old:
            old.terminate()
            await asyncio.to_thread(end, old, 1.5)

    def _serve(self, service: Service) -> subprocess.Popen[bytes]:
        version = service.history[-1]
        door = service.door.fileno()
        peers = [f"--peer={peer}={self.services[peer].url}" for peer in CALLS[service.name]]
        args = (
            service.name, f"--fd={door}", f"--version={version.number}", f"--bug={version.bug}",
            f"--logs={self.logs}", f"--seed={self.seed}", *peers,
        )  # fmt: skip
        return self._spawn(service.name, "pipeline.demo.shop", args, (door,))

    def _spawn(
        self, name: str, module: str, args: Sequence[str], doors: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        said = (self.logs / f"{name}.out").open("ab")
        return subprocess.Popen(  # noqa: S603 - our own modules, as an argv
            [sys.executable, "-m", "pipeline.demo.leash", module, *args],
            stdin=subprocess.PIPE, stdout=said, stderr=said, pass_fds=doors, start_new_session=True,
        )  # fmt: skip

    async def _answering(self, service: Service) -> None:
        """Wait until the newest process answers; raises RuntimeError where it ended or takes too long."""
        assert service.process is not None
        for _ in range(int(START / 0.1)):
            with contextlib.suppress(httpx.HTTPError):
                answer = await self.client.get(
                    service.url + "/-/healthy", headers={"Connection": "close"}, timeout=0.5
                )
                if answer.json()["pid"] == service.process.pid:
                    return
            if service.process.poll() is not None:
                break
            await asyncio.sleep(0.1)
        raise RuntimeError(f"{service.name} did not start: see {self.logs / service.name}.out")

    def _next_change(self, name: str, number: str) -> str:
        self.changes += 1
        return f"{name}-{number}-{self.changes}"

    async def _announce(self, change: str, service: str, kind: str, summary: str) -> None:
        said = {"t": time.time(), "id": change, "service": service, "kind": kind, "summary": summary}
        with contextlib.suppress(httpx.TransportError):
            await self.client.post(self.forewarn + "/api/v1/changes", json=said)


def listen(port: int = 0) -> socket.socket:
    """Return a listening socket on loopback; the kernel picks the port where it is 0."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("127.0.0.1", port))
    door.listen(256)
    return door


def end(process: subprocess.Popen[bytes], grace: float = GRACE) -> None:
    """Wait for a process that was asked to end; kill it where it does not."""
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def following(number: str) -> str:
    """Return the next version.

    >>> following("5.4.0")
    '5.4.1'
    """
    head, _, last = number.rpartition(".")
    return f"{head}.{int(last) + 1}"
