"""All that keeps incidents silent, together: as a plain reading of the whole story; nobody is told twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.clock import Span
from pipeline.decide import DecideState, Policy, decide
from pipeline.inhibit import Inhibition, Inhibitor
from pipeline.types import Event, Incident, Reason, Seconds, Signal, State, Verdict
from tests import nouns
from tests.naive.quiet import NaiveDecide

# Without a circle: where rules go in one, Alertmanager mutes all, and we do not.
RULES = (
    Inhibition("db over all", ("service=db",), ("service!=db",)),
    Inhibition("cart over front", ('service="cart"',), ("service=~front|mail",), ("entity",)),
)
POLICY = Policy(repeat_interval=Span(500), flap_opens=10**6)
SERVICES = ("db", "cart", "front", "mail")
CAUSES = {"front": "cart"}
service = st.sampled_from(SERVICES)
WORDS = st.lists(
    st.tuples(
        st.integers(0, 120),
        st.one_of(
            st.tuples(st.just("signal"), service, st.sampled_from("xy")),
            st.tuples(st.just("resolve"), service, st.just("")),
            st.tuples(st.just("silence"), service, st.sampled_from(("60", "300", "later"))),
            st.tuples(st.just("unsilence"), st.integers(0, 5), st.just("")),
            st.tuples(st.just("maintenance"), service, st.sampled_from(("0", "100"))),
            st.tuples(st.just("wait"), st.just(""), st.just("")),
        ),
    ),
    max_size=30,
)


@dataclass
class Story:
    """Incidents, one a service, whose signals come and go as the words say."""

    now: Seconds = 1000.0
    known: dict[str, Incident] = field(default_factory=dict)
    silences: list[str] = field(default_factory=list)

    def take(self, gap: int, word: tuple[str, str | int, str]) -> tuple[list[Event], list[Signal]]:
        self.now += gap
        do, what, more = word
        if do == "signal":
            return [], [self._signal(str(what), more)]
        if do == "resolve" and what in self.known:
            return [], self._resolve(str(what))
        if do == "silence":
            starts = {"starts": f"{self.now + 50:g}"} if more == "later" else {}
            until = self.now + (200 if more == "later" else float(more))
            asked = nouns.command("silence", self.now, until, service=str(what), **starts)
            self.silences.append(f"s{len(self.silences)}")
            return [replace(asked, id=self.silences[-1])], []
        if do == "unsilence" and int(what) < len(self.silences):
            return [nouns.command("unsilence", self.now, silence=self.silences[int(what)])], []
        if do == "maintenance":
            labels = {"service": str(what), "kind": "maintenance"}
            return [Event("change", f"c-{what}", self.now, labels, until=self.now + float(more))], []
        return [], []

    def _signal(self, service: str, entity: str) -> Signal:
        """Let a signal of the service begin; or end, where it is on."""
        old = self.known.get(service)
        found = {s.id: s for s in old.signals} if old is not None else {}
        on = next((s for s in found.values() if s.ended is None and s.labels["entity"] == entity), None)
        if on is not None:
            said = nouns.over(on, self.now)
        else:
            said = nouns.signal(service, self.now, entity=entity, id=f"{service}-{entity}-{self.now:g}")
        signals = tuple({**found, said.id: said}.values())
        cause = f"i-{CAUSES[service]}" if service in CAUSES else ""
        fresh = nouns.incident(*signals, id=f"i-{service}", cause=cause)
        self.known[service] = replace(old, signals=signals, state=State.OPEN) if old is not None else fresh
        return said

    def _resolve(self, service: str) -> list[Signal]:
        old = self.known[service]
        ended = [nouns.over(s, self.now) for s in old.signals if s.ended is None]
        signals = tuple(nouns.over(s, self.now) if s.ended is None else s for s in old.signals)
        self.known[service] = replace(old, signals=signals, state=State.RESOLVED, resolved=self.now)
        return ended


def played(
    words: list[tuple[int, tuple[str, str | int, str]]], *, restart: bool = False
) -> list[dict[str, Verdict]]:
    """Return the verdicts after each word; with a restart after each, they must be the same."""
    story, state, inhibitor = Story(), DecideState(), Inhibitor()
    inhibitor.adopt(RULES)
    found = []
    for gap, word in words:
        events, signals = story.take(gap, word)
        _, verdicts = decide(state, list(story.known.values()), events, POLICY, story.now, signals, inhibitor)
        found.append(dict(verdicts))
        if restart:
            state, inhibitor = snapshot.load(snapshot.dump((state, inhibitor)))
    return found


@given(WORDS)
def test_verdicts_are_those_of_a_plain_reading_of_the_whole_story(
    words: list[tuple[int, tuple[str, str | int, str]]],
) -> None:
    story, plain = Story(), NaiveDecide(RULES, 500)

    for (gap, word), verdicts in zip(words, played(words), strict=True):
        events, signals = story.take(gap, word)
        expected = plain.judge(list(story.known.values()), events, signals, story.now)
        assert {id: v.reason for id, v in verdicts.items()} == expected


@given(WORDS)
def test_a_restart_anywhere_changes_no_verdict(words: list[tuple[int, tuple[str, str | int, str]]]) -> None:
    assert played(words, restart=True) == played(words)


@given(WORDS)
def test_one_cause_never_pages_twice_and_every_page_gets_its_end(
    words: list[tuple[int, tuple[str, str | int, str]]],
) -> None:
    ends: list[tuple[int, tuple[str, str | int, str]]] = [(1, ("resolve", s, "")) for s in SERVICES]
    burning: Counter[str] = Counter()

    for verdicts in played([*words, *ends]):
        for id, verdict in sorted(verdicts.items()):  # a cause, i-cart, before its symptom, i-front
            if verdict.reason in (Reason.NEW, Reason.WORSE):
                assert burning[id] == 0
                assert verdict.reason is Reason.WORSE or not (id == "i-front" and burning["i-cart"])
                burning[id] += 1
            burning[id] -= verdict.reason is Reason.RESOLVED
        assert set(burning.values()) <= {0, 1}

    assert not any(burning.values())


def test_what_is_silent_when_a_silence_ends_is_told_again_only_once_it_burns() -> None:
    story = [
        (0, ("signal", "mail", "x")),
        (10, ("silence", "mail", "300")),
        (10, ("signal", "mail", "x")),  # it ends
        (300, ("wait", "", "")),
        (10, ("signal", "mail", "x")),
        (10, ("wait", "", "")),
    ]  # fmt: skip

    reasons = [v["i-mail"].reason for v in played(list(story))]

    assert reasons == [
        Reason.NEW, Reason.SILENCED, Reason.SILENCED, Reason.NOTHING_NEW, Reason.REPEAT, Reason.NOTHING_NEW,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("silenced", "reason"),
    [
        pytest.param("mail", Reason.INHIBITED, id="one is muted by what is on, the other by a person"),
        pytest.param("web", Reason.NEW, id="the other is not"),
    ],
)
def test_what_is_silenced_and_what_is_inhibited_make_no_page_together(silenced: str, reason: Reason) -> None:
    inhibitor = Inhibitor()
    inhibitor.adopt((Inhibition("db over cart", ("service=db",), ("service=cart",)),))
    db, cart, mail = (nouns.signal(name, 1000) for name in ("db", "cart", "mail"))
    both = nouns.incident(cart, mail, id="i-both")
    asked = nouns.command("silence", 1000, 2000, service=silenced)

    _, verdicts = decide(
        DecideState(),
        [nouns.incident(db, id="i-db"), both],
        [asked],
        POLICY,
        1000,
        [db, cart, mail],
        inhibitor,
    )

    assert verdicts["i-both"].reason is reason
