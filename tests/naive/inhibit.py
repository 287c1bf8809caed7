"""pipeline/inhibit.py as Alertmanager does it: each rule, and each alert that is on, in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.inhibit import Inhibition
from pipeline.match import matchers
from pipeline.types import Labels
from tests.naive.match import holds


def naive_muting(rules: Sequence[Inhibition], on: Mapping[str, Labels], member: str) -> set[tuple[int, str]]:
    """Return every rule and every alert that mutes this one."""
    target = on[member]
    found = set()
    for k, rule in enumerate(rules):
        if not fits(rule.target_matchers, target):
            continue
        for other, source in on.items():
            if not fits(rule.source_matchers, source):
                continue
            if any(source.get(name, "") != target.get(name, "") for name in rule.equal):
                continue
            if fits(rule.source_matchers, target) and fits(rule.target_matchers, source):
                continue
            found.add((k, other))
    return found


def fits(written: Sequence[str], labels: Labels) -> bool:
    return all(holds(m, labels) for text in written for m in matchers(text))
