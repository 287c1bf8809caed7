"""Texts that are said beside the same words lie near each other, though they share none."""

from __future__ import annotations

from dataclasses import replace
from string import ascii_lowercase

import numpy as np
import pytest

from pipeline import snapshot
from pipeline.complaints import ComplaintState, hear, tuned
from pipeline.complaints.latent import DIMS, LEAST, Latent
from pipeline.complaints.tuning import Complaints
from pipeline.complaints.words import Rarity, Vector, columns, plain
from pipeline.topology import Topology
from pipeline.types import Event

NOW = 1_700_000_000.0
SUBJECTS = 45
WORDS = 6  # of each subject; the first and the last never stand in one text


def word(subject: int, number: int) -> str:
    letters = np.random.default_rng([subject, number]).choice(list(ascii_lowercase), 7)
    return "".join(letters)


def texts(count: int) -> list[str]:
    """Return so many texts, each of three words of one subject."""
    rng = np.random.default_rng(7)
    found = []
    for k in range(count):
        edge = int(rng.choice([0, WORDS - 1]))
        numbers = [edge, *(1 + rng.choice(WORDS - 2, 2, replace=False))]
        found.append(" ".join(word(k % SUBJECTS, int(number)) for number in numbers))
    return found


def vectors(rarity: Rarity, said: list[str]) -> list[Vector]:
    return [rarity.weigh(*cut) for cut in columns([plain(text) for text in said])]


def learned(count: int = 900) -> tuple[Latent, Rarity]:
    latent, rarity = Latent(), Rarity()
    heard = vectors(rarity, texts(count))
    latent.learn(np.array([v.index for v in heard]), np.array([v.weight for v in heard]), count)
    return latent, rarity


def test_words_said_beside_the_same_words_are_alike_and_others_are_not() -> None:
    latent, rarity = learned()
    said = [word(subject, number) for subject in range(SUBJECTS) for number in (0, WORDS - 1)]

    rows = np.array([latent.row(vector) for vector in vectors(rarity, said)]).reshape(SUBJECTS, 2, DIMS)

    of_one = np.einsum("ij,ij->i", rows[:, 0], rows[:, 1])
    of_two = np.einsum("ij,ij->i", rows[:, 0], np.roll(rows[:, 1], 1, axis=0))
    assert of_one.mean() > 0.5
    assert abs(of_two.mean()) < 0.1


def test_a_row_is_as_long_as_one_and_the_same_by_itself_and_among_others() -> None:
    latent, rarity = learned()
    said = vectors(rarity, ["cash from the atm", "my parcel is lost", ""])

    rows = latent.rows(np.array([v.index for v in said]), np.array([v.weight for v in said]))

    assert rows.shape == (3, DIMS)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert np.array([latent.row(v) for v in said]) == pytest.approx(rows, abs=1e-5)


def test_nothing_is_learned_from_few_complaints_nor_again_before_they_grew_by_a_quarter() -> None:
    latent = replace(learned()[0], learned=400, kept=400)

    assert not Latent().due(LEAST - 1, LEAST - 1)
    assert Latent().due(LEAST, LEAST)
    assert not latent.due(499, 499)
    assert latent.due(500, 500)


def heard(state: ComplaintState, count: int, first: int = 0) -> ComplaintState:
    events = [
        Event("complaint", f"c{k}", NOW + 600.0 * k, {"customer": f"u{k}"}, text)
        for k, text in enumerate(texts(first + count))
    ]
    hear(state, events[first:], Topology(), NOW + 600.0 * (first + count))
    return state


def test_without_an_encoder_what_was_heard_is_placed_as_soon_as_there_are_enough() -> None:
    state = heard(tuned(ComplaintState(), Complaints(encoder="none")), LEAST + 1)

    assert state.heard.places.shape[1] == DIMS
    assert np.linalg.norm(state.heard.places[: LEAST + 1], axis=1) == pytest.approx(1.0, abs=1e-5)
    assert state.heard.usual.dense.shape[1] == DIMS


def test_a_state_goes_on_after_a_snapshot_and_after_one_that_knew_of_no_places() -> None:
    state = heard(tuned(ComplaintState(), Complaints(encoder="none")), 150)
    again = snapshot.load(snapshot.dump(state))
    older = snapshot.load(snapshot.dump(state))
    older.heard.latent, older.heard.places = Latent(), np.zeros((64, 0), np.float32)

    for one in (state, again, older):
        heard(one, 20, first=150)

    assert again.heard.places.tolist() == state.heard.places.tolist()
    assert np.linalg.norm(older.heard.places[:170], axis=1) == pytest.approx(1.0, abs=1e-5)
