"""What the hot path counts: an addition there, and all else at the scrape, as the library tells its own."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Count(Collector):
    """A counter by the values of its labels, which the caller bounds; without labels it is told from 0 on."""

    def __init__(self, registry: CollectorRegistry, name: str, what: str, *labels: str) -> None:
        self.by: Counter[tuple[str, ...]] = Counter()
        self._told = name, what, labels
        if not labels:
            self.by[()] = 0
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        name, what, labels = self._told
        family = CounterMetricFamily(name, what, labels=labels)
        for values, count in self.by.items():
            family.add_metric(values, count)
        yield family


class Spans(Collector):
    """How many spans were at most so long, and their sum."""

    def __init__(self, registry: CollectorRegistry, name: str, what: str, bounds: Sequence[float]) -> None:
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0
        self._told = name, what
        self._bounds = tuple(map(float, bounds))
        registry.register(self)

    def observe(self, span: float) -> None:
        self.counts[bisect_left(self._bounds, span)] += 1
        self.sum += span

    def collect(self) -> Iterator[Metric]:
        buckets: list[tuple[str, float]] = []
        below = 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self.counts, strict=True):
            below += count
            buckets.append((bound, below))
        yield HistogramMetricFamily(*self._told, buckets=buckets, sum_value=self.sum)
