"""Label sets are interned once and come back as they were."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.series import FEW, LOOKS, Series, fingerprint, fingerprints, pack, service_of, show, unpack

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


@given(st.dictionaries(words, words, max_size=5))
def test_a_packed_label_set_comes_back_whole(labels: dict[str, str]) -> None:
    assert unpack(pack(labels)) == labels


odd = st.text(st.sampled_from("ab%s\0{}é"), min_size=1, max_size=4)


@given(st.dictionaries(odd, odd | st.just(""), max_size=5))
def test_a_label_set_is_packed_as_a_plain_loop_packs_it(labels: dict[str, str]) -> None:
    plain = b"".join(
        name.encode() + b"\xff" + labels[name].encode() + b"\xff" for name in sorted(labels) if labels[name]
    )

    assert pack(labels) == plain


def test_the_same_set_gets_the_same_row_and_a_new_one_the_next() -> None:
    series = Series()
    a, b = pack({"__name__": "up", "service": "a"}), pack({"__name__": "up", "service": "b"})

    rows = series.intern([a, b, a, a])

    np.testing.assert_array_equal(rows, [0, 1, 0, 0])
    np.testing.assert_array_equal(series.intern([b]), [1])
    assert series.services == ["a", "b"]


def test_past_the_limit_the_newest_is_turned_away_and_counted() -> None:
    series = Series(limit=1)

    rows = series.intern([pack({"a": "1"}), pack({"a": "2"}), pack({"a": "1"})])

    np.testing.assert_array_equal(rows, [0, -1, 0])
    assert series.dropped == {"series limit": 1}
    assert len(series) == 1


def test_the_most_deliberate_label_names_the_service() -> None:
    assert service_of({"job": "node", "app": "pay"}) == "pay"
    assert service_of({"instance": "10.0.0.1"}) == ""


def test_a_series_is_shown_as_prometheus_writes_it() -> None:
    assert show({"service": "pay", "__name__": "up", "az": "1"}) == 'up{az="1",service="pay"}'


def test_thousands_of_new_series_may_come_at_once() -> None:
    rows = Series().intern([pack({"n": str(k)}) for k in range(5000)])

    np.testing.assert_array_equal(rows, np.arange(5000))


def test_a_row_let_go_is_given_to_another_and_named_so() -> None:
    series = Series()
    series.intern([pack({"n": "old"}), pack({"n": "stays"})])
    for k in range(LOOKS + 1):
        series.intern([pack({"n": "stays"})])
        gone = series.evict(3600.0 * (k + 1))
    series.intern([pack({"n": "new"})])

    assert gone.tolist() == [0]
    assert (series.labels[0], series.reborn, len(series)) == ({"n": "new"}, [0], 2)


@given(st.lists(st.binary(max_size=40), max_size=2 * FEW))
@example([])
@example([b"few"] * FEW)
@example([b"", *([b"more"] * FEW)])
def test_many_fingerprints_are_those_of_each(packed: list[bytes]) -> None:
    assert fingerprints(packed) == [fingerprint(one) for one in packed]
