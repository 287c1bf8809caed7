"""`forewarn run` from its first line to its last: what it prints, reloads, refuses, and how it ends."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from pipeline.__main__ import ONE_THREAD
from pipeline.commands.bench import command as bench
from pipeline.commands.run import command
from tests.ingest.conftest import serving
from tests.running import ROOT, Running


async def test_a_wrong_config_keeps_the_old_one_and_says_why(tmp_path: Path) -> None:
    settings = tmp_path / "forewarn.yaml"
    settings.write_text("limits: {queue: 7}\n")

    async with serving(tmp_path / "data", settings) as forewarn:
        settings.write_text("limits: {queues: 8}\n")
        wrong = await forewarn.client.post("/-/reload")
        kept = await forewarn.counts("forewarn_config_last_reload_successful")
        settings.write_text("limits: {queue: 8}\n")
        right = await forewarn.client.post("/-/reload")
        taken = await forewarn.counts("forewarn_config_last_reload_successful")

    assert (wrong.status_code, right.status_code) == (500, 200)
    assert 'limits.queues: unknown key; did you mean "queue"?' in wrong.text
    assert (kept[""], taken[""]) == (0, 1)


async def test_two_of_them_never_share_a_folder(tmp_path: Path) -> None:
    async with serving(tmp_path / "data"):
        with pytest.raises(OSError, match="another forewarn is using it"):
            async with serving(tmp_path / "data"):
                pass


@pytest.mark.slow
def test_the_three_lines_it_prints_give_an_incident_and_sigterm_ends_it_cleanly(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    running = Running(tmp_path / "data", free_port())
    running.wait_until_ready()
    said = running.said()

    for line in re.findall(r"curl (.*?'(?:[^']*)')\n", said, re.DOTALL):
        post(shlex.split(line))
    os.kill(running.process.pid, signal.SIGHUP)
    incidents = opened(running)

    assert f"http://{running.url.removeprefix('http://')}" in said
    assert [(i["services"], i["suspects"][0]["change"][:7]) for i in incidents] == [(["pay"], "change-")]
    assert running.stop() == 0
    assert "config reloaded" in running.said()


def post(words: list[str]) -> None:
    """Do what curl would: words are the address and the options that the banner uses."""
    headers = dict(words[k + 1].split(": ") for k, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1]
    answer = httpx.post(f"http://{words[0]}", content=body, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text


def opened(running: Running) -> list[dict[str, Any]]:
    """Return the incidents once there is one."""
    for _ in range(100):
        found = httpx.get(f"{running.url}/api/v1/incidents", trust_env=False).json()
        if found:
            return list(found)
    raise AssertionError("no incident")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param(
            ["--web.listen-address", "nowhere"], 'expected HOST:PORT, got "nowhere"', id="no address"
        ),
        pytest.param(["--config.file", "missing.yaml"], "'missing.yaml' does not exist", id="no such file"),
        pytest.param(["--storage.path", __file__], f"storage.path: {__file__}: File exists", id="a file"),
    ],
)
def test_what_it_cannot_use_it_names(tmp_path: Path, asked: list[str], said: str) -> None:
    ran = CliRunner().invoke(command, ["--storage.path", str(tmp_path / "data"), *asked])

    assert ran.exit_code != 0
    assert said in ran.output


def test_forewarn_yaml_of_the_folder_one_stands_in_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "forewarn.yaml").write_text("limits: {queues: 8}\n")
    monkeypatch.chdir(tmp_path)

    ran = CliRunner().invoke(command, [])

    assert ran.exit_code == 1
    assert 'forewarn.yaml: limits.queues: unknown key; did you mean "queue"?' in ran.output


async def test_the_console_says_that_nobody_is_told(tmp_path: Path) -> None:
    settings = tmp_path / "forewarn.yaml"
    settings.write_text("")
    via = "[{do: webhook, args: {url: 'http://127.0.0.1:1/'}}]"

    async with serving(tmp_path / "data", settings) as forewarn:
        alone = await forewarn.client.get("/")
        settings.write_text(f"response: {{receiver: a, receivers: [{{name: a, via: {via}}}]}}\n")
        await forewarn.client.post("/-/reload")
        wired = await forewarn.client.get("/")

    assert "Nobody is told of incidents" in alone.text
    assert "Nobody is told of incidents" not in wired.text


async def test_a_path_that_is_nobodys_is_a_page_for_a_browser_and_a_line_for_a_program(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path / "data") as forewarn:
        browser = await forewarn.client.get("/nope", headers={"Accept": "text/html"})
        program = await forewarn.client.get("/nope")

    assert (browser.status_code, program.status_code) == (404, 404)
    assert '<a href="/">Incidents</a>' in browser.text
    assert program.text == "nothing is at /nope\n"


def test_help_is_quick_because_it_imports_no_command() -> None:
    asked = "import sys; from pipeline.__main__ import cli; cli(['--help'], standalone_mode=False)"
    found = "print('numpy' in sys.modules, 'starlette' in sys.modules)"

    ran = subprocess.run(
        [sys.executable, "-c", f"{asked}; {found}"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "Check FILE, a forewarn.yaml" in ran.stdout
    assert ran.stdout.endswith("False False\n")


@pytest.mark.parametrize(("asked", "threads"), [({}, "[1]"), ({"OPENBLAS_NUM_THREADS": "2"}, "[2]")])
def test_products_of_arrays_take_one_thread_unless_asked_otherwise(
    asked: dict[str, str], threads: str
) -> None:
    code = """
import contextlib, io, sys
from pipeline.__main__ import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
import numpy, threadpoolctl
print([p["num_threads"] for p in threadpoolctl.threadpool_info()])
"""
    clean = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}

    ran = subprocess.run(
        [sys.executable, "-c", code, "--help"],
        cwd=ROOT, env=clean | asked, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert ran.stdout.strip() == threads


def test_a_full_disk_is_one_line_on_stderr(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("timestamp,value\n1,2\n")

    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "pipeline", "detect", str(tmp_path / "x.csv")],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: No space left on device\n")


def test_a_benchmark_that_is_not_there_is_answered_with_the_nearest() -> None:
    ran = CliRunner().invoke(bench, ["tripp"])

    assert ran.exit_code == 1
    assert 'did you mean "trip"?' in ran.output


def test_a_folder_that_benchmarks_share_says_that_it_is_none() -> None:
    ran = CliRunner().invoke(bench, ["peers"])

    assert ran.exit_code == 1
    assert "peers: prints no table itself" in ran.output
