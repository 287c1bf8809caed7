"""How soon `canary` tells a bad release, and how often a harmless one, beside a t test each minute."""

from __future__ import annotations

import time as clock
from collections.abc import Callable

import numpy as np
from scipy import special

from detectors.base import Floats
from detectors.canary import ROW, Canary

STEP, BEFORE, AFTER = 60.0, 15, 240  # by the minute: without and with the new release
SOON = 60  # minutes in which a bad release is to be told
RELEASES = 400
LOUD = 3.0  # of the p-value of a whole release, whenever it is looked at

Draw = Callable[[np.random.Generator, int], Floats]  # generator, instances to (RELEASES, samples, instances)


def run() -> dict[str, float]:
    """Print the share of releases told and the delay, for 1 new of 10 instances and for other shares."""
    found: dict[str, float] = {}
    print(f"{'':<42}{'caught within 60 min':>24}{'delay, min':>14}   (canary | t test each minute)")
    for number, (name, (old, new, draw)) in enumerate(_services().items()):
        value = draw(np.random.default_rng([61, number]), old + new)
        value[:, BEFORE : BEFORE + 4, old:] *= np.array([4.0, 3.0, 2.0, 1.5])[:, None]  # caches are cold
        key = f"canary_{name.replace(' ', '_').replace(',', '').replace('%', '')}"
        for times in (1.0, 1.1, 1.3, 2.0):
            if times in (1.1, 1.3) and number > 3:
                continue
            line = value.copy()
            line[:, BEFORE:, old:] *= times
            if "errors" in name:  # more of them, and not larger ones
                more = np.random.default_rng([62, number]).poisson(
                    (times - 1) * _rate(name), line[:, BEFORE:, old:].shape
                )
                line[:, BEFORE:, old:] = value[:, BEFORE:, old:] + more
            late = AFTER if times == 1.0 else SOON
            rows = [_told(surprise[:, : BEFORE + late], level) for surprise, level in (
                (_canary(line, old), LOUD), (_peer(line, old), LOUD))]  # fmt: skip
            (hit, delay), (hit0, delay0) = rows
            what = "harmless, told in 4 h" if times == 1.0 else f"{times:g} times"
            print(f"{f'{name}: {what}':<60}{hit:>8.3f}{hit0:>8.3f}{delay:>8.0f}{delay0:>8.0f}")
            found |= {f"{key}_{times:g}_caught": hit, f"{key}_{times:g}_delay": delay}
    return found | _speed()


def _services() -> dict[str, tuple[int, int, Draw]]:
    """Return by name the number of old and of new instances, and how they behave."""

    def latency(own: float, keep: float) -> Draw:
        return lambda rng, n: _latency(rng, n, own, keep)

    def errors(rate: float) -> Draw:
        return lambda rng, n: _errors(rng, n, rate)

    return {
        "latency, instances alike 2 %": (9, 1, latency(0.02, 0.5)),
        "latency, instances alike 10 %": (9, 1, latency(0.1, 0.5)),
        "latency, autocorrelated 0.95": (9, 1, latency(0.02, 0.95)),
        "errors, 3 a minute": (9, 1, errors(3.0)),
        "errors, 1 in an hour": (9, 1, errors(1 / 60)),
        "latency, 1 of 4, alike 5 %": (3, 1, latency(0.05, 0.5)),
        "latency, 1 of 2, alike 3 %": (1, 1, latency(0.03, 0.5)),
        "latency, 5 of 10, alike 5 %": (5, 5, latency(0.05, 0.5)),
        "latency, 9 of 10, alike 5 %": (1, 9, latency(0.05, 0.5)),
    }


def _latency(rng: np.random.Generator, n: int, own: float, keep: float) -> Floats:
    """Load that all share swings threefold; each instance has an offset of its own and noise of 15 %."""
    shared = np.exp(0.4 * _auto(rng, 1, 0.99))
    spread = np.exp(own * rng.normal(size=(RELEASES, 1, n)))
    found: Floats = 0.2 * shared * spread * np.exp(0.15 * _auto(rng, n, keep))
    return found


