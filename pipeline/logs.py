"""Log lines to templates, and to signals where a template is new or its rate shifts."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.series import Series
from pipeline.types import Batch, Seconds, Signal


@dataclass(slots=True)
class LogState:
    """The templates and what is usual of each."""


def read_lines(state: LogState, batch: Batch, series: Series, now: Seconds) -> tuple[Signal, ...]:
    return ()
