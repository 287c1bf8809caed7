"""What is left out where lines are many is left out whole, and what is looked up is what is read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.logs import budget, joined
from pipeline.logs.budget import Budget, affords
from pipeline.logs.joined import begun, follow, join_lines
from pipeline.logs.sessions import IDLE, SessionState, end_sessions, hear_lines
from pipeline.logs.severity import severities, severity_of
from pipeline.logs.templates import Templates
from pipeline.logs.usual import SLOT
from pipeline.types import Lines
from tests.soak import times

SAID = st.lists(
    st.sampled_from(
        (
            "5",
            "0",
            "no",
            "errors",
            "failed",
            "ERROR",
            "[warn]",
            '"level":"info"',
            "k8s",
            "done",
            "refused",
            "\x1b[31m",
        )
    ),
    max_size=5,
).map(" ".join)
TRACES = st.lists(
    st.sampled_from(
        ("GET /", "ERROR x", "\tat a.b(C.java:1)", "Traceback (most recent call last):", '  File "a"', "E: x",
         "goroutine 1 [running]:", "panic: x", "main.f(1)", "at home", "", "Caused by: x", "Stack trace:")
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=times(100), deadline=None)
@given(st.lists(SAID, max_size=20))
@example(["0 errors", "5 errors"])
@example(["5 errors", "0 errors"])
def test_a_severity_that_is_remembered_is_the_one_that_the_line_tells(lines: list[str]) -> None:
    known: dict[bytes, str] = {}

    first = severities(known, [""] * len(lines), lines)

    assert first == [severity_of(line) for line in lines]
    assert severities(known, [""] * len(lines), lines) == first
    assert severities(known, ["warning"] * len(lines), lines) == ["warning"] * len(lines)


@settings(max_examples=times(100), deadline=None)
@given(TRACES, st.integers(1, 2))
@example(["panic: x", "main.f(1)"], 1)
def test_a_line_that_is_not_looked_at_continues_none(texts: list[str], streams: int) -> None:
    n = len(texts)
    rows = [k % streams for k in range(n)]
    heads, kept = dict[int, joined.Head](), []
    for k, (row, text) in enumerate(zip(rows, texts, strict=True)):
        head = follow(heads[row], text) if row in heads else None
        if head is None:
            kept.append(k)
        heads[row] = head or begun(text)

    found = join_lines(Lines(np.array(rows, np.int32), np.zeros(n), tuple(texts), ("",) * n))

    assert found.text == tuple(texts[k] for k in kept)
    assert found.series.tolist() == [rows[k] for k in kept]


class Orders:
    """One order begins every second and says four lines, one every ten seconds."""

    def __init__(self) -> None:
        self.state = SessionState()
        self.templates = Templates()
        self.now = 1_700_000_000
        self.born = self.now

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            begun = [(self.now - 10 * step, step) for step in range(4) if self.now - 10 * step > self.born]
            n = len(begun)
            texts = [f"TraceID: {second * 7919:032x} step" for second, _ in begun]
            steps, times = [step for _, step in begun], [float(self.now)] * n
            hear_lines(self.state, ["pay"] * n, texts, steps, times, self.now)
            end_sessions(self.state, self.templates, self.now)


def test_past_the_budget_a_share_of_the_sessions_is_heard_and_each_of_them_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders = Orders()
    orders.run(400)
    before, known = partial(orders), orders.state.usual.sessions
    monkeypatch.setattr(budget, "BUDGET", 24)

    orders.run(900)

    state = orders.state
    assert state.budget.share in (0.25, 0.5)
    assert 0.4 < state.dropped["unheard line"] / (900 * 4) < 0.8
    assert 150 < state.usual.sessions - known < 600
    assert partial(orders) == pytest.approx(before)


def test_when_lines_are_few_again_all_are_heard_and_none_is_judged_from_its_middle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders = Orders()
    orders.run(400)
    before = partial(orders)
    monkeypatch.setattr(budget, "BUDGET", 8)
    orders.run(100)
    few = orders.state.budget.share
    monkeypatch.setattr(budget, "BUDGET", 10_000)

    orders.run(600)

    assert few < 0.3
    assert orders.state.budget.share == pytest.approx(1.0)
    assert partial(orders) == pytest.approx(before)


def partial(orders: Orders) -> float:
    """Return the weight of the sessions that lacked a step: those met while their id was found out."""
    usual = orders.state.usual
    return usual.total - usual.sets[0, 1, 2, 3]


def test_a_larger_share_is_whole_once_every_session_in_its_middle_was_met(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "BUDGET", 10)
    held = Budget()
    for k in range(15):
        affords(held, f"busy {k}", 100)

    shares = []
    for slot in range(101, 112):
        affords(held, "calm", slot)
        shares.append((held.share, held.whole))

    assert shares == [(0.5, 0.5)] + [(1.0, 0.5)] * budget.HELD + [(1.0, 1.0)] * (10 - budget.HELD)
    assert budget.HELD * SLOT > IDLE


def test_a_slot_of_any_number_of_lines_costs_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "BUDGET", 100)
    held = Budget()

    heard = sum(affords(held, f"session {k}", 100) for k in range(100_000))

    assert 100 <= heard < 100 + 50 * 12
    assert held.lines == 100_000
