"""Texts to what each of them says by itself, whatever was said before it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pipeline.complaints.door import said_now, simplified
from pipeline.complaints.encoders import Dense, Encoder
from pipeline.complaints.urgency import urgent
from pipeline.complaints.words import Ints, Singles, columns, plain


class Reading(NamedTuple):
    """One text, read."""

    own: str  # what the customer wrote this time
    words: str  # the same in one spelling and script
    columns: tuple[Ints, Singles]  # of its n-grams, with how often it uses them
    dense: Dense  # (dim,) of the encoder, (0,) without one
    urgent: str  # why it cannot wait, "" = it can


def reading(text: str, model: Encoder) -> Reading:
    """Return what is read of a text alone; the same bits whatever else is read."""
    own = said_now(text)
    words, dense = plain(simplified(own)), model.encode([own])[0]
    return Reading(own, words, columns([words])[0], dense, urgent(own, dense=dense))


def readings(texts: Iterable[str], model: Encoder) -> dict[str, Reading]:
    """Return the same by text, rows of the encoder within 1e-5, faster: for files, whose lines are known.

    One step over all texts before the next: the tables that a step looks things up in stay at hand.
    """
    said = {text: said_now(text) for text in texts}
    own = sorted(set(said.values()), key=lambda text: (len(text), text))
    dense = model.encode_many(own)
    words = [plain(simplified(text)) for text in own]
    cut = columns(words)
    why = [urgent(text, dense=row) for text, row in zip(own, dense, strict=True)]
    found = {one.own: one for one in map(Reading, own, words, cut, dense, why)}
    return {text: found[own] for text, own in said.items()}
