"""Webhooks list alerts as Alertmanager's do: each when it begins and when it ends, and none twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline import config
from pipeline.config import Config
from pipeline.flow import Pipeline
from pipeline.notify import Notice
from pipeline.notify.webhook import encoded
from pipeline.respond import regroup, roll
from pipeline.types import Action, Batch, Event, Seconds
from tests import nouns

T0 = 1_790_000_000.0
SETTINGS = """
policy: {group_interval: 5m}
response:
  receiver: oncall
  receivers:
    - name: oncall
      via: [{do: webhook, args: {url: "http://pager/"}}, {do: email, args: {to: [a@example.org]}}]
"""
Told: TypeAlias = list[tuple[str, str]]  # pod and status


@dataclass
class Stage:
    """Steps a pipeline, and keeps what its webhook was sent."""

    pipeline: Pipeline = field(
        default_factory=lambda: Pipeline(config.parse(yaml.safe_load(SETTINGS), Config))
    )
    actions: list[Action] = field(default_factory=list)

    def step(self, now: Seconds, *pods: str, ended: Sequence[str] = (), events: Sequence[Event] = ()) -> Told:
        """Return what was listed: these pods' alerts fire, and those are over."""
        words = [(labels(pod), T0, T0 + 9_000, f"{pod} fails") for pod in pods]
        words += [(labels(pod), T0, T0 + now, f"{pod} fails") for pod in ended]
        step = self.pipeline.step(Batch(alerts=nouns.alerts(*words), events=tuple(events)), T0 + now)
        self.actions += step.actions
        return listed(step.actions)

    def grow_old(self, count: int) -> None:
        """Page about so many pods and list one more, after which the group interval holds."""
        self.step(0, *pods(count))
        self.step(400, "grown")

    def pass_time(self, first: int, last: int) -> Told:
        return [one for now in range(first, last) for one in self.step(now)]


def labels(pod: str) -> dict[str, str]:
    return {"alertname": "Down", "service": "pay", "severity": "critical", "pod": pod}


def sent(action: Action) -> dict[str, Any]:
    sent: dict[str, Any] = msgspec.json.decode(encoded(msgspec.convert(action.args["notice"], Notice)))
    return sent


def listed(actions: Sequence[Action]) -> Told:
    calls = [sent(a) for a in actions if a.do == "webhook"]
    alerts = [alert for call in calls for alert in call["alerts"]]
    return [(a["labels"]["pod"], a["status"]) for a in alerts if "pod" in a["labels"]]


def pods(count: int, prefix: str = "p") -> list[str]:
    return [f"{prefix}{k}" for k in range(count)]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_page_lists_each_alert_as_it_came(stage: Stage) -> None:
    stage.step(0, "a", "b")

    [call] = [sent(a) for a in stage.actions if a.do == "webhook"]
    assert call["alerts"][0] == {
        "status": "firing",
        "labels": labels("a"),
        "annotations": {"summary": "a fails"},
        "startsAt": "2026-09-21T14:13:20.000Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": "37cee35fff5ac831",
    }
    assert call["commonLabels"] == {"alertname": "Down", "service": "pay", "severity": "critical"}
    assert call["groupLabels"] == {"incident": call["incident"]["incident"]}
    assert (len(call["alerts"]), call["truncatedAlerts"]) == (2, 0)


def test_people_who_are_not_called_by_a_webhook_hear_of_the_incident_alone(stage: Stage) -> None:
    stage.step(0, "a")
    stage.pass_time(1, 3)
    stage.step(3, *pods(50))
    stage.pass_time(4, 400)

    assert [a.what for a in stage.actions if a.do == "email"] == ["Tell oncall by email: new"]


def test_what_joins_is_listed_when_the_group_interval_is_over(stage: Stage) -> None:
    stage.grow_old(10)
    stage.step(410, "late")

    assert stage.pass_time(411, 700) == []
    assert stage.pass_time(700, 703) == [("late", "firing")]
    assert sent(stage.actions[-1])["notification_reason"] == "new alerts added"
    assert stage.pass_time(703, 1_100) == []


def test_what_joins_a_young_incident_waits_as_long_as_it_was_old_at_the_last_call(stage: Stage) -> None:
    stage.step(0, *pods(1_000))
    told = []
    for now in range(1, 1_000):
        if stage.step(now, f"late{now}"):
            told.append(now)

    assert told == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 812]


def test_what_is_more_than_all_that_was_listed_is_listed_within_a_second(stage: Stage) -> None:
    stage.step(0, *pods(10))
    stage.step(0.5, *pods(10, "q"))

    assert sorted(stage.pass_time(1, 3)) == [(pod, "firing") for pod in sorted(pods(10, "q"))]


