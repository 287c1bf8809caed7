"""Evidence of one signal to a plot: SVG text with axes, band, onset and what happened; styled by the page."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from markupsafe import Markup, escape

from pipeline import units
from pipeline.console import words
from pipeline.types import Evidence, Floats, Incident, Seconds, Signal

N = TypeVar("N", float, Floats)

WIDTH, HEIGHT = 720, 212
LEFT, RIGHT, TOP, BOTTOM = 58, 10, 42, 24
LANES, ROW, LETTER = 3, 12, 6.2  # rows of labels above the plot, px a row and about px a letter
MAX_POINTS = 480  # a column of pixels holds no more than its lowest and its highest
BEFORE = 1800.0  # half an hour of what was normal, beside what is not
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800)


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment worth a line across the plot."""

    at: Seconds
    what: str  # its CSS class: "change", "paged", "complaint"
    text: str


@dataclass(frozen=True, slots=True)
class Axes:
    """How values become pixels."""

    start: Seconds
    end: Seconds
    low: float
    high: float

    def x(self, at: N) -> N:
        return LEFT + (at - self.start) / (self.end - self.start) * (WIDTH - LEFT - RIGHT)

    def y(self, value: N) -> N:
        return TOP + (self.high - value) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)


def marks(incident: Incident) -> list[Mark]:
    """Return the moments of an incident that each of its plots shows."""
    found = [Mark(c.time, "change", c.text or c.id) for c in incident.changes]
    if incident.paged is not None:
        found.append(Mark(incident.paged, "paged", "paged"))
    if incident.first_complaint is not None:
        found.append(Mark(incident.first_complaint, "complaint", "first complaint"))
    return found


def plot(signal: Signal, evidence: Evidence, marked: Sequence[Mark], now: Seconds) -> Markup | None:
    """Return the plot as <svg>; None where there are not two moments to draw."""
    e = _window(signal, evidence, now)
    if len(e.time) < 2 or e.time[0] == e.time[-1]:
        return None
    metric = signal.series.partition("{")[0]
    axes = Axes(float(e.time[0]), float(e.time[-1]), *_extent(e))
    scale, unit = units.scale_of(max(abs(axes.low), abs(axes.high)), metric)
    drawn = (  # text of a user only in _marks, which escapes it
        *_y_axis(axes, scale, unit),
        *_x_axis(axes),
        *_onset(axes, signal),
        *_band(axes, e),
        _line("expected", axes, e.time, e.expected),
        _line("value", axes, e.time, e.value),
        *_marks(axes, marked),
    )
    inside = Markup("".join(drawn))  # noqa: S704 numbers of our own, and what _marks escaped
    said = f"{signal.series}: observed {units.quantity(signal.observed, metric)}"
    said += f", expected {units.quantity(signal.expected, metric)}"
    points = json.dumps(_points(axes, e, metric), ensure_ascii=False)
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}" data-points="{}">{}'
        '<g class="cursor" hidden><line y1="{}" y2="{}"/><circle r="3.5"/></g></svg>'
    ).format(WIDTH, HEIGHT, said, points, inside, TOP, HEIGHT - BOTTOM)


def spark(evidence: Evidence) -> Markup | None:
    """Return the last samples as a line of 120 by 28 pixels, without axes; None where there are none."""
    good = np.isfinite(evidence.value)
    time, value = evidence.time[good][-120:], evidence.value[good][-120:]
    if len(time) < 2 or time[0] == time[-1]:
        return None
    span = float(np.ptp(value)) or 1.0
    x = 2 + (time - time[0]) / (time[-1] - time[0]) * 116
    y = 26 - (value - value.min()) / span * 24
    path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    return Markup('<svg class="spark" viewBox="0 0 120 28" aria-hidden="true"><path d="{}"/></svg>').format(
        path
    )


