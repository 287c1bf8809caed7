"""What ends an incident, and what answers it: the operator's calm, and a rollback that is no suspect."""

from __future__ import annotations

from dataclasses import replace

from pipeline.correlate import CorrelateState, correlate
from tests.nouns import SHOP, change, signal


def test_how_long_it_must_be_calm_is_for_the_operator_to_say() -> None:
    state = CorrelateState()
    calm = replace(signal("payment", 1000), ended=1030.0, at=1030.0)
    state.keep(correlate(state, [signal("payment", 1000)], (), (), SHOP, 1000, 20))
    state.keep(correlate(state, [calm], (), (), SHOP, 1030, 20))

    seen = [correlate(state, (), (), (), SHOP, now, 20)[0].resolved for now in (1049.0, 1050.0)]

    assert seen == [None, 1050.0]


def test_a_rollback_after_the_page_is_no_suspect() -> None:
    state = CorrelateState()
    deploy, rollback = change("bad", 990, "payment"), change("back", 1012, "payment")
    opened = correlate(state, [signal("payment", 1000)], (), [deploy], SHOP, 1000)
    state.keep([replace(i, paged=1001.0) for i in opened])

    after = correlate(state, (), (), [rollback], SHOP, 1012)

    assert [s.change for s in after[0].suspects] == ["bad", None]
