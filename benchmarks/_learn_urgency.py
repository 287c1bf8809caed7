"""Our own sentences to the net that reads urgency from meaning; prints what it finds and what it takes."""

from __future__ import annotations

import gzip

import msgspec
import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks._complaint_urgency import HARM, ORDINARY, Ordinary
from pipeline.complaints.encoders import Dense, encoder
from pipeline.complaints.urgency import urgent
from pipeline.complaints.urgency.meant import LEARNED, REASONS, SURE, Net, digest, examples

FOLDS = 5
CALM = len(REASONS) - 1


def run() -> dict[str, float]:
    """Return recall on sentences left out of the lesson, and the false rate on others' ordinary texts."""
    text, reasons, langs = examples()
    reason, lang = np.array(reasons), np.array(langs)
    dense = encoder("use").encode(text)
    fold = np.random.default_rng(0).integers(0, FOLDS, len(text))
    sure = np.zeros(len(text))
    for k in range(FOLDS):
        net = learn(dense[fold != k], reason[fold != k])
        sure[fold == k] = 1 - net.chances(dense[fold == k])[:, CALM]
    harm, words = reason != CALM, np.array([bool(urgent(one)) for one in text])
    found = sure > SURE
    out = {
        "recall, words alone": float(words[harm].mean()),
        "recall, meaning alone": float(found[harm].mean()),
        "recall, both": float((found | words)[harm].mean()),
        "ordinary of ours taken, both": float((found | words)[~harm].mean()),
    }
    out |= {f"recall, both, {x}": float((found | words)[harm & (lang == x)].mean()) for x in np.unique(lang)}
    out |= {f"recall, both, {REASONS[k]}": float((found | words)[reason == k].mean()) for k in range(CALM)}
    net = learn(dense, reason)
    keep(net)
    return out | (ordinary(net) if ORDINARY.is_dir() else {})


def learn(dense: Dense, reason: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Net:
    model = MLPClassifier(
        (64,), alpha=1.2, max_iter=60, random_state=6, learning_rate_init=0.003, batch_size=100
    ).fit(dense, reason)
    (first, second), (one, two) = model.coefs_, model.intercepts_
    return Net((first, second), (one, two), digest())


def keep(net: Net) -> None:
    half = [part.astype(np.float16) for part in (*net.weights, *net.biases)]
    np.savez_compressed(
        LEARNED, first=half[0], second=half[1], one=half[2], two=half[3], examples=np.array(net.examples)
    )


def ordinary(net: Net) -> dict[str, float]:
    decode = msgspec.json.Decoder(Ordinary).decode
    out = {}
    for file in sorted(ORDINARY.glob("*.jsonl.gz")):
        rows = [decode(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
        calm = [row.text for row in rows if row.intent not in HARM]
        sure = 1 - net.chances(encoder("use").encode(calm))[:, CALM]
        out[f"ordinary taken by meaning, {file.name.partition('.')[0]}"] = float((sure > SURE).mean())
    return out


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:48} {value:8.4f}")
