"""A complaint's dense vector to the reason why it cannot wait, "" for most: a small net taught by `said`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from pipeline.complaints.encoders import Dense

SAID = Path(__file__).parent / "said"
LEARNED = SAID / "use.npz"
REASONS = ("life and safety", "security", "business blocked", "money", "legal", "ordinary")
# Of 23,000 ordinary English and Chinese texts about 1 in 1,000 is as sure: benchmarks/_learn_urgency.py.
SURE = 0.83


@dataclass(frozen=True, slots=True)
class Net:
    """512 columns of the encoder to 64 to one probability a reason; 70 kB, of one encoder only."""

    weights: tuple[Dense, Dense]
    biases: tuple[Dense, Dense]
    examples: str  # the digest of the sentences it was taught

    def chances(self, dense: Dense) -> Dense:
        """Return the probability of each of REASONS for (n, 512) rows, (n, 6) in 0-1."""
        hidden = np.maximum(dense @ self.weights[0] + self.biases[0], 0)
        score = hidden @ self.weights[1] + self.biases[1]
        odds = np.exp(score - score.max(axis=1, keepdims=True))
        found: Dense = odds / odds.sum(axis=1, keepdims=True)
        return found


def meant(dense: Dense) -> str:
    """Return the reason of a text by its vector, (512,), "" where the net is less than SURE. About 10 us."""
    if not dense.any():
        return ""
    chance = learned().chances(dense[None])[0]
    if 1 - chance[-1] <= SURE:
        return ""
    return REASONS[int(chance[:-1].argmax())]


@cache
def learned() -> Net:
    """Return the net that ships, read once a process."""
    with np.load(LEARNED, allow_pickle=False) as kept:
        parts = [kept[name].astype(np.float32) for name in ("first", "second", "one", "two")]
        return Net((parts[0], parts[1]), (parts[2], parts[3]), str(kept["examples"]))


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
