"""Evidence of all sorts and who depends on whom in, suspects out, likeliest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from pipeline.evidence.found import Evidence, Sort
from pipeline.topology import Topology
from pipeline.types import Suspect

# What a doubling of each sort counts for: what code does and writes says the most, and latency, which
# everyone above shares, the least. Halving or doubling any of them moves AC@1 by two cases of 47 at most.
WEIGHTS: Mapping[Sort, float] = {
    "log": 3.0, "network": 1.0, "shape": 1.0, "fails": 1.0, "own": 0.5,
    "edge": 0.3, "time": 0.15, "late": 0.1, "traffic": 0.02,
}  # fmt: skip
SHAPES: tuple[Sort, ...] = ("log", "shape")
SLOWNESS: tuple[Sort, ...] = ("late", "time")
SLOWERS: tuple[Sort, ...] = (*SLOWNESS, "network", "edge", "own")
SAME = 0.3  # of the weaker of logs and spans counts: they see the same requests
PASSED_ON = 0.3  # of what a callee does unlike itself explains what its caller does
TRACE = 0.02  # of what is explained away is left, to order the innocent
REASONS = 3


def blame(
    found: Iterable[Evidence],
    topology: Topology,
    seen: Mapping[str, frozenset[str]] | None = None,
) -> tuple[Suspect, ...]:
    """Return every service told of or in the catalogue, likeliest first; of equal ones the first by name.

    `seen` is who was seen to call whom, beside what the catalogue says. Slowness and failures of a service
    are explained by those below it; what it does to itself (CPU, memory, slow edges) is not.
    """
    table: dict[str, dict[Sort, Evidence]] = defaultdict(dict)
    for each in found:
        table[each.service][each.sort] = each
    ranked = [_suspect(name, table, _below(name, topology, seen or {})) for name in sorted(table)]
    ranked += [Suspect(name, 0.0, "") for name in sorted(topology.services) if name not in table]
    return tuple(sorted(ranked, key=lambda s: (-s.score, s.service)))


def _suspect(name: str, table: Mapping[str, Mapping[Sort, Evidence]], below: frozenset[str]) -> Suspect:
    def told(service: str, sorts: Iterable[Sort]) -> list[float]:
        held = table.get(service, {})
        return [WEIGHTS[sort] * held[sort].weight for sort in sorts if sort in held]

    def shape(service: str) -> float:
        found = told(service, SHAPES)
        return max(found, default=0.0) + SAME * (sum(found) - max(found, default=0.0))

    slow, fails = sum(told(name, SLOWNESS)), sum(told(name, ("fails",)))
    score = sum(told(name, ("network", "own", "edge", "traffic")))
    score += max(0.0, shape(name) - PASSED_ON * max(map(shape, below), default=0.0))
    score += max(0.0, slow - max((sum(told(callee, SLOWERS)) for callee in below), default=0.0))
    score += max(
        0.0, fails - max((shape(callee) + sum(told(callee, ("fails",))) for callee in below), default=0.0)
    )
    score += TRACE * (shape(name) + slow + fails)
    said = sorted(table.get(name, {}).values(), key=lambda e: (-WEIGHTS[e.sort] * e.weight, e.sort))
    return Suspect(name, score, "; ".join(e.reason for e in said[:REASONS]))


def _below(name: str, topology: Topology, seen: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return all that a service depends on, directly or not, as the catalogue or the spans have it."""
    reached: set[str] = set()
    left = [name]
    while left:
        service = left.pop()
        for callee in (*topology.callees.get(service, ()), *seen.get(service, ())):
            if callee not in reached and callee != name:
                reached.add(callee)
                left.append(callee)
    return frozenset(reached)
