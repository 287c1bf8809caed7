"""Inhibition looks at each alert, though alerts of one name and service are one signal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline import frame
from pipeline.config import Config
from pipeline.flow import Pipeline
from pipeline.inhibit import SHOWN, Inhibition, Inhibitor
from pipeline.silence import history
from pipeline.types import Labels, Reason
from tests.nouns import alerts, command


class Alerting:
    """A whole pipeline with rules, to which alerts are posted."""

    def __init__(self, *rules: Inhibition) -> None:
        self.pipeline = Pipeline(Config(inhibit_rules=rules))
        self.position = -1

    def post(self, now: float, *sets: Labels, until: float = 9000.0) -> dict[str, str]:
        """Return the reason of the verdict on each incident, by its first service."""
        said = alerts(*((labels, now, until, f"{labels['alertname']} fires") for labels in sets))
        self.position += 1
        step = self.pipeline.take(frame.alerts(now, "test", said), self.position)
        assert step is not None
        state = self.pipeline.memory.correlate
        return {state.get(id).services[0]: verdict.reason for id, verdict in step.verdicts.items()}

    @property
    def inhibitor(self) -> Inhibitor:
        return self.pipeline.memory.alerts.inhibitor


def test_a_silence_that_ends_by_itself_is_lifted_in_what_the_store_keeps() -> None:
    pipeline = Pipeline(Config())
    asked = command("silence", 1000, service="cart", ends="resolved")
    fires = alerts(({"alertname": "Slow", "service": "cart"}, 1000.0, 1100.0, "slow"))
    frames = [
        frame.events(1000, "test", [asked]),
        frame.alerts(1001, "test", fires),
        *(frame.tick(1101.0 + k) for k in range(0, 400, 60)),
    ]

    steps = [step for k, each in enumerate(frames) if (step := pipeline.take(each, k))]

    kept = [e for step in steps for e in step.commands]
    told = [v.reason for step in steps for v in step.verdicts.values()]
    assert [(e.labels["do"], e.labels["by"]) for e in kept] == [("silence", "ada"), ("unsilence", "Forewarn")]
    assert history(kept[::-1])[asked.id].ended == kept[1].time
    assert set(told) == {Reason.SILENCED, Reason.NOTHING_NEW}


NODES = Inhibition("node", ("alertname=NodeDown",), ("alertname=Slow",), ("node",))


def slow(node: str) -> Labels:
    return {"alertname": "Slow", "severity": "warning", "service": "cart", "node": node}


def down(node: str) -> Labels:
    return {"alertname": "NodeDown", "severity": "critical", "service": "machines", "node": node}


def test_alerts_of_one_signal_are_each_asked_for_what_mutes_them() -> None:
    alerting = Alerting(NODES)

    alerting.post(1000, down("a"), down("b"))

    both = alerting.post(2000, slow("a"), slow("b"))
    third = alerting.post(2010, slow("c"))

    assert both == {"machines": Reason.NOTHING_NEW, "cart": Reason.INHIBITED}
    assert third["cart"] == Reason.NEW


def test_an_alert_that_is_over_mutes_nothing_and_what_it_muted_is_told() -> None:
    alerting = Alerting(NODES)
    alerting.post(1000, down("a"))
    alerting.post(2000, slow("a"))

    found = alerting.post(2100, down("a"), until=2100.0)

    assert found["cart"] == Reason.NEW


def test_rules_that_a_reload_brings_hold_for_alerts_that_fire_already() -> None:
    alerting = Alerting()
    alerting.post(1000, down("a"), slow("a"), slow("b"))

    alerting.pipeline.config = Config(inhibit_rules=(NODES,))
    alerting.post(1010, down("b"))

    assert len(alerting.inhibitor.sources) == 2


def test_in_a_storm_the_alerts_that_are_counted_in_one_are_muted_one_by_one() -> None:
    every = Inhibition("all", ("alertname=NodeDown",), ("alertname=~x.*",), ("node",))
    alerting = Alerting(every)
    crowd = [{**slow("a"), "alertname": f"x{k}"} for k in range(9)]

    alerting.post(1000, down("a"), *crowd)
    quiet = [o for o in alerting.inhibitor.behind if alerting.inhibitor.held(o)]
    alerting.post(1010, {**slow("b"), "alertname": "x9"})

    loud = [o for o in quiet if not alerting.inhibitor.held(o)]
    assert (len(quiet), len(loud)) == (5, 1)
    assert sum(map(len, alerting.inhibitor.behind.values())) == 11


def silence(alerting: Alerting, match: str) -> None:
    asked = command("silence", 1000, 9000, match=match)
    alerting.position += 1
    alerting.pipeline.take(frame.events(1000, "test", [asked]), alerting.position)


def test_alerts_of_one_signal_are_silenced_where_each_of_them_is() -> None:
    alerting = Alerting()
    silence(alerting, 'node=~"a|b"')

    both = alerting.post(1001, slow("a"), slow("b"))
    third = alerting.post(1011, slow("c"), until=1012.0)
    over = alerting.post(1013)

    assert both["cart"] == Reason.SILENCED
    assert third["cart"] == Reason.NEW
    assert over["cart"] == Reason.SILENCED


def test_more_alerts_than_are_looked_at_one_by_one_are_silenced_by_what_they_share() -> None:
    alerting = Alerting()
    silence(alerting, "node=~.+")
    many = [slow(f"n{k}") for k in range(SHOWN + 1)]

    alerting.post(1001, many[0], until=1005.0)
    found = alerting.post(1002, *many[1:])
    fewer = alerting.post(1010)

    assert found["cart"] == Reason.NEW
    assert fewer["cart"] == Reason.SILENCED
    assert len(alerting.inhibitor.behind.popitem()[1]) == SHOWN


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc"), st.booleans()), max_size=20))
def test_alerts_that_come_and_go_leave_nothing_behind_and_a_restart_changes_nothing(
    stream: list[tuple[int, str, bool]],
) -> None:
    alerting = Alerting(NODES)
    now = 1000.0
    for gap, node, source in stream:
        now += gap
        before = Pipeline.restore(Config(inhibit_rules=(NODES,)), alerting.pipeline.snapshot())
        again = Alerting(NODES)
        again.pipeline, again.position = before, alerting.position
        given = down(node) if source else slow(node)
        assert again.post(now, given, until=now + 20) == alerting.post(now, given, until=now + 20)

    alerting.post(now + 100)

    found = alerting.inhibitor
    assert (found.behind, found.told, found.hushed) == ({}, {}, {})
    assert (found.sources, found.active, found.owners) == ({}, {}, {})
