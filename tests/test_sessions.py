"""Lines that share an id: which word it is, what a session lacks, where a trace waits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.logs import LogState, ids, read_lines, sessions, traces
from pipeline.logs.ids import Ids, id_of
from pipeline.logs.sessions import log_surprise
from pipeline.logs.traces import SLOW, Place, Traces, unlike, visit, wait
from pipeline.series import Series, pack
from pipeline.types import Batch, Lines, Seconds, Signal

START = 1_700_000_000.0
STEPS = (("front", "GET /order"), ("cart", "cart opened"), ("pay", "charge card"), ("pay", "charge done"))


class Shop:
    """Orders that pass three services, one every second, each line with the trace of its order."""

    def __init__(self, name: str = "TraceID: {:032x}") -> None:
        self.name = name
        self.series = Series()
        self.state = LogState()
        self.now = START
        self.orders = 0

    def run(
        self, orders: int, steps: tuple[tuple[str, str], ...] = STEPS, wait: Seconds = 0.01
    ) -> list[Signal]:
        said: list[Signal] = []
        for _ in range(orders):
            self.now += 1.0
            self.orders += 1
            trace = self.name.format(self.orders * 7919 << 64)
            rows = self.series.intern([pack({"service": service}) for service, _ in steps])
            lines = Lines(
                rows,
                np.array([self.now - 0.9 + wait * k for k in range(len(steps))]),
                tuple(f"{trace} {text}" for _, text in steps),
                ("info",) * len(steps),
            )
            said += read_lines(self.state, Batch(lines=lines), self.series, self.now)
        return said


@pytest.mark.parametrize(
    ("line", "id"),
    [
        pytest.param("Receiving block blk_-{0}1608999687919", "blk_-{0}1608999687919", id="a prefix"),
        pytest.param('{{"trace_id":"{0}4bf92f3577b34da6a3"}}', "{0}4bf92f3577b34da6a3", id="a key in JSON"),
        pytest.param("[req-{0}38101a0b-2096-447d] GET", "req-{0}38101a0b-2096-447d", id="in brackets"),
    ],
)
def test_an_id_that_recurs_in_lines_of_other_templates_ties_them(line: str, id: str) -> None:
    state = Ids()
    for k in range(100, 200):
        id_of(state, line.format(k), 1)
        id_of(state, line.format(k), 2)

    assert id_of(state, line.format(777), 1) == id.format(777)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("up since 2023-01-{0:02}", id="a date"),
        pytest.param("from 10.0.0.{0}:50010", id="an address"),
        pytest.param("size: 671088{0:03}", id="a number met once each"),
    ],
)
def test_what_does_not_recur_or_is_no_id_ties_nothing(line: str) -> None:
    state = Ids()

    found = {id_of(state, line.format(k), k % 2) for k in range(300)}

    assert found == {""}


def test_of_two_ids_in_a_line_the_trace_is_taken_before_its_spans() -> None:
    state = Ids()
    for k in range(200):
        for template in range(4):
            id_of(state, f"TraceID: {k:032x}1234 SpanID: {k:08x}{template // 2:04}8888", template)

    assert id_of(state, f"SpanID: {7:08x}00008888 TraceID: {7:032x}1234", 1) == f"{7:032x}1234"


def test_sessions_that_lack_their_end_are_a_signal_of_the_service_that_says_it() -> None:
    shop = Shop()
    quiet = shop.run(600)

    said = shop.run(60, STEPS[:3]) + shop.run(60)

    assert quiet == []
    told = next(signal for signal in said if signal.detector == "session")
    assert (told.kind, told.service, told.page) == ("log", "pay", False)
    assert told.series.endswith("charge done")
    assert told.reason.startswith('5 sessions of pay in 60 s lack "')


def test_a_service_that_answers_late_is_named_by_its_traces() -> None:
    shop = Shop()
    quiet = shop.run(900)

    said = shop.run(100, wait=0.2)
    found = log_surprise(shop.state.sessions, shop.now - 60, shop.now)

    assert quiet == []
    assert {signal.detector for signal in said} == {"trace"}
    assert max(found, key=lambda service: found[service].surprise) == "pay"
    assert found["pay"].template == SLOW
    assert found["pay"].share == pytest.approx(1.0)


def test_a_session_signal_ends_when_sessions_are_whole_again() -> None:
    shop = Shop()
    shop.run(600)
    shop.run(60, STEPS[:3])

    said = shop.run(600)

    assert shop.state.sessions.odd.on == {}
    assert any(signal.ended is not None for signal in said)


def test_a_template_that_vanishes_from_visits_shows_in_its_service_alone() -> None:
    known = Traces()
    for slot in range(100, 140):
        for service in ("a", "b"):
            for _ in range(10):
                visit(known, service, 1, slot, first=True)
                if service == "b" or slot < 128:
                    visit(known, service, 2, slot, first=False)

    found = unlike(known, 1280.0, 1400.0)

    assert found["a"].template == 2
    assert (found["a"].share, found["a"].usual) == (0.0, 1.0)
    assert found["a"].surprise > 60
    assert found["b"].surprise < 0.2


def test_a_slow_wait_does_not_teach_that_slow_is_usual() -> None:
    known = Traces()
    edge = Place("a", "b")
    for _ in range(200):
        wait(known, edge, 0.01, 100)

    for _ in range(5):
        wait(known, edge, 3.0, 101)

    assert known.slots[101][edge, SLOW] == 5
    assert 10 ** known.waits[edge].mean < 0.012


def test_past_its_bounds_open_sessions_and_edges_are_dropped_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "MAX_OPEN", 10)
    monkeypatch.setattr(traces, "MAX_EDGES", 1)
    monkeypatch.setattr(ids, "MAX_SEEN", 50)
    shop = Shop()

    shop.run(200)

    state = shop.state.sessions
    assert len(state.open) <= 10
    assert (len(state.ids.seen), len(state.traces.waits)) == (50, 1)
    assert state.dropped["open session"] > 50
    assert state.traces.dropped["edge limit"] > 100


def test_counts_older_than_the_ring_are_learned_and_halved_in_half_a_day() -> None:
    known = Traces()
    for slot in (100, 101):
        visit(known, "a", 1, slot, first=True)

    visit(known, "a", 1, 100 + traces.RECENT, first=True)
    visit(known, "a", 1, 101 + traces.RECENT + traces.HALF, first=True)

    assert known.learned[Place("a"), 1] == pytest.approx(1.5)


def test_a_snapshot_in_the_middle_changes_nothing() -> None:
    straight, broken = Shop(), Shop()
    for shop in (straight, broken):
        shop.run(400)
    broken.state = snapshot.load(snapshot.dump(broken.state))

    told = [shop.run(120, STEPS[:3], 0.3) for shop in (straight, broken)]

    assert told[0] == told[1]
    assert told[0] != []


@given(st.lists(st.text(max_size=60) | st.text('ab0-=:_ "', max_size=90), max_size=40))
def test_any_text_has_one_id_or_none(lines: list[str]) -> None:
    state = Ids(order={" 16": 0, "a 8": 1})

    found = [id_of(state, line, k % 3) for k, line in enumerate(lines)]

    assert all(id in line for id, line in zip(found, lines, strict=True))


@given(
    st.lists(
        st.sampled_from(
            ("id", "_id", "x-id", "TraceID", "blk_", "9", ": ", "=", " ", "-", '"', "[", "2023-01-29",
             "1a2b3c4d5e6f7a8b", "1234567890123456", "1a2b3c4d", "0" * 32, ".", "/", "a",
             "a-name-of-a-field-", "deadbeef")
        ),
        max_size=14,
    ).map("".join)
)  # fmt: skip
def test_an_id_looked_for_by_its_kind_is_the_first_of_that_kind(text: str) -> None:
    first: dict[str, str] = {}
    for kind, value in ids._candidates(text):
        first.setdefault(kind, value)

    assert {kind: ids._find(kind, text) for kind in first} == first


@pytest.mark.shared_data
@pytest.mark.slow
def test_logs_alone_name_the_faulty_service_of_train_ticket(shared: Path) -> None:
    from benchmarks._log_anomalies import train_ticket

    found = train_ticket()

    assert found["train_ticket_first"] >= 0.5
    assert found["train_ticket_three"] >= 0.75
