"""Spans of traces to counts, durations, gaps and failures by kind of call, for an hour."""

from pipeline.spans.graph import Graph
from pipeline.spans.joined import JoinState, Single, join
from pipeline.spans.state import SLOT, Call, Spans, SpanState, mark_trouble, take_spans
from pipeline.spans.traced import TraceState, calls, trace

__all__ = [
    "SLOT",
    "Call",
    "Graph",
    "JoinState",
    "Single",
    "SpanState",
    "Spans",
    "TraceState",
    "calls",
    "join",
    "mark_trouble",
    "take_spans",
    "trace",
]
