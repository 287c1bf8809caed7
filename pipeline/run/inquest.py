"""A recording and a window in, its suspects with evidence from samples, spans and logs out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pipeline import topology
from pipeline.evidence import (
    Evidence,
    Readings,
    VisitState,
    Window,
    blame,
    edges,
    strongest,
    take_lines,
    weigh_calls,
    weigh_samples,
    weigh_visits,
)
from pipeline.ingest import evidence as files
from pipeline.spans import Call, Spans, SpanState, take_spans
from pipeline.topology import Topology
from pipeline.types import Floats, Seconds, Suspect

MODALITIES = ("metrics", "spans", "logs")
# What Kubernetes adds to the name of a deployment to name its pods.
_POD = re.compile(r"-[0-9a-f]{8,10}-[0-9a-z]{5}$|-[0-9a-z]{5}$|-\d+$")


@dataclass(slots=True)
class Inquest:
    """All that a recording holds: series whole, spans and lines of traces by folder, not yet taken in."""

    catalog: Topology
    readings: list[Readings]
    spans: list[Spans]
    lines: list[files.Written]
    pods: dict[str, str] = field(default_factory=dict)  # pod -> service, as far as the metrics tell

    def service(self, pod: str) -> str:
        """Return whose pod it is: as the metrics say, else the longest service its name begins with."""
        if pod not in self.pods:
            near = [s for s in self.catalog.services if pod == s or pod.startswith(s + "-")]
            self.pods[pod] = max(near, key=len, default=_POD.sub("", pod))
        return self.pods[pod]


class Found(NamedTuple):
    evidence: dict[str, list[Evidence]]  # by modality
    seen: dict[str, frozenset[str]]  # who was seen to call whom


def open_recording(recording: Path) -> Inquest:
    """Read metrics.parquet, catalog.yaml and evidence/; whatever is absent says nothing."""
    path = recording / "catalog.yaml"
    readings = [Readings(*found) for found in files.read_samples(recording)]
    folders = files.folders(recording)
    return Inquest(
        topology.load(path) if path.exists() else Topology(),
        readings,
        [_spans(found) for folder in folders if (found := files.read_spans(folder)) is not None],
        [lines for folder in folders if (lines := files.read_logs(folder)) is not None],
        {r.entity: r.service for r in readings if r.service and "->" not in r.entity},
    )


def inquire(inquest: Inquest, window: Window) -> Found:
    """Return the evidence of each modality; nothing from after the window is looked at."""
    calls = _calls(inquest, window.until)
    evidence = {
        "metrics": weigh_samples(inquest.readings, window),
        "spans": weigh_calls(calls, window),
        "logs": weigh_visits(_visits(inquest, window.until), window),
    }
    return Found(evidence, edges(calls))


def suspects(inquest: Inquest, found: Found, of: Iterable[str] = MODALITIES) -> tuple[Suspect, ...]:
    """Return every service, likeliest first, by the modalities asked for."""
    told = strongest(each for name in of for each in found.evidence[name])
    return blame(told, inquest.catalog, found.seen)


def _calls(inquest: Inquest, until: Seconds) -> SpanState:
    state = SpanState()
    for spans in inquest.spans:
        if len(spans.time) and spans.time.min() <= until:
            take_spans(state, spans.to(until))
    return state


def _visits(inquest: Inquest, until: Seconds) -> VisitState:
    state = VisitState()
    for written in inquest.lines:
        n = int((written.time <= until).sum())
        services = [inquest.service(pod) for pod in written.pod[:n]]
        time: Floats = written.time[:n]
        take_lines(state, services, written.op[:n], written.trace[:n], written.text[:n], time)
    return state


def _spans(found: files.Bundles) -> Spans:
    calls = tuple(map(Call, found.caller, found.parent, found.callee, found.op))
    return Spans(calls, found.time, found.spans, found.duration, found.gap, found.failed)
