"""Our own sentences to the nets that read urgency; prints what they find and what they take."""

from __future__ import annotations

import warnings
import zlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from benchmarks._complaint_urgency import HARM, Ordinary, read_ordinary, taught
from pipeline.complaints.encoders import Dense, encoder
from pipeline.complaints.urgency import folded, worst
from pipeline.complaints.urgency.meant import (
    BITS,
    LEARNED,
    LETTERS,
    LONGER,
    REASONS,
    Nets,
    chinese,
    digest,
    examples,
    harm,
    runs,
)

FOLDS = 3
NETS = 6
CALM = len(REASONS) - 1
TAKEN = (0.001, 0.001, 0.0007)  # of ordinary texts: by the meaning, by both, by the letters
PARTS = 8  # of the intents that were not taught: seven give the bounds, the eighth judges them
STRICT = (1.5, 10)  # how freely a line follows its examples; Chinese has fewer
TAUGHT = ("en", "de", "fr", "es", "zh")

Ints = NDArray[np.int64]


def run() -> dict[str, float]:
    """Return recall on sentences left out of the lesson, and the false rate on others' ordinary texts."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # few rounds, on purpose
    text, reasons, langs = examples()
    reason, lang = np.array(reasons), np.array(langs)
    dense = encoder("use").encode_many(text)
    said = [folded(one) for one in text]
    calm, may_teach = ordinary()
    lesson = [row for row, is_taught in zip(calm, may_teach, strict=True) if is_taught][::2]
    others = [row for row, is_taught in zip(calm, may_teach, strict=True) if not is_taught]
    rows = encoder("use").encode_many([row.text for row in lesson])
    kept = encoder("use").encode_many([row.text for row in others])
    spelt = [folded(row.text) for row in lesson]
    left = [folded(row.text) for row in others]
    words = np.array([bool(_by_words(one)) for one in text])
    script = scripts(left)
    part = np.array([zlib.crc32(row.intent.encode()) // 2 % PARTS for row in others])
    left_words = np.array([bool(_by_words(row.text)) for row in others])
    fold = np.random.default_rng(0).integers(0, FOLDS, len(text))
    found = np.zeros((3, len(text)), bool)
    for k in [-1, *range(FOLDS)]:  # -1 leaves nothing out
        mine = np.flatnonzero(fold != k)
        nets = learn(
            np.concatenate([dense[mine], rows]),
            [*(said[i] for i in mine), *spelt],
            np.concatenate([reason[mine], np.full(len(rows), CALM)]),
            np.concatenate([lang[mine], np.full(len(rows), "")]),
        )
        calm_scores = scores(nets, kept, left)
        nets = replace(nets, sure=bounds(calm_scores[:, ~left_words], script[~left_words]))
        rest = np.flatnonzero(fold == k)
        if k < 0:
            keep(nets)
            took = np.zeros((3, len(left)), bool)
            for one in range(PARTS):
                of, rest_of = part == one, (part != one) & ~left_words
                bars = bounds(calm_scores[:, rest_of], script[rest_of])
                took[:, of] = calm_scores[:, of] > bars[script[of]].T
        else:
            rated = scores(nets, dense[rest], [said[i] for i in rest])
            found[:, rest] = rated > nets.sure[scripts([said[i] for i in rest])].T
    out: dict[str, float] = {}
    for name, hit, calm_hit in zip(("meaning", "both", "letters"), found, took, strict=True):
        out |= told(f"words and {name}", hit | words, reason, lang)
        out[f"words and {name}, ordinary taken"] = float((calm_hit | left_words).mean())
        for x, of in (("in Latin letters", 0), ("in Chinese", 1)):
            out[f"words and {name}, ordinary taken {x}"] = float((calm_hit | left_words)[script == of].mean())
    return told("words", words, reason, lang) | out


def told(name: str, hit: NDArray[np.bool_], reason: Ints, lang: NDArray[np.str_]) -> dict[str, float]:
    bad = reason != CALM
    out = {f"{name}, recall": float(hit[bad].mean()), f"{name}, look-alikes taken": float(hit[~bad].mean())}
    for x in TAUGHT:
        out[f"{name}, recall, {x}"] = float(hit[bad & (lang == x)].mean())
        out[f"{name}, look-alikes taken, {x}"] = float(hit[~bad & (lang == x)].mean())
    return out | {f"{name}, recall, {REASONS[k]}": float(hit[reason == k].mean()) for k in range(CALM)}


def scripts(said: list[str]) -> Ints:
    """Return 1 for each text in Chinese, 0 for others."""
    return np.array([int(chinese(one)) for one in said])


def bounds(calm: Dense, script: Ints) -> Dense:
    """Return the scores that TAKEN of ordinary texts pass, (2, 3), of their scores, (3, n)."""
    found = [
        [np.quantile(one[script == of], 1 - part) for one, part in zip(calm, TAKEN, strict=True)]
        for of in (0, 1)
    ]
    return np.array(found, np.float32)


def _by_words(text: str) -> bool:
    return bool(worst(folded(text))[1])


def ordinary() -> tuple[list[Ordinary], list[bool]]:
    """Return others' texts that mean no harm, and which may teach: half of the intents of two sets."""
    calm = [row for row in read_ordinary("[!a]*") if row.intent not in HARM]
    return calm, [taught(row.intent) for row in calm]


