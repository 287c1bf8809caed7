"""pipeline/match.py as Alertmanager does it: each matcher of each rule in turn."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipeline.match import Matcher


def naive_find(rules: Sequence[Sequence[Matcher]], labels: Mapping[str, str]) -> tuple[int, ...]:
    return tuple(k for k, rule in enumerate(rules) if all(holds(m, labels) for m in rule))


def holds(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    value = labels.get(matcher.name, "")
    same = value == matcher.value
    if "~" in matcher.op:
        same = re.fullmatch(matcher.value, value) is not None
    return same is not matcher.op.startswith("!")
