"""A benchmark of several parts prints those that are asked for, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import complaints
from benchmarks._encoded import Remembered
from pipeline.commands.bench import command
from pipeline.complaints.encoders import Dense


class Counting:
    """Encodes a text as its length, and counts what it was asked."""

    version, dim = "counting", 1

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: list[str]) -> Dense:
        self.asked += texts
        return np.array([[len(text)] for text in texts], np.float32)

    encode_many = encode


def test_one_part_prints_its_own_table_and_its_cost(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"

    said = CliRunner().invoke(command, ["complaints", "--part", "languages", "--json", str(file)])

    assert said.exit_code == 0, said.output
    assert [line for line in said.output.splitlines() if line.startswith("---")] == ["--- languages"]
    assert {name.split()[0] for name in json.loads(file.read_text())} == {"language"}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        pytest.param(
            ["complaints", "--part", "topcis"], 'no part "topcis"; did you mean "topics"?', id="a slip"
        ),
        pytest.param(["counters", "--part", "topics"], "counters", id="a benchmark that has no parts"),
    ],
)
def test_a_part_that_is_none_is_refused_with_the_nearest(asked: list[str], why: str) -> None:
    said = CliRunner().invoke(command, asked)

    assert said.exit_code == 1
    assert why in said.output


def test_every_part_has_its_file() -> None:
    folder = Path(complaints.__file__).parent

    assert [p for p in complaints.PARTS if not (folder / f"_complaint_{p}.py").exists()] == []


def test_a_text_is_encoded_once_and_rows_come_in_the_order_asked() -> None:
    model = Counting()
    remembered = Remembered(model)

    first, again = remembered.encode(["ccc", "a", "ccc"]), remembered.encode(["bb", "a"])

    assert first.tolist() == [[3], [1], [3]]
    assert again.tolist() == [[2], [1]]
    assert model.asked == ["a", "ccc", "bb"]
    assert remembered.encode([]).shape == (0, 1)
