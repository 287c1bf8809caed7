"""Templates: accuracy on labelled logs and lines a second on one core, beside drain3 in the same run."""

from __future__ import annotations

import csv
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

from benchmarks._loads import SAID
from pipeline.logs.templates import Templates, take_block, template_of, templates_of, text_of

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "loghub_dev"
BLOCK = 256 * 1024
LINES = 960_000
SEED = 7

# What a user of drain3 is told to mask: addresses, hexadecimal, numbers.
MASKS = (
    (r"(?<=[^A-Za-z0-9])(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?=[^A-Za-z0-9]|$)", "IP"),
    (r"\b0x[0-9a-fA-F]+\b", "HEX"),
    (r"\b[0-9a-fA-F]{8,}\b", "HEX"),
    (r"(?<=[^A-Za-z0-9])([\-\+]?\d+)(?=[^A-Za-z0-9]|$)", "NUM"),
)

Parsed = tuple[list[int], dict[int, str]]  # the id of each line as it came, the last text of each


def run() -> dict[str, Any]:
    """Print both tables and return their figures; CPU time, so that other load does not count."""
    found: dict[str, Any] = {}
    if DATA.is_dir():
        found |= _accuracy()
    else:
        print(f"no labelled logs at ../{DATA.relative_to(DATA.parents[2])}: accuracy not measured")
    return found | _speed()


def _accuracy() -> dict[str, Any]:
    found: dict[str, Any] = {}
    systems = sorted(path.name for path in DATA.iterdir() if path.is_dir())
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
    return found


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


def _drain3(lines: Sequence[str], masks: Sequence[tuple[str, str]] = ()) -> Parsed:
    config = TemplateMinerConfig()
    config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in masks]
    miner = TemplateMiner(config=config)
    ids = [int(miner.add_log_message(line)["cluster_id"]) for line in lines]
    return ids, {cluster.cluster_id: cluster.get_template() for cluster in miner.drain.clusters}


def _masked(lines: Sequence[str]) -> Parsed:
    return _drain3(lines, MASKS)


_ENGINES = {"ours": _ours, "drain3": _drain3, "drain3_masks": _masked}


def _speed() -> dict[str, Any]:
    mixed, new, seen, state = _mixed(LINES), _unlike(100_000), Templates(), Templates()
    blocks = _blocks(mixed)
    rates = {
        "mixed lines, blocks of 256 KiB": _rate(
            lambda _: [take_block(seen, block) for block in blocks], mixed
        ),
        "drain3": _rate(_drain3, mixed[:100_000]),
        "drain3, masks": _rate(_masked, mixed[:100_000]),
        "every line a new template": _rate(lambda some: templates_of(state, some), new[:10_000]),
    }
    templates_of(state, new[10_000:90_000])
    rates["the same at 100,000 templates"] = _rate(lambda some: templates_of(state, some), new[90_000:])
    for name, rate in rates.items():
        print(f"{name:<36}{rate:>12,.0f} lines/s")
    waits = _waits(mixed[:100_000])
    print("{:<36}{:>12.1f} us median, {:.0f} p99, {:.0f} p99.9".format("line by line", *waits))
    return {"lines_s": rates, "one_line_us_p50_p99_p999": waits}


def _blocks(lines: Sequence[str]) -> list[bytes]:
    whole = ("\n".join(lines) + "\n").encode()
    blocks, at = [], 0
    while at < len(whole):
        end = whole.find(b"\n", min(at + BLOCK, len(whole) - 1)) + 1
        blocks.append(whole[at:end])
        at = end
    return blocks


def _mixed(count: int) -> list[str]:
    """Return bursts of lines of many systems, each with its digits drawn anew."""
    chance = random.Random(SEED)
    if DATA.is_dir():
        sources = [
            [row[0] for row in _labelled(path.name)] for path in sorted(DATA.iterdir()) if path.is_dir()
        ]
    else:
        sources = [[said.format(k, k) for said in SAID for k in range(9)]]
    lines: list[str] = []
    while len(lines) < count:
        source = chance.choice(sources)
        at = chance.randrange(len(source) - 40)
        lines += [
            re.sub("[0-9]+", lambda m: f"{chance.randrange(10 ** len(m[0])):0{len(m[0])}}", line)
            for line in source[at : at + 40]
        ]
    return lines[:count]


def _unlike(count: int) -> list[str]:
    chance = random.Random(SEED)
    words = ["".join(chance.choices("abcdefghijklmnop", k=6)) for _ in range(3000)]
    return [
        f"{' '.join(chance.choices(words, k=8))} {k} in {k % 99} ms from 10.0.0.{k % 250}"
        for k in range(count)
    ]


def _rate(take: Callable[[Sequence[str]], Any], lines: Sequence[str]) -> float:
    began = time.process_time()
    take(lines)
    return len(lines) / (time.process_time() - began)


def _waits(lines: Sequence[str]) -> list[float]:
    state, waits = Templates(), []
    for line in lines:
        began = time.process_time()
        template_of(state, line)
        waits.append((time.process_time() - began) * 1e6)
    waits.sort()
    return [waits[int(len(waits) * share)] for share in (0.5, 0.99, 0.999)]
