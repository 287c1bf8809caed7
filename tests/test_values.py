"""A code that says what it never said in its template is evidence."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import snapshot
from pipeline.logs import LogState, read_lines, values
from pipeline.series import Series, pack
from pipeline.types import Batch, Lines, Signal

START = 1_700_000_000.0


class Gateway:
    """Two calls a second, each logged with its code and the number of its order."""

    def __init__(self) -> None:
        self.series = Series()
        self.row = int(self.series.intern([pack({"service": "pay"})])[0])
        self.state = LogState()
        self.now = START
        self.calls = 0

    def run(
        self, seconds: int, line: str = "bank answered code={code} for {n}", code: str = "200"
    ) -> list[Signal]:
        said: list[Signal] = []
        for _ in range(seconds // 5):
            self.now += 5.0
            self.calls += 10
            texts = tuple(line.format(code=code, n=1000 + self.calls + k) for k in range(10))
            lines = Lines(np.full(10, self.row, np.int32), np.full(10, self.now - 1), texts, ("info",) * 10)
            said += read_lines(self.state, Batch(lines=lines), self.series, self.now)
        return said


def test_a_code_never_said_before_is_evidence_with_its_numbers() -> None:
    gateway = Gateway()
    quiet = gateway.run(3600)

    said = gateway.run(5, code="402")

    assert quiet == []
    told = next(signal for signal in said if signal.detector == "value")
    assert (told.kind, told.service, told.page, told.observed) == ("log", "pay", False, 5.0)
    assert told.reason == (
        '5 lines of pay in 60 s say "402" where 0.06% of such lines did: "bank answered code=<*> for <*>"'
    )


def test_a_value_signal_ends_when_the_value_comes_no_more() -> None:
    gateway = Gateway()
    gateway.run(3600)
    gateway.run(5, code="402")

    said = gateway.run(600)

    assert [signal.ended is not None for signal in said if signal.detector == "value"] == [True]
    assert gateway.state.values.odd.on == {}


def test_a_code_that_is_said_now_and_then_is_no_news() -> None:
    gateway = Gateway()
    for _ in range(60):
        gateway.run(30)
        gateway.run(5, code="404")

    assert gateway.run(5, code="404") == []


def test_the_hour_of_a_clock_is_no_code() -> None:
    gateway = Gateway()
    gateway.run(3600, line="2023-01-29 {code}:14:15.123 polled", code="17")

    said = gateway.run(60, line="2023-01-29 {code}:14:15.123 polled", code="18")

    assert said == []


def test_a_variable_of_many_values_is_no_code() -> None:
    gateway = Gateway()

    gateway.run(3600)

    places = next(iter(gateway.state.values.known.values()))
    assert places.values == [{"200": 7200}, None]


def test_past_its_bounds_templates_and_lines_are_not_read_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(values, "MAX_TEMPLATES", 1)
    monkeypatch.setattr(values, "BUDGET", 15)
    gateway = Gateway()

    gateway.run(100)
    gateway.run(100, line="cache says {code}")

    dropped = gateway.state.values.dropped
    assert (len(gateway.state.values.known), dropped["template limit"], dropped["unread line"]) == (
        1,
        200,
        50,
    )


def test_a_busy_template_leaves_lines_to_be_read_to_a_rare_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "EACH", 5)
    monkeypatch.setattr(values, "BUDGET", 10)
    gateway = Gateway()

    gateway.run(100)
    gateway.now = START
    gateway.run(100, line="cache says {code}")

    known = gateway.state.values.known.values()
    assert [places.lines for places in known] == [50, 50]


def test_counts_are_halved_before_they_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MANY", 500)
    gateway = Gateway()

    gateway.run(260)

    places = next(iter(gateway.state.values.known.values()))
    assert (places.lines, places.values[0]) == (270, {"200": 270})


def test_a_snapshot_in_the_middle_changes_nothing() -> None:
    straight, broken = Gateway(), Gateway()
    for gateway in (straight, broken):
        gateway.run(1800)
    broken.state = snapshot.load(snapshot.dump(broken.state))

    told = [gateway.run(60, code="402") for gateway in (straight, broken)]

    assert told[0] == told[1]
    assert told[0] != []
