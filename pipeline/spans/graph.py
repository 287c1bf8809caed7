"""The service catalogue and the calls that traces tell of in, the graph that correlation walks out."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from pipeline.spans.traced import TraceState, calls
from pipeline.topology import Service, Topology


@dataclass(slots=True)
class Graph:
    """A catalogue with what was seen put in, worked out anew when either changes."""

    catalog: Topology = field(default_factory=Topology)
    edges: int = 0
    found: Topology = field(default_factory=Topology)

    def around(self, state: TraceState, catalog: Topology) -> Topology:
        """Return the catalogue; a service of which it names no callee depends on those it was seen to call.

        Who wrote down what a service depends on is believed: traces may show one call of thousands.
        """
        if catalog is not self.catalog or state.edges != self.edges:
            self.catalog, self.edges, self.found = catalog, state.edges, _with(catalog, state)
        return self.found


def _with(catalog: Topology, state: TraceState) -> Topology:
    more = {
        caller: msgspec.structs.replace(known, depends_on=tuple(sorted(callees)))
        for caller, callees in calls(state).items()
        if not (known := catalog.services.get(caller, Service())).depends_on
    }
    if not more:
        return catalog
    return Topology({**catalog.services, **more}, catalog.customers, catalog.doubts, frozenset(more))
