"""Puts the whole demo on: Forewarn, the shop, its agent and its customers, and takes all of it down again."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
import webbrowser
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from pipeline.demo import desk, terminal, world
from pipeline.demo.fleet import SERVICES, START, Fleet, listen
from pipeline.demo.measure import Probe
from pipeline.demo.show import Show

LINKS = """console  {url}
faults   {desk}/demo
board    {url}/board/harbour-cafe
Ctrl-C ends it all
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of `forewarn demo`."""

    port: int
    browser: bool
    every: float
    once: str
    seed: int
    data: Path | None


async def put_on(asked: Asked) -> None:
    """Run until Ctrl-C or SIGTERM; every process is ended before it returns."""
    with folder(asked.data) as data, contextlib.closing(listen()) as door:
        url = f"http://127.0.0.1:{asked.port}"
        desk_url = f"http://127.0.0.1:{door.getsockname()[1]}"
        fleet = Fleet(data, url, asked.seed)
        pager, probe = desk.Pager(), Probe(url)
        show = Show(fleet, probe, data, asked.every, asked.once, asked.seed)
        server = uvicorn.Server(
            uvicorn.Config(desk.app(show, fleet, pager), log_level="warning", lifespan="off")
        )
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]  # ours to hear
        links = LINKS.format(url=url, desk=desk_url)
        try:
            config = world.lay_out(data, asked.port, desk_url)
            fleet.start("forewarn", "pipeline", "run", "--config.file", str(config))
            await until_closed(
                server.serve([door]),
                open_up(fleet, probe, show, url, asked.browser),
                terminal.watch(show, links),
            )
        finally:
            await fleet.stop()


async def open_up(fleet: Fleet, probe: Probe, show: Show, url: str, browser: bool) -> None:
    """Start the rest once Forewarn listens, then run the show."""
    await until_listening(fleet, probe)
    await fleet.open_shop()
    targets = [f"--target={name}={fleet.services[name].url}" for name in SERVICES]
    fleet.start("agent", "pipeline.demo.agent", f"--logs={fleet.logs}", f"--forewarn={url}", *targets)
    front = fleet.services["front"].url
    fleet.start(
        "customers",
        "pipeline.demo.customers",
        f"--front={front}",
        f"--forewarn={url}",
        f"--seed={fleet.seed}",
    )
    if browser:
        await asyncio.to_thread(webbrowser.open, url)
    await show.run()


async def until_listening(fleet: Fleet, probe: Probe) -> None:
    """Wait for Forewarn; raises RuntimeError with its last words where it ended."""
    for _ in range(int(START / 0.2)):
        if await probe.healthy():
            return
        if fleet.others["forewarn"].poll() is not None:
            break
        await asyncio.sleep(0.2)
    said = (fleet.logs / "forewarn.out").read_text(encoding="utf-8", errors="replace")
    raise RuntimeError(f"Forewarn did not start:\n{said[-2000:]}")


async def until_closed(*works: Coroutine[None, None, None]) -> None:
    """Run them together until SIGINT or SIGTERM, or until one fails: then it raises what that one raised."""
    closed = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, closed.set)
    tasks = [asyncio.create_task(work) for work in (*works, closed.wait())]
    done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for task in done:
        task.result()


@contextlib.contextmanager
def folder(asked: Path | None) -> Iterator[Path]:
    """Give the folder that was asked for, or one that is gone afterwards."""
    if asked:
        asked.mkdir(parents=True, exist_ok=True)
        yield asked.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="forewarn-demo-") as name:
        yield Path(name)
