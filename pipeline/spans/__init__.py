"""Spans of traces to counts, durations, gaps and failures by kind of call, for an hour."""

from pipeline.spans.state import SLOT, Call, Spans, SpanState, mark_trouble, take_spans

__all__ = ["SLOT", "Call", "SpanState", "Spans", "mark_trouble", "take_spans"]
