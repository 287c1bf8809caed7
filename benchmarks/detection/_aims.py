"""What was set out to be reached, and what the tables of this folder measured of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from pipeline.commands.detect import ALERT


class Span(NamedTuple):
    """From least to most, both in it."""

    least: float = -math.inf
    most: float = math.inf

    def __str__(self) -> str:
        if self.most == math.inf:
            return f">= {_text(self.least)}"
        if self.least == -math.inf:
            return f"<= {_text(self.most)}"
        return f"{_text(self.least)} to {_text(self.most)}"


class Aim(NamedTuple):
    """One line of what must be true."""

    what: str
    figure: str
    floor: Span | None
    aim: Span | None


AIMS = (
    Aim("NAB standard, best threshold", "nab.forewarn_standard", Span(72), Span(79)),
    Aim("NAB low FP, best threshold", "nab.forewarn_low_fp", Span(64), Span(73)),
    Aim("NAB low FN, best threshold", "nab.forewarn_low_fn", Span(76), Span(84)),
    Aim("NAB standard, shipped threshold", "nab.forewarn_standard_at_default", Span(68), Span(77)),
    Aim("window F1, shipped threshold", "nab.forewarn_f1", Span(0.60), Span(0.78)),
    Aim("false alerts a series-day, the same", "nab.forewarn_false_a_day", Span(most=0.06), Span(most=0.02)),
    Aim("KPI delay F1, threshold of first halves", "kpi.forewarn_delay_f1", Span(0.74), Span(0.88)),
    Aim("KPI event F1, the same", "kpi.forewarn_event_f1", Span(0.55), Span(0.75)),
    Aim("samples/s, 100,000 series, numpy", "speed.forewarn_numpy_100000_samples_s", Span(5e6), Span(15e6)),
    Aim("the same, compiled", "speed.forewarn_compiled_100000_samples_s", None, Span(40e6)),
    Aim("bytes a series", "speed.forewarn_numpy_100000_bytes_a_series", Span(most=1200), Span(most=600)),
    Aim("share alerted on within 3x of asked", f"rates.forewarn_within_3x_at_{ALERT:g}", Span(0.9), None),
    Aim("share alerted on within 2x of asked", f"rates.forewarn_within_2x_at_{ALERT:g}", None, Span(0.9)),
    Aim("truth inside 80 % of a limit", "limit.limit_all_that_fill_inside", Span(0.7, 0.9), Span(0.75, 0.85)),
)  # fmt: skip


def show(found: Mapping[str, float]) -> None:
    """Print each line with what was measured of it, or that its table was left out."""
    print(f"\n-- in short\n{'':<42}{'floor':>16}{'aim':>16}{'measured':>14}")
    for each in AIMS:
        measured = found.get(each.figure)
        cells = "".join(f"{'-' if span is None else str(span):>16}" for span in (each.floor, each.aim))
        shown = "-" if measured is None else _text(measured)
        print(f"{each.what:<42}{cells}{shown:>14}  {reached(each, measured)}")


def reached(aim: Aim, measured: float | None) -> str:
    """Return the best that was reached: the aim, the floor, neither; or that nothing was measured."""
    if measured is None:
        return "left out"
    for name, span in (("aim", aim.aim), ("floor", aim.floor)):
        if span is not None and span.least <= measured <= span.most:
            return name
    return "short"


def _text(figure: float) -> str:
    return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:.3g}"
