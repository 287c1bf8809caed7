"""Working time: the desk's days and holidays, and nights in which the clocks change."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.calendars import Calendar
from pipeline import config
from pipeline.follow import Promises
from pipeline.follow.hours import Hours, after, worked

BERLIN = Hours(calendar=Calendar("Europe/Berlin", "DE"))


def berlin(said: str) -> float:
    return datetime.fromisoformat(said).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        pytest.param("2026-11-20T16:00", 2, "2026-11-23T10:00", id="over a weekend"),
        pytest.param("2026-05-13T16:00", 2, "2026-05-15T10:00", id="over a holiday"),
        pytest.param("2026-03-27T16:00", 8, "2026-03-30T16:00", id="over the change to summer time"),
        pytest.param("2026-10-23T16:00", 8, "2026-10-26T16:00", id="over the change to winter time"),
        pytest.param("2026-11-22T03:00", 1, "2026-11-23T10:00", id="from a Sunday night"),
        pytest.param("2026-11-20T16:00", 1, "2026-11-20T17:00", id="to the last second of the day"),
    ],
)
def test_working_time_is_that_of_the_desk(start: str, hours: float, end: str) -> None:
    assert after(BERLIN, berlin(start), hours * 3600) == pytest.approx(berlin(end), abs=0.01)
    assert worked(BERLIN, berlin(start), berlin(end)) == pytest.approx(hours * 3600, abs=0.01)


def test_a_night_in_which_the_clocks_change_has_the_hours_it_has() -> None:
    always = Hours("00:00", "24:00", ("sat", "sun"), Calendar("Europe/Berlin"))

    assert worked(always, berlin("2026-03-28T00:00"), berlin("2026-03-30T00:00")) == pytest.approx(
        47 * 3600, abs=0.01
    )
    assert worked(always, berlin("2026-10-24T00:00"), berlin("2026-10-26T00:00")) == pytest.approx(
        49 * 3600, abs=0.01
    )


@given(st.floats(1.7e9, 1.9e9), st.floats(1, 1e6), st.sampled_from([BERLIN, None]))
def test_so_much_time_later_so_much_time_has_been_worked(
    start: float, span: float, hours: Hours | None
) -> None:
    assert worked(hours, start, after(hours, start, span)) == pytest.approx(span, abs=1e-3)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        pytest.param({"opens": "9"}, "expected a time such as 09:00", id="no time"),
        pytest.param({"opens": "18:00"}, "expected later than opens", id="over midnight"),
        pytest.param({"days": []}, "expected at least one", id="no day"),
        pytest.param({"closes": "24:30"}, "expected a time such as 09:00", id="past the day"),
    ],
)
def test_hours_that_cannot_be_are_refused(said: dict[str, Any], wrong: str) -> None:
    with pytest.raises(config.Invalid, match=wrong):
        config.parse({"hours": said}, Promises)
