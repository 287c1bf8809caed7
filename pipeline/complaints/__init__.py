"""Complaints to topics and services, and to signals where many customers say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from pipeline.complaints.budget import Budget
from pipeline.complaints.channel import Channels, silences
from pipeline.complaints.copies import Mails
from pipeline.complaints.door import language, said_now
from pipeline.complaints.encoders import Dense, chosen, encoder
from pipeline.complaints.head import Head
from pipeline.complaints.heard import Heard, Said, voice_of
from pipeline.complaints.known import Known
from pipeline.complaints.link import evidence, ranked
from pipeline.complaints.sense import Sense
from pipeline.complaints.surge import Surges, notice
from pipeline.complaints.topics import Topics
from pipeline.complaints.urgency import urgent
from pipeline.complaints.words import Rarity, columns, plain
from pipeline.topology import Topology
from pipeline.types import Complaint, Event, Seconds, Signal

CERTAIN = 0.5  # score of a link from which the complaint counts as naming the service


@dataclass(slots=True)
class ComplaintState:
    """What customers have been saying. Owned by the pipeline; about 60 MB when full, see each part."""

    rarity: Rarity = field(default_factory=Rarity)
    sense: Sense = field(default_factory=Sense)
    known: Known = field(default_factory=Known)
    head: Head = field(default_factory=Head)  # what complaints labelled with a service teach
    heard: Heard = field(default_factory=Heard)
    topics: Topics = field(default_factory=Topics)
    surges: Surges = field(default_factory=Surges)
    mails: Mails = field(default_factory=Mails)
    channels: Channels = field(default_factory=Channels)
    senses: dict[str, Dense] = field(default_factory=dict)  # rows of those read by the newest call
    dropped: Counter[str] = field(default_factory=Counter)


class Tuning(Protocol):
    """What can be configured; see config.Complaints."""

    @property
    def encoder(self) -> str: ...

    @property
    def false_surges_a_week(self) -> float: ...


def tuned(state: ComplaintState, tuning: Tuning) -> ComplaintState:
    """Return the state with that encoder, "auto" = the one installed, and that budget.

    Vectors of two encoders do not compare: a change makes the state forget those it has, and what chance
    does to them; what was said in which words stays.
    """
    name = chosen(tuning.encoder)
    if state.sense.encoder != name:
        state.sense = Sense(name)
        state.heard.change_encoder(name)
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
    ahead: Mapping[str, Dense] = {},
) -> tuple[tuple[Signal, ...], tuple[Complaint, ...]]:
    """Return the surges that began, grew or ended, and each complaint read; an id is read once.

    A complaint is weighed against those before it only, in order of time, ties by id: how they are
    cut into calls changes nothing. `flagged` are the services of which something else is wrong: a surge
    about them needs less. `ahead` holds the encoder's rows of texts that were encoded before, by
    what `said_now` leaves of them; `alive` says that samples or logs go on coming in.
    """
    state.senses.clear()
    happened = tuple(events)
    state.surges.lessons.hear(happened, state.heard, now)
    asked = sorted((e for e in happened if e.kind == "complaint"), key=lambda e: (e.time, e.id))
    own = [said_now(e.text) for e in asked]
    said = [plain(text) for text in own]
    cut = columns(said) if said else []
    model = encoder(state.sense.encoder)
    meant = [ahead[text] if text in ahead else model.encode([text])[0] for text in own]
    signals: list[Signal] = []
    read: list[Complaint] = []
    for event, words, text, (index, counts), raw in zip(asked, own, said, cut, meant, strict=True):
        if event.id in state.heard.numbers:
            state.dropped["heard before"] += 1
            continue
        time = min(event.time, now)
        vector, dense = state.rarity.weigh(index, counts), state.sense.centre(raw)
        if event.labels.get("topic"):
            state.known.teach(event.id, event.labels["topic"], vector, dense)
        one = Said(vector, dense, *state.known.of(vector, dense))
        sense = dense if len(dense) else None
        if sense is not None:
            state.senses[event.id] = sense
        if event.labels.get("service"):
            state.head.teach(event.id, event.labels["service"], vector, sense)
        names, odds = evidence(words, topology, state.sense.encoder, dense)
        services = ranked(names, odds + state.head.evidence(names, vector, sense))
        named = services[0][0] if services and services[0][1] >= CERTAIN else ""
        complaint = Complaint(
            id=event.id,
            time=time,
            customer=event.labels.get("customer", ""),
            channel=event.labels.get("channel", ""),
            lang=language(words, event.labels.get("lang", "")),
            text=event.text,
            topic=state.topics.place(
                one.vector,
                words,
                dense=raw if len(raw) else None,
                time=time,
                customer=event.labels.get("customer", ""),
                version=event.labels.get("version", ""),
            ),
            urgent=urgent(words, dense=raw),
            services=services,
        )
        voice = voice_of(complaint.customer, text)
        aside = state.mails.answered(event.text, words, voice)
        if aside:
            state.dropped["answers to one mail"] += 1
            read.append(replace(complaint, aside=aside))
            continue
        read.append(complaint)
        signals += notice(
            state.surges, state.heard, complaint, one, voice, named, now, flagged=named in flagged
        )
        state.heard.add(event.id, time, voice, state.surges.number(named), one, state.known)
    signals += state.surges.endings(state.heard, now)
    signals += silences(state.channels, read, now, alive=alive)
    return tuple(signals), tuple(read)
