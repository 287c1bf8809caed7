"""The whole trip on one screen: batch -> signals -> incidents -> verdicts -> actions."""

from __future__ import annotations

from pipeline import snapshot
from pipeline.alerts import take_alerts
from pipeline.complaints import hear, learn, tuned
from pipeline.config import Config
from pipeline.correlate import correlate
from pipeline.decide import asked, decide
from pipeline.detect import detect, hindsight
from pipeline.feeds import listen
from pipeline.follow import follow
from pipeline.frame import Frame, batch
from pipeline.logs import read_lines, using
from pipeline.memory import Memory
from pipeline.patterns import notice
from pipeline.priority import weigh
from pipeline.respond import Roll, respond
from pipeline.series import Series
from pipeline.spans import Graph, trace
from pipeline.types import Batch, Seconds, Step


class Pipeline:
    """No I/O, no clock, no chance of its own: the same frames give the same steps, bit for bit."""

    def __init__(self, config: Config, memory: Memory | None = None) -> None:
        self.config = config
        self.memory = memory or Memory(series=Series(config.limits.series))
        self.memory.logs = using(self.memory.logs, config.logs.templates)
        self.memory.complaints = tuned(self.memory.complaints, config.complaints)
        self.graph = Graph()

    @classmethod
    def restore(cls, config: Config, raw: bytes) -> Pipeline:
        return cls(config, snapshot.load(raw))

    def snapshot(self) -> bytes:
        return snapshot.dump(self.memory)

    def take(self, frame: Frame, position: int) -> Step | None:
        """Step the frame at its position; None where it was taken before. A gap raises LookupError."""
        if position <= self.memory.position:
            return None
        if position > self.memory.position + 1:
            raise LookupError(f"frame {position} came after {self.memory.position}: seek back")
        step = self.step(batch(frame, self.memory.series), frame.at)
        self.memory.position = position
        return step

    def step(self, batch: Batch, now: Seconds) -> Step:
        m, c = self.memory, self.config
        batch = trace(m.traces, batch, m.series, now)
        graph = self.graph.around(m.traces, c.topology)
        measured, evidence = detect(m.detect, batch, m.series, c.watches, now)
        logged = read_lines(m.logs, batch, m.series, now)
        heard, complaints = hear(m.complaints, batch.events, c.topology, now, m.correlate.open, batch.alive)
        told_of = (*measured, *logged, *heard, *take_alerts(m.alerts, batch.alerts, now, c.inhibit_rules))
        signals = notice(m.patterns, told_of, batch.events, c.patterns, now)
        patience, senses = c.policy.resolve_after, m.complaints.senses
        seen = correlate(m.correlate, signals, complaints, batch.events, graph, now, patience, senses)
        seen = weigh(seen, c.priorities, graph, now)
        told, verdicts = decide(m.decide, seen, batch.events, c.policy, now, signals, m.alerts.inhibitor)
        roll = Roll(m.alerts, m.correlate, c.policy.group_interval)
        answered, actions, runs = respond(m.respond, told, verdicts, batch.events, c.response, now, roll)
        incidents = m.correlate.keep(hindsight(m.detect, m.series, answered, now))
        learn(m.complaints, incidents)
        cases, asks = follow(m.follow, complaints, incidents, batch.events, c, now)
        return Step(
            now, signals, complaints, incidents, verdicts, (*actions, *asks), runs, batch.of("change"),
            evidence, asked(m.decide, batch.events, now), listen(m.feeds, batch, m.series, now), cases,
        )  # fmt: skip
