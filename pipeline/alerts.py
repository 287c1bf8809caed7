"""Other systems' alerts to signals: one alert is one signal from its start to its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.types import Event, Seconds, Signal


@dataclass(slots=True)
class AlertState:
    """The alerts that are firing, by fingerprint."""


def take_alerts(state: AlertState, events: Iterable[Event], now: Seconds) -> tuple[Signal, ...]:
    return ()
