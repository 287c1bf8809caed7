"""When an incident is over is for the operator to say."""

from __future__ import annotations

from dataclasses import replace

from pipeline.correlate import CorrelateState, correlate
from tests.nouns import SHOP, signal


def test_how_long_it_must_be_calm_is_for_the_operator_to_say() -> None:
    state = CorrelateState()
    calm = replace(signal("payment", 1000), ended=1030.0, at=1030.0)
    state.keep(correlate(state, [signal("payment", 1000)], (), (), SHOP, 1000, 20))
    state.keep(correlate(state, [calm], (), (), SHOP, 1030, 20))

    seen = [correlate(state, (), (), (), SHOP, now, 20)[0].resolved for now in (1049.0, 1050.0)]

    assert seen == [None, 1050.0]
