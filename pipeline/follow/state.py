"""What follow remembers: the complaints that are not long closed, and when each is to be looked at again."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.follow.terms import Promises
from pipeline.types import Case, Progress, Promise, Seconds

MAX_CASES = 20_000  # about 2 kB each; past it closed ones go, and then newcomers are turned away
MAX_OF_ONE = 500  # not closed, of one customer
KEPT: Seconds = 7 * 86400.0  # a closed complaint may be opened again for so long


@dataclass(slots=True)
class FollowState:
    """Every complaint under way; at most MAX_CASES, and as many entries in each table."""

    cases: dict[str, Case] = field(default_factory=dict)  # by complaint, oldest first
    closed: dict[str, Seconds] = field(default_factory=dict)  # when it was, oldest first
    of: dict[str, dict[str, None]] = field(default_factory=dict)  # incident -> those not closed
    open: Counter[str] = field(default_factory=Counter)  # complaints that are not closed, by customer
    looks: dict[str, Seconds] = field(default_factory=dict)  # when a case is next looked at
    queue: list[tuple[Seconds, str]] = field(default_factory=list)  # a heap of `looks`, and of what they were
    told: dict[str, Seconds] = field(default_factory=dict)  # when each group was last told of a broken one
    promises: Promises = field(default_factory=Promises)  # that the looks were reckoned by
    dropped: Counter[str] = field(default_factory=Counter)

    def room(self, customer: str, now: Seconds) -> bool:
        """Forget what was closed long ago, or earlier where all is full; say whether one more fits."""
        while self.closed:
            oldest, when = next(iter(self.closed.items()))
            if now - when <= KEPT and len(self.cases) < MAX_CASES:
                break
            del self.closed[oldest], self.cases[oldest]
            self.looks.pop(oldest, None)
        if len(self.cases) >= MAX_CASES:
            self.dropped["complaints past the bound"] += 1
            return False
        if customer and self.open[customer] >= MAX_OF_ONE:
            self.dropped["complaints of one customer"] += 1
            return False
        return True

    def put(self, case: Case) -> None:
        old = self.cases.get(case.complaint)
        self.cases[case.complaint] = case
        was = old is not None and old.progress is not Progress.CLOSED
        self._count(case.customer, (case.progress is not Progress.CLOSED) - was)
        if case.progress is Progress.CLOSED:
            self.closed.setdefault(case.complaint, case.updated)
            self._leave(case)
        else:
            self.closed.pop(case.complaint, None)
            if case.incident:
                self.of.setdefault(case.incident, {})[case.complaint] = None

    def plan(self, complaint: str, at: Seconds) -> None:
        """Have the case looked at then; inf = not before something happens to it."""
        if self.looks.get(complaint) == at:
            return
        self.looks.pop(complaint, None)
        if at < math.inf:
            self.looks[complaint] = at
            heapq.heappush(self.queue, (at, complaint))
        if len(self.queue) > 2 * len(self.looks) + 1_000:
            self.queue = sorted((when, id) for id, when in self.looks.items())

    def due(self, now: Seconds) -> Iterator[str]:
        """Yield the complaints to be looked at by now, each once, in order of their time."""
        while self.queue and self.queue[0][0] <= now:
            when, complaint = heapq.heappop(self.queue)
            if self.looks.get(complaint) == when:
                del self.looks[complaint]
                yield complaint

    def _leave(self, case: Case) -> None:
        members = self.of.get(case.incident, {})
        members.pop(case.complaint, None)
        if not members:
            self.of.pop(case.incident, None)

    def _count(self, customer: str, more: int) -> None:
        self.open[customer] += more
        if not self.open[customer]:
            del self.open[customer]


def standing(state: FollowState, now: Seconds) -> Counter[tuple[str, str]]:
    """Count the promises that are not kept yet, by what is promised and how each stands; 1 us a case.

    "open" is on time, "warned" at risk, "broken" past its time, "stands" with the customer. May be called
    while another thread steps: a case is never changed, only replaced.
    """
    found: Counter[tuple[str, str]] = Counter()
    for case in tuple(state.cases.values()):
        if case.progress is not Progress.CLOSED:
            found.update((p.what, stands(p, now)) for p in case.promises if p.ended is None)
    return found


def stands(promise: Promise, now: Seconds) -> str:
    """Say how a promise that is not kept yet stands."""
    if promise.due is None:
        return "stands"
    if promise.broken(now):
        return "broken"
    return "warned" if promise.warn is not None and promise.warn <= now else "open"
