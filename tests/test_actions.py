"""Steps that reach out of the process: real children, real signals, real requests."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from pipeline.actions import Allowed, http, process
from pipeline.respond.template import fill
from pipeline.types import Rejected, Retry
from tests.listeners import web

PYTHON = sys.executable
ALLOWED = Allowed((PYTHON,))
NASTY = "$(touch pwned); `id` && rm -rf / | 'quoted\" \\ *"


def python(code: str, *argv: str, **more: object) -> process.Args:
    return msgspec.convert({"argv": [PYTHON, "-c", code, *argv], **more}, process.Args)


async def test_a_program_gets_its_words_as_they_are_and_no_shell_sees_them(tmp_path: Path) -> None:
    words = fill({"argv": ["say", "{service}"]}, {"service": NASTY})["argv"]

    done = await process.run(
        python("import sys; print(ascii(sys.argv[1:]))", *words, cwd=str(tmp_path)), "k", ALLOWED
    )

    assert done.ok
    assert done.evidence["output"].strip() == ascii(["say", NASTY])
    assert os.listdir(tmp_path) == []


async def test_a_program_gets_only_the_environment_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("PASSED", "y")
    args = python("import os; print(sorted(os.environ))", env={"SET": "z"}, pass_env=["PASSED"])

    done = await process.run(args, "a/b/0", ALLOWED)

    names = done.evidence["output"]
    assert "SECRET" not in names
    assert all(name in names for name in ("'FOREWARN_KEY'", "'PASSED'", "'SET'"))


async def test_a_program_that_ends_with_another_code_has_failed_with_its_last_words() -> None:
    done = await process.run(python("import sys; sys.exit('no such unit')"), "k", ALLOWED)

    assert not done.ok
    assert done.detail == f"{PYTHON} ended with 1"
    assert done.evidence["output"] == "no such unit\n"


async def test_only_the_end_of_a_long_output_is_kept() -> None:
    done = await process.run(python("print('x' * 10**6 + 'end')"), "k", ALLOWED)

    assert done.evidence["output"].endswith("end\n")
    assert len(done.evidence["output"]) == 2000


async def test_a_program_that_is_not_listed_does_not_run() -> None:
    with pytest.raises(Rejected, match=r"is not listed in response\.executables"):
        await process.run(python("print(1)"), "k", Allowed())


async def test_a_program_that_is_missing_is_refused() -> None:
    with pytest.raises(Rejected, match="No such file or directory"):
        await process.run(process.Args(("/no/such/program",)), "k", Allowed(("/no/such/program",)))


async def test_past_its_time_a_program_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    fifo = tmp_path / "pids"
    os.mkfifo(fifo)
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "with open(sys.argv[1], 'w') as told: told.write(f'{os.getpid()} {child.pid}')\n"
        "time.sleep(600)\n"
    )
    running = asyncio.create_task(process.run(python(code, str(fifo)), "k", ALLOWED))
    pids = (await asyncio.to_thread(fifo.read_text)).split()
    watched = [os.pidfd_open(int(pid)) for pid in pids]

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert await asyncio.to_thread(ended, watched) == 2


def ended(watched: list[int]) -> int:
    """Wait for processes to end, half a minute at most; return how many did."""
    left = set(watched)
    while left:
        readable, _, _ = select.select(left, [], [], 30)
        if not readable:
            break
        left -= set(readable)
    for fd in watched:
        os.close(fd)
    return len(watched) - len(left)


async def test_a_daemon_that_holds_the_output_open_does_not_hold_up_the_step() -> None:
    code = (
        "import subprocess, sys\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "print(subprocess.Popen(sleep, start_new_session=True).pid)\n"
    )

    done = await process.run(python(code), "k", ALLOWED)

    assert done.ok
    os.kill(int(done.evidence["output"]), signal.SIGKILL)


def test_a_signal_reaches_the_process_of_the_pidfile(tmp_path: Path) -> None:
    child = subprocess.Popen([PYTHON, "-c", "import time; time.sleep(600)"])
    pidfile = tmp_path / "pid"
    pidfile.write_text(f"{child.pid}\n")
    args = process.Args(pidfile=str(pidfile), signal="TERM")

    done = asyncio.run(process.run(args, "k", Allowed()))

    assert done.ok
    assert child.wait(30) == -signal.SIGTERM


@pytest.mark.parametrize("content", ["", "x", "1", "0", "-1", "our own"])
async def test_a_pidfile_that_names_nothing_to_signal_is_refused(tmp_path: Path, content: str) -> None:
    pidfile = tmp_path / "pid"
    pidfile.write_text(str(os.getpid()) if content == "our own" else content)

    with pytest.raises(Rejected):
        await process.run(process.Args(pidfile=str(pidfile), signal="KILL"), "k", Allowed())


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        pytest.param({}, "either argv or signal", id="neither"),
        pytest.param({"argv": ["ls"]}, "absolute path", id="by PATH"),
        pytest.param({"argv": ["/bin/sh", "a\0b"]}, "NUL", id="NUL"),
        pytest.param({"signal": "TERM"}, "pidfile", id="signal to nobody"),
        pytest.param({"argv": "ls -l"}, "array", id="one string"),
    ],
)
def test_process_args_that_cannot_be_right_are_refused(raw: dict[str, object], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(raw, process.Args)


async def test_a_token_is_read_from_its_file_as_the_step_runs(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    async with web() as server:
        await http.run(http.Args(server.url, bearer_file=str(tmp_path / "token")), "k", Allowed())

    assert server.heard[0].headers["authorization"] == "Bearer s3cret"


async def test_a_redirect_is_not_followed() -> None:
    async with web((302, {"Location": "http://169.254.169.254/"})) as server:
        done = await http.run(http.Args(server.url), "k", Allowed())

    assert not done.ok
    assert len(server.heard) == 1


async def test_an_expected_status_is_right_whatever_it_is() -> None:
    async with web(404) as server:
        done = await http.run(http.Args(server.url, method="DELETE", expect=(204, 404)), "k", Allowed())

    assert done.ok


async def test_a_server_that_is_not_there_did_nothing() -> None:
    with pytest.raises(Retry, match="cannot reach"):
        await http.run(http.Args("http://127.0.0.1:1/"), "k", Allowed())


async def test_a_nasty_name_stays_one_segment_of_the_path() -> None:
    async with web() as server:
        args = fill({"url": server.url + "/services/{service}/rollback"}, {"service": "../admin?x=1#y z"})
        await http.run(msgspec.convert(args, http.Args), "k", Allowed())

    assert server.heard[0].path == "/services/..%2Fadmin%3Fx%3D1%23y%20z/rollback"


def test_a_name_that_looks_like_an_option_is_refused() -> None:
    with pytest.raises(ValueError, match="would read as an option"):
        fill({"argv": ["/bin/x", "{service}"]}, {"service": "--force"})


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param({"pidfile": "/run/{service}.pid"}, "pidfile: service", id="whose process is signalled"),
        pytest.param({"cwd": "/srv/{service}"}, "cwd: service", id="where a program runs"),
        pytest.param(
            {"bearer_file": "/run/secrets/{service}"}, "bearer_file: service", id="whose token it is"
        ),
        pytest.param({"argv": ["/bin/rm", "/srv/{service}"]}, "argv: service", id="what a program touches"),
    ],
)
def test_a_name_that_climbs_out_of_its_folder_never_decides(args: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fill(args, {"service": "../../tmp/mine"})


def test_a_name_with_a_slash_is_one_word_of_a_program() -> None:
    assert fill({"argv": ["x", "--image={change}"]}, {"change": "shop/pay:2"}) == {
        "argv": ["x", "--image=shop/pay:2"]
    }
