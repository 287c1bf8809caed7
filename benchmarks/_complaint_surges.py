"""Surges laid into simulated arrivals: caught by which complaint, at how many false ones a week."""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._encoded import remembered
from benchmarks._fed import shown
from pipeline.complaints import ComplaintState, hear, tuned
from pipeline.complaints.budget import CORROBORATED
from pipeline.complaints.encoders import installed
from pipeline.complaints.reading import Reading, readings
from pipeline.complaints.tuning import Complaints
from pipeline.topology import Topology
from pipeline.types import Event, Seconds

SHARED = Path(__file__).parents[1].parent / "shared"
DATA = SHARED / "data" / "complaints_dev"
HOUR, WEEK = 3600.0, 7 * 86400.0
WEEKS, SURGES, LABELS, SEEDS = 6, 24, 20, (1, 2, 3, 4, 5, 6)
FLAG_SEEDS = (1, 2, 3, 4, 12, 13)  # 0.2 a week is one in five weeks: of few seeds it tells nothing
KNOWN_SEEDS = (1, 2, 3, 4)  # half of the surges count, so twice as many
BLOCK, FLAGGED = 2 * HOUR, 0.02  # a service is flagged so much of the time, in blocks
Row = dict[str, Any]


@dataclass(slots=True)
class Found:
    """Which surges were named at which of their complaints, 99 = never, and the false ones a week."""

    nth: list[int] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    novel: list[int] = field(default_factory=list)
    false: list[float] = field(default_factory=list)
    vendor: list[float] = field(default_factory=list)


def run() -> dict[str, float]:
    """Print the rows and return their figures; nothing where there is no data."""
    if not DATA.is_dir():
        print(f"no labelled complaints at ../{DATA.relative_to(SHARED.parent)}: surges not measured")
        return {}
    print(
        f"{SURGES} surges laid into {WEEKS} weeks, seeds {SEEDS}; known topics: {KNOWN_SEEDS}; "
        f"en_banking77 corroborated: {FLAG_SEEDS}"
    )
    return _rows("none") | (_rows("use") if installed("use") else {})


def _rows(encoder: str) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, flag_seeds in (("en_banking77", FLAG_SEEDS), ("zh_cic", SEEDS[:4])):
        found = _all(name, encoder, SEEDS)
        figures |= _row(f"{name}, {encoder}", found.nth, found.false)
        figures[f"{name}_{encoder}_vendor_false_week"] = float(np.mean(found.vendor))
        print(f"    4 alike in 4 h: {np.mean(found.vendor):.0f} false a week", flush=True)
        flagged = _all(name, encoder, flag_seeds, flags=True)
        figures |= _row(f"{name}, {encoder}, corroborated", flagged.nth, flagged.false, CORROBORATED)
    labelled = _all("en_banking77", encoder, KNOWN_SEEDS, known=LABELS)
    figures |= _row(f"known topics, {encoder}", labelled.known, labelled.false)
    figures |= _row(f"novel beside them, {encoder}", labelled.novel, labelled.false)
    return figures


def _row(name: str, nth: list[int], false: list[float], allowed: float = 1.0) -> dict[str, float]:
    caught = {k: float(np.mean([n <= k for n in nth])) for k in (3, 4, 5, 8, 10)}
    told = "  ".join(f"{k}: {share:.2f}" for k, share in caught.items())
    mean = f"{np.mean(false):.2f} of {allowed:g} allowed"
    print(f"{name:<32} caught by {told}   false a week {mean}", flush=True)
    key = name.replace(", ", "_").replace(" ", "_")
    return {f"{key}_by_{k}": share for k, share in caught.items()} | {
        f"{key}_false_week": float(np.mean(false))
    }


def _all(name: str, encoder: str, seeds: Sequence[int], known: int = 0, flags: bool = False) -> Found:
    found = Found()
    what = f"{name}, {encoder}, {known} labels, {'with' if flags else 'no'} flags"
    for seed in shown(seeds, what):
        _one(found, texts_of(name), encoder, known, flags, seed)
    return found


def texts_of(name: str) -> list[tuple[str, str, str]]:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [(row["text"], row["lang"], row["intent"]) for row in map(json.loads, file)]


def simulated(
    texts: list[tuple[str, str, str]], known: int, seed: int, weeks: int = WEEKS
) -> tuple[Any, ...]:
    """Return what the scorer's own simulation does: the rows, their truth and the surges."""
    spec = importlib.util.spec_from_file_location("scorer", SHARED / "checks" / "score_complaints.py")
    assert spec is not None
    assert spec.loader is not None
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    found: tuple[Any, ...] = scorer.simulate(texts, weeks, SURGES, known, seed)
    return found


