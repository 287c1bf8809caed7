"""What a person sees of an incident's end, its answer and its title."""

from __future__ import annotations

from dataclasses import replace

from pipeline.correlate import CorrelateState, correlate
from tests.nouns import SHOP, change, complaint, signal


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


def test_a_title_never_lends_a_suspect_the_numbers_of_another_service() -> None:
    blamed = tuple(complaint(str(k), 1010, "payment") for k in range(9))
    state = CorrelateState()
    state.keep(correlate(state, [signal("checkout", 1000, surprise=4)], (), (), SHOP, 1000))

    seen = correlate(state, (), blamed, (), SHOP, 1010)[0]

    assert seen.services[0] == "payment"
    assert seen.title == "checkout: cpu_ratio of checkout is high"


def test_an_incident_of_one_service_names_the_customers_who_use_it() -> None:
    seen = correlate(CorrelateState(), [signal("inventory", 1000)], (), (), SHOP, 1000)[0]

    assert seen.customers == ("customer-1", "customer-2")


def test_an_alert_that_its_sender_calls_critical_is_not_played_down() -> None:
    def priority(severity: str) -> str:
        alert = replace(signal("checkout", 1000, kind="alert"), labels={"severity": severity})
        return correlate(CorrelateState(), [alert], [], [], SHOP, 1000)[0].priority

    assert priority("critical") == "P2"
    assert priority("warning") == "P3"
