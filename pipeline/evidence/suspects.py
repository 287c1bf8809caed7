"""Evidence of all sorts and who depends on whom in, suspects out, likeliest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from pipeline.evidence.found import Evidence, Sort
from pipeline.topology import Topology
from pipeline.types import Suspect

# What a doubling of each sort counts for.
WEIGHTS: Mapping[Sort, float] = {
    "network": 1.0, "own": 1.0, "log": 2.0, "shape": 1.5, "fails": 1.0,
    "edge": 0.3, "time": 0.3, "late": 0.2, "traffic": 0.05,
}  # fmt: skip
SHAPES: tuple[Sort, ...] = ("log", "shape")
SLOWNESS: tuple[Sort, ...] = ("late", "time")
SLOWERS: tuple[Sort, ...] = (*SLOWNESS, "network", "edge", "own")
PASSED_ON = 0.5  # of what a callee does unlike itself explains what its caller does
TRACE = 0.02  # of what is explained away is left, to order the innocent
REASONS = 3


def blame(
    found: Iterable[Evidence],
    topology: Topology,
    seen: Mapping[str, frozenset[str]] | None = None,
    services: Iterable[str] = (),
) -> tuple[Suspect, ...]:
    """Return every service that was named, likeliest first; of equal ones the first by name.

    `seen` is who was seen to call whom, beside what the catalogue says. Slowness and failures of a service
    are explained by those below it; what it does to itself (CPU, memory, slow edges) is not.
    """
    table: dict[str, dict[Sort, Evidence]] = defaultdict(dict)
    for each in found:
        table[each.service][each.sort] = each
    below = _below(topology, seen or {})
    names = sorted({*table, *topology.services, *services})
    ranked = [_suspect(name, table, below.get(name, frozenset())) for name in names]
    return tuple(sorted(ranked, key=lambda s: (-s.score, s.service)))


def _suspect(name: str, table: Mapping[str, Mapping[Sort, Evidence]], below: frozenset[str]) -> Suspect:
    def most(service: str, sorts: Iterable[Sort]) -> float:
        held = table.get(service, {})
        return sum(WEIGHTS[sort] * held[sort].weight for sort in sorts if sort in held)

    def passed(sorts: Iterable[Sort]) -> float:
        return max((most(callee, sorts) for callee in below), default=0.0)

    shape, slow, fails = most(name, SHAPES), most(name, SLOWNESS), most(name, ("fails",))
    score = most(name, ("network", "own", "edge", "traffic"))
    score += max(0.0, shape - PASSED_ON * passed(SHAPES))
    score += max(0.0, slow - passed(SLOWERS))
    score += max(0.0, fails - passed((*SHAPES, "fails")))
    score += TRACE * (shape + slow + fails)
    said = sorted(table.get(name, {}).values(), key=lambda e: (-WEIGHTS[e.sort] * e.weight, e.sort))
    return Suspect(name, score, "; ".join(e.reason for e in said[:REASONS]))


def _below(topology: Topology, seen: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return all that each service depends on, as the catalogue or the spans have it."""
    names = {*topology.callees, *seen}
    direct = {n: topology.callees.get(n, frozenset()) | seen.get(n, frozenset()) for n in names}
    found = {}
    for name in names:
        reached: set[str] = set()
        left = [name]
        while left:
            for callee in sorted(direct.get(left.pop(), ())):
                if callee not in reached and callee != name:
                    reached.add(callee)
                    left.append(callee)
        found[name] = frozenset(reached)
    return found
