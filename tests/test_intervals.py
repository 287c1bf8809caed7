"""Time intervals hold when Alertmanager's do, and what is wrong with one is said with its key."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.intervals import Interval, TimeInterval, holding, unknown
from pipeline.plain import parse
from tests.naive.intervals import naive_holds

AMTOOL = shutil.which("amtool")


def at(local: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp()


def holds(given: dict[str, Any], now: float) -> bool:
    return bool(holding([TimeInterval("it", (parse(given, Interval),))], ["it"], now))


NIGHT = {
    "times": [{"start_time": "22:00", "end_time": "24:00"}, {"start_time": "00:00", "end_time": "06:00"}]
}
HALVES = {"times": [{"start_time": "09:30", "end_time": "10:15"}]}
PARIS = {"times": [{"start_time": "09:00", "end_time": "17:00"}], "location": "Europe/Paris"}


@pytest.mark.parametrize(
    ("given", "now", "expected"),
    [
        pytest.param({}, at("2026-11-22T12:00"), True, id="nothing asked: always"),
        pytest.param(NIGHT, at("2026-11-22T22:00"), True, id="the start is in it"),
        pytest.param(NIGHT, at("2026-11-22T23:59:59"), True, id="24:00 is the end of the day"),
        pytest.param(NIGHT, at("2026-11-23T05:59:59"), True, id="the second of its times"),
        pytest.param(NIGHT, at("2026-11-23T06:00"), False, id="the end is not in it"),
        pytest.param(HALVES, at("2026-11-23T09:29:59"), False, id="a minute before half past nine"),
        pytest.param(HALVES, at("2026-11-23T09:30"), True, id="from half past nine"),
        pytest.param(HALVES, at("2026-11-23T10:14:59"), True, id="to a quarter past ten"),
        pytest.param(HALVES, at("2026-11-23T10:15"), False, id="and no longer"),
        pytest.param({"weekdays": ["saturday"]}, at("2026-11-21T00:00"), True, id="a Saturday"),
        pytest.param({"weekdays": ["sunday:friday"]}, at("2026-11-21T00:00"), False, id="six days"),
        pytest.param({"weekdays": ["Monday:friday"]}, at("2026-11-20T12:00"), True, id="names in any case"),
        pytest.param({"days_of_month": ["-1"]}, at("2028-02-29T12:00"), True, id="the last of leap February"),
        pytest.param({"days_of_month": ["-1"]}, at("2027-02-28T12:00"), True, id="and of another"),
        pytest.param({"days_of_month": ["-3:-1"]}, at("2026-11-27T12:00"), False, id="fourth from the end"),
        pytest.param({"days_of_month": ["31"]}, at("2026-11-30T12:00"), False, id="no 31st of November"),
        pytest.param({"days_of_month": ["29:31"]}, at("2026-11-30T12:00"), True, id="an end past its end"),
        pytest.param({"days_of_month": ["25:-1"]}, at("2026-11-30T12:00"), True, id="from the 25th on"),
        pytest.param({"days_of_month": [67]}, at("2026-11-07T12:00"), True, id="1:7 as YAML reads it"),
        pytest.param({"months": ["november", "1:3"]}, at("2026-02-07T12:00"), True, id="months by number"),
        pytest.param({"months": ["november"]}, at("2026-12-01T00:00"), False, id="another month"),
        pytest.param({"years": ["2027:2030", 2026]}, at("2026-12-01T00:00"), True, id="years"),
        pytest.param(PARIS, at("2026-11-23T09:00", "Europe/Paris"), True, id="in winter"),
        pytest.param(PARIS, at("2026-07-23T16:59", "Europe/Paris"), True, id="in summer"),
        pytest.param(PARIS, at("2026-07-23T08:30", "UTC"), True, id="and where it is not yet nine in UTC"),
        pytest.param(NIGHT | {"weekdays": ["monday"]}, at("2026-11-22T23:00"), False, id="all must hold"),
    ],
)  # fmt: skip
def test_an_interval_holds(given: dict[str, Any], now: float, expected: bool) -> None:
    assert holds(given, now) is expected


RIGHT: list[dict[str, Any]] = [
    NIGHT, PARIS, {"weekdays": ["monday:friday", "saturday"]}, {"days_of_month": ["-31:31"[:3]]},
    {"days_of_month": ["1:-1", "-2:-2", "5:5"]},
    {"months": ["january:march", "may", "1:3"]}, {"years": ["2026:2028"]},
]  # fmt: skip
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"weekdays": ["mondy"]}, 'weekdays: expected one such as monday, got "mondy"; did you mean "monday"?'),
    ({"weekdays": ["saturday:sunday"]}, "weekdays: expected the first before the last, got saturday:sunday"),
    ({"weekdays": ["1:5"]}, 'weekdays: expected one such as monday, got "1"'),
    ({"months": ["13"]}, 'months: expected one such as february, got "13"'),
    ({"months": ["june:may"]}, "months: expected the first before the last"),
    ({"days_of_month": ["0"]}, "days_of_month: expected days from 1 to 31 or -31 to -1, got 0"),
    ({"days_of_month": ["32"]}, 'days_of_month: expected -31 to 31, got "32"'),
    ({"days_of_month": ["-3:3"]}, "days_of_month: expected days from 1 to 31 or -31 to -1, got -3:3"),
    ({"days_of_month": ["-1:-3"]}, "days_of_month: expected the first day first, got -1:-3"),
    ({"days_of_month": ["5:2"]}, "days_of_month: expected the first day first, got 5:2"),
    ({"times": [{"start_time": "22:00", "end_time": "06:00"}]}, "start_time: expected a time before 06:00"),
    ({"times": [{"start_time": "9:00", "end_time": "10:00"}]}, 'start_time: expected a time such as 09:00'),
    ({"times": [{"start_time": "10:00", "end_time": "24:01"}]}, 'end_time: expected a time such as 09:00'),
    ({"times": [{"start": "10:00", "end_time": "24:00"}]}, 'start: unknown key; did you mean "start_time"?'),
    ({"location": "Europe/Pariss"}, 'location: no time zone "Europe/Pariss"; did you mean "Europe/Paris"?'),
    ({"weekday": ["monday"]}, 'weekday: unknown key; did you mean "weekdays"?'),
]  # fmt: skip


@pytest.mark.parametrize(("given", "why"), WRONG)
def test_what_is_wrong_is_named_with_the_nearest_right_word(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        parse(given, Interval)

    assert why in str(error.value)


@pytest.mark.parametrize("given", RIGHT)
def test_what_is_right_is_taken(given: dict[str, Any]) -> None:
    assert isinstance(parse(given, Interval), Interval)


@pytest.mark.skipif(AMTOOL is None, reason="amtool (Debian's prometheus-alertmanager) is not installed")
@pytest.mark.parametrize(
    ("given", "expected"), [*((g, True) for g in RIGHT), *((g, False) for g, _ in WRONG)]
)
def test_amtool_takes_and_refuses_the_same_intervals(
    tmp_path: Path, given: dict[str, Any], expected: bool
) -> None:
    if given == {"months": ["13"]}:
        pytest.skip("Alertmanager 0.25 takes a thirteenth month that never comes")
    raw = {
        "route": {"receiver": "x"}, "receivers": [{"name": "x"}],
        "time_intervals": [{"name": "it", "time_intervals": [given]}],
    }  # fmt: skip
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")

    done = subprocess.run([str(AMTOOL), "check-config", file], capture_output=True, check=False)

    assert (done.returncode == 0) is expected, done.stdout


def test_a_name_that_is_no_interval_is_told_with_the_nearest() -> None:
    known = [TimeInterval("offhours", (Interval(),))]

    assert unknown(known, ["offhours"]) == ""
    assert unknown(known, ["ofhours"]) == 'no time interval "ofhours"; did you mean "offhours"?'
    assert unknown([], ["x"]) == 'no time interval "x"; time_intervals names none'


DAYS = st.sampled_from(("1:7", "-3:-1", "15", "25:-1", "29:31", "-31", "28"))
WEEK = st.sampled_from(("monday:friday", "saturday", "sunday", "sunday:saturday"))
TIMES = st.sampled_from((("00:00", "24:00"), ("17:00", "24:00"), ("02:30", "02:31"), ("06:00", "12:15")))
ZONES = st.sampled_from(("UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"))
INTERVALS = st.fixed_dictionaries(
    {},
    optional={
        "times": st.lists(TIMES.map(lambda t: {"start_time": t[0], "end_time": t[1]}), max_size=2),
        "weekdays": st.lists(WEEK, max_size=2),
        "days_of_month": st.lists(DAYS, max_size=2),
        "months": st.lists(st.sampled_from(("february", "3:6", "october:december")), max_size=2),
        "years": st.lists(st.sampled_from(("2024", "2025:2027")), max_size=2),
        "location": ZONES,
    },
)


@given(INTERVALS, st.integers(1_700_000_000, 1_860_000_000))
def test_an_interval_holds_when_the_plain_reading_of_it_does(given: dict[str, Any], now: int) -> None:
    assert holds(given, now) is naive_holds(given, now)
