"""The cause of a fault when its window is known: 47 real ones, by modality, beside two simple peers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.evidence import Readings, Window
from pipeline.run.inquest import MODALITIES, Inquest, inquire, open_recording, suspects
from pipeline.types import Floats, Seconds

RECORDINGS = ("OB-1", "TT-1", "TT-2")
LASTS: Seconds = 240.0  # s of each window, from the injection
BACK: Seconds = 4 * 3600.0  # of quiet time that the peers know, as ours does
CODE = ("return", "exception")
KS = (1, 3, 5)


class Ranked(NamedTuple):
    """At which place each way put the faulty service of one fault; inf where it did not name it."""

    system: str
    kind: str  # "resource" or "code"
    odd: bool  # the weights were chosen on the odd ones
    place: dict[str, float]


def given(recordings: Path) -> dict[str, float]:
    """Print AC@1, AC@3 and AC@5 of each way of ranking, by system and kind, and return them."""
    cases = [case for name in RECORDINGS for case in _cases(recordings / name)]
    groups: dict[str, Callable[[Ranked], bool]] = {
        "all": lambda c: True,
        "odd, tuned on": lambda c: c.odd,
        "even": lambda c: not c.odd,
        "OB resource": lambda c: (c.system, c.kind) == ("OB", "resource"),
        "OB code": lambda c: (c.system, c.kind) == ("OB", "code"),
        "TT resource": lambda c: (c.system, c.kind) == ("TT", "resource"),
        "TT code": lambda c: (c.system, c.kind) == ("TT", "code"),
    }
    members = {name: [case for case in cases if held(case)] for name, held in groups.items()}
    print(f"Window given (injection to {LASTS:.0f} s later; usual is what came before): AC@1 AC@3 AC@5")
    print(f"{'':<24}" + "".join(f"{f'{name} ({len(found)})':>20}" for name, found in members.items()))
    figures: dict[str, float] = {}
    for way in cases[0].place:
        cells = []
        for name, found in members.items():
            shares = [sum(case.place[way] <= k for case in found) / len(found) for k in KS]
            figures |= {f"{way}, {name}: AC@{k}": share for k, share in zip(KS, shares, strict=True)}
            cells.append(" ".join(f"{share:.2f}" for share in shares))
        print(f"{way:<24}" + "".join(f"{cell:>20}" for cell in cells))
    return figures


def _cases(folder: Path) -> Iterable[Ranked]:
    inquest = open_recording(folder)
    trouble: tuple[tuple[Seconds, Seconds], ...] = ()
    for fault in json.loads((folder / "labels.json").read_text(encoding="utf-8"))["faults"]:
        window = Window(fault["inject_time"], fault["inject_time"] + LASTS, trouble)
        kind = "code" if fault["fault_type"] in CODE else "resource"
        odd = int(fault["fault_id"].rpartition("-")[2]) % 2 == 1
        yield Ranked(folder.name[:2], kind, odd, _places(inquest, window, fault))
        trouble = (*trouble, (window.since, window.until))


def _places(inquest: Inquest, window: Window, fault: dict[str, Any]) -> dict[str, float]:
    found = inquire(inquest, window)
    ways = {f"{name} alone": [name] for name in MODALITIES}
    ways["metrics and spans"] = ["metrics", "spans"]
    ways["fused"] = list(MODALITIES)
    places = {}
    for way, of in ways.items():
        order = [s.service for s in suspects(inquest, found, of) if s.score > 0]
        places[way] = _place(order, fault["service"])
    for way, score in (("BARO's robust scorer", _farthest), ("largest robust z", _robust)):
        places[way] = _place(_by_worst(inquest.readings, window, score), fault["service"])
    return places


def _place(order: Sequence[str], service: str) -> float:
    return order.index(service) + 1 if service in order else float("inf")


def _by_worst(
    readings: Iterable[Readings], window: Window, score: Callable[[Floats, Floats], float]
) -> list[str]:
    """Return services by the highest score of their series, both peers' way; of equal ones by name."""
    worst: dict[str, float] = {}
    for series in readings:
        fine = np.isfinite(series.value)
        time, value = series.time[fine], series.value[fine]
        quiet = (time < window.since) & (time >= window.since - BACK)
        for since, until in window.trouble:
            quiet &= (time < since) | (time > until)
        now = (time >= window.since) & (time <= window.until)
        if series.service and now.any() and quiet.any():
            worst[series.service] = max(worst.get(series.service, 0.0), score(value[now], value[quiet]))
    return sorted(worst, key=lambda service: (-worst[service], service))


def _farthest(now: Floats, quiet: Floats) -> float:
    """Return BARO's score: how many quartile ranges the farthest sample lies from the quiet median.

    Pham, Ha and Zhang 2024, "BARO: robust root cause analysis for microservices via multivariate Bayesian
    online change point detection", FSE, 3.3. A range of 0 counts as 1, as its scaler has it.
    """
    low, middle, high = np.quantile(quiet, (0.25, 0.5, 0.75))
    return float(np.abs(now - middle).max() / ((high - low) or 1.0))


def _robust(now: Floats, quiet: Floats) -> float:
    middle = np.median(quiet)
    spread = 1.4826 * float(np.median(np.abs(quiet - middle)))
    return float(abs(now.mean() - middle) / (spread or 1.0))
