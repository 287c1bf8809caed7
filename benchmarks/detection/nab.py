"""NAB's scores of the shipped detector and its peers, at the best threshold and at the shipped one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks import _fed, _nab, peers
from benchmarks._nab import PROFILES
from detectors import seasonal
from detectors.base import Floats
from pipeline import kinds
from pipeline.commands.detect import ALERT, WARM_UP, shipped

# Three of different length, cadence and pattern.
SAME = (
    "artificialWithAnomaly/art_daily_flatmiddle.csv",
    "realAWSCloudwatch/iio_us-east-1_i-a2eb1cd9_NetworkIn.csv",
    "realTraffic/speed_7578.csv",
)


class Row(NamedTuple):
    """What one detector told of every series."""

    who: str
    told: list[Floats]
    seconds: float  # of a core, a sample
    claims_p: bool


def run() -> dict[str, float]:
    """Print the table and return its figures; nothing where the labelled series are not."""
    if not _nab.DATA.is_dir():
        print("left out: the labelled series are not at ../shared/data/nab_dev")
        return {}
    series = _nab.corpus()
    rows = _told(series)
    windows = sum(len(s.windows) for s in series)
    print(f"{len(series)} series, {windows} windows; {WARM_UP} silent samples, repeats muted; - claims no p")
    print(f"{'':<22}{'at its best threshold':^43}{f'at surprise {ALERT:g}':^29}{'CPU us':>8}")
    heads = ("standard", "low FP", "low FN", "F1", "false/day", "standard", "F1", "false/day", "a sample")
    print(f"{'':<22}" + "".join(f"{h:>10}" for h in heads))
    found: dict[str, float] = {}
    for row in rows:
        found |= {f"{row.who}_{name}": figure for name, figure in _figures(series, row).items()}
    return found | _chance(series, rows, found) | _same(series, rows[0].told)


def _told(series: Sequence[_nab.Labelled]) -> list[Row]:
    lines = [_fed.Line(s.time, s.value) for s in series]
    score, seconds = _fed.feed(shipped(), lines, "forewarn")
    rows = [Row("forewarn", [_fed.told(s) for s in score], seconds, True)]
    score, seconds = _fed.feed(seasonal.build(seasonal.Args()), lines, "seasonal")
    rows.append(Row("seasonal", [_fed.told(s, math.inf) for s in score], seconds, True))
    for peer in kinds.names(peers.__name__):
        score, seconds = _fed.ask(peer, lines)
        rows.append(Row(peer, [_fed.told(s, math.inf) for s in score], seconds, _fed.claims_p(peer)))
    return rows


def _figures(series: Sequence[_nab.Labelled], row: Row) -> dict[str, float]:
    best = {name: _nab.score(series, row.told, profile) for name, profile in PROFILES.items()}
    found = {name: score for name, (score, _) in best.items()}
    at_best = _nab.counted(series, row.told, best["standard"][1])
    found |= {"f1_at_best": at_best.f1, "false_a_day_at_best": at_best.false_a_day}
    cells = [f"{found[name]:.1f}" for name in PROFILES] + [f"{at_best.f1:.2f}", f"{at_best.false_a_day:.3f}"]
    if row.claims_p:
        for name, profile in PROFILES.items():
            found[f"{name}_at_default"] = _nab.score_at(series, row.told, profile, ALERT)
        shipped_at = _nab.counted(series, row.told, ALERT)
        found |= {"f1": shipped_at.f1, "false_a_day": shipped_at.false_a_day}
        cells += [
            f"{found['standard_at_default']:.1f}",
            f"{shipped_at.f1:.2f}",
            f"{found['false_a_day']:.3f}",
        ]
    else:
        cells += ["-", "-", "-"]
    found["us_a_sample"] = row.seconds * 1e6
    cells.append(f"{found['us_a_sample']:.2f}")
    print(f"{row.who:<22}" + "".join(f"{cell:>10}" for cell in cells))
    return found


def _chance(series: Sequence[_nab.Labelled], rows: list[Row], found: dict[str, float]) -> dict[str, float]:
    """Print and return where 95 % of the draws of files lie, and of the lead over the best peer."""
    ours, others = rows[0], [row for row in rows[1:] if row.who != "seasonal"]
    intervals: dict[str, float] = {}
    for name, profile in PROFILES.items():
        peer = max(others, key=lambda row: found[f"{row.who}_{name}"])
        best = _nab.drawn(series, ours.told, profile)
        shown = {
            "": best,
            "_at_default": _nab.drawn(series, ours.told, profile, ALERT),
            f"_over_{peer.who}": best - _nab.drawn(series, peer.told, profile),
        }
        for what, draws in shown.items():
            low, high = (float(v) for v in np.quantile(draws, (0.025, 0.975)))
            intervals |= {f"forewarn_{name}{what}_low": low, f"forewarn_{name}{what}_high": high}
            print(f"95 % of {len(draws)} draws of files, {name + what:<28}{low:>7.1f} to{high:>6.1f}")
    return intervals


def _same(series: Sequence[_nab.Labelled], told: list[Floats]) -> dict[str, float]:
    """Print and return how far what `forewarn detect FILE` prints is from what was scored here."""
    off = 0.0
    for given, here in zip(series, told, strict=True):
        if given.name in SAME:
            off = max(off, float(np.abs(_fed.printed_told(_nab.DATA / "data" / given.name) - here).max()))
    print(f"`forewarn detect` prints the same of {len(SAME)} of these files: at most {off:.0e} off")
    return {"off_the_command": off}
