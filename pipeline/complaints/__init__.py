"""Complaints to topics and services, and to signals where many customers say the same."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pipeline.complaints.affected import Affected
from pipeline.complaints.budget import Budget
from pipeline.complaints.channel import Channels, silences
from pipeline.complaints.copies import Mails
from pipeline.complaints.encoders import Dense, chosen, encoder
from pipeline.complaints.head import Head
from pipeline.complaints.heard import Heard, voice_of
from pipeline.complaints.known import Known
from pipeline.complaints.labels import Labels
from pipeline.complaints.languages import language
from pipeline.complaints.link import evidence, names_of, ranked
from pipeline.complaints.proposals import Alias, Proposal, Proposals, of_each
from pipeline.complaints.reading import Reading, reading
from pipeline.complaints.sense import Sense
from pipeline.complaints.surge import Surges, notice
from pipeline.complaints.topics import Topics
from pipeline.complaints.tuning import Complaints
from pipeline.complaints.words import Rarity
from pipeline.topology import Topology
from pipeline.types import Complaint, Event, Incident, Seconds, Signal

CERTAIN = 0.5  # score of a link from which the complaint counts as naming the service


class Names(NamedTuple):
    """What services and topics are called, or may be."""

    proposed: tuple[Proposal, ...] = ()
    given: tuple[Alias, ...] = ()
    topics: tuple[str, ...] = ()  # that closed complaints were labelled with

    @property
    def by_service(self) -> Mapping[str, tuple[str, ...]]:
        return of_each(self.given)


@dataclass(slots=True)
class ComplaintState:
    """What customers have been saying. Owned by the pipeline; about 125 MB when full, see each part."""

    rarity: Rarity = field(default_factory=Rarity)
    sense: Sense = field(default_factory=Sense)
    known: Known = field(default_factory=Known)
    head: Head = field(default_factory=Head)  # what complaints labelled with a service teach
    heard: Heard = field(default_factory=Heard)
    topics: Topics = field(default_factory=Topics)
    surges: Surges = field(default_factory=Surges)
    mails: Mails = field(default_factory=Mails)
    channels: Channels = field(default_factory=Channels)
    proposals: Proposals = field(default_factory=Proposals)
    labels: Labels = field(default_factory=Labels)
    affected: Affected = field(default_factory=Affected)
    senses: dict[str, Dense] = field(default_factory=dict)  # rows of those read by the newest call
    dropped: Counter[str] = field(default_factory=Counter)


def tuned(state: ComplaintState, tuning: Complaints) -> ComplaintState:
    """Return the state with that encoder, "auto" = the one installed, and that budget.

    Vectors of two encoders do not compare: a change makes the state forget those it has, and what chance
    does to them; what was said in which words stays. Known topics are told once two weeks, or all that is
    kept, were said to the new one; labels of before then count by their words.
    """
    name = chosen(tuning.encoder)
    if state.sense.encoder != name:
        state.sense = Sense(name)
        state.heard.change_encoder(name)
        state.known.change_encoder()
        state.surges.budget = Budget()
    state.surges.budget.allow(tuning.false_surges_a_week)
    return state


def hear(
    state: ComplaintState,
    events: Iterable[Event],
    topology: Topology,
    now: Seconds,
    flagged: Container[str] = (),
    alive: bool = False,
    ahead: Mapping[str, Reading] = {},
) -> tuple[tuple[Signal, ...], tuple[Complaint, ...]]:
    """Return the surges that began, grew or ended, and each complaint read; an id is read once.

    A complaint is weighed against those before it only, in order of time, ties by id: how they are
    cut into calls changes nothing. `flagged` are the services of which something else is wrong: a surge
    about them needs less. `ahead` holds what was read before of some texts, by text; `alive` says that
    samples or logs go on coming in.
    """
    state.senses.clear()
    happened = tuple(events)
    state.surges.lessons.hear(happened, state.heard, now)
    words = deque(sorted((e for e in happened if e.kind == "command"), key=lambda e: (e.time, e.id)))
    state.proposals.obey(happened)
    given = state.proposals.names
    asked = sorted((e for e in happened if e.kind == "complaint"), key=lambda e: (e.time, e.id))
    signals: list[Signal] = []
    read: list[Complaint] = []
    for event in asked:
        while words and words[0].time < event.time:
            state.labels.hear((words.popleft(),), state.heard, state.head, state.known)
        if event.id in state.heard.numbers:
            state.dropped["heard before"] += 1
            continue
        time = min(event.time, now)
        # The model is loaded, 190 MB, when somebody first complains.
        said = ahead.get(event.text) or reading(event.text, encoder(state.sense.encoder))
        vector, dense = state.rarity.weigh(*said.columns), state.sense.centre(said.dense)
        one = state.heard.read(vector, dense)
        if event.labels.get("topic"):
            state.known.teach(event.id, event.labels["topic"], vector, one.dense)
        topic, sure = state.known.of(vector, one.dense, one.crowd)
        one = one._replace(topic=topic, sure=sure)
        sense = dense if len(dense) else None
        if sense is not None:
            state.senses[event.id] = sense
        if event.labels.get("service"):
            state.head.teach(event.id, event.labels["service"], vector, sense)
        names, odds = evidence(said.own, topology, state.sense.encoder, dense, given)
        services = ranked(names, odds + state.labels.evidence(state.head, names, vector, sense))
        named = services[0][0] if services and services[0][1] >= CERTAIN else ""
        version, platform, region = state.affected.hear(event.id, event.labels)
        complaint = Complaint(
            id=event.id,
            time=time,
            customer=event.labels.get("customer", ""),
            channel=event.labels.get("channel", ""),
            lang=language(said.own, event.labels.get("lang", "")),
            text=event.text,
            topic=state.topics.place(
                one.vector,
                said.own,
                dense=said.dense if len(said.dense) else None,
                time=time,
                customer=event.labels.get("customer", ""),
                version=version,
                platform=platform,
                region=region,
            ),
            urgent=said.urgent,
            services=services,
        )
        voice = voice_of(complaint.customer, said.words)
        aside = state.mails.answered(event.text, said.own, voice)
        if aside:
            state.dropped["answers to one mail"] += 1
            read.append(replace(complaint, aside=aside))
            continue
        read.append(complaint)
        signals += notice(
            state.surges, state.heard, complaint, one, voice, named, now, flagged=named in flagged
        )
        state.heard.add(event.id, time, voice, state.surges.number(named), one, state.known)
        _propose(state, event.id, voice, said.words, named)
    state.labels.hear(words, state.heard, state.head, state.known)
    signals += state.surges.endings(state.heard, now)
    signals = [state.affected.told(surge) for surge in signals]
    signals += silences(state.channels, read, now, alive=alive)
    return tuple(signals), tuple(read)


def learn(state: ComplaintState, incidents: tuple[Incident, ...]) -> None:
    """Take what incidents that are over say of their complaints: which service those were about."""
    for incident in incidents:
        service = state.labels.learn(incident, state.heard, state.surges.services, state.head)
        if service:
            state.proposals.tell(service, incident.id, incident.complaints)


def proposed(state: ComplaintState, topology: Topology) -> Names:
    """Return the names that customers may have for services, those accepted, and topics people taught."""
    given = state.proposals.names
    known = {name: (*called, *given.get(name, ())) for name, called in names_of(topology).items()}
    found = state.proposals.proposed(state.rarity, known)
    return Names(found, tuple(state.proposals.given.values()), tuple(sorted(state.known.head.services)))


def _propose(state: ComplaintState, id: str, voice: int, text: str, named: str) -> None:
    """Count what is said in a confirmed surge of a service, or names none while only one such is on."""
    state.proposals.hear(id, voice, text)
    on = [surge for surge in state.surges.on.values() if surge.page and surge.service]
    joined = [surge for surge in on if id in surge.ids[-1:]]
    for surge in joined:
        state.proposals.tell(surge.service, surge.id, surge.ids)
    if len(on) == 1 and not joined and not named:
        state.proposals.tell(on[0].service, on[0].id, (id,))
