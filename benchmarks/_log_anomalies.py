"""Logs that go wrong: odd HDFS blocks against their labels, and TrainTicket's faulty service from logs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import rankdata

from detectors.base import Floats
from detectors.sessions import ODD, Usual, learn, odd
from pipeline.logs.templates import Templates, templates_of

DATA = Path(__file__).parents[1].parent / "shared" / "data"
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


def _f1(told: Any, wrong: Any) -> float:
    return float(2 * (told & wrong).sum() / (told.sum() + wrong.sum()))


def _auc(scores: Floats, wrong: Any) -> float:
    """Return the chance that an anomalous block has the higher score; equal ones count a half."""
    bad = int(wrong.sum())
    ranks = rankdata(scores)[wrong].sum()
    return float((ranks - bad * (bad + 1) / 2) / (bad * (len(wrong) - bad)))