def test_an_end_is_listed_to_whom_the_beginning_was_and_to_nobody_else(stage: Stage) -> None:
    stage.grow_old(10)
    stage.step(410, "brief")
    stage.step(420, ended=["brief", "p3"])
    told = stage.pass_time(421, 720)

    assert told == [("p3", "resolved")]
    last = sent(stage.actions[-1])
    assert (last["notification_reason"], last["status"]) == ("some alerts resolved", "firing")
    assert last["alerts"][0]["endsAt"] == "2026-09-21T14:20:20.000Z"


def test_what_was_over_before_anybody_heard_of_it_is_let_go(stage: Stage) -> None:
    stage.step(0, *pods(10))
    stage.step(10, "brief")
    stage.step(20, ended=["brief"])

    untold = stage.pipeline.memory.alerts.untold
    assert (untold.began, untold.fresh, untold.count) == ({}, {}, 0)


def test_a_snapshot_that_lacks_the_counts_lists_the_same(stage: Stage) -> None:
    stage.grow_old(10)
    stage.step(410, "brief", *pods(3, "q"))
    stage.step(420, ended=["brief"])
    stage.pipeline.memory.alerts.untold.fresh.clear()
    stage.step(430, "last", ended=["q2"])

    told = stage.pass_time(431, 720)

    assert sorted(told) == [("last", "firing"), ("q0", "firing"), ("q1", "firing")]


def test_what_fires_again_before_its_end_was_listed_only_fires(stage: Stage) -> None:
    stage.grow_old(10)
    stage.step(410, ended=["p3"])
    stage.step(420, "p3")

    assert stage.pass_time(421, 720) == [("p3", "firing")]


def test_the_end_of_an_incident_lists_the_ends_that_nobody_has_heard_of(stage: Stage) -> None:
    stage.grow_old(2)
    stage.step(410, ended=["p0", "p1", "grown"])
    told = stage.pass_time(411, 650)

    assert sorted(told) == [("grown", "resolved"), ("p0", "resolved"), ("p1", "resolved")]
    assert sent(stage.actions[-2])["status"] == "resolved"
    assert stage.pipeline.memory.alerts.untold.owners == {}


def test_nothing_is_listed_while_the_incident_is_silenced(stage: Stage) -> None:
    stage.step(0, *pods(5))
    stage.step(10, *pods(50, "q"), events=[nouns.command("silence", T0 + 10, T0 + 400, service="pay")])

    assert stage.pass_time(11, 390) == []
    assert len(stage.pass_time(390, 405)) >= 50


def test_a_storm_is_listed_once_in_calls_and_steps_of_a_bounded_size(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll, "MAX_LISTED", 100)
    stage.step(0, *pods(1_000))
    steps = [stage.step(1 + k / 10) for k in range(12)]

    assert max(map(len, steps)) == 100 * regroup.MAX_CALLS
    told = listed(stage.actions)
    assert sorted(told) == [(pod, "firing") for pod in sorted(pods(1_000))]
    first = sent(stage.actions[0])
    assert (len(first["alerts"]), first["truncatedAlerts"]) == (100, 900)


def test_a_restart_in_the_middle_of_a_storm_lists_nothing_twice(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll, "MAX_LISTED", 100)
    stage.step(0, *pods(1_000))
    stage.step(1)
    again = Stage(Pipeline.restore(stage.pipeline.config, stage.pipeline.snapshot()))

    assert [again.step(1 + k / 10) for k in range(1, 9)] == [stage.step(1 + k / 10) for k in range(1, 9)]


STREAM = st.lists(
    st.tuples(st.sampled_from([0.3, 2, 40, 310]), st.sets(st.sampled_from(pods(6)))), max_size=12
)


@given(STREAM)
def test_every_alert_that_was_listed_is_listed_again_when_it_ends_and_not_before(
    stream: list[tuple[float, set[str]]],
) -> None:
    """Each pair is a wait, and the pods that change from on to off or back."""
    stage, now, on = Stage(), 0.0, set[str]()

    told: Told = []
    for wait, changed in stream:
        now += wait
        begin, end = sorted(changed - on), sorted(changed & on)
        on ^= changed
        told += stage.step(now, *begin, ended=end)
    told += stage.step(now + 1, ended=sorted(on))
    told += [one for k in range(2, 700, 2) for one in stage.step(now + k)]

    for pod in pods(6):
        said = [status for name, status in told if name == pod]
        ups = [status for k, status in enumerate(said) if k == 0 or status != said[k - 1]]
        assert ups == ["firing", "resolved"] * (len(ups) // 2)
