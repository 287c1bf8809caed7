"""Templates: accuracy on labelled logs, beside drain3 in the same run; then speed, and logs that go wrong."""

from __future__ import annotations

import csv
import random
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks._log_anomalies import hdfs, train_ticket
from benchmarks._log_speed import speed
from pipeline.logs.drain3 import Drained
from pipeline.logs.templates import Templates, templates_of, text_of

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "loghub_dev"
SEED = 7

Parsed = tuple[list[int], dict[int, str]]  # the id of each line as it came, the last text of each


def run() -> dict[str, Any]:
    """Print all tables and return their figures."""
    found: dict[str, Any] = {}
    if DATA.is_dir():
        found |= _accuracy()
    else:
        print(f"no labelled logs at ../{DATA.relative_to(DATA.parents[2])}: accuracy not measured")
    messages = [[row[0] for row in _labelled(path.name)] for path in _systems()]
    return found | speed(messages) | hdfs() | train_ticket()


def _accuracy() -> dict[str, Any]:
    found: dict[str, Any] = {}
    systems = [path.name for path in _systems()]
    rows = {name: _labelled(name) for name in systems}
    print(f"{'grouping / F1 of groups / template':<36}{'ours':>18}{'drain3':>18}{'drain3, masks':>18}")
    for label, column in (("message", 0), ("raw line", 1), ("shuffled", 2)):
        scores = defaultdict(list)
        for name in systems:
            for engine, parse in _ENGINES.items():
                scores[engine].append(_score(parse, rows[name], column))
        means = {
            engine: [sum(x) / len(x) for x in zip(*each, strict=True)] for engine, each in scores.items()
        }
        found[f"{label.replace(' ', '_')}_ga_fga_pa"] = means
        cells = (" ".join(f"{x:.3f}" for x in means[engine]) for engine in _ENGINES)
        print(
            f"{label + ', mean of ' + str(len(systems)) + ' systems':<36}"
            + "".join(f"{c:>18}" for c in cells)
        )
    found["one_instance_ga"] = _together(rows)
    print(f"{'all systems shuffled into one':<36}{found['one_instance_ga']:>6.3f}")
    return found


def _together(rows: dict[str, list[tuple[str, str, str, str]]]) -> float:
    """Return the mean grouping accuracy of all systems' lines, shuffled into one instance of ours."""
    mixed = [(name, row) for name, labelled in rows.items() for row in labelled]
    random.Random(SEED).shuffle(mixed)
    ids, _ = _ours([row[0] for _, row in mixed])
    scores = []
    for name, labelled in rows.items():
        own = [(id, row[2]) for id, (system, row) in zip(ids, mixed, strict=True) if system == name]
        right = set(_groups([id for id, _ in own])) & set(_groups([true for _, true in own]))
        scores.append(sum(map(len, right)) / len(labelled))
    return sum(scores) / len(scores)


def _systems() -> list[Path]:
    return sorted(path for path in DATA.iterdir() if path.is_dir()) if DATA.is_dir() else []


def _labelled(name: str) -> list[tuple[str, str, str, str]]:
    """Return (message, raw line, true group, true template) of each line."""
    path = DATA / name / f"{name}_2k.log_structured.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    raw = (DATA / name / f"{name}_2k.log").read_text("utf-8", "replace").splitlines()
    return [(r["Content"], line, r["EventId"], r["EventTemplate"]) for r, line in zip(rows, raw, strict=True)]


def _score(
    parse: Callable[[Sequence[str]], Parsed], rows: list[tuple[str, str, str, str]], column: int
) -> tuple[float, float, float]:
    if column == 2:
        rows = random.Random(SEED).sample(rows, len(rows))
    ids, texts = parse([row[column % 2] for row in rows])
    got, true = _groups(ids), _groups([row[2] for row in rows])
    right = set(got) & set(true)
    spelled = {id: _spelled(text) for id, text in texts.items()}
    same = sum(spelled[id] == _spelled(row[3]) for id, row in zip(ids, rows, strict=True))
    return sum(map(len, right)) / len(rows), 2 * len(right) / (len(got) + len(true)), same / len(rows)


def _groups(labels: Sequence[Any]) -> list[tuple[int, ...]]:
    groups = defaultdict(list)
    for k, label in enumerate(labels):
        groups[label].append(k)
    return [tuple(group) for group in groups.values()]


def _spelled(template: str) -> str:
    """Return one spelling: a word that touches a variable belongs to it, neighbouring variables are one."""
    one = re.sub(r"<[A-Z_]+>", "<*>", " ".join(template.split()))
    one = re.sub(r"[^\s<>=:,;()\[\]{}\"'|]*(?:<\*>[^\s<>=:,;()\[\]{}\"'|]*)+", "<*>", one)
    return re.sub(r"<\*>(?:[.:/@#,_\-+]?<\*>)+", "<*>", one)


def _ours(lines: Sequence[str]) -> Parsed:
    state = Templates()
    ids = templates_of(state, lines)
    return ids, {id: text_of(state, id) for id in ids}


def _drain3(lines: Sequence[str]) -> Parsed:
    return _drained(Drained(masks=()), lines)


def _masked(lines: Sequence[str]) -> Parsed:
    return _drained(Drained(), lines)


def _drained(engine: Drained, lines: Sequence[str]) -> Parsed:
    ids = engine.ids(lines)
    return ids, {id: engine.text(id) for id in ids}


_ENGINES = {"ours": _ours, "drain3": _drain3, "drain3_masks": _masked}
