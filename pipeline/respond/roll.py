"""Alerts of an incident into the webhooks of those who were paged: each is listed when it begins and ends.

A page lists what it is about. What joins the incident later is listed, as Alertmanager does, when the group
interval is over; sooner while the incident is young, and as soon as a second later where it is more than all
that was listed before. People who are reached otherwise are told of the incident alone, which speaks for all
of its alerts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from pipeline.alerts import AlertState
from pipeline.correlate.state import CorrelateState
from pipeline.types import Incident, Seconds
from pipeline.untold import Listed, Sheet, fold

CHANNEL = "webhook"
MAX_LISTED = 1_000  # alerts of one call, 0.7 MB as JSON: many servers take no body above 1 MB


class Call(NamedTuple):
    """What one call of a webhook lists."""

    alerts: str = ""  # see untold.fold
    listed: int = 0
    unlisted: int = 0  # alerts that fire and are not in it
    ended: int = 0  # of those listed


@dataclass(frozen=True, slots=True)
class Roll:
    """The alerts, and which incident each of their signals belongs to."""

    alerts: AlertState = field(default_factory=AlertState)
    correlate: CorrelateState = field(default_factory=CorrelateState)
    interval: Seconds = 300.0

    def due(self, now: Seconds) -> bool:
        """Say whether there is news, and all open incidents are at hand, as they are once a second."""
        untold = self.alerts.untold
        return self.correlate.looked == now and bool(untold.began or untold.ended)

    def page(self, incident: Incident) -> Call:
        """Return what a page lists: what is new, then what still fires, as far as it fits."""
        signals = self._signals(incident)
        rows, ends = self._hand_out([*reversed(signals)], incident.id)
        known = dict.fromkeys(rows)
        for signal in signals:
            if len(known) + len(ends) >= MAX_LISTED:
                break
            behind = islice(self.alerts.inhibitor.alerts(signal), MAX_LISTED)
            known.update((self.alerts.rows[raw], None) for raw in behind if raw in self.alerts.rows)
        rows = [*known][: MAX_LISTED - len(ends)]
        return self._call(rows, ends, sum(len(self.alerts.inhibitor.alerts(s)) for s in signals) - len(rows))

    def news(self, incidents: Iterable[Incident]) -> dict[str, list[str]]:
        """Return the signals with news of each of the incidents, oldest news first."""
        untold, home = self.alerts.untold, self.correlate.home
        found: dict[str, list[str]] = {}
        wanted = {i.id for i in incidents}
        if not wanted:
            return found
        for signal in {**untold.ended, **untold.began}:
            incident = home.get(signal) or untold.owners.get(signal, "")
            if incident in wanted:
                found.setdefault(incident, []).append(signal)
        return found

    def count(self, signals: Sequence[str]) -> int:
        """Return how many alerts have begun that nobody has heard of."""
        untold = self.alerts.untold
        return sum(map(untold.waiting, signals))

    def call(self, incident: Incident, signals: list[str]) -> Call:
        """Return a call that lists news of these signals, the last first; one with no more is taken out."""
        return self._call(*self._hand_out(signals, incident.id))

    def forget(self, incident: Incident) -> None:
        self.alerts.untold.forget(incident.id)

    def _signals(self, incident: Incident) -> list[str]:
        """Return the incident's signals of alerts, those that stand behind among them."""
        shown = [s.id for s in incident.signals if s.kind == "alert"]
        behind = self.correlate.behind.get(incident.id, {})
        return [*shown, *(s.id for s in behind.values() if s.kind == "alert")]

    def _hand_out(self, signals: list[str], incident: str) -> tuple[list[int], list[Listed]]:
        """Return what nobody has heard of, at most MAX_LISTED; signals with no more are taken out."""
        rows: list[int] = []
        ends: list[Listed] = []
        while signals:
            over = self.alerts.untold.over(signals[-1], MAX_LISTED - len(rows) - len(ends))
            ends += [alert for alert in over if alert.labels not in self.alerts.rows]  # it fires again
            rows += self._began(signals[-1], incident, MAX_LISTED - len(rows) - len(ends))
            if len(rows) + len(ends) >= MAX_LISTED:
                break
            signals.pop()
        return rows, ends

    def _began(self, signal: str, incident: str, most: int) -> list[int]:
        untold = self.alerts.untold
        if signal not in untold.began:
            return []
        if untold.stale(signal):
            untold.began[signal] = self._of(signal, untold.new(signal))
        return untold.tell(signal, incident, most)

    def _of(self, signal: str, rows: Iterable[int]) -> list[int]:
        """Return those rows that are still counted by the signal."""
        owners = ((row, self.alerts.group[row]) for row in rows)
        return [row for row, one in owners if one and one.signal and one.signal.id == signal]

    def _call(self, rows: Sequence[int], ends: Sequence[Listed], unlisted: int = 0) -> Call:
        if not rows and not ends:
            return Call()
        state = self.alerts
        sheet = Sheet(
            [*(state.labels[r] for r in rows), *(one.labels for one in ends)],
            [*(state.notes[r] for r in rows), *(one.notes for one in ends)],
            [*state.since[[*rows]].tolist(), *(one.since for one in ends)],
            [one.ended or 0.0 for one in ends],
        )
        return Call(fold(sheet), len(rows) + len(ends), unlisted, len(ends))
