"""A small stream by code: an hour of five services, two bad deploys, alerts, complaints and what is calm."""

from __future__ import annotations

import numpy as np

from pipeline import frame
from pipeline.frame import Frame
from pipeline.series import pack
from pipeline.types import Event

BEGIN = 1_700_000_000.0
SERVICES = ("front", "cart", "checkout", "payment", "inventory")

CATALOG = """
services:
  front: {depends_on: [cart, checkout]}
  cart: {depends_on: [inventory]}
  checkout: {depends_on: [payment]}
  payment: {}
  inventory: {}
"""

FAULTS = ((900.0, 1_200.0, "payment"), (2_100.0, 2_400.0, "inventory"), (2_900.0, 3_100.0, "front"))


def stream() -> list[Frame]:
    """Return about 1,500 frames in order of time."""
    noise = np.random.default_rng(7)
    frames = []
    for now in np.arange(0.0, 3_600.0, 5.0).tolist():
        frames.append(_samples(now, noise))
        happened = [*_alerts(now), *_changes(now), *_complaints(now)]
        frames.append(
            frame.events(BEGIN + now, "recording", happened) if happened else frame.tick(BEGIN + now)
        )
    return frames


def _samples(now: float, noise: np.random.Generator) -> Frame:
    labels = [pack({"__name__": "latency_seconds", "service": s}) for s in SERVICES]
    value = 0.1 + 0.01 * noise.standard_normal(len(SERVICES))
    for since, until, service in FAULTS:
        value[SERVICES.index(service)] += 0.5 * (since <= now < until)
    rows = np.arange(len(SERVICES), dtype=np.int32)
    return frame.samples(BEGIN + now, "recording", labels, rows, np.full(len(rows), BEGIN + now), value)


def _alerts(now: float) -> list[Event]:
    """As Prometheus sends them: while on, every minute, and once more when over."""
    said = []
    for since, until, service in FAULTS:
        if since + 30 <= now <= until and (now - since - 30) % 60 == 0:
            labels = {"alertname": "HighLatency", "service": service, "severity": "critical"}
            ends = BEGIN + (until if now + 60 > until else now + 240)
            begun = BEGIN + since + 30
            said.append(Event("alert", f"latency-{service}", begun, labels, notes={}, until=ends))
    return said


def _changes(now: float) -> list[Event]:
    labels = {"service": "payment", "kind": "deploy"}
    return [Event("change", "deploy-7", BEGIN + now, labels, "payment 1.4.2")] if now == 860 else []


def _complaints(now: float) -> list[Event]:
    labels = {"customer": "acme", "channel": "email", "lang": "en"}
    text = "we cannot pay: payment fails again and again"
    return [Event("complaint", f"c{now:.0f}", BEGIN + now, labels, text)] if 960 <= now < 1_100 else []
