"""What respond remembers between frames, and what it has decided so far in this one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.correlate.picture import say
from pipeline.respond.playbook import Response
from pipeline.respond.roll import Roll
from pipeline.respond.runs import ENDED, Move, Underway
from pipeline.types import Action, Entry, Incident, Run, Seconds

MAX_INCIDENTS = 10_000  # with notes; past it the oldest goes
MAX_RUNS = 100  # under way at once, over all playbooks
MAX_UNSAID = 50  # lines that wait for one incident: for one that is over they wait in vain
HOUR = 3600.0


@dataclass(slots=True)
class Notes:
    """What was done about one incident."""

    since: Seconds | None = None  # when the page went out that nobody has answered yet
    told: int = 0  # notifications so far, a part of their keys
    receivers: tuple[str, ...] = ()  # told so far, and so told of the end
    climbed: int = 0  # rungs of the escalation
    missed: tuple[str, ...] = ()  # targets said to be missed
    pending: dict[str, int] = field(default_factory=dict)  # key of a notification on its way: its number
    reached: set[int] = field(default_factory=set)  # numbers of those that one channel has delivered
    mishap: str = ""  # a playbook did not heal it, and nobody was told yet
    unreached: bool = False  # the last one reached nobody, and nobody else was told yet
    ended: dict[str, Run] = field(default_factory=dict)  # by playbook
    refused: dict[str, str] = field(default_factory=dict)  # playbook: why it may not start, as last said
    called: Seconds | None = None  # when a webhook was last called
    first_called: Seconds | None = None
    listed: int = 0  # alerts that those calls have listed


@dataclass(frozen=True, slots=True)
class Start:
    """One playbook began to act on one service."""

    at: Seconds
    playbook: str
    service: str


@dataclass(slots=True)
class RespondState:
    """Playbook runs and escalations under way; at most MAX_RUNS runs and the notes of MAX_INCIDENTS."""

    notes: dict[str, Notes] = field(default_factory=dict)  # by incident, oldest first
    runs: dict[str, Underway] = field(default_factory=dict)  # by run id, those not ended
    starts: tuple[Start, ...] = ()  # of the last hour, or of the longest cooldown
    stopped: str = ""  # who threw the kill switch; "" = playbooks may act
    unsaid: dict[str, list[Entry]] = field(default_factory=dict)  # for timelines of incidents not at hand
    calling: dict[str, list[str]] = field(default_factory=dict)  # incident -> signals whose alerts are listed
    dropped: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Desk:
    """One frame's work: the state, and what comes of it."""

    state: RespondState
    response: Response
    incidents: Mapping[str, Incident]
    now: Seconds
    roll: Roll = field(default_factory=Roll)
    actions: list[Action] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)  # those that changed

    def notes(self, incident: Incident) -> Notes:
        """Return the notes of an incident, opened where there are none."""
        known = self.state.notes.get(incident.id)
        if known is None:
            while len(self.state.notes) >= MAX_INCIDENTS:
                del self.state.notes[next(iter(self.state.notes))]
                self.state.dropped["notes"] += 1
            known = self.state.notes[incident.id] = Notes()
            if incident.paged is not None and incident.paged < self.now:
                # Forgotten since: numbers begun afresh would make keys that are known, and no page goes out.
                known.told = int(self.now)
        return known

    def say(self, incident: str, what: str) -> None:
        """Put a sentence in an incident's timeline, now or when it is next at hand: within a second."""
        unsaid = self.state.unsaid
        if incident not in unsaid and len(unsaid) >= MAX_INCIDENTS:
            del unsaid[next(iter(unsaid))]
            self.state.dropped["timeline entries"] += 1
        lines = unsaid.setdefault(incident, [])
        if len(lines) < MAX_UNSAID:
            lines.append(Entry(self.now, what))
        else:
            self.state.dropped["timeline entries"] += 1

    def take(self, move: Move) -> None:
        """Keep a run as it now stands, put its new words in the timeline and its action on the way."""
        u, actions = move
        before = self.state.runs.get(u.run.id)
        if before is u:
            return
        for entry in u.run.said[len(before.run.said) if before else 0 :]:
            self.say(u.run.incident, f"Playbook {u.run.playbook}: {entry.what}")
        self.runs[u.run.id] = u.run
        self.actions += actions
        if u.run.state not in ENDED:
            self.state.runs[u.run.id] = u
            return
        self.state.runs.pop(u.run.id, None)
        notes = self.state.notes.get(u.run.incident)
        if notes is not None:
            notes.ended[u.run.playbook] = u.run
            if u.run.state in {"failed", "undone"}:
                notes.mishap = f"Playbook {u.run.playbook} did not heal it: {u.why}"

    def told(self, incident: Incident) -> Incident:
        """Return the incident with what was said of it."""
        for entry in self.state.unsaid.pop(incident.id, ()):
            incident = say(incident, entry.at, entry.what)
        return incident
