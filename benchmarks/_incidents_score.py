"""Incidents of a replay and the faults there were in; what was found, how soon, and whom it blamed, out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.types import Seconds

GRACE: Seconds = 120.0  # after a fault has ended, in which it may still be paged
LED: Seconds = 1800.0  # after an injection, in which its complaints may open the page
SOON: Seconds = 120.0  # after the page, when its ranking is read
DAY: Seconds = 86400.0

Incident = dict[str, Any]


class Truth(NamedTuple):
    start: Seconds
    end: Seconds
    faults: list[dict[str, Any]]
    doubtful: list[dict[str, Any]]  # faults that the source did not label: an incident there is neutral
    cause: Mapping[str, str]  # complaint -> fault
    spoken: Mapping[str, Seconds]  # complaint -> when, as the replay heard it


class Outcome(NamedTuple):
    """One fault: the incident that covers it, if any."""

    fault: dict[str, Any]
    incident: Incident | None
    complaints: list[str]  # that it caused and that were heard


class Scores(NamedTuple):
    faults: int
    found: float
    first: float  # of all: paged, and its service the first suspect SOON
    among: float  # ... among the first three
    false: int
    days: float
    second: int
    delays: tuple[Seconds, ...]
    machine: float  # of those complained of: paged before the first complaint
    attached: float  # of the complaints that a fault caused: to its incident
    right: float  # of those attached to any page


def read_truth(recording: Path, heard: Path) -> Truth:
    """Return the labels of a recording, and the complaints of the folder that was replayed."""
    labels = json.loads((recording / "labels.json").read_text(encoding="utf-8"))
    path = heard / "complaints.jsonl.gz"
    spoken = {}
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8") as file:
            spoken = {said["id"]: said["t"] for said in map(json.loads, file)}
    return Truth(
        labels["eval_start"], labels["eval_end"], labels["faults"], labels["unlabelled_suspected"],
        labels["complaints"], spoken,
    )  # fmt: skip


def match(truth: Truth, incidents: Sequence[Incident]) -> tuple[list[Outcome], int, int]:
    """Return what became of each fault, false pages, and second pages for a fault.

    A page covers the newest fault that is on, or was until GRACE ago; one whose complaints are mostly
    caused by a fault covers that fault for half an hour.
    """
    covered: dict[str, Incident] = {}
    false = second = 0
    for incident in paged(truth, incidents):
        at = incident["paged_at"]
        on = [f for f in truth.faults if f["inject_time"] <= at <= f["end_time"] + GRACE]
        newest = max(on, key=_injected, default=None)
        if newest is None or newest["fault_id"] in covered:
            led = [f for f in truth.faults if 0 <= at - f["inject_time"] <= LED]
            newest = max((f for f in led if _led_by(truth, incident, f)), key=_injected, default=newest)
        if newest is None:
            false += not any(d["start"] - 60 <= at <= d["end"] + GRACE for d in truth.doubtful)
        elif newest["fault_id"] in covered:
            second += 1
        else:
            covered[newest["fault_id"]] = incident
    outcomes = []
    for fault in truth.faults:
        mine = [c for c, caused_by in truth.cause.items() if caused_by == fault["fault_id"]]
        told = [c for c in mine if c in truth.spoken]
        outcomes.append(Outcome(fault, covered.get(fault["fault_id"]), told))
    return outcomes, false, second


def paged(truth: Truth, incidents: Sequence[Incident]) -> list[Incident]:
    """Return the incidents paged in the evaluation window, earliest first."""
    pages = [i for i in incidents if i["paged_at"] is not None]
    return sorted(
        (i for i in pages if truth.start <= i["paged_at"] < truth.end + GRACE), key=lambda i: i["paged_at"]
    )


def score(replays: Sequence[tuple[Truth, Sequence[Incident]]]) -> Scores:
    """Return the scores of several replays taken as one."""
    outcomes: list[Outcome] = []
    false = second = attached = 0
    days = 0.0
    first_words = []
    for truth, incidents in replays:
        found, wrong, again = match(truth, incidents)
        outcomes += found
        false, second = false + wrong, second + again
        days += (truth.end - truth.start) / DAY
        for incident in paged(truth, incidents):
            attached += sum(
                truth.start <= truth.spoken.get(c, 0.0) < truth.end for c in incident["complaints"]
            )
        for outcome in found:
            if outcome.complaints:
                word = min(truth.spoken[c] for c in outcome.complaints)
                page = outcome.incident["paged_at"] if outcome.incident else float("inf")
                first_words.append(page <= word)
    hits = [(o.fault, o.incident) for o in outcomes if o.incident is not None]
    places = [_place(suspects_at(i, i["paged_at"] + SOON), f["service"]) for f, i in hits]
    caused = sum(len(o.complaints) for o in outcomes)
    mine = sum(len(set(o.complaints) & set(o.incident["complaints"])) for o in outcomes if o.incident)
    n = len(outcomes)
    return Scores(
        n,
        len(hits) / n,
        sum(p <= 1 for p in places) / n,
        sum(p <= 3 for p in places) / n,
        false,
        days,
        second,
        tuple(i["paged_at"] - f["inject_time"] for f, i in hits),
        float(np.mean(first_words)) if first_words else float("nan"),
        mine / caused if caused else float("nan"),
        mine / attached if attached else float("nan"),
    )


def shifted(truth: Truth, incidents: Sequence[Incident], by: Seconds) -> list[Incident]:
    """Return the incidents as if all that was said had been said later, around the evaluation window."""
    moved = []
    for incident in paged(truth, incidents):
        at = truth.start + (incident["paged_at"] - truth.start + by) % (truth.end - truth.start)
        late = at - incident["paged_at"]
        lines = [{**line, "at": line["at"] + late} for line in incident["timeline"]]
        moved.append({**incident, "paged_at": at, "timeline": lines})
    return moved


def suspects_at(incident: Incident, at: Seconds) -> list[str]:
    """Return the services of the newest ranking that had been given by then."""
    rankings = [line for line in incident["timeline"] if line.get("suspects") and line["at"] <= at]
    newest = max(rankings, key=lambda line: line["at"], default=None)
    return list(dict.fromkeys(newest["suspects"])) if newest else []


def _place(order: Sequence[str], service: str) -> float:
    return order.index(service) + 1 if service in order else float("inf")


def _led_by(truth: Truth, incident: Incident, fault: dict[str, Any]) -> bool:
    by = sum(truth.cause.get(c) == fault["fault_id"] for c in incident["complaints"])
    return bool(2 * by > len(incident["complaints"]))


def _injected(fault: dict[str, Any]) -> float:
    return float(fault["inject_time"])
