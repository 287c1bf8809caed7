"""Broken bonds that `together` tells though no one series changes, beside forests and half-space trees."""

from __future__ import annotations

import pickle
import time as clock
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.anomaly import HalfSpaceTrees
from sklearn.ensemble import IsolationForest

from detectors.base import Floats
from detectors.together import Together

DAY = 1440  # samples
DAYS, GROUPS, MEMBERS, LASTS = 3, 16, 6, 120
BONDED = ("linear", "loose", "curved", "bursts", "standby")
KINDS = (*BONDED, "no bond", "rhythm only")
HOWS = ("apart", "opposite")
LOUD = 4.0
ALLOWED = 0.1  # false alarms a series-day at which all thresholds are set, afterwards, for the peers
PEERED = 6  # groups that the peers are given: some take 40 us a sample
FAR = 3.5

Places = NDArray[np.int64]
Take = Callable[[Floats], Floats]  # (samples, groups, members) to scores, likewise or of the group


def run() -> dict[str, float]:
    """Print how many broken bonds are told within two hours, how late, and false alarms on quiet groups."""
    made = [_groups(kind, GROUPS, 1) for kind in KINDS]
    value, calm = (np.concatenate(each, axis=1) for each in zip(*made, strict=True))
    breaks = {how: _broken(value, calm, how) for how in HOWS}
    quiet = _together(value)
    scores = {how: _together(changed) for how, (changed, _, _) in breaks.items()}
    found: dict[str, float] = {}
    print(
        f"{'surprise 4 or more':<20}{'told: apart':>15}{'opposite':>10}{'after, min':>12}{'right one':>11}",
        end="",
    )
    print(f"{'false/series-day':>18}{'>=2':>8}{'>=3':>9}")
    for i, kind in enumerate(KINDS):
        mine = slice(i * GROUPS, (i + 1) * GROUPS)
        still = quiet[DAY:, mine]
        false = _bouts(still, LOUD) * DAY / still.size
        rates = [float((still >= s).mean()) for s in (2, 3)]
        name = kind.replace(" ", "_")
        found |= {f"{name}_false_day": false, f"{name}_rate_3": rates[1]}
        line = ["-", "-", "-", "-"]
        if kind in BONDED:
            hits, late, right = [], [], []
            for how in HOWS:
                _, member, at = breaks[how]
                hit, delay, who = _caught(scores[how][:, mine], LOUD, member[mine], at[mine])
                hits.append(hit)
                late += delay
                right += who
                found[f"{name}_{how}_caught"] = hit
            found |= {f"{name}_delay": float(np.median(late)), f"{name}_right_one": float(np.mean(right))}
            line = [*(f"{h:.2f}" for h in hits), f"{np.median(late):.0f}", f"{np.mean(right):.2f}"]
        print(f"{kind:<20}{line[0]:>15}{line[1]:>10}{line[2]:>12}{line[3]:>11}", end="")
        print(f"{false:>18.3f}{rates[0]:>8.4f}{rates[1]:>9.5f}")
    return found | _peers() | _speed()


def _peers() -> dict[str, float]:
    """Print what each tells at the threshold that gives it equally few false alarms before the break."""
    found: dict[str, float] = {}
    print(f"\nat {ALLOWED} false alarms a series-day, both kinds of break{'told':>12}{'CPU us/sample':>16}")
    takes: dict[str, Take] = {
        "together": lambda v: _together(v).max(axis=2),
        "Mahalanobis": lambda v: _mahalanobis(_levelled(v)),
        "HalfSpaceTrees of river": lambda v: _trees(_levelled(v)),
        "IsolationForest of scikit-learn": lambda v: _forest(_levelled(v)),
    }
    for kind in ("linear", "curved", "standby"):
        value, calm = _groups(kind, PEERED, 2)
        apart, member, at = _broken(value, calm, "apart")
        changed = np.where(np.arange(PEERED)[:, None] % 2, apart, _broken(value, calm, "opposite")[0])
        for name, take in takes.items():
            begun = clock.process_time()
            score = take(changed)
            cost = (clock.process_time() - begun) / value.size * 1e6
            before = [score[DAY:t, g] for g, t in enumerate(at)]
            hit = _caught(score, _threshold(before), member, at)[0]
            found[f"peer_{kind}_{name.split()[0]}_caught"] = hit
            print(f"  {kind + ': ' + name:<48}{hit:>10.2f}{cost:>16.1f}")
    return found


