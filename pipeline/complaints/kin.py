"""A complaint and the complaints of an incident in, how far it says what they say out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.complaints.encoders import Dense
from pipeline.complaints.words import SIZE, WIDTH, Ints, Rarity, Singles, Vector, alike, columns, plain
from pipeline.types import Floats

MAX_KEPT = 2_000  # complaints, the oldest go first; 1 kB each, 3 kB with an encoder
NEWEST = 20  # complaints of an incident that speak for it
UNRELATED = 10  # the likest of the others say how alike such a text is to anything
# Part of that likeness which an incident must exceed. Tuned on half of the intents of banking77 and CIC.
USUAL = 0.6
LEAST = 0.05  # cosine below which nothing is alike, however unusual the text
MEANING = 0.5  # weight of the encoder's cosine beside the n-grams', where there is one


@dataclass(slots=True)
class Kin:
    """What the latest complaints say, a ring of MAX_KEPT rows. Owned by CorrelateState."""

    rarity: Rarity = field(default_factory=Rarity)
    count: int = 0  # ever taken; row of a complaint = its number % MAX_KEPT
    ids: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)  # id -> row
    index: Ints = field(default_factory=lambda: np.zeros((64, WIDTH), np.int32))
    weight: Singles = field(default_factory=lambda: np.zeros((64, WIDTH), np.float32))
    sense: Dense = field(default_factory=lambda: np.zeros((64, 0), np.float32))  # rows of length 1

    def add(self, id: str, text: str, sense: Dense | None = None) -> None:
        """Take a complaint; one that is there already is left as it is. 200 us.

        `sense` is its row of the sentence encoder, less what all texts share, where one is used for all.
        """
        if id in self.rows:
            return
        vector = self.rarity.weigh(*columns([plain(text)])[0])
        row = self.count % MAX_KEPT
        self._room(row, 0 if sense is None else len(sense))
        if row < len(self.ids):
            del self.rows[self.ids[row]]
            self.ids[row] = id
        else:
            self.ids.append(id)
        self.rows[id] = row
        self.index[row], self.weight[row] = vector.index, vector.weight
        if sense is not None:
            self.sense[row] = sense
        self.count += 1

    def near(self, id: str) -> Floats:
        """Return the cosine of a complaint with each that is kept, itself among them, (n,); 0 if unknown."""
        n, row = len(self.ids), self.rows.get(id)
        if row is None:
            return np.zeros(n)
        by_words = alike(self.index[:n], self.weight[:n], Vector(self.index[row], self.weight[row]))
        if not self.sense.shape[1]:
            return by_words
        meaning = self.sense[:n] @ self.sense[row]
        return np.asarray((1 - MEANING) * by_words + MEANING * meaning, np.float64)

    def closeness(
        self, near: Floats, incidents: Sequence[Iterable[str]], apart: Iterable[str] = ()
    ) -> Floats:
        """Return how far the complaint whose `near` it is says what each incident's complaints say.

        (incidents,): the cosine with their centre less USUAL of that with the likest unrelated ones;
        above 0 it belongs to the incident, the more the likelier. `apart` are further ids that say
        nothing about what is unrelated, its own at least.
        """
        members = [self._newest(ids) for ids in incidents]
        theirs = {self.rows[id] for ids in (apart, *incidents) for id in ids if id in self.rows}
        others = np.ones(len(near), bool)
        others[list(theirs)] = False
        likest = np.sort(near[others])[-UNRELATED:]
        usual = max(LEAST, USUAL * float(likest.sum()) / UNRELATED)
        return np.array([self._centre(near, rows) - usual for rows in members])

    def _newest(self, ids: Iterable[str]) -> list[int]:
        return [self.rows[id] for id in ids if id in self.rows][-NEWEST:]

    def _centre(self, near: Floats, rows: list[int]) -> float:
        """Return the cosine with the centre of the rows; 0 where there is none."""
        if not rows:
            return 0.0
        words = np.bincount(self.index[rows].ravel(), self.weight[rows].ravel(), SIZE)
        spread = float(words @ words)
        if self.sense.shape[1]:
            meant = self.sense[rows].sum(0)
            spread = (1 - MEANING) * spread + MEANING * float(meant @ meant)
        return float(near[rows].sum() / max(spread, 1e-9) ** 0.5)

    def _room(self, row: int, dim: int) -> None:
        if dim and not self.sense.shape[1]:
            self.sense = np.zeros((len(self.index), dim), np.float32)
        if row < len(self.index):
            return
        more = min(2 * len(self.index), MAX_KEPT)
        for name in ("index", "weight", "sense"):
            old = getattr(self, name)
            new = np.zeros((more, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)