def _one(
    found: Found, texts: list[tuple[str, str, str]], encoder: str, known: int, flags: bool, seed: int
) -> None:
    rows, truth, surges = simulated(texts, known, seed)
    ahead = readings((row["text"] for row in rows), remembered(encoder))
    named = list(_named(rows, truth, surges, encoder, seed if flags else None, ahead))
    first, false = _judge(named, rows, truth, surges)
    if flags:  # counts those alone that paged because their service was flagged
        false = [word for word in false if _flag(truth[word[1][-1]][0], word[0], surges, seed)]
    members: dict[int, list[Seconds]] = {}
    for row in rows:
        if (surge := truth[row["id"]][1]) is not None:
            members.setdefault(surge, []).append(row["t"])
    nth = [sum(t <= first.get(s, -np.inf) + 1e-6 for t in members[s]) or 99 for s in range(len(surges))]
    ranked = sorted({topic for topic, _ in truth.values()})
    found.nth += nth
    found.known += [n for n, (topic, _) in zip(nth, surges, strict=True) if ranked.index(topic) % 2 == 0]
    found.novel += [n for n, (topic, _) in zip(nth, surges, strict=True) if ranked.index(topic) % 2]
    found.false.append(len(false) / (WEEKS - 2))
    found.vendor.append(len(_judge(list(_four(rows, truth)), rows, truth, surges)[1]) / (WEEKS - 2))


def _named(
    rows: list[Row], truth: Any, surges: Any, encoder: str, flags: int | None, ahead: dict[str, Reading]
) -> Iterator[tuple[Seconds, tuple[str, ...]]]:
    """Yield each surge that pages when it first does; `flags` seeds when services are flagged."""
    state = tuned(ComplaintState(), Complaints(encoder=encoder))  # type: ignore[arg-type]
    told: set[str] = set()
    for row in rows:
        labels = {"customer": row["customer"], "topic": row.get("topic", "")}
        event = Event("complaint", row["id"], row["t"], labels, row["text"])
        bad = flags is not None and _flag(truth[row["id"]][0], row["t"], surges, flags)
        # Without a catalogue every complaint's service is "".
        signals, _ = hear(state, (event,), Topology(), row["t"], {""} if bad else (), ahead=ahead)
        told.difference_update(s.id for s in signals if s.ended is not None)
        for signal in signals:
            if signal.page and signal.ended is None and signal.id not in told:
                told.add(signal.id)
                yield signal.at, signal.ids


def _flag(topic: str, at: Seconds, surges: Any, seed: int) -> bool:
    """Say whether the topic's service is flagged then: FLAGGED of all blocks, and during its surges."""
    if any(topic == about and start <= at <= start + HOUR for about, start in surges):
        return True
    name = f"{topic} {int(at // BLOCK)}".encode()
    return bool(np.random.default_rng([seed, *name]).random() < FLAGGED)


def _four(rows: list[Row], truth: Any) -> Iterator[tuple[Seconds, tuple[str, ...]]]:
    """Yield what the vendors' rule calls a surge: 4 of one topic in 4 h, with perfect topics."""
    recent: dict[str, deque[Row]] = {}
    for row in rows:
        same = recent.setdefault(truth[row["id"]][0], deque(maxlen=4))
        same.append(row)
        if len(same) == 4 and row["t"] - same[0]["t"] <= 4 * HOUR:
            yield row["t"], tuple(one["id"] for one in same)
            same.clear()


def _judge(
    named: list[tuple[Seconds, tuple[str, ...]]], rows: list[Row], truth: Any, surges: Any
) -> tuple[dict[int, Seconds], list[tuple[Seconds, tuple[str, ...]]]]:
    """Return when each surge was first named, and what was named outside any, as the scorer does."""
    first: dict[int, Seconds] = {}
    false: list[tuple[Seconds, tuple[str, ...]]] = []
    last: dict[str, Seconds] = {}
    for at, ids in named:
        topics = [truth[one][0] for one in ids]
        topic = max(sorted(set(topics)), key=topics.count)
        hit = next((s for s, (k, t) in enumerate(surges) if k == topic and t <= at <= t + HOUR), None)
        if hit is not None:
            first[hit] = min(first.get(hit, np.inf), at)
        elif at - rows[0]["t"] > 2 * WEEK and at - last.get(topic, -np.inf) > HOUR:
            false.append((at, ids))
            last[topic] = at
    return first, false
