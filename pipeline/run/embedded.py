"""Frames through journal, pipeline and store, in order: the engine that needs no server.

A frame is on disk before its sender hears of it, and a step is in the store before anything acts on it. A
crash loses neither: the newest snapshot is loaded, and the journal since then is stepped again.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from pipeline import clock, frame, metrics
from pipeline.complaints import Names, proposed
from pipeline.complaints.topic_notes import Topic
from pipeline.config import Config
from pipeline.correlate.picture import say
from pipeline.detect.slo import Budget
from pipeline.firing import Firing, firing
from pipeline.follow import standing
from pipeline.frame import Frame
from pipeline.ingest.journal import Journal, Unwritable
from pipeline.perform import Performer
from pipeline.run.commit import Commit
from pipeline.run.stepper import Done, Stepper
from pipeline.store import Store
from pipeline.topology import Topology
from pipeline.types import Action, Incident, Seconds, State, Step

P = ParamSpec("P")
T = TypeVar("T")

GROUP = 64  # frames handed to the stepping thread at once
PACE: Seconds = (
    0.01  # between two turns of that thread while frames keep coming: a hop costs as much as a step
)
# So long a turn waits at most while posts are on their way to disk: who sent them waits, and the thread that
# steps would keep the one that answers from running.
GIVE_WAY: Seconds = 0.03
LOOK: Seconds = 0.001  # between two looks whether they still are
HELD = 256 * 1024 * 1024  # bytes of frames that wait, whatever their number
TRY_AGAIN: Seconds = 1.0  # after the store failed
FORGET_EVERY: Seconds = 3600.0
STOP_WITHIN: Seconds = 10.0
SET_BACK: Seconds = 5.0  # what an ordinary clock is corrected by stays below

log = structlog.get_logger()


class Busy(Exception):
    """The queue is full: nothing was taken, and it may be sent again in a while."""


def url_of(config: Config) -> str:
    """Return where people reach the console."""
    return (config.web.external_url or f"http://{config.web.listen}").rstrip("/")


class Engine:
    """One per storage folder."""

    def __init__(self, config: Config, store: Store) -> None:
        home = Path(config.storage.path)
        self.config = config
        self.store = store
        self.journal = Journal(home / "journal")
        self.stepper = Stepper(config, home, self.journal)
        self.metrics = metrics.Metrics(
            metrics.Readings(
                dropped=self._drops,
                queues=lambda: {"frames": self._frames, "bytes": self._bytes},
                incidents=lambda: self._incidents.values(),
                lag=self._lag,
                series=lambda: len(self.stepper.pipeline.memory.series),
                budgets=lambda: self._budgets,
                promises=self._promises,
            )
        )
        self.journal.synced = self.metrics.synced
        self.performer = Performer(
            store, config.response, self.submit, url_of(config), acted=self.metrics.acted
        )
        self.turned_away: dict[str, Counter[str]] = {}  # by door, by reason
        self.ready = False
        self.trouble = ""  # why nothing goes on just now
        self.broken = ""  # why something will never go on: only a restart can help
        self.now: Seconds = frame.decode(self.journal.last).at if self.journal.last else 0.0
        self._incidents: dict[str, Incident] = {}  # those that are not over
        self._budgets: tuple[Budget, ...] = ()  # as of the newest snapshot
        self._queue: deque[Commit] = deque()
        self._open: Commit | None = None  # the last of the queue, while its commit has not begun
        self._frames = 0  # that wait, or are being stepped
        self._bytes = 0  # of those that wait
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._turn = asyncio.Lock()  # no snapshot between a step and its record
        self._thread = ThreadPoolExecutor(1, "step")
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Bring state and store to where the journal ends, then go on from there."""
        open_now = await self.store.incidents(open_only=True, limit=100_000)
        self._incidents = {i.id: i for i in open_now}
        self.metrics.remember(open_now)
        await self._threaded(self.stepper.restore)
        frames = self.stepper.behind()
        count = 0
        while group := await self._threaded(list, islice(frames, GROUP)):
            count += len(group)
            await self._step(group)
        log.info("state restored", position=self.stepper.position, replayed=count, cut_bytes=self.journal.cut)
        await self._disown()
        await self.performer.recover()
        works = (self._run, self._tick, self._save_often)
        self._tasks = [asyncio.create_task(work(), name=work.__name__.strip("_")) for work in works]
        for task in self._tasks:
            task.add_done_callback(self._ended)
        self.ready = True

    async def _disown(self) -> None:
        """Close what the store holds open and no memory knows any more: nothing else ever would."""
        known = self.stepper.pipeline.memory.correlate.burning
        now = max(self.now, clock.wall())
        why = "closed: Forewarn lost what it knew of this; what is still abnormal opens another incident"
        lost = [say(i, now, why) for id, i in self._incidents.items() if id not in known]
        if lost:
            log.error("incidents closed", count=len(lost), reason="their state was lost")
            over = [replace(i, state=State.RESOLVED, resolved=now, updated=now, rev=i.rev + 1) for i in lost]
            await self._recorded(Step(now, incidents=tuple(over)), self.stepper.position)
            for incident in over:
                del self._incidents[incident.id]

    async def take_in(self, frames: Sequence[Frame]) -> None:
        """Take the frames of one request; returns when they are on disk.

        Raises Busy where the queue is full and Unwritable where the disk is: nothing was taken then.
        """
        await asyncio.shield(self.offer(frames))

    def offer(self, frames: Sequence[Frame]) -> asyncio.Future[int]:
        """Take the same; the future comes true when they are on disk, and nobody may cancel it."""
        if self._frames and self._frames + len(frames) > self.config.limits.queue:
            raise Busy
        if self._bytes > HELD:
            raise Busy
        if not frames:
            nothing = asyncio.get_running_loop().create_future()
            nothing.set_result(self.journal.next)
            return nothing
        return self._append(frames).durable

    async def submit(self, taken: Frame) -> int:
        """Take a tick, a command or an outcome, however full the queue is; return its position."""
        commit = self._append([taken])
        before = len(commit) - 1
        return await asyncio.shield(commit.durable) + before

    async def adopt(self, config: Config) -> None:
        """Use another config from the next frame on."""
        self.config = config
        self.performer.response = config.response
        async with self._turn:
            await self._threaded(self.stepper.adopt, config)

    @property
    def wrong(self) -> str:
        """Why what is taken in is not acted on in time; "" while it is."""
        if self.broken or self.trouble or not self.ready:
            return self.broken or self.trouble or "restoring state"
        back = self.now - clock.wall()
        if back > SET_BACK:
            return f"the clock was set back by {back:.0f} s: timers stand still until it has caught up"
        return ""

    def topology(self) -> Topology:
        """Return the catalogue, and the calls that traces show of services of which it names none."""
        graph = self.stepper.pipeline.graph
        return graph.found if graph.catalog is self.config.topology else self.config.topology

    async def topics(self) -> tuple[Topic, ...]:
        """Return what customers complain of, by topic, as it stands between two steps."""
        return await self._threaded(self.stepper.pipeline.memory.complaints.topics.listed, clock.wall())

    async def firing(self) -> tuple[Firing, ...]:
        """Return the alerts of other systems that fire, each with its incident."""
        memory = self.stepper.pipeline.memory
        return await self._threaded(firing, memory.alerts, memory.correlate.home)

    async def names(self) -> Names:
        """Return what customers may call services, for a person to accept, and what was accepted."""
        return await self._threaded(proposed, self.stepper.pipeline.memory.complaints, self.config.topology)

    async def settled(self) -> None:
        """Return once all that was taken is stepped and recorded."""
        await self._idle.wait()

    async def stop(self) -> None:
        """Step and record all that was taken, write the last snapshot, close the journal."""
        whole, self.ready = self.ready, False
        await self.performer.close()
        with contextlib.suppress(TimeoutError):  # then the journal holds what is left
            await asyncio.wait_for(self.settled(), STOP_WITHIN)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if whole and self._idle.is_set():
            await self._save()
        await self.journal.close()
        self._thread.shutdown()

    def _append(self, frames: Sequence[Frame]) -> Commit:
        """Return the next commit with the frames as its last."""
        self.now = max(self.now, clock.wall())
        opened = self._open
        if opened is None or opened.full:
            self._open = opened = Commit(self.now)
            opened.durable = self.journal.append_late(partial(self._begun, opened))
            opened.durable.add_done_callback(partial(self._kept, opened))
            self._queue.append(opened)
        held, size = len(opened), opened.size
        opened.add(frames, self.now)
        self._frames += len(opened) - held
        self._bytes += opened.size - size
        self._idle.clear()
        self._arrived.set()
        return opened

    def _begun(self, commit: Commit) -> Sequence[bytes]:
        if self._open is commit:
            self._open = None
        return commit.raws()

    def _kept(self, commit: Commit, durable: asyncio.Future[int]) -> None:
        if durable.exception() is None:
            for taken, size in zip(commit.frames, commit.sizes, strict=True):
                self.metrics.took(taken, size)

    async def _run(self) -> None:
        began = -PACE
        while True:
            await self._arrivals()
            if self._frames < GROUP and (early := began + PACE - clock.steady()) > 0:
                await asyncio.sleep(early)
            began = clock.steady()
            await self._step(await self._group())

    async def _arrivals(self) -> None:
        while not self._queue:
            self._arrived.clear()
            await self._arrived.wait()

    async def _group(self) -> list[tuple[int, Frame]]:
        """Return some frames that are on disk, in order; none where the disk refused all."""
        group: list[tuple[int, Frame]] = []
        while len(group) < GROUP and self._queue:
            waiting = self._queue[0]
            if group and not waiting.durable.done():
                return group
            try:
                first = await asyncio.shield(waiting.durable)
            except Unwritable as error:
                log.error("frames refused", frames=len(waiting.frames), error=str(error))
                self._left(len(waiting.frames))
            else:
                group += enumerate(waiting.frames, first)
            self._bytes -= waiting.size
            self._queue.popleft()
        return group

    async def _step(self, group: Sequence[tuple[int, Frame]]) -> None:
        while group:
            await self._give_way()
            async with self._turn:
                done = await self._threaded(self.stepper.take, group)
                for one in done:
                    await self._record(one)
            group = group[len(done) :]

    async def _give_way(self) -> None:
        """Let those be answered whose posts are being written, while there is room for more of them."""
        until, room = clock.steady() + GIVE_WAY, self.config.limits.queue // 2
        # An event would end the wait at the moment between two commits.
        while self.journal.busy and self._frames < room and clock.steady() < until:  # noqa: ASYNC110
            await asyncio.sleep(LOOK)

    async def _record(self, done: Done) -> None:
        if done.step is not None:
            self.metrics.stepped(done.step, done.span)
        if done.step:
            new = await self._recorded(done.step, done.position)
            for incident in done.step.incidents:
                self._incidents[incident.id] = incident
                if incident.state is State.RESOLVED:
                    del self._incidents[incident.id]
            if self.ready:
                self.performer.act(new, done.step.runs)
        self._left(1)

    async def _recorded(self, step: Step, position: int) -> tuple[Action, ...]:
        """Record the step, however long the store takes to come back: nothing may be acted on before."""
        while True:
            began = clock.steady()
            try:
                new = await self.store.record(step, position)
            except (sqlite3.Error, OSError) as error:
                self.trouble = f"store: {error}"
                log.error("step not recorded", position=position, error=str(error), again_in=TRY_AGAIN)
                await asyncio.sleep(TRY_AGAIN)
            else:
                self.trouble = ""
                self.metrics.recorded(clock.steady() - began)
                return new

    async def _tick(self) -> None:
        """Let time pass once a second, and forget what is older than it is to be kept."""
        forget = clock.steady()
        while True:
            await asyncio.sleep(1 - clock.wall() % 1)
            with contextlib.suppress(Unwritable, Busy):  # said where frames are lost
                await self.take_in([frame.tick(clock.wall())])
            if clock.steady() >= forget:
                forget += FORGET_EVERY
                await self._forget()

    async def _forget(self) -> None:
        try:
            await self.store.forget(clock.wall() - self.config.storage.retention)
        except (sqlite3.Error, OSError) as error:
            log.error("nothing forgotten", error=str(error), again_in=FORGET_EVERY)

    async def _save_often(self) -> None:
        while True:
            await asyncio.sleep(self.config.storage.snapshot_interval)
            await self._save()

    async def _save(self) -> None:
        try:
            async with self._turn:
                await self._threaded(self.stepper.save)
                self._budgets = await self._threaded(self.stepper.budgets)
        except OSError as error:
            log.error("snapshot not written", error=str(error))

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Say so where a loop that must never end has: all would look healthy, and nothing go on."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.broken = f"{task.get_name()} broke: {error!r}"[:500]
            log.critical("broken", loop=task.get_name(), exc_info=error)

    async def _threaded(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        run = partial(work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def _left(self, count: int) -> None:
        self._frames = max(0, self._frames - count)
        if not self._frames:
            self._idle.set()

    def _drops(self) -> Mapping[str, Mapping[str, int]]:
        doors = {f"door {name}": count for name, count in self.turned_away.items()}
        return {
            **metrics.drops(self.stepper.pipeline.memory),
            **doors,
            "step": {"skipped": len(self.stepper.poison)},
        }

    def _promises(self) -> Mapping[tuple[str, str], int]:
        return standing(self.stepper.pipeline.memory.follow, clock.wall())

    def _lag(self) -> tuple[int, Seconds]:
        oldest = self._queue[0].at if self._queue else self.now
        return self._frames, max(0.0, clock.wall() - oldest) if self._frames else 0.0
