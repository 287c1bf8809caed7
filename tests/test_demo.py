"""`forewarn demo` from its one command to the lead time, in a real browser, with nothing left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

CALM = "All your services are working."

pytestmark = [pytest.mark.slow, pytest.mark.timeout(360)]


@dataclass
class Demo:
    """A running `forewarn demo`."""

    process: subprocess.Popen[str]
    console: str
    desk: str

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.desk}/api/state", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def trial(self) -> dict[str, Any]:
        """What was measured of the only fault; {} before it."""
        found: dict[str, Any] = next(iter(self.state()["trials"]), {})
        return found


@pytest.fixture
def demo(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Demo]:
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "demo", "--once=bad_deploy", "--no-browser", "--seed=1",
         f"--port={free_port()}", f"--data={tmp_path}"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    head = process.stdout.readline() + process.stdout.readline()
    console, desk = re.findall(r"http://127\.0\.0\.1:\d+", head)
    yield Demo(process, console, desk)
    process.kill()
    process.wait(20)


@pytest.mark.browser
def test_a_bad_deploy_is_seen_healed_and_told_before_the_first_complaint(chromium: str, demo: Demo) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        console, board = browser.new_page(), browser.new_page()
        until(lambda: demo.state()["phase"] == "warming up", 60)
        console.goto(demo.console)
        board.goto(f"{demo.console}/board/harbour-cafe")
        until(lambda: CALM in board.locator("h1").inner_text(), 60)

        until(lambda: console.locator("main a[href*='/incidents/']").count(), 150)
        console.locator("main a[href*='/incidents/']").first.click()
        until(lambda: "We are working on" in board.locator("h1").inner_text(), 60)
        measured = until(lambda: over(demo.trial()), 150)["measured"]
        until(lambda: CALM in board.locator("h1").inner_text(), 30)
        past = board.locator("main").inner_text()
        page = console.locator("main").inner_text()
        children = children_of(demo.process.pid)
        demo.process.send_signal(signal.SIGINT)
        status = demo.process.wait(30)

    assert (measured["suspect"], measured["suspect_change"]) == ("payment", "payment-5.4.1-2")
    assert measured["playbook"] == "roll-back-a-bad-deploy: done"
    assert measured["state"] == "resolved"
    assert measured["lead"] > 0
    assert "payment: score every charge for fraud" in page
    assert "payment-5.4.1-2" in page
    assert "recovered" in past
    assert status == 0
    assert len(children) == 8
    assert [pid for pid in children if alive(pid)] == []


def test_nothing_is_left_behind_when_the_demo_is_killed(demo: Demo) -> None:
    children = until(lambda: found if len(found := children_of(demo.process.pid)) == 8 else None, 60)

    demo.process.kill()

    assert until(lambda: not any(alive(pid) for pid in children), 20)


def until(ask: Callable[[], T | None], within: float) -> T:
    """Return the first answer that is true; raises where none comes in time."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if answer := ask():
            return answer
        time.sleep(0.3)
    raise AssertionError(f"not within {within:.0f} s")


def over(trial: dict[str, Any]) -> dict[str, Any]:
    """Return the trial once its incident is resolved and a customer has complained."""
    measured = trial.get("measured", {})
    return trial if measured.get("recovered_after") and measured.get("lead") is not None else {}


def children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Say whether the process runs; one that has ended and waits to be reaped does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
