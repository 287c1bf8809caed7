"""Labelled complaints to which known topic a text is about, and how surely: 0 where it is none of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.complaints.encoders import Dense
from pipeline.complaints.head import Head
from pipeline.complaints.words import Vector

FEW = 3  # labels a topic below which nothing is known
# By how much the likeliest topic's margin must exceed the next one's to be likely, and sure. On banking77, 20
# labels a topic for half of them: 1.2 in the middle where it is right, 0.24 for a text of no known topic.
MAYBE, SURELY = 0.1, 0.6


@dataclass(slots=True)
class Known:
    """What closed tickets say of topics. Owned by ComplaintState; its size is that of a Head."""

    head: Head = field(default_factory=Head)

    def teach(self, id: str, topic: str, vector: Vector, dense: Dense) -> None:
        self.head.teach(id, topic, vector, dense if len(dense) else None)

    def of(self, vector: Vector, dense: Dense) -> tuple[int, float]:
        """Return the number of the likeliest topic, from 1, and how surely it is that one, 0-1."""
        topics = self.head.services
        if len(topics) < 2 or len(self.head.names) < FEW * len(topics):
            return 0, 0.0
        # Nobody labels the last one: what it gets is what a margin of -1 is worth.
        found = self.head.evidence((*topics, ""), vector, dense if len(dense) else None)
        margin = found[:-1] / -found[-1]
        best = int(margin.argmax())
        gap = float(margin[best] - np.delete(margin, best).max())
        sure = min(max((gap - MAYBE) / (SURELY - MAYBE), 0.0), 1.0)
        return (best + 1, sure) if sure > 0 else (0, 0.0)
