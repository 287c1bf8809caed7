"""Complaints whose service a person or an incident has told teach what others are about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from pipeline.complaints.encoders import Dense
from pipeline.complaints.words import WIDTH, Ints, Singles, Vector
from pipeline.types import Floats

MAX_LABELS = 3_000  # complaints remembered, the oldest go first; 1 kB each, 3 kB with an encoder
MAX_SERVICES = 200  # that are told apart; labels of further ones are counted and left out
FOLDED = 1 << 14  # columns of the n-grams here; 64 kB a service
AGAIN = 10  # earlier labels that are gone over with each new one, where nothing else is said
# Of the decision in log odds, beside what the catalogue says, once there are many labels; half of it
# where there are few: so none do harm. Measured by benchmarks/_complaint_links.py.
SURE = 8.0
FEW = 10.0  # labels a service, about
COST = 1.0  # of an error: C of the support vector machine, where nothing else is said


@dataclass(slots=True)
class Head:
    """A linear support vector machine, one service against the rest, that learns label by label.

    Hsieh et al. 2008, "A Dual Coordinate Descent Method for Large-scale Linear SVM", algorithm 1, of which
    each label makes some steps: in the limit it is what a training on all labels gives. 0.1 ms a step.
    Owned by ComplaintState.
    """

    services: list[str] = field(default_factory=list)
    count: int = 0  # labels ever taken; row of a label = its number % MAX_LABELS
    ids: dict[str, int] = field(default_factory=dict)  # complaint -> row
    names: list[str] = field(default_factory=list)  # complaint of each row
    label: Ints = field(default_factory=lambda: np.zeros(0, np.int32))  # number of the row's service
    index: Ints = field(default_factory=lambda: np.zeros((0, WIDTH), np.int32))
    weight: Singles = field(default_factory=lambda: np.zeros((0, WIDTH), np.float32))
    sense: Dense = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    pull: Singles = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # (labels, services)
    words: Singles = field(default_factory=lambda: np.zeros((FOLDED, 0), np.float32))
    meaning: Singles = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # (dim, services)
    next: int = 0  # the label to go over again
    dropped: Counter[str] = field(default_factory=Counter)

    def teach(
        self,
        id: str,
        service: str,
        vector: Vector,
        sense: Dense | None = None,
        again: int = AGAIN,
        cost: float = COST,
    ) -> None:
        """Learn that the complaint is about the service; told again, the newer word holds."""
        number = self._number(service)
        if number is None:
            self.dropped["labels of further services"] += 1
            return
        row = self._row(id)
        self._pull(row, -self.pull[row])
        self.label[row] = number
        self.index[row], self.weight[row] = vector.index % FOLDED, vector.weight
        if sense is not None:
            self._widen(len(sense))
            self.sense[row] = sense
        self._step(row, cost)
        for _ in range(min(again, len(self.names) - 1)):
            self.next = (self.next + 1) % len(self.names)
            self._step(self.next, cost)

    def evidence(self, services: tuple[str, ...], vector: Vector, sense: Dense | None = None) -> Floats:
        """Return log odds to add to those of the catalogue's services, (services,); 0 where none is known."""
        found = np.zeros(len(services))
        if len(self.services) < 2:
            return found
        say = self.say(vector.index % FOLDED, vector.weight, sense)
        each = len(self.names) / len(self.services)
        sure = SURE * (each + FEW) / (each + 2 * FEW)
        for k, service in enumerate(services):
            # One that nobody has labelled is not the less likely for it than one that the text is not about.
            found[k] = sure * (say[self.services.index(service)] if service in self.services else -1.0)
        return found

    def say(self, index: Ints, weight: Singles, sense: Dense | None) -> Floats:
        """Return each service's margin for a text, (services,), given its columns folded to FOLDED."""
        said = weight @ self.words[index]
        if sense is not None and len(self.meaning):
            said = said + sense @ self.meaning
        return np.asarray(said, np.float64)

    def _step(self, row: int, cost: float) -> None:
        """Move the row's pull on each service to where its own error costs least."""
        sense = self.sense[row] if self.sense.shape[1] else None
        side = np.where(np.arange(len(self.services)) == self.label[row], 1.0, -1.0)
        size = float(self.weight[row] @ self.weight[row]) + (float(sense @ sense) if sense is not None else 0)
        own = self.pull[row] * side
        slope = side * self.say(self.index[row], self.weight[row], sense) - 1 + own / (2 * cost)
        new = np.maximum(own - slope / (size + 1 / (2 * cost)), 0)
        self._pull(row, np.asarray(new * side - self.pull[row], np.float32))

    def _pull(self, row: int, change: Singles) -> None:
        self.pull[row] += change
        np.add.at(self.words, self.index[row], np.outer(self.weight[row], change))
        if self.sense.shape[1]:
            self.meaning += np.outer(self.sense[row], change)

    def _number(self, service: str) -> int | None:
        if service in self.services:
            return self.services.index(service)
        if len(self.services) >= MAX_SERVICES:
            return None
        self.services.append(service)
        for name in ("pull", "words", "meaning"):
            old = getattr(self, name)
            setattr(self, name, np.pad(old, ((0, 0), (0, 1))))
        return len(self.services) - 1

    def _row(self, id: str) -> int:
        """Return the row of a label, that of the oldest where there is no room."""
        if id in self.ids:
            return self.ids[id]
        row = self.count % MAX_LABELS
        self.count += 1
        if row < len(self.names):
            del self.ids[self.names[row]]
            self.names[row] = id
        else:
            self.names.append(id)
            if row == len(self.label):
                more = min(max(64, 2 * row), MAX_LABELS) - row
                self.label = np.pad(self.label, (0, more))
                for name in ("index", "weight", "sense", "pull"):
                    setattr(self, name, np.pad(getattr(self, name), ((0, more), (0, 0))))
        self.ids[id] = row
        return row

    def _widen(self, dim: int) -> None:
        if not self.sense.shape[1]:
            self.sense = np.zeros((len(self.label), dim), np.float32)
            self.meaning = np.zeros((dim, len(self.services)), np.float32)
