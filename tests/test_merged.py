"""What is merged into another incident is told to be over when that is, not before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
import yaml

from pipeline import config
from pipeline.config import Config
from pipeline.flow import Pipeline
from pipeline.notify import Notice
from pipeline.notify.webhook import encoded
from pipeline.types import Action, Batch, Event, Seconds
from tests import nouns

T0 = 1_790_000_000.0
SETTINGS = """
response:
  receiver: oncall
  receivers: [{name: oncall, via: [{do: webhook, args: {url: "http://pager/"}}]}]
"""
Told: TypeAlias = list[tuple[str, str]]  # incident and its status


@dataclass
class Stage:
    """A pipeline in which `pay` and `mail` fire from the start, each an incident that was paged."""

    pipeline: Pipeline = field(
        default_factory=lambda: Pipeline(config.parse(yaml.safe_load(SETTINGS), Config))
    )
    actions: list[Action] = field(default_factory=list)

    def step(self, at: Seconds, *ended: str, events: tuple[Event, ...] = ()) -> Told:
        said = [
            (
                {"alertname": "Down", "service": s, "severity": "critical"},
                T0,
                T0 + at if s in ended else T0 + 9e4,
                "",
            )
            for s in ("pay", "mail")
            if s in ended or at < 1
        ]
        step = self.pipeline.step(Batch(alerts=nouns.alerts(*said), events=events), T0 + at)
        self.actions += step.actions
        calls = [sent(a) for a in step.actions]
        return [(call["groupLabels"]["incident"].partition("-")[0], call["status"]) for call in calls]

    def wait(self, first: int, last: int) -> Told:
        return [one for at in range(first, last) for one in self.step(at)]

    def of(self, service: str) -> str:
        return next(id for id in self.pipeline.memory.correlate.incidents if id.startswith(service))


def sent(action: Action) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(encoded(msgspec.convert(action.args["notice"], Notice)))
    return body


def merged(stage: Stage) -> Told:
    told = stage.step(0)
    assert sorted(told) == [("mail", "firing"), ("pay", "firing")]
    ask = nouns.command("merge", T0 + 10, incident=stage.of("mail"), into=stage.of("pay"))
    return [*stage.step(10, events=(ask,)), *stage.wait(11, 60)]


def test_what_burns_on_is_not_told_to_be_over_because_it_was_merged() -> None:
    stage = Stage()

    assert merged(stage) == []
    mail = stage.pipeline.memory.correlate.incidents[stage.of("mail")]
    assert mail.by or stage.pipeline.memory.correlate.incidents[stage.of("pay")].by


def test_it_is_told_to_be_over_with_the_other() -> None:
    stage = Stage()
    merged(stage)

    told = [*stage.step(60, "pay", "mail"), *stage.wait(61, 400)]

    assert sorted(told[-2:]) == [("mail", "resolved"), ("pay", "resolved")]
    assert all(status == "firing" for _, status in told[:-2])
    assert {a["status"] for call in map(sent, stage.actions[-2:]) for a in call["alerts"]} == {"resolved"}


def test_what_is_split_off_again_was_never_over() -> None:
    stage = Stage()
    merged(stage)
    whole, part = sorted(
        (stage.of("mail"), stage.of("pay")),
        key=lambda id: bool(stage.pipeline.memory.correlate.incidents[id].by),
    )
    ask = nouns.command("split", T0 + 60, incident=whole, out=part)

    assert [*stage.step(60, events=(ask,)), *stage.wait(61, 120)] == []
