"""A frame is the same after a journal or a broker carried it."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from pipeline import frame
from pipeline.series import Series, pack
from pipeline.types import Event, Lines

UP = pack({"__name__": "up", "service": "pay"})
ROWS = np.zeros(2, np.int32)
TIMES = np.array([1.0, 2.0])


def test_samples_come_back_as_they_went_in() -> None:
    sent = frame.samples(3.0, "recording", [UP], ROWS, TIMES, np.array([0.5, np.nan]))

    got = frame.batch(frame.decode(frame.encode(sent)), Series())

    np.testing.assert_array_equal(got.series, [0, 0])
    np.testing.assert_array_equal(got.time, TIMES)
    np.testing.assert_array_equal(got.value, [0.5, np.nan])


def test_lines_come_back_with_their_stream_and_severity() -> None:
    sent = frame.lines(3.0, "loki", [UP], ROWS, TIMES, ["a\nb", "é"], ["", "error"])

    got: Lines = frame.batch(frame.decode(frame.encode(sent)), Series()).lines

    assert got.text == ("a\nb", "é")
    assert got.severity == ("", "error")
    np.testing.assert_array_equal(got.time, TIMES)


def test_events_come_back_whole() -> None:
    deploy = Event("change", "d1", 2.5, {"service": "pay"}, "pay 1.2", {"by": "ci"}, 9.0)

    got = frame.decode(frame.encode(frame.events(3.0, "changes", [deploy])))

    assert got.events == (deploy,)


def test_samples_of_a_series_past_the_limit_are_left_out() -> None:
    other = pack({"__name__": "up", "service": "cart"})
    sent = frame.samples(3.0, "x", [UP, other], np.array([0, 1], np.int32), TIMES, TIMES)

    got = frame.batch(sent, Series(limit=1))

    np.testing.assert_array_equal(got.value, [1.0])


@pytest.mark.parametrize("cut", range(0, 40, 7))
def test_a_cut_frame_is_an_error_that_can_be_caught(cut: int) -> None:
    raw = frame.encode(frame.samples(3.0, "x", [UP], ROWS, TIMES, TIMES))

    with pytest.raises(msgspec.DecodeError):
        frame.decode(raw[:cut])