def _errors(rng: np.random.Generator, n: int, rate: float) -> Floats:
    return rng.poisson(rate, (RELEASES, BEFORE + AFTER, n)).astype(float)


def _rate(name: str) -> float:
    return 3.0 if "3 a" in name else 1 / 60


def _auto(rng: np.random.Generator, n: int, keep: float) -> Floats:
    """Return (RELEASES, samples, n) of unit variance, each sample so much like the one before."""
    found = rng.normal(size=(RELEASES, BEFORE + AFTER, n))
    for k in range(1, BEFORE + AFTER):
        found[:, k] = keep * found[:, k - 1] + np.sqrt(1 - keep**2) * found[:, k]
    return found


def _canary(value: Floats, old: int) -> Floats:
    """Return the surprise of the first new instance, (RELEASES, samples)."""
    releases, samples, n = value.shape
    d, series = Canary(), np.arange(releases * n, dtype=np.int32)
    d.seat_many(series, series // n, (series % n >= old).astype(np.int32))
    found = np.full((releases, samples), np.nan)
    for k in range(samples):
        part = series if k >= BEFORE else series[series % n < old]
        surprise, _ = d.take_many(part, np.full(len(part), STEP * k), value[:, k].reshape(-1)[part])
        if k >= BEFORE:
            found[:, k] = surprise.reshape(releases, n)[:, old]
    return found


def _peer(value: Floats, old: int) -> Floats:
    """Return -log10 p of Welch's t test over all samples since five minutes after the release."""
    begin = BEFORE + 5
    found = np.full(value.shape[:2], np.nan)
    moments = []
    for side in (value[:, begin:, :old], value[:, begin:, old:]):
        n = side.shape[2] * np.arange(1.0, side.shape[1] + 1)
        mean = np.cumsum(side.sum(axis=2), axis=1) / n
        square = np.cumsum((side**2).sum(axis=2), axis=1) / n - mean**2
        moments.append((n, mean, square * n / np.maximum(n - 1, 1)))
    (n0, mean0, var0), (n1, mean1, var1) = moments
    with np.errstate(invalid="ignore", divide="ignore"):
        error = var0 / n0 + var1 / n1
        free = error**2 / ((var0 / n0) ** 2 / (n0 - 1) + (var1 / n1) ** 2 / (n1 - 1))
        t = np.abs(mean1 - mean0) / np.sqrt(error)
        p = 2 * special.stdtr(free, -t)
        found[:, begin:] = -np.log10(np.maximum(p, 1e-300))
    found[:, : begin + 7] = np.nan  # as many samples as canary waits for
    return found


def _told(surprise: Floats, level: float) -> tuple[float, float]:
    """Return the share of releases told, and the median delay of those, minutes since the release."""
    out = surprise >= level
    late = out.argmax(axis=1)[out.any(axis=1)] - BEFORE
    return float(out.any(axis=1).mean()), float(np.median(late)) if len(late) else np.nan


def _speed() -> dict[str, float]:
    n = 100_000
    rng, series = np.random.default_rng(0), np.arange(n, dtype=np.int32)
    values = rng.normal(10, 1, (24, n))
    d = Canary()
    d.seat_many(series, series // 10, (series % 10 == 9).astype(np.int32))
    begun = 0.0
    for k in range(24):
        begun = clock.process_time() if k == 20 else begun
        d.take_many(series, np.full(n, 60.0 * k), values[k])
    rate = 4 * n / (clock.process_time() - begun)
    print(f"{rate:,.0f} samples/s of 100,000 series in groups of 10; {ROW.itemsize + 25} bytes a series")
    return {"canary_samples_s": rate, "canary_bytes_a_series": ROW.itemsize + 25.0}


if __name__ == "__main__":
    run()
