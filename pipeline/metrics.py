"""What Forewarn knows of itself, for Prometheus: counted a frame at a time, the rest read at the scrape."""

from __future__ import annotations

import dataclasses
from collections import Counter as Counted
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from pipeline.detect.slo import Budget
from pipeline.frame import Frame
from pipeline.tally import Count, Spans
from pipeline.types import Action, Incident, Outcome, Seconds, Step

# Half of what a scrape would carry, and nothing reads it.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library types all but this

# A step is mostly 0.1-10 ms; what is slower than a second is worth a look whatever its exact figure.
_FAST = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_LEAD = (-3600, -1800, -900, -300, -120, -60, 0, 60, 120, 300, 600, 900, 1800, 3600)
_TOOK = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

MAX_LEADS = 10_000  # incidents remembered so that the lead time of each is counted once
MAX_REASONS = 50  # a stage's reasons are words of the code; should input slip in, the rest is "other"


@dataclass(frozen=True)
class Readings:
    """Numbers that the engine has anyway; each is called once a scrape."""

    dropped: Callable[[], Mapping[str, Mapping[str, int]]]  # by stage and reason; see drops()
    queues: Callable[[], Mapping[str, int]]  # name to what waits in it now
    incidents: Callable[[], Iterable[Incident]]  # those that are not over
    lag: Callable[[], tuple[int, Seconds]]  # frames journaled and not stepped yet, age of the oldest
    series: Callable[[], int]
    budgets: Callable[[], Iterable[Budget]] = tuple  # of the objectives in rules
    habits: Callable[[], tuple[int, int]] = lambda: (0, 0)  # signals joined by habit, and taken out again
    promises: Callable[[], Mapping[tuple[str, str], int]] = dict  # not kept yet, by kind and how they stand


class Metrics:
    """The registry of one engine: call a verb when its thing happens, `render` when scraped.

    Those called per frame, request or step cost less than a microsecond; none is called per sample.
    """

    def __init__(self, readings: Readings | None = None) -> None:
        self.registry = r = CollectorRegistry()
        self._leads: OrderedDict[str, None] = OrderedDict()
        self._requests = Count(r, "forewarn_requests", "Requests to the doors.", "door", "code")
        self._frames = Count(r, "forewarn_frames", "Frames journaled, by door.", "source")
        self._samples = Count(r, "forewarn_samples", "Metric samples journaled.")
        self._lines = Count(r, "forewarn_lines", "Log lines journaled.")
        self._traced = Count(r, "forewarn_spans", "Spans of traces journaled.")
        self._events = Count(r, "forewarn_events", "Events journaled.", "kind")
        self._bytes = Count(r, "forewarn_journal_bytes", "Bytes appended to the journal.")
        self._fsync = Spans(r, "forewarn_journal_fsync_seconds", "One group commit of the journal.", _FAST)
        self._step = Spans(r, "forewarn_step_seconds", "One frame through all stages.", _FAST)
        self._record = Spans(r, "forewarn_record_seconds", "One step into the store, durable.", _FAST)
        self._signals = Counter("forewarn_signals", "Words of signals.", ["kind"], registry=r)
        self._verdicts = Counter("forewarn_verdicts", "Verdicts of decide.", ["act", "reason"], registry=r)
        self._pages = Counter("forewarn_pages", "Incidents that were paged, once each.", registry=r)
        self._paged: OrderedDict[str, None] = OrderedDict()
        self._lead = Histogram(
            "forewarn_lead_seconds",
            "First complaint minus first page, an incident; negative = the customer was first.",
            buckets=_LEAD, registry=r,
        )  # fmt: skip
        self._actions = Counter("forewarn_actions", "Actions run.", ["kind", "do", "outcome"], registry=r)
        self._acted = Histogram(
            "forewarn_action_seconds", "How long actions took.", ["do"], buckets=_TOOK, registry=r
        )
        self._reload_ok = Gauge(
            "forewarn_config_last_reload_successful", "1 where the newest config is in use.", registry=r
        )
        self._reload_at = Gauge(
            "forewarn_config_last_reload_success_timestamp_seconds", "When it was taken.", registry=r
        )
        ProcessCollector(registry=r)
        PlatformCollector(registry=r)
        GCCollector(registry=r)
        if readings is not None:
            r.register(_AtScrape(readings))

    def answered(self, door: str, code: int) -> None:
        """Count a request; `door` is the name of a route, never a path that a client chose."""
        self._requests.by[door, str(code)] += 1

    def took(self, frame: Frame, size: int) -> None:
        """Count a frame that the journal holds durably, `size` bytes of it."""
        self._frames.by[(frame.source,)] += 1
        self._bytes.by[()] += size
        if frame.text:
            self._lines.by[()] += len(frame.text)
        elif frame.notes:
            self._events.by[("alert",)] += len(frame.notes)
        elif frame.spans:
            self._traced.by[()] += len(frame.series) // 4
        else:
            self._samples.by[()] += len(frame.series) // 4
        for event in frame.events:
            self._events.by[(event.kind,)] += 1

    def synced(self, span: Seconds) -> None:
        self._fsync.observe(span)

    def recorded(self, span: Seconds) -> None:
        self._record.observe(span)

    def stepped(self, step: Step, span: Seconds) -> None:
        """Count what a step led to; `span` is how long it took."""
        self._step.observe(span)
        if not step:
            return
        for kind, count in Counted(signal.kind for signal in step.signals).items():
            self._signals.labels(kind).inc(count)
        for verdict in step.verdicts.values():
            self._verdicts.labels(str(verdict.act).lower(), verdict.reason.value).inc()
        for incident in step.incidents:
            if incident.paged is not None and _first(self._paged, incident.id):
                self._pages.inc()
            if incident.lead is not None and _first(self._leads, incident.id):
                self._lead.observe(incident.lead)

    def remember(self, incidents: Iterable[Incident]) -> None:
        """Take the incidents of a former run, whose pages and lead times were counted by it."""
        for incident in incidents:
            if incident.paged is not None:
                _first(self._paged, incident.id)
            if incident.lead is not None:
                _first(self._leads, incident.id)

    def acted(self, action: Action, outcome: Outcome) -> None:
        self._actions.labels(action.kind, action.do, "ok" if outcome.ok else "failed").inc()
        self._acted.labels(action.do).observe(outcome.took)

    def reloaded(self, ok: bool, now: Seconds) -> None:
        self._reload_ok.set(ok)
        if ok:
            self._reload_at.set(now)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return the text and its content type: OpenMetrics where the scraper accepts it."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type


