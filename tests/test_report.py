"""The daily report: what came in, what was promised and kept, how early the pages were."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from detectors.calendars import Calendar
from pipeline import config
from pipeline.commands.report import command, read
from pipeline.config import Config
from pipeline.console.report import text
from pipeline.flow import Pipeline
from pipeline.follow import Promises
from pipeline.report import Report, reckon, times_of
from pipeline.store import sqlite
from pipeline.types import Batch, Case, Event, Incident, Mark, Progress, Promise, State, Step

DAY = date(2026, 11, 20)
BEGIN = datetime(2026, 11, 20, tzinfo=UTC).timestamp()
END = BEGIN + 86400
HOUR = 3600.0


def said(id: str, at: float, customer: str, words: str) -> Batch:
    return Batch(events=(Event("complaint", id, at, {"customer": customer}, words),))


def word(do: str, at: float, complaint: str, **more: str) -> Batch:
    labels = {"do": do, "by": "ada", "complaint": complaint, **more}
    return Batch(events=(Event("command", f"{do}-{complaint}", at, labels, "Done."),))


STORY = (
    (BEGIN - HOUR, said("m0", BEGIN - HOUR, "dora", "Where is my parcel?")),
    (BEGIN + HOUR, said("m1", BEGIN + HOUR, "ann", "I cannot pay by card")),
    (BEGIN + 2 * HOUR, said("m2", BEGIN + 2 * HOUR, "ben", "My basket is empty again")),
    (BEGIN + 3 * HOUR, said("m3", BEGIN + 3 * HOUR, "ann", "The print on the invoice is too small")),
    (BEGIN + 1.25 * HOUR, word("fixed", BEGIN, "m1")),
    (BEGIN + 1.5 * HOUR, word("rate", BEGIN, "m1", helped="yes", score="5")),
    (BEGIN + 3.5 * HOUR, word("reply", BEGIN, "m2")),
    (BEGIN + 3.75 * HOUR, word("fixed", BEGIN, "m2")),
    (BEGIN + 4 * HOUR, word("rate", BEGIN, "m2", helped="no", score="2")),
    (BEGIN + 26 * HOUR, word("close", BEGIN, "m0")),
)


def settings() -> Config:
    promised = {"respond": "1h", "update": "0", "resolve": "30h"}
    return Config(promises=config.parse(promised, Promises))


async def told(folder: Path, until: float = END, now: float = END + 10 * 86400) -> Report:
    """Step the story through the real pipeline into a store, as far as `until`, and read the day."""
    pipeline, store = Pipeline(settings()), sqlite.open(folder)
    for position, (at, batch) in enumerate(sorted(STORY, key=lambda s: s[0])):
        if at < until:
            await store.record(pipeline.step(batch, at), position)
    await store.close()
    return await read(folder, DAY, Calendar(), now)


async def test_a_day_is_what_came_in_on_it_and_how_it_was_answered(tmp_path: Path) -> None:
    r = await told(tmp_path)

    assert (r.received, r.before, r.customers, r.closed, r.open) == (3, 1, 2, 1, 3)
    assert (r.helped, r.not_helped, r.scores) == (1, 1, (2, 5))
    assert r.answered == pytest.approx((0.25 + 1.5) / 2 * HOUR)


async def test_promises_count_on_the_day_they_were_kept_or_broke(tmp_path: Path) -> None:
    r = await told(tmp_path)

    found = {w.what: (w.kept, w.broken) for w in r.promises}
    assert found == {"respond": (1, 4), "update": (0, 0), "resolve": (1, 0)}
    assert [(c.complaint, what) for c, what in r.broken] == [
        ("m0", "respond"), ("m2", "respond"), ("m2", "respond"), ("m3", "respond"),
    ]  # fmt: skip


async def test_what_happens_the_day_after_does_not_change_the_numbers_of_the_day(tmp_path: Path) -> None:
    early, late = await told(tmp_path / "a"), await told(tmp_path / "b", END + 86400)

    assert text(early) == text(late)


async def test_a_promise_that_may_still_be_kept_today_is_not_broken_yet(tmp_path: Path) -> None:
    now = BEGIN + 3.25 * HOUR

    r = await told(tmp_path, now, now)

    assert [(c.complaint, what) for c, what in r.broken] == [("m0", "respond"), ("m2", "respond")]


def case(id: str, topic: str, at: float = BEGIN) -> Case:
    return Case(id, "ann", "en", topic, (), "", (Mark(at, "received"),), Progress.RECEIVED, ())


def test_a_topic_is_counted_by_its_number_whatever_it_is_called_by_now() -> None:
    cases = [case("a", "7 card refused"), case("b", "3 late"), case("c", "7 card declined")]

    r = reckon(DAY, (BEGIN - 86400, BEGIN, END), cases, (), END)

    assert r.topics == (("7 card declined", 2), ("3 late", 1))


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(date(2026, 3, 29), 23, id="the clocks go forward"),
        pytest.param(date(2026, 10, 25), 25, id="the clocks go back"),
    ],
)
def test_a_day_is_a_local_day_in_a_night_in_which_clocks_change(day: date, hours: int) -> None:
    _, since, until = times_of(day, Calendar("Europe/Berlin"))

    assert until - since == pytest.approx(hours * HOUR, abs=0.01)
    assert datetime.fromtimestamp(since, ZoneInfo("Europe/Berlin")).hour == 0


PAGED: dict[str, Any] = {"paged": BEGIN + 60, "first_complaint": BEGIN + 180, "first_signal": BEGIN}
BURNT = Incident("i1", BEGIN, BEGIN, "payment is slow", "P1", ("payment",), (), complaints=("m1",), **PAGED)


def test_the_lead_time_of_the_day_is_told() -> None:
    over = replace(BURNT, id="i2", priority="P2", state=State.RESOLVED, resolved=BEGIN + 600, paged=None)

    r = reckon(DAY, (BEGIN - 86400, BEGIN, END), (), (over, BURNT), END)
    told = text(r)

    assert "lead time                    median +2 min, 1 of 1 before the first complaint" in told
    assert "P1 20 Nov 00:00              payment is slow (open, 1 complaints)" in told
    assert "(over after 10 min, 1 complaints)" in told


def test_satisfaction_counts_on_the_day_it_was_said_and_silence_of_what_is_closed_only() -> None:
    later = (Mark(BEGIN, "received"), Mark(END + HOUR, "closed", "customer"))
    closed = (Mark(BEGIN, "received"), Mark(BEGIN + HOUR, "closed", "time"))
    cases = [
        replace(case("a", "x"), marks=later, progress=Progress.CLOSED, helped=True, score=5),
        replace(case("b", "x"), marks=closed, progress=Progress.CLOSED),
        case("c", "x"),
    ]

    r = reckon(DAY, (BEGIN - 86400, BEGIN, END), cases, (), END + 2 * HOUR)

    assert (r.helped, r.not_helped, r.unsaid, r.scores) == (0, 0, 1, ())


def test_a_promise_whose_clock_stands_is_neither_kept_nor_broken() -> None:
    waiting = replace(case("a", "x"), promises=(Promise("resolve", BEGIN, None, None),))

    r = reckon(DAY, (BEGIN - 86400, BEGIN, END), [waiting], (), END)

    assert [(w.kept, w.broken) for w in r.promises] == [(0, 0)] * 3


def test_the_command_prints_a_day_as_text_and_as_a_page(tmp_path: Path) -> None:
    bad = replace(case("a", "1 <b>bold</b>"), urgent="legal")
    store = sqlite.open(tmp_path)
    asyncio.run(store.record(Step(BEGIN, cases=(bad,)), 1))
    asyncio.run(store.close())
    asked = ["--day", "2026-11-20", "--storage.path", str(tmp_path)]

    plain, page = (CliRunner().invoke(command, more) for more in (asked, [*asked, "--html"]))

    assert plain.output.startswith("Forewarn, Friday 20 November 2026\n\nComplaints\n")
    assert "received                     1 by 1 customers, +1 to the day before" in plain.output
    assert "<h2" in page.output
    assert "1 &lt;b&gt;bold&lt;/b&gt;" in page.output


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        pytest.param(["--day", "soon"], "expected a day such as 2026-11-22", id="no day"),
        pytest.param(["--storage.path", "nowhere"], "no such file; is --storage.path right?", id="no store"),
    ],
)
def test_a_report_that_cannot_be_says_why(tmp_path: Path, asked: list[str], why: str) -> None:
    sqlite.open(tmp_path)

    answer = CliRunner().invoke(command, ["--storage.path", str(tmp_path), *asked])

    assert answer.exit_code != 0
    assert why in answer.output
