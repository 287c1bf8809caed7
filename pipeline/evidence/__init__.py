"""Spans, logs and samples of a window in; which service is the cause, with reasons, out."""

from pipeline.evidence.calls import edges, weigh_calls
from pipeline.evidence.found import Evidence, Window, strongest
from pipeline.evidence.samples import Readings, weigh_samples
from pipeline.evidence.suspects import blame
from pipeline.evidence.visits import VisitState, take_lines, weigh_visits

__all__ = [
    "Evidence",
    "Readings",
    "VisitState",
    "Window",
    "blame",
    "edges",
    "strongest",
    "take_lines",
    "weigh_calls",
    "weigh_samples",
    "weigh_visits",
]
