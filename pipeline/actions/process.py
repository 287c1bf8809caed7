"""One program run, or one signal sent, to an outcome: ok where it ends with the expected code."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from pipeline.actions import MAX_EVIDENCE, Allowed, tail
from pipeline.types import Outcome, Rejected

GRACE = 2.0  # s between SIGTERM and SIGKILL for a program that has run too long


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `argv`, run without a shell, or `signal` to the process whose id stands in `pidfile`.

    The program must be listed in `response.executables` of forewarn.yaml, by absolute path. It gets no
    environment but PATH, LANG, what `env` sets and what `pass_env` names, nothing on its standard input, and
    FOREWARN_KEY, by which it can tell that it ran before. Past the step's timeout its whole process group
    is ended. Not retried.

        do: process
        args: {argv: [/usr/bin/systemctl, restart, "{service}.service"]}
    """

    argv: tuple[str, ...] = ()
    cwd: str = "/"
    env: Mapping[str, str] = {}
    pass_env: tuple[str, ...] = ()
    expect: tuple[int, ...] = (0,)
    pidfile: str = ""
    signal: Literal["", "HUP", "INT", "TERM", "KILL", "USR1", "USR2"] = ""

    def __post_init__(self) -> None:
        if bool(self.argv) == bool(self.signal):
            raise ValueError("expected either argv or signal with pidfile")
        if bool(self.signal) != bool(self.pidfile):
            raise ValueError("pidfile: expected together with signal")
        if self.argv and not self.argv[0].startswith("/"):
            raise ValueError(f'argv: expected an absolute path first, got "{self.argv[0]}"')
        if any("\0" in word for word in self.argv):
            raise ValueError("argv: expected no NUL character")


async def run(args: Args, key: str, allowed: Allowed) -> Outcome:
    if args.signal:
        return _signal(args)
    if args.argv[0] not in allowed.executables:
        raise Rejected(f"{args.argv[0]} is not listed in response.executables")
    return await _run(args, key)


def _signal(args: Args) -> Outcome:
    try:
        pid = int(Path(args.pidfile).read_text(encoding="ascii"))
    except OSError as error:
        raise Rejected(f"{args.pidfile}: {error.strerror}") from error
    except ValueError as error:
        raise Rejected(f"{args.pidfile}: expected a process id") from error
    if pid <= 1 or pid == os.getpid():
        raise Rejected(f"{args.pidfile}: {pid} is no process that a playbook may signal")
    try:
        os.kill(pid, getattr(signal, f"SIG{args.signal}"))
    except (ProcessLookupError, PermissionError) as error:
        raise Rejected(f"SIG{args.signal} to {pid}: {error.strerror}") from error
    return Outcome(True, f"sent SIG{args.signal} to process {pid}", 0.0, {"pid": str(pid)})


async def _run(args: Args, key: str) -> Outcome:
    ours, theirs = os.pipe()
    try:
        child = await asyncio.create_subprocess_exec(
            *args.argv,
            cwd=args.cwd,
            env=_env(args, key),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,  # its own group, so that its children end with it
        )
    except OSError as error:
        os.close(ours)
        raise Rejected(f"{args.argv[0]}: {error.strerror}") from error
    finally:
        os.close(theirs)
    printed = bytearray()
    reading = asyncio.create_task(_read(ours, printed))
    try:
        code = await child.wait()
        # A daemon that the program left behind may hold the pipe open for ever.
        await asyncio.wait({reading}, timeout=GRACE)
    except asyncio.CancelledError:
        await _end(child)
        raise
    finally:
        reading.cancel()
    output = tail(printed.decode("utf-8", "replace"))
    return Outcome(
        code in args.expect,
        f"{args.argv[0]} ended with {code}",
        0.0,
        {"code": str(code), "output": output},
    )


async def _read(fd: int, into: bytearray) -> None:
    """Read a pipe to its end, keeping the last bytes only."""
    reader = asyncio.StreamReader()
    pipe = os.fdopen(fd, "rb", 0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    try:
        while part := await reader.read(65536):
            into += part
            del into[: -4 * MAX_EVIDENCE]
    finally:
        transport.close()


async def _end(child: asyncio.subprocess.Process) -> None:
    """End the child and all it started, kindly first."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, how)
            await asyncio.wait_for(child.wait(), GRACE)
        except ProcessLookupError:
            return
        except TimeoutError:
            continue
        # The leader has gone; SIGKILL still reaches what it left behind in its group.


def _env(args: Args, key: str) -> dict[str, str]:
    passed = {name: os.environ[name] for name in ("PATH", "LANG", *args.pass_env) if name in os.environ}
    return {**passed, **args.env, "FOREWARN_KEY": key}