def _threshold(before: list[Floats]) -> float:
    """Return the least threshold with so few false alarms; each that a group tells counts once."""
    every = np.concatenate(before)
    tries = np.quantile(every, 1 - np.geomspace(1e-5, 0.2, 200))
    false = np.array([sum(_bouts(b, t) for b in before) for t in tries]) * DAY / (len(every) * MEMBERS)
    few = tries[false <= ALLOWED]
    return float(few.min()) if len(few) else float(every.max()) + 1e-9


def _groups(kind: str, groups: int, seed: int) -> tuple[Floats, Floats]:
    """Return values (samples, groups, members) and the rhythm below them."""
    rng = np.random.default_rng([50, seed])
    n = DAYS * DAY
    rhythm = 100 * (1 + 0.5 * np.sin(2 * np.pi * (np.arange(n)[:, None] / DAY + rng.uniform(0, 1, groups))))
    drive = wander(rng, n, groups, 20.0)
    own = 0.8 * rng.normal(0, 1, (n, groups, MEMBERS)) + 0.6 * wander(rng, n, groups * MEMBERS, 30.0).reshape(
        n, groups, MEMBERS
    )
    unit = rng.uniform(0.2, 2.0, (groups, MEMBERS))
    load = rhythm * (1 + 0.15 * drive)
    if kind == "no bond":
        flat: Floats = np.full(own.shape, 50.0)
        return flat + 5 * own, flat
    if kind == "rhythm only":
        calm = 20 + rhythm[..., None] * unit
        return calm * (1 + 0.05 * own), calm
    if kind == "bursts":
        bursts = np.repeat(rng.random((n // 10, groups)) < 0.03, 10, axis=0)
        load = load * (1 + bursts * np.clip(rng.pareto(2.5, (n, groups)), 0, 10))
    if kind == "curved":
        calm, used = _curves(rhythm), _curves(load)
        return unit * used * (1 + 0.04 * own), unit * calm
    if kind == "standby":
        first = np.cumsum(rng.random((n, groups)) < 1 / 90, axis=0) % 2
        share = np.where(np.arange(MEMBERS) < MEMBERS // 2, first[..., None], 1 - first[..., None])
        return (10 + load[..., None] * share) * (1 + 0.04 * own), 10 + 0.5 * rhythm[..., None] * np.ones(
            MEMBERS
        )
    calm = 20 + rhythm[..., None] * unit
    noise = 0.10 if kind == "loose" else 0.04
    return 20 + load[..., None] * unit + calm * noise * own, calm


def _curves(load: Floats) -> Floats:
    """Return what follows a load in bent ways: work, waiting, buffers, lock time, traffic, tail latency."""
    u = np.clip(load / 220, 0.01, 0.97)
    return np.stack((u * 100, 1 / (1 - u), np.sqrt(u) * 50, u**2 * 100, u * 40, 3 / (1 - u)), axis=-1)


def _broken(value: Floats, calm: Floats, how: str) -> tuple[Floats, Places, Places]:
    """Return values with one member of each group let go for two hours of the last day; which; and when.

    Apart: it does what it did a day before. Opposite: it falls where it would have risen. Either way each
    of its values is as usual for the hour as any.
    """
    rng = np.random.default_rng(51)
    groups = value.shape[1]
    member: Places = rng.integers(0, MEMBERS, (groups,))
    at: Places = rng.integers((DAYS - 1) * DAY, DAYS * DAY - LASTS, (groups,))
    changed = value.copy()
    for g, (k, t) in enumerate(zip(member, at, strict=True)):
        now = slice(t, t + LASTS)
        mirrored = np.maximum(2 * calm[now, g, k] - value[now, g, k], 0.0)
        changed[now, g, k] = mirrored if how == "opposite" else value[t - DAY : t - DAY + LASTS, g, k]
    return changed, member, at


def _caught(
    score: Floats, threshold: float, member: Places, at: Places
) -> tuple[float, list[int], list[bool]]:
    """Return the share of breaks told within them, minutes each took, whether the right member was told."""
    late: list[int] = []
    right: list[bool] = []
    for g, (k, t) in enumerate(zip(member, at, strict=True)):
        part = score[t : t + LASTS, g].reshape(LASTS, -1)
        loud = part >= threshold
        if loud.any():
            late.append(int(loud.any(axis=1).argmax()) + 1)
            right.append(bool(loud.sum(axis=0).argmax() == k))
    return len(late) / len(at), late, right


def _bouts(score: Floats, threshold: float) -> int:
    loud = score >= threshold
    return int((loud[1:] & ~loud[:-1]).sum())


def _together(value: Floats) -> Floats:
    n, groups, members = value.shape
    d, series = Together(), np.arange(groups * members, dtype=np.int32)
    d.seat_many(series, series // members, series * 0)
    flat = value.reshape(n, -1)
    taken = [d.take_many(series, np.full(len(series), 60.0 * k), v)[0] for k, v in enumerate(flat)]
    return np.array(taken).reshape(value.shape)


def _levelled(value: Floats) -> Floats:
    """Return distances from a level that follows in half an hour, in spreads: what all peers are given."""
    level, stray = value[0].copy(), np.zeros(value.shape[1:])
    found = np.zeros(value.shape)
    for k, v in enumerate(value):
        spread = np.maximum(1.2533 * stray, 1e-9)
        found[k] = np.clip((v - level) / spread, -FAR, FAR)
        pace = max(1 / 30, 1 / (k + 1))
        miss = np.clip(v - level, -4 * spread, 4 * spread) if k >= 10 else v - level
        level += pace * miss
        stray += max(pace / 4, 1 / (k + 1)) * (np.abs(miss) - stray)
    return found


def _mahalanobis(z: Floats) -> Floats:
    """Return each group's distance under the covariance of about the last day: a score for all members."""
    found, size = np.zeros(z.shape[:2]), z.shape[2]
    covariance = np.zeros((z.shape[1], size, size))
    for k, now in enumerate(z):
        if k % 16 == 0:
            inverse = np.linalg.inv(covariance + 1e-3 * np.eye(size))
        found[k] = (now[:, :, None] * inverse * now[:, None, :]).sum(axis=(1, 2))
        covariance += max(1 / DAY, 1 / (k + 1)) * (now[:, :, None] * now[:, None, :] - covariance)
    return found


def _trees(z: Floats) -> Floats:
    """Return the score of river's trees, 25 of height 8, a window of 250, one forest a group."""
    kind: Any = HalfSpaceTrees
    found = np.zeros(z.shape[:2])
    for g in range(z.shape[1]):
        trees = kind(n_trees=25, height=8, window_size=250, seed=1)
        for k, now in enumerate(z[:, g].tolist()):
            given = {i: (v + FAR) / (2 * FAR) for i, v in enumerate(now)}
            found[k, g] = trees.score_one(given)
            trees.learn_one(given)
    return found


def _forest(z: Floats, every: int = 360, keep: int = 1024) -> Floats:
    """Return the score of 100 trees that are grown anew four times a day from samples of the last."""
    found = np.zeros(z.shape[:2])
    for g in range(z.shape[1]):
        for end in range(every, len(z), every):
            picked = np.linspace(max(0, end - DAY), end - 1, min(keep, end)).astype(int)
            forest = IsolationForest(n_estimators=100, random_state=1).fit(z[picked, g])
            found[end : end + every, g] = -forest.score_samples(z[end : end + every, g])
    return found


def _speed() -> dict[str, float]:
    """Print samples a second and bytes a series."""
    found: dict[str, float] = {}
    n = 96_000
    series = np.arange(n, dtype=np.int32)
    value = np.random.default_rng(0).normal(10, 1, (4, n))
    for members in (8, 32):
        d = Together()
        d.seat_many(series, series // members, series * 0)
        for k in range(24):
            d.take_many(series, np.full(n, 60.0 * k), value[k % 4])
        begun = clock.process_time()
        for k in range(24, 40):
            d.take_many(series, np.full(n, 60.0 * k), value[k % 4])
        rate = 16 * n / (clock.process_time() - begun)
        size = len(pickle.dumps(d)) / n
        found |= {f"samples_s_groups_of_{members}": rate, f"bytes_a_series_groups_of_{members}": size}
        print(f"{rate:,.0f} samples/s of {n:,} series in groups of {members}; {size:.0f} bytes a series")
    kind: Any = HalfSpaceTrees
    trees = kind(n_trees=25, height=8, window_size=250, seed=1)
    trees.learn_one(dict.fromkeys(range(8), 0.5))
    found["river_trees_bytes_a_series"] = len(pickle.dumps(trees)) / 8
    print(f"river HalfSpaceTrees: {found['river_trees_bytes_a_series']:,.0f} bytes a series of a group of 8")
    return found


def wander(rng: np.random.Generator, n: int, series: int, minutes: float) -> Floats:
    """Return (n, series) of unit variance that forget within so many minutes."""
    keep = np.exp(-1 / minutes)
    news = rng.normal(0, np.sqrt(1 - keep * keep), (n, series))
    now = rng.normal(0, 1, series)
    for k in range(n):
        now = keep * now + news[k]
        news[k] = now
    return news


if __name__ == "__main__":
    run()
