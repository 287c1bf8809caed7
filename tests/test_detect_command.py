"""`forewarn detect`: a CSV in, a row out for each row in, and what a bad file is told."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.commands.detect import COLUMNS, WARM_UP, Mute, command


def run(tmp_path: Path, text: str, *options: str) -> Result:
    file = tmp_path / "in.csv"
    file.write_text(text)
    return CliRunner().invoke(command, [str(file), *options])


def rows(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout)))


def series(values: list[float], stamp: str = "{}") -> str:
    lines = [f"{stamp.format(1_700_000_000 + 60 * k)},{v}" for k, v in enumerate(values)]
    return "\n".join(["timestamp,value", *lines]) + "\n"


STEADY = [10.0 + 0.1 * (k % 7) for k in range(WARM_UP + 40)]


def test_every_row_comes_back_with_surprise_band_and_alert(tmp_path: Path) -> None:
    result = run(tmp_path, series([*STEADY, 99.0, 99.0]))

    found = rows(result)

    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == ",".join(COLUMNS)
    assert len(found) == WARM_UP + 42
    assert [r["surprise"] for r in found[:WARM_UP]] == [""] * WARM_UP
    assert [r["alert"] for r in found[WARM_UP:]] == ["0"] * 40 + ["1", "0"]
    assert float(found[-3]["lower"]) < 10.3 < float(found[-3]["upper"]) < 99
    assert float(found[-2]["surprise"]) == float(found[-2]["told"]) > 5
    assert (float(found[-1]["surprise"]) > 5, found[-1]["told"]) == (True, "0")


def test_a_pipe_gives_the_same_as_the_file(tmp_path: Path) -> None:
    text = series([*STEADY, 99.0])

    assert CliRunner().invoke(command, ["-"], input=text).stdout == run(tmp_path, text).stdout


def test_nothing_later_changes_what_was_printed(tmp_path: Path) -> None:
    short, long = run(tmp_path, series(STEADY)).stdout, run(tmp_path, series([*STEADY, 1e9, 5.0])).stdout

    assert long.startswith(short)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        pytest.param(
            "value,x,timestamp\n7,a,2026-01-31 12:00:00\n", ("2026-01-31 12:00:00", "7"), id="any order"
        ),
        pytest.param("1700000000,7\n", ("1700000000", "7"), id="no header"),
        pytest.param(
            "timestamp,value\n2026-01-31T12:00:00Z,\n", ("2026-01-31T12:00:00Z", ""), id="missing value"
        ),
        pytest.param("timestamp,value\n1,inf\n", ("1", "inf"), id="infinite"),
    ],
)
def test_what_it_reads(tmp_path: Path, text: str, first: tuple[str, str]) -> None:
    found = rows(run(tmp_path, text))

    assert [(r["timestamp"], r["value"], r["surprise"]) for r in found] == [(*first, "")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty: expected a header `timestamp,value` and rows"),
        ("time,count\n1,2\n", "line 1: expected a header `timestamp,value` or a sample, got 'time,count'"),
        ("timestamp,value\n1,2\n2,x\n", "line 3: expected `timestamp,value`, got '2,x'"),
        ("timestamp,value\nyesterday,2\n", "line 2: expected `timestamp,value`, got 'yesterday,2'"),
        ("timestamp,value\n1\n", "line 2: expected `timestamp,value`, got '1'"),
    ],
)
def test_a_bad_file_is_told_where_it_is_bad(tmp_path: Path, text: str, words: str) -> None:
    result = run(tmp_path, text)

    assert result.exit_code == 1
    assert result.stderr.rstrip().endswith(f"in.csv: {words}")


def test_the_mute_lets_through_what_is_worse_or_long_after() -> None:
    mute = Mute()

    told = [mute.tell(s) for s in (3.0, 2.9, 3.1, *[0.9] * 199, 3.0)]

    assert told[:3] == [3.0, 0.0, 3.1]
    assert [k for k, s in enumerate(told) if s] == [0, 2, 202]


def test_what_goes_on_is_not_told_again_until_it_has_been_gone() -> None:
    mute = Mute()

    told = [mute.tell(s) for s in (3.0, *[2.0, *[0.0] * 150] * 3, *[0.0] * 60, 2.0, float("nan"))]

    assert [k for k, s in enumerate(told) if s] == [0, 514]


def test_a_picture_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")

    result = run(tmp_path, series([*STEADY, 99.0]), "--plot", str(tmp_path / "out.png"))

    assert result.exit_code == 0
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
