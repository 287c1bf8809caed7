"""When each service was last heard from."""

from __future__ import annotations

import numpy as np

from pipeline import snapshot
from pipeline.feeds import TELL_EVERY, FeedState, listen
from pipeline.series import Series, pack
from pipeline.types import Batch, Lines

PAY = pack({"__name__": "up", "service": "pay"})
CART = pack({"__name__": "up", "service": "cart"})


def samples(series: Series, labels: list[bytes], *times: float) -> Batch:
    rows = series.intern(labels)
    return Batch(rows, np.array(times), np.ones(len(times)))


def test_the_newest_sample_of_a_service_is_when_it_was_heard() -> None:
    state, series = FeedState(), Series()

    heard = listen(state, samples(series, [PAY, CART, PAY], 10.0, 12.0, 11.0), series, 20.0)

    assert heard == {"pay": 11.0, "cart": 12.0}


def test_a_log_line_is_a_sign_of_life_too() -> None:
    state, series = FeedState(), Series()
    lines = Lines(series.intern([PAY]), np.array([15.0]), ("started",), ("info",))

    assert listen(state, Batch(lines=lines), series, 20.0) == {"pay": 15.0}


def test_a_service_that_said_nothing_new_is_not_told_again() -> None:
    state, series = FeedState(), Series()
    listen(state, samples(series, [PAY, CART], 10.0, 10.0), series, 10.0)

    assert listen(state, samples(series, [CART], 14.0), series, 14.0) == {}
    assert listen(state, Batch(), series, 10.0 + TELL_EVERY) == {"cart": 14.0}


def test_a_time_in_the_future_counts_as_now() -> None:
    state, series = FeedState(), Series()

    assert listen(state, samples(series, [PAY], 9e9), series, 20.0) == {"pay": 20.0}


def test_the_state_goes_on_identically_after_a_snapshot() -> None:
    state, series = FeedState(), Series()
    listen(state, samples(series, [PAY], 10.0), series, 10.0)
    restored = snapshot.load(snapshot.dump(state))

    batch = samples(series, [PAY, CART], 21.0, 22.0)

    assert listen(restored, batch, series, 30.0) == listen(state, batch, series, 30.0)
