"""A complaint's letters and dense vector to the reason why it cannot wait, "" for most; taught by `said`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.complaints.encoders import Dense

SAID = Path(__file__).parent / "said"
LEARNED = SAID / "use.npz"
REASONS = ("life and safety", "security", "business blocked", "money", "legal", "ordinary")
BITS = 15  # of the hash of a run of letters
READ = 400  # letters that are read
RUNS = (3, 4, 5)  # how long they are
RUNS_HAN = (1, 2, 3)  # a Chinese character is a word, or half of one
LONGER = 0.25  # the power of their number by which their sum is divided: at 0.5 long texts were not heard
LETTERS = 0.5  # what the letters weigh beside the meaning: less found less, more took look-alikes

_HAN = re.compile(r"[\u3400-\u9fff]")
_KNUTH = np.uint32(2654435761)
_MIX = np.uint32(2246822519)


@dataclass(frozen=True, slots=True)
class Nets:
    """Six small nets on the 512 columns of the encoder, and two lines on runs of letters; 2 MB.

    Scores are log odds of any harm. `sure` is what takes about 1 in 1,000 ordinary texts of intents that
    were not taught: by the meaning, by both, and by the letters. Chinese has a line and bounds of its own.
    """

    first: Dense  # (nets, 512, hidden)
    one: Dense  # (nets, 1, hidden)
    second: Dense  # (nets, hidden, 6)
    two: Dense  # (nets, 1, 6)
    letters: Dense  # (2 * 2 ** BITS, 6), the second half of texts in Chinese
    start: Dense  # (2, 6), the second row of these
    sure: Dense  # (2, 3), so, too
    examples: str  # the digest of the sentences they were taught

    def chances(self, dense: Dense) -> Dense:
        """Return the probability of each of REASONS for (n, 512) rows, (n, 6) in 0-1."""
        hidden = np.maximum(dense @ self.first + self.one, 0)
        found: Dense = _odds(hidden @ self.second + self.two).mean(axis=0)
        return found

    def spelt(self, said: str) -> Dense:
        """Return the same of a folded text by its letters, (6,)."""
        at = runs(said)
        score = self.letters[at].sum(axis=0) / max(1.0, len(at)) ** LONGER + self.start[int(chinese(said))]
        return _odds(score)


def _odds(score: Dense) -> Dense:
    power = np.exp(score - score.max(axis=-1, keepdims=True))
    found: Dense = power / power.sum(axis=-1, keepdims=True)
    return found


def harm(chance: Dense) -> Dense:
    """Return the log odds of any harm, (...), of chances, (..., 6)."""
    calm = np.clip(chance[..., -1], 1e-7, 1 - 1e-7)
    found: Dense = np.log1p(-calm) - np.log(calm)
    return found


def chinese(said: str) -> bool:
    return _HAN.search(said) is not None


def runs(said: str) -> NDArray[np.int64]:
    """Return the places of the text's runs of letters, each once, in order."""
    letters = np.frombuffer(f" {said[:READ]} ".encode("utf-32-le", "replace"), np.uint32)
    han = chinese(said)
    sizes = RUNS_HAN if han else RUNS
    places = []
    run = letters * _KNUTH
    for size in range(1, max(sizes) + 1):
        if size in sizes:
            places.append(((run ^ run >> np.uint32(15)) * _MIX >> np.uint32(32 - BITS)).astype(np.int64))
        run = run[:-1] * np.uint32(31) ^ letters[size:] * _MIX
    found = np.sort(np.concatenate(places))
    once = np.ones(len(found), np.bool_)
    np.not_equal(found[1:], found[:-1], out=once[1:])
    return found[once] + (han << BITS)


def meant(said: str, dense: Dense | None, *, taught: bool = True) -> str:
    """Return the reason of a folded text, "" where it is less than sure.

    `dense` is its row of the encoder, (512,); `taught` says that the text is in a language whose
    letters were taught. About 50 us.
    """
    nets = learned()
    meaning = nets.chances(dense[None])[0] if dense is not None and dense.any() else None
    letters = nets.spelt(said) if taught and said else None
    sure = nets.sure[int(chinese(said))]
    if meaning is not None and letters is not None:
        score, bar = harm(meaning) + LETTERS * harm(letters), sure[1]
    elif meaning is not None:
        score, bar = harm(meaning), sure[0]
    elif letters is not None:
        score, bar = harm(letters), sure[2]
    else:
        return ""
    if score <= bar:
        return ""
    best = meaning if meaning is not None else letters
    assert best is not None
    return REASONS[int(best[:-1].argmax())]


@cache
def learned() -> Nets:
    """Return the nets that ship, read once a process."""
    with np.load(LEARNED, allow_pickle=False) as kept:
        return Nets(
            first=kept["first"].astype(np.float32),
            one=kept["one"].astype(np.float32),
            second=kept["second"].astype(np.float32),
            two=kept["two"].astype(np.float32),
            letters=kept["letters"].astype(np.float32) * kept["step"],
            start=kept["start"],
            sure=kept["sure"],
            examples=str(kept["examples"]),
        )


def examples() -> tuple[list[str], list[int], list[str]]:
    """Return our own sentences, the place of each one's reason in REASONS, and its language."""
    text: list[str] = []
    reason: list[int] = []
    lang: list[str] = []
    for file in sorted(SAID.glob("*.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                now = REASONS.index(line.strip("[]"))
            elif line:
                text.append(line)
                reason.append(now)
                lang.append(file.stem)
    return text, reason, lang


def digest() -> str:
    """Return what changes with any example: a net of other sentences is out of date."""
    text, reason, _ = examples()
    return hashlib.sha256(repr((text, reason)).encode()).hexdigest()[:16]
