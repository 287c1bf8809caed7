"""Topics in one pass against true intents, with and without the encoder, beside two peers in the same run."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from benchmarks._encoded import remembered
from pipeline.complaints.encoders import Dense, installed
from pipeline.complaints.topic_space import Space
from pipeline.complaints.topics import Topics
from pipeline.complaints.words import Rarity, Vector, columns, plain

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "complaints_dev"
SETS = {
    "banking77": "en_banking77",
    "clinc150": "en_clinc150",
    "cic": "zh_cic",
    "arbanking77": "ar_arbanking77",
}
SEED = 11
TEXTS = 3_000  # of each set, in a drawn order, a minute apart
BATCH = 100  # texts a peer waits for before it learns

Way = Callable[[list[str], list[Vector], Dense | None, int], list[str]]


def run() -> dict[str, float]:
    """Print NMI / ARI of what each text was called as it came, and return the figures."""
    found: dict[str, float] = {}
    if not DATA.is_dir():
        print("no labelled complaints beside the checkout: topics not measured")
        return found
    print(f"{'topics, NMI / ARI / topics / texts a CPU-s':<44}" + "".join(f"{name:>26}" for name in SETS))
    drawn = {name: _drawn(file) for name, file in SETS.items()}
    encoded = (
        {name: remembered("use").encode([plain(t) for t, _ in drawn[name]]) for name in SETS}
        if installed("use")
        else {}
    )
    for label, way in WAYS.items():
        for model in ("hash", *(("use",) if encoded else ())):
            cells = []
            for name, rows in drawn.items():
                texts, intents = [t for t, _ in rows], [i for _, i in rows]
                rarity = Rarity()
                vectors = [rarity.weigh(*cut) for cut in columns([plain(t) for t in texts])]
                began = time.process_time()
                told = way(texts, vectors, encoded.get(name) if model == "use" else None, len(set(intents)))
                speed = len(texts) / (time.process_time() - began)
                nmi = float(normalized_mutual_info_score(intents, told))
                ari = float(adjusted_rand_score(intents, told))
                found |= {f"{label}_{model}_{name}_nmi": nmi, f"{label}_{model}_{name}_ari": ari}
                cells.append(f"{nmi:.3f} / {ari:.3f} / {len(set(told)):>3} / {speed:>5.0f}")
            print(f"{WORDS[label] + ', ' + model:<44}" + "".join(f"{cell:>26}" for cell in cells))
    return found


def _drawn(file: str) -> list[tuple[str, str]]:
    with gzip.open(DATA / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [(one["text"], one["intent"]) for one in map(json.loads, lines)]
    order = np.random.default_rng(SEED).permutation(len(rows))[:TEXTS]
    return [rows[k] for k in order]


def _ours(texts: list[str], vectors: list[Vector], rows: Dense | None, known: int) -> list[str]:
    state = Topics()
    return [
        state.place(v, t, dense=None if rows is None else rows[k], time=60.0 * k)
        for k, (v, t) in enumerate(zip(vectors, texts, strict=True))
    ]


def _kmeans(texts: list[str], vectors: list[Vector], rows: Dense | None, known: int) -> list[str]:
    """Learn from each batch, then name it: what it is told of the number of intents, ours is not."""
    space, flat = Space(), []
    for k, v in enumerate(vectors):
        point = space.point(v, None if rows is None else rows[k])
        one = np.zeros(2_048 + len(point.row), np.float32)
        one[point.fold], one[2_048:] = point.said, point.row
        flat.append(one)
    columns = np.array(flat)
    model = MiniBatchKMeans(known, random_state=SEED, n_init=3, batch_size=BATCH)
    told: list[str] = []
    for at in range(0, len(columns), BATCH):
        part = columns[at : at + BATCH]
        model.partial_fit(part)
        told += [str(k) for k in model.predict(part)]
    return told


WAYS: dict[str, Way] = {"ours": _ours, "kmeans": _kmeans}
WORDS = {"ours": "ours", "kmeans": "MiniBatchKMeans, told how many"}

if __name__ == "__main__":
    run()