def _window(signal: Signal, e: Evidence, now: Seconds) -> Evidence:
    """Cut to what surrounds the signal, and thin it to lowest and highest of each column of pixels."""
    end = now if signal.ended is None else min(now, signal.ended + BEFORE / 2)
    before = max(BEFORE, min(6 * 3600.0, end - signal.since))
    keep = np.flatnonzero((e.time >= signal.since - before) & (e.time <= end))
    if len(keep) > MAX_POINTS:
        groups = np.array_split(keep, MAX_POINTS // 2)
        value = np.where(np.isfinite(e.value), e.value, e.expected)
        value = np.where(np.isfinite(value), value, 0.0)
        both = [(g[np.argmin(value[g])], g[np.argmax(value[g])]) for g in groups]
        keep = np.unique(np.array(both).ravel())
    columns = (e.time, e.value, e.expected, e.lower, e.upper)
    return Evidence(e.signal, *(c[keep] for c in columns))


def _extent(e: Evidence) -> tuple[float, float]:
    """Return the lowest and highest value to show; a band far wider than the values does not flatten them."""
    value = e.value[np.isfinite(e.value)]
    around = np.concatenate((value, e.expected[np.isfinite(e.expected)]))
    if len(around) == 0:
        return 0.0, 1.0
    low, high = float(around.min()), float(around.max())
    room = (high - low) or abs(high) or 1.0
    edges = np.concatenate((e.lower[np.isfinite(e.lower)], e.upper[np.isfinite(e.upper)]))
    if len(edges):
        low = max(min(low, float(edges.min())), low - room)
        high = min(max(high, float(edges.max())), high + room)
    if low > 0 and low < 0.4 * high:
        low = 0.0
    pad = 0.06 * (high - low or abs(high) or 1.0)
    return (low - pad if low != 0 else low), high + pad


def _y_axis(axes: Axes, scale: float, unit: str) -> Iterator[str]:
    rough = (axes.high - axes.low) / scale / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(k * power for k in (1, 2, 2.5, 5, 10) if k * power >= rough)
    first = math.ceil(axes.low / scale / step)
    for k in range(first, first + 8):
        value = k * step
        if value * scale > axes.high:
            return
        y = axes.y(value * scale)
        label = f"{value:.6g} {unit}".rstrip()
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="tick" x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{label}</text>'


def _x_axis(axes: Axes) -> Iterator[str]:
    span = axes.end - axes.start
    step = next((s for s in _STEPS if span / s <= 7), _STEPS[-1])
    base = HEIGHT - BOTTOM
    yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>'
    at = math.ceil(axes.start / step) * step
    while at <= axes.end:
        x = axes.x(at)
        label = words.clock_time(at) if step < 60 else words.clock_time(at)[:5]
        if span > 2 * 86400:
            label = words.day_time(at)
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{base}" y2="{base + 4}"/>'
        if LEFT + 8 < x < WIDTH - 24:
            yield f'<text class="tick" x="{x:.1f}" y="{base + 16}" text-anchor="middle">{label}</text>'
        at += step


def _onset(axes: Axes, signal: Signal) -> Iterator[str]:
    start = max(axes.start, signal.since)
    end = min(axes.end, axes.end if signal.ended is None else signal.ended)
    if end > start:
        a, b = axes.x(np.array([start, end])).tolist()
        tall = HEIGHT - TOP - BOTTOM
        yield f'<rect class="onset" x="{a:.1f}" width="{b - a:.1f}" y="{TOP}" height="{tall}"/>'


def _band(axes: Axes, e: Evidence) -> Iterator[str]:
    known = np.isfinite(e.lower) & np.isfinite(e.upper)
    low = np.clip(e.lower, axes.low, axes.high)
    high = np.clip(e.upper, axes.low, axes.high)
    for piece in _pieces(known):
        x = axes.x(e.time[piece])
        xs = np.concatenate((x, x[::-1]))
        ys = np.concatenate((axes.y(high[piece]), axes.y(low[piece])[::-1]))
        yield f'<path class="band" d="{_path(xs, ys)}Z"/>'


def _line(name: str, axes: Axes, time: Floats, value: Floats) -> str:
    """Return one path; it breaks where values are missing."""
    pieces = _pieces(np.isfinite(value))
    path = "".join(_path(axes.x(time[p]), axes.y(value[p])) for p in pieces)
    return f'<path class="{name}" d="{path}"/>' if path else ""


def _marks(axes: Axes, marked: Sequence[Mark]) -> Iterator[str]:
    """Yield a line a mark; a label that would run into the one before it goes a row higher."""
    ends = [-math.inf] * LANES
    for mark in sorted(marked, key=lambda m: m.at):
        if not axes.start <= mark.at <= axes.end:
            continue
        x, text = axes.x(mark.at), mark.text[:24]
        left = min(x + 3, WIDTH - RIGHT - LETTER * len(text))
        lane = next((k for k in range(LANES) if ends[k] < left), LANES - 1)
        ends[lane] = left + LETTER * len(text) + 10
        y = TOP - 4 - ROW * lane
        yield f'<g class="mark {mark.what}">'
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 6}" y2="{HEIGHT - BOTTOM}"/>'
        yield f'<text x="{left:.1f}" y="{y}">{escape(text)}</text></g>'


def _points(axes: Axes, e: Evidence, metric: str) -> list[list[float | str]]:
    """Return x, y, and the words that the cursor shows, for each sample that is there."""
    found: list[list[float | str]] = []
    for k in np.flatnonzero(np.isfinite(e.value)).tolist():
        text = f"{words.clock_time(float(e.time[k]))}  {units.quantity(float(e.value[k]), metric)}"
        if math.isfinite(e.expected[k]):
            text += f", expected {units.quantity(float(e.expected[k]), metric)}"
        x, y = axes.x(float(e.time[k])), axes.y(float(e.value[k]))
        found.append([round(x, 1), round(y, 1), text])
    return found


def _pieces(known: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[slice]:
    """Return the runs of True as slices; a lone sample is a run too."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8))).tolist()
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _path(x: Floats, y: Floats) -> str:
    inner = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    return f"M{inner}" if len(x) > 1 else f"M{inner}h.1"
