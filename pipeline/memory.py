"""All that is remembered between frames, as one object a stage, to be snapshotted and restored."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.alerts import AlertState
from pipeline.complaints import ComplaintState
from pipeline.correlate import CorrelateState
from pipeline.decide import DecideState
from pipeline.detect import DetectState
from pipeline.feeds import FeedState
from pipeline.follow import FollowState
from pipeline.logs import LogState
from pipeline.patterns import PatternState
from pipeline.respond import RespondState
from pipeline.series import Series
from pipeline.spans import TraceState


@dataclass(slots=True)
class Memory:
    """All that is remembered between frames, one object a stage. Each states its own bound."""

    position: int = -1  # of the last frame taken
    series: Series = field(default_factory=Series)
    feeds: FeedState = field(default_factory=FeedState)
    traces: TraceState = field(default_factory=TraceState)
    detect: DetectState = field(default_factory=DetectState)
    logs: LogState = field(default_factory=LogState)
    complaints: ComplaintState = field(default_factory=ComplaintState)
    alerts: AlertState = field(default_factory=AlertState)
    patterns: PatternState = field(default_factory=PatternState)
    correlate: CorrelateState = field(default_factory=CorrelateState)
    decide: DecideState = field(default_factory=DecideState)
    respond: RespondState = field(default_factory=RespondState)
    follow: FollowState = field(default_factory=FollowState)
