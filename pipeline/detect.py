"""Samples to signals: one watch is a rule's detector, threshold and patience."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from pipeline.series import Series
from pipeline.types import Batch, Evidence, Seconds, Signal


class Watch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which detector looks at which series, and when it speaks."""

    name: str


@dataclass(slots=True)
class DetectState:
    """What the watches have learned."""


def detect(
    state: DetectState, batch: Batch, series: Series, watches: Sequence[Watch], now: Seconds
) -> tuple[tuple[Signal, ...], tuple[Evidence, ...]]:
    return (), ()
