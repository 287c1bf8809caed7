"""Recorded actions to deeds: each is claimed, run once, and its outcome sent back as a frame."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
import structlog

from pipeline import clock, frame, kinds
from pipeline.actions import Allowed
from pipeline.clock import Clock
from pipeline.frame import Frame
from pipeline.notify import Notice
from pipeline.respond import Response
from pipeline.respond.playbook import span_hook
from pipeline.respond.runs import GRACE
from pipeline.store import Store
from pipeline.types import Action, Event, Outcome, Rejected, Retry, Run, Seconds

T = TypeVar("T")

log = structlog.get_logger()

AT_ONCE = 16  # notifications on their way at the same time; runs are bounded by respond
MAX_HELD = 1_000  # notifications taken and not finished; past it they wait in the store
# 1 + 2 + 4 ... capped at 60 s: a receiver that is down for five minutes is still told.
TRIES = 10
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0


class Performer:
    """Runs actions of one engine. `submit` takes the outcome's frame and returns once it is journaled.

    A step runs at most once: one that a crash interrupted is reported as failed, never run again. A
    notification may go out twice, with the same key: a lost page is worse than a repeated one.
    """

    def __init__(
        self,
        store: Store,
        response: Response,
        submit: Callable[[Frame], Awaitable[object]],
        url: str = "",
        now: Clock = clock.wall,
        sleep: Callable[[Seconds], Awaitable[object]] = asyncio.sleep,
        acted: Callable[[Action, Outcome], None] = lambda action, outcome: None,
    ) -> None:
        self.response = response  # a reload puts a new one in its place
        self._store, self._submit, self._url = store, submit, url
        self._now, self._sleep, self._acted = now, sleep, acted
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._lanes: dict[str, asyncio.Lock] = {}
        self._users: Counter[str] = Counter()  # of each lane
        self._acting: set[str] = set()  # keys of steps that have begun
        self._stopped: set[str] = set()  # keys of steps that may not begin any more
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by action key
        self._behind = False
        self._closing = False

    @property
    def held(self) -> int:
        """Return how many actions are taken and not finished."""
        return len(self._tasks)

    async def recover(self) -> None:
        """Settle what a crash left: report steps as interrupted, tell people again, run what never began."""
        for channel in {via.do for receiver in self.response.receivers for via in receiver.via}:
            getattr(kinds.find("pipeline.notify", channel), "warm", lambda: None)()
        stopped = {r.id for r in await self._store.runs() if r.state == "stopped"}
        for action in await self._store.interrupted():
            if action.kind == "notify":
                self._start(action, claimed=True)
            else:
                why = "interrupted: Forewarn stopped while it ran, so what it did is not known"
                await self._settle(action, Outcome(False, why, 0.0), "")
        waiting = await self._store.waiting()
        self._stopped |= {a.key for a in waiting if a.kind != "notify" and _lane(a) in stopped}
        self.act(waiting)

    def act(self, actions: Iterable[Action], runs: Iterable[Run] = ()) -> None:
        """Start new actions, in the background; end those of runs that were stopped."""
        for run in runs:
            if run.state == "stopped":
                self._stop(run.id)
        for action in actions:
            if action.kind == "notify" and len(self._tasks) >= MAX_HELD:
                self._behind = True
                continue
            self._start(action, claimed=False)

    async def idle(self) -> None:
        """Return when nothing is running or waiting to be tried again."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def close(self) -> None:
        """End what runs. It stays begun in the store, and the next start settles it."""
        self._closing = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, action: Action, claimed: bool) -> None:
        if action.key in self._tasks or self._closing:
            return
        task = asyncio.create_task(self._perform(action, claimed), name=action.key)
        self._tasks[action.key] = task
        task.add_done_callback(lambda task: self._done(action, task))

    def _done(self, action: Action, task: asyncio.Task[None]) -> None:
        del self._tasks[action.key]
        self._stopped.discard(action.key)
        if not task.cancelled() and task.exception() is not None:
            log.error("action not settled", key=action.key, exc_info=task.exception())
        if self._behind and not self._closing and len(self._tasks) < MAX_HELD // 2:
            self._behind = False
            catching_up = asyncio.create_task(self._catch_up())
            self._tasks["catch up"] = catching_up
            catching_up.add_done_callback(lambda _: self._tasks.pop("catch up"))

    async def _catch_up(self) -> None:
        self.act(await self._surely("waiting", self._store.waiting))

    async def _surely(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Do what store or journal must not miss, however long they take to come back.

        A page given up here would be lost until the next start, and a step that worked would be undone.
        """
        while True:
            try:
                return await attempt()
            except (TypeError, ValueError):  # what can never be kept
                raise
            # What else may ail a disk is known to store and journal alone.
            except Exception as error:
                log.error("not kept, trying again", what=what, error=str(error), after=FIRST_PAUSE)
            await self._sleep(FIRST_PAUSE)

    def _stop(self, run: str) -> None:
        for key, task in self._tasks.items():
            if key.startswith(f"{run}/"):
                self._stopped.add(key)
                if key in self._acting:
                    task.cancel()

    async def _perform(self, action: Action, claimed: bool) -> None:
        lane = _lane(action)
        self._users[lane] += 1
        try:
            # In order: "resolved" must not overtake the page that is still being tried.
            async with self._lanes.setdefault(lane, asyncio.Lock()):
                if claimed or await self._surely("claim", lambda: self._store.claim(action.key, self._now())):
                    await self._settle(action, *await self._outcome(action))
        finally:
            self._users[lane] -= 1
            if not self._users[lane]:
                del self._users[lane], self._lanes[lane]

    async def _outcome(self, action: Action) -> tuple[Outcome, str]:
        """Run the action to its end; return its outcome, and "none" where it surely had no effect."""
        began = clock.steady()
        if why := self._unfit(action):
            return Outcome(False, why, 0.0), "none"
        self._acting.add(action.key)
        try:
            outcome, effect = await self._tries(action), ""
        except Rejected as error:
            outcome, effect = Outcome(False, str(error), 0.0), "none"
        except TimeoutError:
            outcome, effect = Outcome(False, f"no answer within {action.timeout:g} s", 0.0), ""
        except asyncio.CancelledError:
            if self._closing:
                raise
            _this_task().uncancel()
            outcome, effect = Outcome(False, "stopped while it ran", 0.0), ""
        # A fault of ours in one kind of action must not leave its incident waiting for ever.
        except Exception as error:
            log.exception("action broke", key=action.key, do=action.do)
            outcome, effect = Outcome(False, f"{type(error).__name__}: {error}", 0.0), ""
        finally:
            self._acting.discard(action.key)
        return replace(outcome, took=clock.steady() - began), effect

    def _unfit(self, action: Action) -> str:
        """Return why a step may not begin any more; "" where it may."""
        if action.key in self._stopped:
            return "stopped before it ran"
        age = self._now() - action.at
        if action.kind != "notify" and age > GRACE:
            return f"decided {age:.0f} s ago: its run has given it up"
        return ""

    async def _tries(self, action: Action) -> Outcome:
        """Try once; a notification that may yet get through, again and again."""
        pause = FIRST_PAUSE
        for left in reversed(range(TRIES)):
            try:
                async with self._slot(action), asyncio.timeout(action.timeout):
                    return await self._try(action)
            except (Retry, TimeoutError) as error:
                if action.kind != "notify":
                    if isinstance(error, Retry):
                        raise Rejected(str(error)) from error
                    raise
                why = str(error) or f"no answer within {action.timeout:g} s"
                if not left:
                    raise Rejected(f"gave up after {TRIES} tries: {why}") from error
                wait = max(pause, min(getattr(error, "after", 0.0), LONGEST_PAUSE))
                log.warning("notification failed, trying again", key=action.key, why=why, after=wait)
            await self._sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)
        raise AssertionError

    def _slot(self, action: Action) -> AbstractAsyncContextManager[object]:
        """A step never waits behind a storm of pages."""
        return self._slots if action.kind == "notify" else nullcontext()

    async def _try(self, action: Action) -> Outcome:
        if action.kind == "notify":
            return await self._tell(action)
        kind = kinds.find("pipeline.actions", action.do)
        args = _convert(action.args, kind.Args)
        done: Outcome = await kind.run(args, action.key, Allowed(self.response.executables))
        return done

    async def _tell(self, action: Action) -> Outcome:
        name, number = action.args["receiver"], action.args["via"]
        receiver = next((r for r in self.response.receivers if r.name == name), None)
        if receiver is None or number >= len(receiver.via):
            raise Rejected(f'no receiver "{name}" with {number + 1} channels in the configuration any more')
        kind = kinds.find("pipeline.notify", action.do)
        if receiver.via[number].do != action.do:
            raise Rejected(f'channel {number + 1} of "{name}" is no longer {action.do}')
        notice = msgspec.convert(action.args["notice"], Notice)
        page = notice.page or f"/incidents/{notice.incident}"
        url = f"{self._url}{page}" if self._url else ""
        args = _convert(receiver.via[number].args, kind.Args)
        said = await kind.send(args, msgspec.structs.replace(notice, url=url), action.key)
        return Outcome(True, said, 0.0)

    async def _settle(self, action: Action, outcome: Outcome, effect: str) -> None:
        """Send the outcome back, then close the action in the store.

        In this order: a crash between the two sends the outcome twice, and the second is ignored; the other
        way round it would never be heard of, and its run would wait for nothing.
        """
        now = self._now()
        labels = {
            "key": action.key,
            "ok": "true" if outcome.ok else "false",
            "incident": action.incident,
            "detail": outcome.detail,
        }
        if effect:
            labels["effect"] = effect
        event = Event("outcome", action.key, now, labels, notes=outcome.evidence)
        await self._surely("outcome", lambda: self._submit(frame.events(now, "perform", [event])))
        await self._surely("finish", lambda: self._store.finish(action, outcome, now))
        self._acted(action, outcome)
        level = log.info if outcome.ok else log.warning
        level("action ended", key=action.key, do=action.do, ok=outcome.ok, detail=outcome.detail)


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


def _lane(action: Action) -> str:
    """Return the queue that the action stands in: a channel of one incident, or a run."""
    if action.kind == "notify":
        return f"{action.incident}/{action.args.get('receiver')}/{action.args.get('via')}"
    return "/".join(action.key.split("/")[:2])


def _convert(raw: Mapping[str, Any], into: type[Any]) -> Any:
    try:
        return msgspec.convert(raw, into, dec_hook=span_hook)
    except msgspec.ValidationError as error:
        raise Rejected(f"args: {error}") from error