def drops(memory: object) -> Mapping[str, Mapping[str, int]]:
    """Return the `dropped` counters of a dataclass of stages and of their parts, by stage name."""
    found = {}
    for name, stage in _parts(memory):
        for part, held in (("", stage), *_parts(stage)):
            if hasattr(held, "dropped"):
                found[f"{name} {part}".rstrip()] = held.dropped
    return found


def _parts(of: object) -> Iterator[tuple[str, object]]:
    if dataclasses.is_dataclass(of):
        yield from ((f.name, getattr(of, f.name)) for f in dataclasses.fields(of))


class _AtScrape(Collector):
    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        read = self._readings
        frames, age = read.lag()
        yield GaugeMetricFamily("forewarn_lag_frames", "Journaled and not stepped yet.", frames)
        yield GaugeMetricFamily("forewarn_lag_seconds", "Age of the oldest frame not stepped yet.", age)
        yield GaugeMetricFamily("forewarn_series", "Label sets known.", read.series())
        queues = GaugeMetricFamily("forewarn_queue_length", "What waits in each queue.", labels=["queue"])
        for name, depth in read.queues().items():
            queues.add_metric([name], depth)
        yield queues
        dropped = CounterMetricFamily("forewarn_dropped", "Turned away.", labels=["stage", "reason"])
        for stage, reasons in read.dropped().items():
            for reason, count in _bounded(reasons).items():
                dropped.add_metric([stage, reason], count)
        yield dropped
        yield from self._budgets(read.budgets())
        yield self._incidents(read.incidents())
        yield self._promises(read.promises())
        joined, parted = read.habits()
        yield CounterMetricFamily(
            "forewarn_habit_joins", "Signals put to an incident by habit alone.", joined
        )
        yield CounterMetricFamily("forewarn_habit_splits", "Of them, those that a person took out.", parted)

    @staticmethod
    def _budgets(budgets: Iterable[Budget]) -> Iterator[Metric]:
        names = ["slo", "service", "by"]
        left = GaugeMetricFamily(
            "forewarn_slo_error_budget_left_ratio", "Of the window; below 0 = overspent.", labels=names
        )
        burn = GaugeMetricFamily(
            "forewarn_slo_burn_rate", "How many times too fast, over the last hour.", labels=names
        )
        for budget in budgets:
            by = ",".join(f"{k}={v}" for k, v in sorted(budget.labels.items()) if k != "service")
            values = [budget.slo, budget.labels.get("service", ""), by]
            left.add_metric(values, budget.left)
            burn.add_metric(values, budget.burn)
        yield left
        yield burn

    @staticmethod
    def _promises(counted: Mapping[tuple[str, str], int]) -> Metric:
        family = GaugeMetricFamily(
            "forewarn_promises", "Words given to customers and not kept yet.", labels=["promise", "state"]
        )
        for promise in ("respond", "update", "resolve"):
            for state in ("open", "warned", "broken", "stands"):
                family.add_metric([promise, state], counted.get((promise, state), 0))
        return family

    @staticmethod
    def _incidents(incidents: Iterable[Incident]) -> Metric:
        found: dict[tuple[str, str], int] = {}
        for incident in incidents:
            key = (incident.state.value, incident.priority)
            found[key] = found.get(key, 0) + 1
        family = GaugeMetricFamily(
            "forewarn_incidents", "Incidents that are not over.", labels=["state", "priority"]
        )
        for state, priority in sorted(found):
            family.add_metric([state, priority], found[state, priority])
        return family


def _bounded(reasons: Mapping[str, int]) -> Mapping[str, int]:
    if len(reasons) <= MAX_REASONS:
        return reasons
    kept = sorted(reasons, key=lambda r: (-reasons[r], r))[:MAX_REASONS]
    rest = sum(reasons.values()) - sum(reasons[r] for r in kept)
    return {r: reasons[r] for r in kept} | {"other": rest}


def _first(seen: OrderedDict[str, None], id: str) -> bool:
    """Say whether the id is new to `seen`, and keep it; past the bound the oldest is forgotten."""
    if id in seen:
        return False
    seen[id] = None
    if len(seen) > MAX_LEADS:
        seen.popitem(last=False)
    return True
