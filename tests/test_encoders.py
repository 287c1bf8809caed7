"""Every sentence encoder keeps one contract, and a missing one says what to install."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import kinds
from pipeline.complaints.encoders import FAMILY, encoder, installed, use

TEXTS = ["I cannot pay", "", "无法付款", "  ", "cannot pay " * 2_000, "😀", "I cannot pay"]


@pytest.fixture(params=kinds.names(FAMILY))
def name(request: pytest.FixtureRequest) -> str:
    if not installed(request.param):
        pytest.skip(f'the encoder "{request.param}" is not installed')
    return str(request.param)


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
