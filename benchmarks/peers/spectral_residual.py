"""Spectral residual, the newest sample of a sliding window beside the saliency of those before it.

Ren et al. 2019, "Time-series anomaly detection service at Microsoft", KDD, sec. 3.1: log spectrum less its
mean of q = 3, five points extrapolated by the mean gradient, saliency beside its mean of z = 21. Windows
are of 128 with the extrapolated, so that each sample can be scored as it comes. The newest has no part in
what is extrapolated: as the formula reads it has, and a spike then passes for a step (NAB 9 for 32).
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detectors.base import Floats

CLAIMS_P = False
WINDOW = 128
AHEAD = 5
NEAR = 21
BLOCK = 4096  # windows at once
PAST = WINDOW - AHEAD


def score(value: Floats, cadence: float) -> Floats:
    found = np.full(len(value), np.nan)
    if len(value) < PAST:
        return found
    windows = sliding_window_view(value, PAST)
    for k in range(0, len(windows), BLOCK):
        part = _score(windows[k : k + BLOCK])
        found[PAST - 1 + k : PAST - 1 + k + len(part)] = part
    return found


def _score(windows: Floats) -> Floats:
    """Return the score of the last sample of each window, (n, PAST) -> (n,)."""
    near_end = windows[:, -2 - AHEAD : -1]
    rise = (near_end[:, -1:] - near_end[:, :-1]) / np.arange(AHEAD, 0, -1)
    next_one = near_end[:, 1:2] + rise.mean(axis=1, keepdims=True) * AHEAD
    spectrum = np.fft.fft(np.hstack((windows, np.repeat(next_one, AHEAD, axis=1))))
    size = np.abs(spectrum) + 1e-8
    log = np.log(size)
    near = (np.roll(log, 1, axis=1) + log + np.roll(log, -1, axis=1)) / 3
    saliency = np.abs(np.fft.ifft(spectrum / size * np.exp(log - near)))
    usual = saliency[:, PAST - 1 - NEAR : PAST - 1].mean(axis=1)
    return np.asarray(np.maximum(saliency[:, PAST - 1] - usual, 0) / np.maximum(usual, 1e-8))
