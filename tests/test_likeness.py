"""How alike texts are by their n-grams is what a plain sum says; what is read ahead is what is read alone."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.complaints.encoders import encoder
from pipeline.complaints.postings import Lately
from pipeline.complaints.reading import reading, readings
from pipeline.complaints.usual import Usual
from pipeline.complaints.words import WIDTH, Rarity, Vector, alike, columns, plain

TEXTS = st.lists(st.one_of(st.text(max_size=60), st.sampled_from(["付款失败了", "card declined again", "0"])))
LONG = " ".join("".join(pair) for pair in product("abcdefghij", repeat=2))


def vectors(texts: list[str]) -> list[Vector]:
    rarity = Rarity()
    return [rarity.weigh(*columns([plain(text)])[0]) for text in texts]


SAID = vectors([f"card {a}{b} fails" for a, b in product("abcdefghijklmnop", repeat=2)])


def naive(one: Vector, other: Vector) -> float:
    """Sum the products of the weights that two texts have in the same columns."""
    theirs = {c: w for c, w in zip(other.index.tolist(), other.weight.tolist(), strict=True) if w}
    mine = zip(one.index.tolist(), one.weight.tolist(), strict=True)
    return float(sum(w * theirs.get(c, 0.0) for c, w in mine if w))


@settings(max_examples=60)
@given(TEXTS)
def test_the_cosine_with_each_row_is_the_sum_over_shared_columns(texts: list[str]) -> None:
    *those, text = vectors([*texts, LONG, "", "card declined"])

    index, weight = np.stack([v.index for v in those]), np.stack([v.weight for v in those])

    assert alike(index, weight, text) == pytest.approx([naive(v, text) for v in those], abs=1e-5)


@settings(max_examples=60)
@given(TEXTS)
def test_the_cosine_with_the_sample_is_the_sum_over_shared_columns(texts: list[str]) -> None:
    *those, text = vectors([*texts, LONG, "", "card declined"])
    n, usual = len(those), Usual()
    table = {
        "index": np.stack([v.index for v in those]),
        "weight": np.stack([v.weight for v in those]),
        "dense": np.zeros((n, 0), np.float32),
        "places": np.zeros((n, 0), np.float32),
        "time": np.arange(float(n)),
        "service": np.zeros(n, np.int64),
        "topic": np.zeros(n, np.int64),
        "sure": np.zeros(n),
    }

    usual.take(table, n, 2.0 * n)  # of so short a history the first half of the time counts: all rows

    assert usual.words(text) == pytest.approx([naive(v, text) for v in those], abs=1e-5)


@settings(max_examples=60)
@given(TEXTS)
def test_texts_read_together_are_read_as_each_of_them_alone(texts: list[str]) -> None:
    said = [*texts, LONG, "a fire in the shop\n> quoted before", "a fire in the shop"]

    together = readings(said, encoder("none"))

    assert list(together) == list(dict.fromkeys(said))
    for text, one in together.items():
        alone = reading(text, encoder("none"))
        assert (one.own, one.words, one.urgent) == (alone.own, alone.words, alone.urgent)
        assert [part.tolist() for part in one.columns] == [part.tolist() for part in alone.columns]
        assert one.dense.shape == (0,)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 90), st.integers(0, 120)), max_size=6))
def test_the_cosines_of_a_day_are_those_of_each_text_whenever_they_were_posted(
    steps: list[tuple[int, int]],
) -> None:
    index, weight = np.stack([v.index for v in SAID]), np.stack([v.weight for v in SAID])
    alike_to_it = [naive(v, SAID[9]) for v in SAID]
    day, end = Lately(), 0

    for more, back in steps:
        end = min(end + more, len(SAID))
        begin = max(end - back, 0)
        gone = begin // 2
        rows = slice(begin - gone, end - gone)
        found = day.cosines(SAID[9], index[gone:], weight[gone:], rows, gone)

        assert np.allclose(found, alike_to_it[begin:end], atol=1e-5)


def test_a_text_longer_than_the_width_fills_it() -> None:
    assert np.count_nonzero(vectors([LONG])[0].weight) == WIDTH
