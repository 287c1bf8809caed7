"""How often quiet series of many shapes are alerted on, beside how often was asked."""

from __future__ import annotations

import numpy as np

from benchmarks import _fed, _quiet
from detectors.base import Floats
from pipeline import kinds
from pipeline.commands.detect import ALERT, shipped

SAMPLES, SEEDS = 100_000, 6
SETTLED = 2_000  # samples that are not counted: so few have not shown what is rare
ASKED = (2.0, 3.0, ALERT)
NEVER = "flat"  # is owed no alert at any rate, and is counted apart


def run() -> dict[str, float]:
    """Print the table and return the share of series within twice and thrice of what was asked."""
    quiet = _quiet.series(SAMPLES, SEEDS)
    lines = [_fed.Line(each.time, each.value) for each in quiet]
    shape = np.array([each.shape for each in quiet])
    surprise = np.array(_fed.feed(shipped(), lines, "quiet series").score)[:, SETTLED:]
    ratio = np.array([realised(surprise, asked) for asked in ASKED])

    print(
        f"{len(quiet)} series of {SAMPLES:,} samples; realised / asked, repeats not muted, median of {SEEDS}"
    )
    print(f"{'surprise asked for':<28}" + "".join(f"{asked:>10g}" for asked in ASKED))
    for name in _quiet.SHAPES:
        print(f"{name:<28}" + "".join(f"{v:>10.2f}" for v in np.median(ratio[:, shape == name], axis=1)))
    noisy = shape != NEVER
    found = {"alerts_on_a_flat_line": float((surprise[~noisy] >= ASKED[0]).sum())}
    found |= _shares("forewarn", ratio[:, noisy])

    alone = [k for k in np.flatnonzero(noisy) if k % SEEDS == 0]
    print(f"one series of each shape, {len(alone)}:")
    _shares("forewarn", ratio[:, alone])
    for peer in filter(_fed.claims_p, kinds.names("benchmarks.peers")):
        scores = np.array(_fed.ask(peer, [lines[k] for k in alone]).score)[:, SETTLED:]
        found |= _shares(peer, np.array([realised(scores, asked) for asked in ASKED]))
    return found


def realised(surprise: Floats, asked: float) -> Floats:
    """Return how many times as often as asked each series (series, samples) is that surprising."""
    known = np.isfinite(surprise).sum(axis=1)
    return np.asarray((surprise >= asked).sum(axis=1) / known * 10**asked)


def within(ratio: Floats, times: float) -> float:
    """Return the share of series whose ratio is neither above `times` nor below 1 / times."""
    return float(((ratio <= times) & (ratio >= 1 / times)).mean())


def _shares(who: str, ratio: Floats) -> dict[str, float]:
    found: dict[str, float] = {}
    for asked, each in zip(ASKED, ratio, strict=True):
        two, three, most = within(each, 2), within(each, 3), float((each <= 3).mean())
        found |= {f"{who}_within_2x_at_{asked:g}": two, f"{who}_within_3x_at_{asked:g}": three}
        found |= {f"{who}_at_most_3x_at_{asked:g}": most}
        line = f"within 2x {two:>5.0%}   within 3x {three:>5.0%}   at most 3x {most:>5.0%}"
        print(f"{who:<14}at {asked:<6g}{line}")
    return found
