"""A bout says when it began, and at the end whether all is as it was."""

from __future__ import annotations

import pytest

from tests.detect.world import START, World, usual, watch


@pytest.mark.parametrize(
    ("after", "said"),
    [
        pytest.param(11.0, "and is back at 11 s", id="back"),
        pytest.param(48.0, "and has settled at 48 s, 4.78 times the 10.1 s expected before", id="not back"),
    ],
)
def test_the_last_word_says_whether_it_is_back_or_a_new_level_is_usual_now(after: float, said: str) -> None:
    world = World([watch(page=True)])
    world.feed(pay__p90_s=[10.0, 10.1] * 50)

    told = world.feed(pay__p90_s=[50.0] * 5 + [after] * 400)

    assert told[-1].ended is not None
    assert told[-1].reason.endswith(said)
    assert bool(told[-1].settled) == ("settled" in said)


def test_a_bout_did_not_begin_with_the_one_before_it() -> None:
    """Of a series that had always been nought the second trouble is told, though the first is still odd."""
    together = watch(detector="together", group=["service"], surprise=6, samples=3, min_dev_from_expected=0.5)
    world = World([together], every=1.0)
    failed = [0.0] * 600 + [5.0] * 30 + [0.0] * 120 + [5.0] * 30
    others = {f"pay__load{k}": usual(len(failed), 10.0, k) for k in range(4)}

    said = world.feed(pay__failed=failed, **others)

    first, second = dict.fromkeys(s.since - START for s in said if "failed" in s.series)
    assert first < 630
    assert second > 750
    assert "ago" not in said[-1].reason
