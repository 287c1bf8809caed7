"""Complaints to topics for people: each joins the topic nearest to it, or leads a new one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.complaints.words import Ints, Singles, Vector, alike

MAX_TOPICS = 1_000  # the one unheard of longest goes first; 3 kB each
BREADTH = 256  # columns kept of a topic's centre, the heaviest
NEAR = 0.2  # cosine to a centre from which a complaint belongs; best ARI on banking77 and CLINC150
TITLE = 60  # characters of the leading complaint that name the topic


@dataclass(slots=True)
class Topics:
    """Centres of the topics as columns, with the names they keep for good. Owned by ComplaintState."""

    made: int = 0
    heard: int = 0
    names: list[str] = field(default_factory=list)
    used: list[int] = field(default_factory=list)  # number of the newest complaint of each
    index: Ints = field(default_factory=lambda: np.zeros((0, BREADTH), np.int32))
    weight: Singles = field(default_factory=lambda: np.zeros((0, BREADTH), np.float32))

    def place(self, vector: Vector, text: str) -> str:
        """Return the topic's name, such as "17 Waiting forever for checkout"; it never changes."""
        self.heard += 1
        if self.names:
            length = np.sqrt(np.einsum("ij,ij->i", self.weight, self.weight))
            cosine = alike(self.index, self.weight, vector) / np.maximum(length, 1e-9)
            k = int(cosine.argmax())
            if cosine[k] >= NEAR:
                self.used[k] = self.heard
                self.index[k], self.weight[k] = _sum(self.index[k], self.weight[k], vector)
                return self.names[k]
        self.made += 1
        name = f"{self.made} {' '.join(text.split())[:TITLE]}".rstrip()
        self._lead(name, vector)
        return name

    def _lead(self, name: str, vector: Vector) -> None:
        if len(self.names) < MAX_TOPICS:
            self.names.append("")
            self.used.append(0)
            blank = np.zeros((1, BREADTH))
            self.index = np.concatenate([self.index, blank.astype(np.int32)])
            self.weight = np.concatenate([self.weight, blank.astype(np.float32)])
        k = self.used.index(min(self.used))
        self.names[k], self.used[k] = name, self.heard
        self.index[k], self.weight[k] = _sum(np.zeros(0, np.int32), np.zeros(0, np.float32), vector)


def _sum(index: Ints, weight: Singles, vector: Vector) -> tuple[Ints, Singles]:
    """Return the columns of both added up, cut to the BREADTH heaviest and padded."""
    columns, place = np.unique(np.concatenate([index, vector.index]), return_inverse=True)
    total = np.zeros(len(columns), np.float32)
    np.add.at(total, place, np.concatenate([weight, vector.weight]))
    kept = np.sort(np.argsort(-total, kind="stable")[:BREADTH])
    out_index, out_weight = np.zeros(BREADTH, np.int32), np.zeros(BREADTH, np.float32)
    out_index[: len(kept)], out_weight[: len(kept)] = columns[kept], total[kept]
    return out_index, out_weight
