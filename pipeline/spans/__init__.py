"""Spans of traces to counts, durations, gaps and failures by kind of call: as samples, or for an hour."""

from pipeline.spans.graph import Graph
from pipeline.spans.state import SLOT, Call, Spans, SpanState, mark_trouble, take_spans
from pipeline.spans.traced import TraceState, calls, trace

__all__ = [
    "SLOT",
    "Call",
    "Graph",
    "SpanState",
    "Spans",
    "TraceState",
    "calls",
    "mark_trouble",
    "take_spans",
    "trace",
]
