"""Series and their values as promtool writes them in, label sets and arrays out."""

from __future__ import annotations

import re

import numpy as np

from pipeline.types import Floats

NAN = float("nan")

_SERIES = re.compile(r"\s*([a-zA-Z_:][\w:]*)?\s*(?:\{(.*)\})?\s*$")
_LABEL = re.compile(r'\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RUN = re.compile(rf"({_NUMBER})(?:([+-](?:\d+\.?\d*|\.\d+)))?x(\d+)$")


def values(notation: str) -> Floats:
    """Return the values that promtool's series notation stands for, (n,); NaN where there is no sample.

    >>> values("1x2 5+10x2 _ 7 _x2").tolist()
    [1.0, 1.0, 1.0, 5.0, 15.0, 25.0, nan, 7.0, nan, nan]
    """
    found: list[float] = []
    for word in notation.split():
        run = _RUN.match(word)
        if run:
            first, by = float(run[1]), float(run[2] or 0)
            found += [first + by * k for k in range(int(run[3]) + 1)]
        elif word in {"_", "stale"}:
            found.append(NAN)
        elif re.match(r"_x\d+$", word):
            found += [NAN] * int(word[2:])
        elif re.match(rf"{_NUMBER}$", word):
            found.append(float(word))
        else:
            raise ValueError(f'values: expected a number, "0.2x60", "1+2x5", "_" or "stale", got "{word}"')
    return np.array(found)


def labels(series: str) -> dict[str, str]:
    """Return the label set of a series as Prometheus writes it.

    >>> labels('up{job="pay"}')
    {'__name__': 'up', 'job': 'pay'}
    """
    found = _SERIES.match(series)
    inner = found[2] or "" if found else ""
    if found is None or _LABEL.sub("", inner).strip():
        raise ValueError(f"series: expected name{{label=\"value\"}}, got '{series}'")
    named = {"__name__": found[1]} if found[1] else {}
    return named | {k: re.sub(r"\\(.)", r"\1", v) for k, v in _LABEL.findall(inner)}
