"""Logs that go wrong: odd HDFS blocks against their labels, and TrainTicket's faulty service from logs."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import rankdata

from detectors.base import Floats
from detectors.sessions import ODD, Usual, learn, odd
from pipeline.logs import LogState, read_lines
from pipeline.logs.sessions import log_surprise
from pipeline.logs.templates import Templates, templates_of
from pipeline.series import Series, pack
from pipeline.types import Batch, Lines, Seconds

DATA = Path(__file__).parents[1].parent / "shared" / "data"
WINDOW = 120.0  # s after the injection in which the services are ranked
FRAME = 5.0  # s of lines handed over at a time
WARM_UP = 0.1  # share of blocks that are only learned


def hdfs() -> dict[str, float]:
    """Print F1 at the shipped threshold and AUC of HDFS blocks, each judged once, as its last line comes."""
    folder = DATA / "hdfs_2pct"
    if not folder.is_dir():
        print("no labelled HDFS blocks at ../shared/data/hdfs_2pct: odd sessions not measured")
        return {}
    table = pq.read_table(folder / "hdfs_events.parquet")
    labels = pq.read_table(folder / "hdfs_seqs.parquet")
    truth = dict(zip(labels["seq_id"].to_pylist(), labels["anomaly"].to_pylist(), strict=True))
    blocks = table["seq_id"].to_pylist()
    left = Counter(blocks)
    state, usual = Templates(), Usual()
    held: dict[str, Counter[int]] = {}
    surprise, wrong = [], []
    for block, id in zip(blocks, templates_of(state, table["m_message"].to_pylist()), strict=True):
        held.setdefault(block, Counter())[id] += 1
        left[block] -= 1
        if left[block]:
            continue
        lines = held.pop(block)
        surprise.append(odd(usual, lines).surprise)
        wrong.append(bool(truth[block]))
        learn(usual, lines)
    first = int(WARM_UP * len(wrong))
    scores, labelled = np.array(surprise[first:]), np.array(wrong[first:])
    found = {"hdfs_f1": _f1(scores >= ODD, labelled), "hdfs_auc": _auc(scores, labelled)}
    print(
        f"HDFS, {len(labelled):,} blocks, {labelled.sum()} anomalous: F1 {found['hdfs_f1']:.3f} "
        f"at surprise {ODD:g}, AUC {found['hdfs_auc']:.4f}"
    )
    return found


def train_ticket() -> dict[str, float]:
    """Print how often the faulty service is ranked first and among three by its log lines alone.

    Lines go through `read_lines` in the order of their time, all days and phases as one stream; a fault's
    services are ranked as its window ends, from what came before, earlier faults included. The name of a
    service is its pod's without the two parts that Kubernetes adds; ids of traces are found in the text.
    """
    folder = DATA / "nezha_tt_logs"
    if not folder.is_dir():
        print("no TrainTicket logs at ../shared/data/nezha_tt_logs: ranking by logs not measured")
        return {}
    table = pq.read_table(folder / "tt_logs.parquet", columns=["ts", "pod", "log"]).sort_by("ts")
    times = table["ts"].to_numpy() / 1e9
    services = [_service(pod) for pod in table["pod"].to_pylist()]
    texts = table["log"].to_pylist()
    faults = sorted(json.loads((folder / "faults.json").read_text()), key=lambda fault: fault["t0"])
    state, series = LogState(), Series()
    rows = series.intern([pack({"service": service}) for service in services])
    places, told = [], Counter[str]()
    at = int(np.searchsorted(times, 1.6e9))  # some sets of this source have rows of the year 1754
    for fault in [*faults, None]:
        end = fault["t0"] + WINDOW if fault is not None else np.inf
        while at < len(times) and times[at] < end:
            now: Seconds = min(times[at] + FRAME, end)
            to = int(np.searchsorted(times, now))
            lines = Lines(rows[at:to], times[at:to], tuple(texts[at:to]), ("",) * (to - at))
            told.update(signal.detector for signal in read_lines(state, Batch(lines=lines), series, now))
            at = to
        if fault is not None:
            found = log_surprise(state.sessions, fault["t0"], end)
            ranked = sorted(found, key=lambda service: (-found[service].surprise, service))
            right = _service(fault["inject_pod"])
            places.append(ranked.index(right) + 1 if right in ranked else len(ranked) + 1)
    first, three = (sum(place <= k for place in places) / len(places) for k in (1, 3))
    print(
        f"TrainTicket, {len(places)} faults, logs alone: service first {first:.2f}, in three {three:.2f}; "
        f"signals {dict(sorted(told.items()))}"
    )
    return {"train_ticket_first": first, "train_ticket_three": three}


def _service(pod: str) -> str:
    return re.sub(r"-[0-9a-f]{8,10}-[0-9a-z]{5}$", "", pod)


def _f1(told: Any, wrong: Any) -> float:
    return float(2 * (told & wrong).sum() / (told.sum() + wrong.sum()))


def _auc(scores: Floats, wrong: Any) -> float:
    """Return the chance that an anomalous block has the higher score; equal ones count a half."""
    bad = int(wrong.sum())
    ranks = rankdata(scores)[wrong].sum()
    return float((ranks - bad * (bad + 1) / 2) / (bad * (len(wrong) - bad)))
