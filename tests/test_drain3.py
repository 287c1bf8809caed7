"""drain3 is a second engine for templates, chosen by a key; a snapshot in the middle changes nothing."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import pytest

from pipeline import config, snapshot
from pipeline.config import Config, Logs
from pipeline.flow import Pipeline
from pipeline.logs import drain3
from pipeline.logs.drain3 import Drained
from pipeline.logs.templates import Templates, templates_of, text_of

WORDS = ("open", "close", "read", "disk", "7", "10.0.0.1", "0x4f", "by", "user")


def lines(count: int, seed: int = 5) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randrange(1, 6))) for _ in range(count)]


def test_lines_find_the_group_that_drain3_gives_them() -> None:
    state = Templates(drained=Drained())

    ids = templates_of(state, ["took 5 ms", "took 7 ms", "disk is full", ""])

    assert ids[0] == ids[1] != ids[2]
    assert [text_of(state, id) for id in ids] == ["took <*> ms", "took <*> ms", "disk is full", ""]
    assert text_of(state, 99) == ""


def test_a_snapshot_in_the_middle_changes_nothing() -> None:
    straight, broken = Templates(drained=Drained()), Templates(drained=Drained())
    for state in (straight, broken):
        templates_of(state, lines(300))
    broken = snapshot.load(snapshot.dump(broken))

    ids = [templates_of(state, lines(300, seed=6)) for state in (straight, broken)]

    assert ids[0] == ids[1]
    assert [text_of(broken, id) for id in ids[0]] == [text_of(straight, id) for id in ids[0]]


def test_past_its_bound_the_tree_is_begun_anew_and_no_id_is_given_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drain3, "MAX_GROUPS", 10)
    drained = Drained()

    ids = drained.ids(["x" * k for k in range(1, 26)])

    assert ids == list(range(1, 26))
    assert [drained.text(id) for id in (1, 20, 25)] == ["", "", "x" * 25]


def test_the_engine_is_chosen_by_a_key_and_a_change_of_it_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "forewarn.yaml"
    file.write_text("logs: {templates: drain3}\n")

    chosen = Pipeline(config.load(file))
    raw = chosen.snapshot()

    assert chosen.memory.logs.templates.drained is not None
    assert Pipeline.restore(Config(logs=Logs("drain3")), raw).memory.logs.templates.drained is not None
    assert Pipeline.restore(Config(), raw).memory.logs.templates.drained is None


def test_where_drain3_is_missing_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "forewarn.yaml"
    file.write_text("logs: {templates: drain3}\n")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(config.Invalid) as raised:
        config.load(file)

    assert raised.value.errors == [
        f'{file}: logs.templates: drain3 is not installed: pip install "forewarn[drain3]"'
    ]
