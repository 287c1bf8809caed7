"""`forewarn demo`: a live shop of real processes with real faults, and Forewarn watching it."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import click

from pipeline import clock
from pipeline.demo import stage
from pipeline.demo.faults import FAULTS

PORT = 9093


@click.command()
@click.option("--port", type=int, default=None, help=f"Of the console; {PORT}, or a free one, if not said.")
@click.option("--no-browser", is_flag=True, help="Do not open the console.")
@click.option("--fault-every", default="4m", show_default=True, help="From one fault to the next.")
@click.option("--once", type=click.Choice(list(FAULTS)), default=None, help="Only this fault, and only once.")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Of the customers and the order of faults."
)
@click.option("--data", type=click.Path(path_type=Path), help="Keep files here; else they go when it ends.")
def command(
    port: int | None, no_browser: bool, fault_every: str, once: str | None, seed: int, data: Path | None
) -> None:
    """Start a small shop on this machine, break it on a clock, and watch Forewarn notice.

    The first fault, a bad deploy, goes in once Forewarn knows what is normal: about a minute and a half.
    Ctrl-C ends everything.
    """
    try:
        every = clock.span(fault_every)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--fault-every") from error
    found = free(PORT, 0) if port is None else free(port)
    try:
        asyncio.run(stage.put_on(stage.Asked(found, not no_browser, every, once or "", seed, data)))
    except RuntimeError as error:
        raise click.ClickException(str(error)) from error


def free(*wanted: int) -> int:
    """Return the first of these ports that nobody has on loopback; 0 stands for any."""
    for port in wanted:
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = door.getsockname()[1]
            return found
    raise click.BadParameter(f"127.0.0.1:{wanted[0]} is in use", param_hint="--port")
