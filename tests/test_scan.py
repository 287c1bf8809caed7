"""The compiled scan finds the shapes and ids that plain Python finds, for any bytes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.logs import scan, templates
from pipeline.logs.scan import CUT, Find, Scan, compiled
from pipeline.logs.shape import shapes_of
from pipeline.logs.templates import Templates, take_block, text_of
from tests.soak import times

WORDS = (
    b"GET",
    b"/cart/17",
    b"took",
    b"12",
    b"ms",
    b"id=4f-9",
    b"\x1b[31m",
    b"\xff\x00",
    b"s3.FooException",
    b"",
)
LINES = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(b" ".join), max_size=30).map(b"\n".join)
BLOCKS = st.lists(LINES | st.binary(max_size=200), max_size=6)


@pytest.fixture(scope="module")
def find() -> Find:
    pytest.importorskip("numba")
    code = compiled().result()
    assert code is not None
    return code


def plain(block: bytes) -> list[bytes]:
    shapes = shapes_of(block)
    return [shape[:CUT] for shape in (shapes if shapes[-1] else shapes[:-1])]


@settings(max_examples=times(100), deadline=None)
@given(blocks=BLOCKS)
def test_any_bytes_have_the_shapes_that_plain_python_finds(find: Find, blocks: list[bytes]) -> None:
    table = Scan()

    for block in blocks:
        numbers = table.numbers(block, find)

        assert numbers is not None
        assert [table.shapes[number] for number in numbers] == plain(block)
    assert len(set(table.shapes)) == len(table.shapes)


@settings(max_examples=times(60), deadline=None)
@given(blocks=BLOCKS)
def test_ids_texts_and_all_that_is_remembered_are_the_same_without_it(
    find: Find, blocks: list[bytes]
) -> None:
    with_scan, without = Templates(), Templates()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(templates, "MAX_HELD", 2_000)
        patch.setattr(templates, "MAX_TEMPLATES", 12)
        patch.setattr(templates, "SMALL", 0)
        fast = [(patch.setattr(templates, "WARM", 0), take_block(with_scan, block))[1] for block in blocks]
        patch.setattr(templates, "WARM", 10**9)
        slow = [take_block(without, block) for block in blocks]

    assert fast == slow
    assert with_scan == without
    assert [text_of(with_scan, id) for ids, _ in fast for id in ids] == [
        text_of(without, id) for ids, _ in slow for id in ids
    ]


def test_shapes_whose_hashes_collide_stay_apart(find: Find) -> None:
    table = Scan()
    table.numbers(b"first\n", find)
    table._table[:] = 0  # every place leads to the first shape, as if all hashes were one
    table._table[:2] = scan.FREE

    numbers = table.numbers(b"second\nfirst\nthird\n", find)

    assert numbers is not None
    assert [table.shapes[number] for number in numbers] == [b"second", b"first", b"third"]


def test_a_full_table_is_emptied_and_the_block_left_to_plain_python(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MAX_SHAPES", 16)
    chance = random.Random(5)
    table = Scan()

    taken = [
        table.numbers(
            b"".join(b"%c" % letter * 3 + b"\n" for letter in chance.sample(range(97, 123), 8)), find
        )
        for _ in range(30)
    ]

    assert None in [None if numbers is None else 0 for numbers in taken]
    assert len(table.shapes) <= 16


def test_an_emptied_table_forgets_what_was_noted_for_its_numbers(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MAX_SHAPES", 4)
    table, of = Scan(), object()
    table.numbers(b"a\nb\n", find)
    table.given(of)[:2] = (7, 8)

    emptied = table.numbers(b"c\nd\ne\nf\n", find)

    assert emptied is None
    assert table.given(of).tolist() == [None] * 4


def test_a_megabyte_and_a_block_past_the_bound_cost_no_more_than_they_may(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Scan()

    numbers = table.numbers(b"x y " * 250_000 + b"\nz 1\n", find)
    monkeypatch.setattr(scan, "MAX_HELD", 1_000)
    too_long = table.numbers(b"x" * 501, find)

    assert numbers is not None
    assert [len(table.shapes[number]) for number in numbers] == [CUT, 3]
    assert too_long is None


def test_a_snapshot_holds_no_table(find: Find) -> None:
    state = Templates()
    bare = len(snapshot.dump(state))
    state.scan.numbers(b"a 1\nb 2\n", find)

    raw = snapshot.dump(state)

    assert len(raw) == bare
    assert snapshot.load(raw).scan.shapes == []
