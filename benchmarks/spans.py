"""Faults of two systems of microservices, of which only traces tell: paged, and the cause first?

The recordings hold spans of the minutes around each fault only, in pieces of ten seconds. So the time before
is spliced: pieces of quiet time of all faults, drawn at random for two and a half hours; then a fault's own
pieces follow, up to three minutes. A piece tells how many spans of a kind there were and how long the middle
one took; each is drawn around that. What is learned is the same for all faults. No failures are recorded.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline import config, frame
from pipeline.config import Config
from pipeline.flow import Pipeline
from pipeline.frame import Frame
from pipeline.ingest.door import span_frames
from pipeline.ingest.evidence import Bundles, folders, read_spans
from pipeline.series import pack
from pipeline.types import Seconds, Step, Traced

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "recordings"
RECORDINGS = ("OB-1", "TT-1", "TT-2")
PIECE: Seconds = 10.0
LEARNED = 150 * 60
START = 1_790_000_000.0
SPREAD = 0.5  # of the log of a span's time around its bundle's: nine tenths take less than 1.9 times
ODD = 20.0  # times its usual, and a third of a second: the wait of a piece that is none of quiet time


class Fault(NamedTuple):
    name: str
    service: str
    kind: str
    injected: Seconds


class Heard(NamedTuple):
    paged: bool
    right: bool
    after: Seconds  # it was paged; NaN where it was not


def run() -> dict[str, float]:
    """Print what was found by kind of fault, with the catalogue and without; five minutes."""
    if not DATA.is_dir():
        print("no labelled recordings at ../shared/data/recordings: faults in spans not measured")
        return {}
    figures: dict[str, float] = {}
    for known in (True, False):
        heard: dict[str, list[Heard]] = defaultdict(list)
        false = sum(_listen(DATA / name, known, heard) for name in RECORDINGS)
        title = "the catalogue says who calls whom" if known else "without a catalogue"
        table = Table(title=f"{title}; {false} false pages in {len(RECORDINGS) * LEARNED / 3600:g} h")
        for column in ("fault", "seen", "paged", "right cause first", "median s until the page"):
            table.add_column(column, justify="left" if column == "fault" else "right")
        for kind, found in sorted(heard.items()):
            paged, right = sum(h.paged for h in found), sum(h.right for h in found)
            after = float(np.median([h.after for h in found if h.paged])) if paged else math.nan
            table.add_row(kind, str(len(found)), str(paged), str(right), f"{after:.0f}")
            figures |= {f"{title}: {kind}, paged": paged, f"{title}: {kind}, right": right}
        figures[f"{title}: false pages"] = false
        Console(width=110).print(table)
    return figures


def _listen(recording: Path, known: bool, heard: dict[str, list[Heard]]) -> int:
    """Hear each fault after the same quiet time; return how often that was paged for."""
    told = json.loads((recording / "labels.json").read_text())
    told = told if isinstance(told, list) else told["faults"]
    faults = [Fault(f["fault_id"], f["service"], f["fault_type"], f["inject_time"]) for f in told]
    bundles = {path.name: found for path in folders(recording) if (found := read_spans(path)) is not None}
    faults = [fault for fault in faults if fault.name in bundles]
    settings = config.load(catalog=recording / "catalog.yaml") if known else config.load()
    shop = Spliced(bundles, faults)
    pipeline = Pipeline(settings)
    quiet = [shop.quiet() for _ in range(int(LEARNED / PIECE))]
    false = {i.id for step in _steps(pipeline, shop, quiet, START) for i in step.incidents if i.paged}
    state = pipeline.snapshot()
    for fault in faults:
        heard[fault.kind].append(_hear(settings, state, shop, fault))
    return len(false)


def _hear(settings: Config, state: bytes, shop: Spliced, fault: Fault) -> Heard:
    time = shop.bundles[fault.name].time
    pieces = [(fault.name, t) for t in np.unique(time[time >= fault.injected - PIECE / 2]).tolist()]
    steps = _steps(Pipeline.restore(settings, state), shop, pieces, START + LEARNED)
    newest = {i.id: i for step in steps for i in step.incidents}
    new = [i for i in newest.values() if i.paged and i.paged > START + LEARNED]
    paged = sorted(new, key=lambda i: (i.paged, i.id))
    if not paged or paged[0].paged is None:
        return Heard(False, False, math.nan)
    return Heard(True, paged[0].suspects[0].service == fault.service, paged[0].paged - START - LEARNED)


def _steps(
    pipeline: Pipeline, shop: Spliced, pieces: list[tuple[str, Seconds]], start: Seconds
) -> Iterator[Step]:
    for k, (name, piece) in enumerate(pieces):
        now = start + (k + 1) * PIECE
        for each in (*shop.frames(name, piece, now), frame.tick(now)):
            step = pipeline.take(each, pipeline.memory.position + 1)
            if step is not None:
                yield step


class Spliced:
    """Pieces of recordings as the spans that they were counted from."""

    def __init__(self, bundles: dict[str, Bundles], faults: list[Fault]) -> None:
        self.bundles = bundles
        self.chance = np.random.default_rng(7)
        self._ids = 0
        gaps = defaultdict(list)
        for found in bundles.values():
            for k in np.flatnonzero(~np.isnan(found.gap)).tolist():
                gaps[found.caller[k], found.callee[k]].append(found.gap[k])
        self._usual = {way: float(np.median(each)) for way, each in gaps.items()}
        self._quiet = [
            (fault.name, piece)
            for fault in faults
            for piece in np.unique(bundles[fault.name].time).tolist()
            if piece < fault.injected - PIECE and not self._odd(fault.name, piece)
        ]

    def quiet(self) -> tuple[str, Seconds]:
        return self._quiet[int(self.chance.integers(len(self._quiet)))]

    def frames(self, name: str, piece: Seconds, now: Seconds) -> tuple[Frame, ...]:
        """Return the spans of a piece, which end in the ten seconds before now."""
        found, labels = self.bundles[name], dict[bytes, int]()
        rows: list[tuple[int, int, int, float]] = []  # kind, key, parent, duration
        for k in np.flatnonzero(found.time == piece).tolist():
            caller, callee = found.caller[k], found.callee[k]
            if caller == callee:
                continue
            for _ in range(int(found.spans[k])):
                took = max(found.duration[k], 1e-6) * float(self.chance.lognormal(0, SPREAD))
                own, parent = self._id(), self._id() if caller else 0
                if caller:
                    wait = max(found.gap[k], 0.0) * float(self.chance.lognormal(0, SPREAD))
                    client = pack({"service": caller, "role": "client", "peer": callee})
                    rows.append((labels.setdefault(client, len(labels)), parent, 0, took + wait))
                server = pack({"service": callee, "role": "server", "op": found.op[k]})
                rows.append((labels.setdefault(server, len(labels)), own, parent, took))
        if not rows:
            return ()
        kind, key, above, duration = (np.array(column) for column in zip(*rows, strict=True))
        ended = now - self.chance.uniform(0, PIECE, len(rows))
        return span_frames(
            now, "otlp_traces",
            Traced(
                tuple(labels), kind.astype(np.int32), key.astype(np.uint64), above.astype(np.uint64), ended,
                duration, np.zeros(len(rows), np.bool_),
            ),
        )  # fmt: skip

    def _odd(self, name: str, piece: Seconds) -> bool:
        """Say whether some way waits as no way does in quiet time: an earlier fault goes on."""
        found = self.bundles[name]
        return any(
            found.gap[k] > max(1 / 3, ODD * self._usual[found.caller[k], found.callee[k]])
            for k in np.flatnonzero((found.time == piece) & ~np.isnan(found.gap)).tolist()
        )

    def _id(self) -> int:
        self._ids += 1
        return self._ids
