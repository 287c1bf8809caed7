"""One process from its settings to its end: socket, engine, doors, console, signals."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import gc
import importlib.util
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pipeline import clock, config, console
from pipeline.complaints.encoders import chosen
from pipeline.config import Config
from pipeline.ingest.journal import Unwritable
from pipeline.run.embedded import Engine
from pipeline.run.shortcut import Shortcut
from pipeline.run.web import Web
from pipeline.store import sqlite
from pipeline.types import Seconds

# The loop that answers posts has its turn after so long of a step; by default it is 5 ms, each time it wakes.
# At half a millisecond the two threads' changing places takes a tenth of all CPU time.
TURN: Seconds = 0.001
# Server-sent events never end by themselves; open pages are cut off after so long at a stop.
LAST_WORDS: Seconds = 2.0

log = structlog.get_logger()


@dataclass(frozen=True)
class Launch:
    """What the command line said; it wins over the file, also after a reload."""

    file: Path | None = None
    storage: str | None = None
    listen: str | None = None

    def config(self) -> Config:
        """Read the config; raises config.Invalid."""
        found = config.load(self.file)
        storage = msgspec.structs.replace(found.storage, path=self.storage or found.storage.path)
        web = msgspec.structs.replace(found.web, listen=self.listen or found.web.listen)
        return msgspec.structs.replace(found, storage=storage, web=web)


async def serve(launch: Launch, ready: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT; `ready` is told the address once everything is up.

    Raises config.Invalid, and OSError where the address or the folder is in use.
    """
    settings = launch.config()
    home = Path(settings.storage.path)
    with contextlib.ExitStack() as held:
        held.enter_context(_locked(home))
        listening = held.enter_context(bind(settings.web.listen))
        store = sqlite.open(home)
        engine = Engine(settings, store)
        server = _server(Web(engine, _pages(engine, launch, lambda: server.should_exit)))
        held.enter_context(_signals(engine, launch, server))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            await engine.start()
            engine.metrics.reloaded(True, clock.wall())
            _warn(settings)
            host, port = listening.getsockname()[:2]
            tune()
            ready(f"{host}:{port}")
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await serving
            await engine.stop()
            await store.close()
            log.info("stopped", position=engine.stepper.position)


async def reload(engine: Engine, launch: Launch) -> str:
    """Read the config again and use it; where it is wrong keep the old one, and return why."""
    try:
        found = launch.config()
        await engine.adopt(found)
    except (config.Invalid, OSError) as error:
        engine.metrics.reloaded(False, clock.wall())
        log.error("config not reloaded", error=str(error))
        return str(error)
    engine.metrics.reloaded(True, clock.wall())
    log.info("config reloaded", files=len(found.files))
    _warn(found)
    return ""


def tune() -> None:
    """Look for garbage in little pieces, and in all that lives long but seldom: everybody waits meanwhile.

    Of 100,000 alerts it takes 0.03 s of CPU time, 1 ms at once; of webhooks of a thousand alerts up to 10.
    """
    sys.setswitchinterval(TURN)
    if importlib.util.find_spec("sniffio") is None:
        # httpcore asks for it with each lock of each request, and the file system is searched: 70 us a time.
        sys.modules["sniffio"] = None  # type: ignore[assignment]
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 1, 1_250)


def _warn(settings: Config) -> None:
    if not settings.response.receiver:
        log.warning("nobody is told of incidents", because="response.receiver names no receiver")


def bind(address: str) -> socket.socket:
    """Return a socket bound to HOST:PORT; an empty host is every interface, port 0 any free one."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        raise ValueError(f'web.listen: expected HOST:PORT, got "{address}"')
    host = host.strip("[]")
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, int(port)))
    except OSError as error:
        listening.close()
        more = "; choose another with --web.listen-address" if error.errno == errno.EADDRINUSE else ""
        raise OSError(error.errno, f"web.listen: {address}: {error.strerror}{more}") from error
    return listening


def _pages(engine: Engine, launch: Launch, stopping: Callable[[], bool]) -> Starlette:
    """Return what is no door: /-/, /metrics and the console."""

    async def healthy(request: Request) -> Response:
        return PlainTextResponse(f"{engine.broken or 'OK'}\n", 500 if engine.broken else 200)

    async def ready(request: Request) -> Response:
        wrong = engine.wrong
        return PlainTextResponse(f"{wrong or 'OK'}\n", 503 if wrong else 200)

    async def reloaded(request: Request) -> Response:
        wrong = await reload(engine, launch)
        return PlainTextResponse(f"{wrong or 'OK'}\n", 500 if wrong else 200)

    async def metrics(request: Request) -> Response:
        text, kind = engine.metrics.render(request.headers.get("accept", ""))
        return Response(text, headers={"content-type": kind})

    own = [
        Route("/-/healthy", healthy),
        Route("/-/ready", ready),
        Route("/-/reload", reloaded, methods=["POST", "PUT"]),
        Route("/metrics", metrics),
    ]
    shown = console.routes(
        engine.store, engine.submit, clock.wall, engine.topology,
        told=lambda: bool(engine.config.response.receiver), articles=lambda: engine.config.articles,
        topics=engine.topics, names=engine.names, stopping=stopping,
        longest=lambda: engine.config.policy.silence_longest, firing=engine.firing,
        receiver=lambda: engine.config.response.receiver, started=clock.wall(),
        # A model takes 150 MB: only who has articles pays.
        model=chosen(engine.config.complaints.encoder) if engine.config.articles else "none",
    )  # fmt: skip

    async def unwritable(request: Request, error: Exception) -> Response:
        return PlainTextResponse(f"not kept, ask again: {error}\n", 503)

    missing = console.missing(console.templates())
    return Starlette(routes=[*own, *shown], exception_handlers={Unwritable: unwritable, 404: missing})


def _server(app: Web) -> uvicorn.Server:
    settings = uvicorn.Config(
        app, loop="none", http=Shortcut, ws="none", lifespan="off", interface="asgi3", log_config=None,
        access_log=False, server_header=False, proxy_headers=False, timeout_keep_alive=75,
        timeout_graceful_shutdown=int(LAST_WORDS),
    )  # fmt: skip
    return _Server(settings)


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to us: it would end the process before the last snapshot."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _signals(engine: Engine, launch: Launch, server: uvicorn.Server) -> Iterator[None]:
    """SIGTERM and SIGINT end the server, a second one at once; SIGHUP reads the config again."""
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[str]] = set()

    def stop() -> None:
        server.force_exit = server.should_exit  # asked twice: do not wait for open requests
        server.should_exit = True

    def again() -> None:
        task = asyncio.create_task(reload(engine, launch))
        reloads.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(reloads.discard)

    deeds = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: again}
    for number, deed in deeds.items():
        loop.add_signal_handler(number, deed)
    yield
    for number in deeds:
        loop.remove_signal_handler(number)


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[IO[str]]:
    """Hold the folder, made where missing: two processes on one journal would destroy it."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        opened = (home / "lock").open("w")
    except OSError as error:
        raise OSError(error.errno, f"storage.path: {home}: {error.strerror}") from error
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OSError(error.errno, f"storage.path: {home}: another forewarn is using it") from error
        yield file