def learn(dense: Dense, said: list[str], reason: Ints, lang: NDArray[np.str_]) -> Nets:
    parts = [
        MLPClassifier(
            (32,), alpha=0.03, max_iter=15, random_state=k, learning_rate_init=0.003, batch_size=100
        ).fit(dense, reason)
        for k in range(NETS)
    ]
    lines = [line(said, reason, lang, is_chinese) for is_chinese in (False, True)]
    return Nets(
        np.stack([net.coefs_[0] for net in parts]).astype(np.float32),
        np.stack([net.intercepts_[0][None] for net in parts]).astype(np.float32),
        np.stack([net.coefs_[1] for net in parts]).astype(np.float32),
        np.stack([net.intercepts_[1][None] for net in parts]).astype(np.float32),
        np.concatenate([one.coef_.T for one in lines]).astype(np.float32),
        np.stack([one.intercept_ for one in lines]).astype(np.float32),
        np.zeros((2, 3), np.float32),
        digest(),
    )


def line(said: list[str], reason: Ints, lang: NDArray[np.str_], is_chinese: bool) -> LogisticRegression:
    """Return the line on the runs of letters of the texts that are in Chinese, or of those that are not."""
    mine = np.array([k for k, one in enumerate(said) if chinese(one) == is_chinese])
    places = [runs(said[k]) - (is_chinese << BITS) for k in mine]
    each = np.concatenate([np.full(len(one), max(1, len(one)) ** -LONGER) for one in places])
    table = sparse.csr_matrix(
        (each, np.concatenate(places), np.cumsum([0, *map(len, places)])), (len(mine), 1 << BITS)
    )
    weight = np.ones(len(mine))
    calm, tongue = reason[mine] == CALM, lang[mine]
    for one in () if is_chinese else TAUGHT[1:-1]:
        here = (tongue == one) & calm  # else a language seldom taught as ordinary is itself taken for harm
        weight[here] = max(1.0, 0.25 * (tongue == "").sum() / max(1, here.sum()))
    return LogisticRegression(C=STRICT[is_chinese], max_iter=150).fit(
        table, reason[mine], sample_weight=weight
    )


def scores(nets: Nets, dense: Dense, said: list[str]) -> Dense:
    """Return the log odds of harm by the meaning, by both and by the letters, (3, n)."""
    meaning = harm(nets.chances(dense))
    letters = harm(np.stack([nets.spelt(one) for one in said]))
    return np.stack([meaning, meaning + LETTERS * letters, letters])


def keep(nets: Nets) -> None:
    step = np.float32(np.abs(nets.letters).max() / 127)
    half = {name: getattr(nets, name).astype(np.float16) for name in ("first", "one", "second", "two")}
    np.savez_compressed(
        LEARNED,
        **half,
        letters=np.round(nets.letters / step).astype(np.int8),
        step=step,
        start=nets.start,
        sure=nets.sure,
        examples=np.array(nets.examples),
    )


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:52} {value:8.4f}")
