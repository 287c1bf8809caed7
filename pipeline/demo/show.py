"""The course of the demo: warm up, a fault on a clock or at a click, what became of it, calm, the next."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pipeline.demo.faults import FAULTS, Fault, still_there
from pipeline.demo.fleet import Fleet
from pipeline.demo.measure import Measured, Probe

# Samples at one a second that detectors want before they speak, and some to spare for a slow start.
WARM_UP = 66.0
FIRST = ("bad_deploy", "slow_disk", "lost_dependency", "leak")
HARMLESS = 40.0  # s into the warm-up, so half a minute before the first fault
SETTLE = 120.0  # s to wait, once a fault is out, for its incident to end
NOTICE = 30.0  # s in which a fault that is out already may still be noticed
LATER = 300.0  # s in which what customers say of it, and other news, is still read
CALM = 20.0  # s between the end of one incident and the next fault, at least


@dataclass(slots=True)
class Trial:
    """One fault as it really was, beside what Forewarn made of it."""

    fault: Fault
    put_in: float
    change: str
    pid: int
    gone: float | None = None
    gone_by: str = ""  # "a playbook", "the demo"
    over: bool = False
    measured: Measured = field(default_factory=Measured)

    @property
    def right(self) -> bool | None:
        """Whether the first suspect is what really caused it; None while there is none."""
        if not self.measured.suspect:
            return None
        return self.measured.suspect == self.fault.service and self.measured.change == self.change


class Show:
    """Drives the faults, one at a time. Keeps the newest 100 trials; all of the truth is in truth.jsonl."""

    def __init__(self, fleet: Fleet, probe: Probe, data: Path, every: float, once: str, seed: int) -> None:
        self.fleet, self.probe, self.every, self.once = fleet, probe, every, once
        self.truth = data / "truth.jsonl"
        self.chance = random.Random(seed)  # noqa: S311 - which fault comes next, not a secret
        self.began = time.time()
        self.phase = "starting"
        self.trials: deque[Trial] = deque(maxlen=100)
        self.asked: asyncio.Queue[str] = asyncio.Queue(1)  # a click
        self.next_at: float | None = None

    async def run(self) -> None:
        """Never ends; after `--once` it only waits for clicks."""
        await asyncio.gather(self._play(), self._measure())

    async def _play(self) -> None:
        await self._warm_up()
        planned = [self.once] if self.once else list(FIRST)
        while True:
            name = await self._next(planned)
            await self._strike(FAULTS[name])

    def ask(self, name: str) -> str:
        """Put a fault in now; returns why not, or ""."""
        if self.phase != "calm":
            return f"not now: {self.phase}"
        if self.asked.full():
            return "one at a time"
        self.asked.put_nowait(name)
        return ""

    async def _warm_up(self) -> None:
        """Wait until Forewarn knows what is normal; a harmless deploy is there to be blamed wrongly."""
        self.began, self.phase = time.time(), "warming up"
        await asyncio.sleep(HARMLESS)
        change = await self.fleet.deploy("front", summary="front: a new banner")
        self._append({"t": time.time(), "what": "harmless", "service": "front", "change": change})
        while True:
            await asyncio.sleep(0.5)
            if time.time() > self.began + WARM_UP and await self.probe.ready():
                break
        self.phase = "calm"

    async def _next(self, planned: list[str]) -> str:
        """Wait for the clock or a click, and return the fault that is due."""
        if self.once and not planned:
            self.next_at = None
            return await self.asked.get()
        last = self.trials[-1].put_in if self.trials else 0.0
        self.next_at = max(last + self.every, time.time() + (CALM if self.trials else 0.0))
        try:
            return await asyncio.wait_for(self.asked.get(), max(0.0, self.next_at - time.time()))
        except TimeoutError:
            # The same again would be its incident come back.
            before = self.trials[-1].fault.name if self.trials else ""
            return planned.pop(0) if planned else self.chance.choice([f for f in FIRST if f != before])

    async def _strike(self, fault: Fault) -> None:
        trial = Trial(fault, time.time(), "", self.fleet.pid(fault.service))
        self.trials.append(trial)
        self.phase, self.next_at = fault.title, None
        trial.change = await fault.put_in(self.fleet)
        self._write_down(trial, "put in")
        while time.time() < (trial.gone or trial.put_in + fault.hold) + SETTLE:
            await asyncio.sleep(0.5)
            await self._look(trial)
            if trial.gone and trial.measured.recovered:
                break
            if trial.gone and not trial.measured.incident and time.time() > trial.gone + NOTICE:
                break
        trial.over, self.phase = True, "calm"

    async def _look(self, trial: Trial) -> None:
        if trial.gone is None and not still_there(trial.fault, self.fleet, trial.pid):
            trial.gone, trial.gone_by = time.time(), "a playbook"
            self._write_down(trial, "gone")
        if trial.gone is None and time.time() > trial.put_in + trial.fault.hold:
            await trial.fault.take_out(self.fleet)
            trial.gone, trial.gone_by = time.time(), "the demo"
            self._write_down(trial, "gone")

    async def _measure(self) -> None:
        """Read what Forewarn says of each trial, a while longer than it lasts: complaints come late."""
        while True:
            await asyncio.sleep(0.5)
            for trial in list(self.trials):
                if not trial.gone or time.time() < trial.gone + LATER:
                    until = trial.gone + NOTICE if trial.gone else time.time()
                    trial.measured = await self.probe.measure(trial.put_in, until, trial.measured)

    def _write_down(self, trial: Trial, what: str) -> None:
        fault = {"fault": trial.fault.name, "service": trial.fault.service, "change": trial.change}
        self._append({"t": time.time(), "what": what, **fault, "by": trial.gone_by})

    def _append(self, said: dict[str, Any]) -> None:
        with self.truth.open("ab") as file:
            file.write(orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE))
