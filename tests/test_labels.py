"""Who closes a complaint with a topic or a service teaches; incidents that are over teach apart from that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline import snapshot
from pipeline.complaints import ComplaintState, hear, labels, learn, proposed, tuned
from pipeline.complaints.labels import MAX_INCIDENTS
from pipeline.complaints.link import NO_ROW
from pipeline.complaints.tuning import Complaints
from pipeline.complaints.words import Vector
from pipeline.topology import Service, Topology
from pipeline.types import Event, Incident, Seconds, State
from tests.following import incident

NOW = 1_700_000_000.0
SHOP = Topology({"cart": Service(aliases={"en": ("cart",)}), "payment": Service(aliases={"en": ("pay",)})})
BASKET = ("the trolley hangs", "my trolley is stuck", "trolley gone", "our trolley is slow")
REFUSED = ("visa refused", "they refused my visa", "a visa was refused", "visa not taken")


def said(id: str, text: str, at: Seconds = NOW) -> Event:
    return Event("complaint", id, at, {"customer": id}, text)


def close(id: str, at: Seconds = NOW + 60, **about: str) -> Event:
    return Event("command", f"close {id}", at, {"do": "close", "complaint": id, "by": "ada", **about})


def heard() -> ComplaintState:
    """Complaints that say nothing the catalogue knows, and three that name the cart."""
    state = tuned(ComplaintState(), Complaints(encoder="none"))
    events = [said(f"t{k}", text) for k, text in enumerate(BASKET)]
    events += [said(f"v{k}", text) for k, text in enumerate(REFUSED)]
    events += [said(f"c{k}", "the cart fails") for k in range(3)] + [said("p", "I want to pay")]
    hear(state, events, SHOP, NOW)
    return state


def over(**changes: object) -> Incident:
    ids = (*(f"t{k}" for k in range(4)), *(f"c{k}" for k in range(3)))
    known = incident(services=("cart",), complaints=ids, state=State.RESOLVED, resolved=NOW + 900)
    return replace(known, **changes)  # type: ignore[arg-type]  # what a test says, mypy cannot know


def links(state: ComplaintState, text: str) -> list[tuple[str, float]]:
    copy: ComplaintState = snapshot.load(snapshot.dump(state))
    return list(hear(copy, (said(f"new {text}", text, NOW + 99_999),), SHOP, NOW + 99_999)[1][0].services)


def test_a_service_named_at_closing_teaches_how_the_next_is_linked() -> None:
    state = heard()
    before = links(state, "a trolley hangs")

    hear(state, [close(f"t{k}", service="cart") for k in range(4)], SHOP, NOW + 60)
    hear(state, [close(f"v{k}", service="payment") for k in range(4)], SHOP, NOW + 60)

    assert before == []
    assert links(state, "a trolley hangs")[0][0] == "cart"
    assert links(state, "visa refused again")[0][0] == "payment"


def test_labels_of_two_services_speak_against_no_third_one() -> None:
    mail = Topology({**SHOP.services, "mail": Service(aliases={"en": ("letter",)})})
    state = heard()
    before = hear(heard(), [said("m", "no letter came")], mail, NOW)[1][0].services

    hear(state, [close(f"t{k}", service="cart") for k in range(4)], SHOP, NOW + 60)
    hear(state, [close(f"v{k}", service="payment") for k in range(4)], SHOP, NOW + 60)

    after = hear(state, [said("m", "no letter came")], mail, NOW)[1][0].services
    assert [name for name, _ in before] == ["mail"]
    assert after[0][0] == "mail"
    assert after[0][1] > 0.8 * before[0][1]


def test_a_topic_named_at_closing_is_known_once_what_was_said_was_read_by_it() -> None:
    state = heard()

    hear(state, [close(f"t{k}", topic="stuck trolley") for k in range(4)], SHOP, NOW + 60)
    hear(state, [close(f"v{k}", topic="card refused") for k in range(4)], SHOP, NOW + 60)

    assert state.known.head.services == ["stuck trolley", "card refused"]
    assert proposed(state, SHOP).topics == ("card refused", "stuck trolley")
    row = state.heard.rows(("t3",))[0]
    vector = Vector(state.heard.index[row], state.heard.weight[row])
    assert state.known.of(vector, NO_ROW, 0.0) == (0, 0.0)
    for k in range(8):
        hear(state, [said(f"n{k}", f"letter {k}", NOW + 90 + k)], SHOP, NOW + 90 + k)
    assert state.known.of(vector, NO_ROW, 0.0)[0] == 1


def test_a_label_that_comes_with_its_complaint_is_taken_however_they_are_cut_into_calls() -> None:
    one_call, many_calls = (tuned(ComplaintState(), Complaints(encoder="none")) for _ in range(2))
    events = []
    for k in range(6):
        at = NOW + 60 * k
        events += [said(f"s{k}", f"my trolley hangs {k}", at), close(f"s{k}", at + 30, topic=f"t{k % 2}")]

    hear(one_call, events, SHOP, NOW + 600)
    for event in events:
        hear(many_calls, [event], SHOP, event.time)

    assert one_call.known.head.names == many_calls.known.head.names == [f"s{k}" for k in range(6)]
    assert not one_call.labels.dropped


@pytest.mark.parametrize(
    ("event", "counted"),
    [
        pytest.param(close("unheard", service="cart"), 1, id="of a complaint no longer kept"),
        pytest.param(close("t0"), 0, id="without a word on what it was about"),
        pytest.param(Event("command", "r", NOW, {"do": "reply", "service": "cart"}), 0, id="no closing"),
    ],
)
def test_nothing_is_learned_from_a_word(event: Event, counted: int) -> None:
    state = heard()

    hear(state, [event], SHOP, NOW + 60)

    assert (state.head.names, state.known.head.names) == ([], [])
    assert state.labels.dropped["labels of complaints no longer kept"] == counted


def test_an_incident_that_is_over_labels_its_complaints_weakly() -> None:
    state = heard()

    learn(state, (over(),))
    learn(state, (over(id="i2", services=("payment",), complaints=tuple(f"v{k}" for k in range(4))),))

    assert sorted(state.labels.guessed.ids) == ["c0", "c1", "c2", "t0", "t1", "t2", "t3"]
    assert set(state.labels.guessed.services) == {"cart"}
    assert state.head.names == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"state": State.OPEN}, id="still open"),
        pytest.param({"paged": None}, id="told to nobody"),
        pytest.param({"services": ("payment",)}, id="its complaints name another service"),
        pytest.param({"complaints": ("t0", "c0", "c1")}, id="too few name the service"),
        pytest.param({"complaints": ()}, id="without complaints"),
    ],
)
def test_an_incident_of_which_it_is_not_known_what_it_was_about_teaches_nothing(
    changes: dict[str, object],
) -> None:
    state = heard()

    learn(state, (over(**changes),))

    assert state.labels.guessed.names == []


def person(do: str, **more: str) -> Event:
    return Event("command", f"{do} i1", NOW + 60, {"do": do, "incident": "i1", "by": "ada", **more})


def test_the_service_that_a_person_names_counts_before_what_complaints_name() -> None:
    state = heard()

    hear(state, [person("resolve", service="payment")], SHOP, NOW + 60)
    learn(state, (over(),))

    assert state.labels.guessed.services == ["payment"]


def test_what_a_person_called_noise_teaches_nothing() -> None:
    state = heard()

    hear(state, [person("noise", signals="s1")], SHOP, NOW + 60)
    learn(state, (over(),))

    assert state.labels.guessed.names == []


def test_noise_that_is_taken_back_teaches_again() -> None:
    state = heard()

    hear(state, [person("noise"), replace(person("unteach"), time=NOW + 70)], SHOP, NOW + 70)
    learn(state, (over(),))

    assert state.labels.guessed.services == ["cart"]


def test_a_silence_of_an_incident_and_a_service_names_neither() -> None:
    state = heard()

    hear(state, [person("silence", service="payment")], SHOP, NOW + 60)
    learn(state, (over(),))

    assert state.labels.guessed.services == ["cart"]


def test_an_incident_teaches_once_and_never_against_a_person() -> None:
    state = heard()
    hear(state, [close("t0", service="payment")], SHOP, NOW + 60)

    learn(state, (over(),))
    learn(state, (over(rev=2),))

    assert state.labels.guessed.count == 6
    assert "t0" not in state.labels.guessed.ids


def test_a_person_corrects_what_an_incident_taught() -> None:
    state = heard()
    learn(state, (over(),))

    hear(state, [close("t0", service="payment")], SHOP, NOW + 960)

    guessed = state.labels.guessed
    assert guessed.services[guessed.label[guessed.ids["t0"]]] == "payment"


def test_what_its_complaints_say_is_proposed_as_a_name_of_the_service() -> None:
    state = heard()
    hear(state, [said(f"else{k}", f"where is my parcel {k}", NOW + 1) for k in range(60)], SHOP, NOW + 1)

    learn(state, (over(),))

    first, *_ = proposed(state, SHOP).proposed
    assert (first.service, first.alias, first.surges) == ("cart", "trolley", ("i1",))


def test_incidents_are_remembered_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "MAX_INCIDENTS", 3)
    state = heard()

    for k in range(6):
        hear(state, [Event("command", f"n{k}", NOW, {"do": "noise", "incident": f"i{k}"})], SHOP, NOW)
        learn(state, (over(id=f"j{k}"),))

    assert list(state.labels.named) == ["i3", "i4", "i5"]
    assert list(state.labels.learned) == ["j3", "j4", "j5"]
    assert MAX_INCIDENTS == 1_000


def test_what_incidents_taught_of_few_services_counts_for_none() -> None:
    many = tuple(f"service-{k}" for k in range(5))
    state = heard()
    vector = Vector(state.heard.index[0], state.heard.weight[0])
    for k in range(4):
        state.labels.guessed.teach(f"a{k}", "cart", vector, None)
        state.labels.guessed.teach(
            f"b{k}", "payment", Vector(state.heard.index[4], state.heard.weight[4]), None
        )

    counts = [
        state.labels.evidence(state.head, ("cart", "payment", *more), vector).any() for more in ((), many)
    ]

    assert counts == [True, False]
