"""Complaints go to the incidents they speak of, early and late; a surge opens one where none explains it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from pipeline.complaints.kin import Kin
from pipeline.correlate import QUIET
from pipeline.correlate.anew import AFTER
from pipeline.correlate.state import WAIT
from pipeline.correlate.voices import LATE
from pipeline.types import Floats, Seconds, State
from tests.nouns import Desk, complaint, over, signal


@pytest.mark.parametrize(
    ("felt", "after", "linked"),
    [
        pytest.param(0, AFTER - 1, True, id="minutes after it was over"),
        pytest.param(0, AFTER + 1, False, id="later, and no customer had noticed it"),
        pytest.param(2, LATE - 1, True, id="later, and customers had complained of it"),
        pytest.param(2, LATE + 1, False, id="too late"),
    ],
)
def test_a_complaint_after_the_incident_is_linked_while_it_is_likely(
    felt: int, after: Seconds, linked: bool
) -> None:
    desk = Desk()
    bad = signal("payment", 1000)
    desk.step(1000, [bad], [complaint(f"early-{k}", 1000, "payment") for k in range(felt)])
    desk.step(1100, [over(bad, 1100)])
    desk.step(1500)

    desk.step(1500 + after, complaints=[complaint("late", 1500 + after, "payment")])
    desk.step(1500 + after + WAIT + 1)

    [incident] = desk.all
    assert ("late" in incident.complaints) is linked
    assert incident.state is State.RESOLVED


def test_of_two_incidents_of_a_service_a_complaint_speaks_of_the_newer() -> None:
    desk = Desk()
    bad = signal("payment", 1000)
    desk.step(1000, [bad])
    desk.step(1100, [over(bad, 1100)])
    desk.step(1290)
    desk.step(1400, [signal("payment", 1400)])

    desk.step(1430, complaints=[complaint("of the old", 1430, "payment")])
    desk.step(1600, complaints=[complaint("of the new", 1600, "payment")])

    assert [i.complaints for i in desk.all] == [("of the old",), ("of the new",)]


def test_a_complaint_about_a_neighbour_of_what_is_broken_now_moves_the_suspicion() -> None:
    desk = Desk()
    desk.step(1000, [signal("front", 1000, "success_ratio", surprise=4)])

    desk.step(1200, complaints=[complaint(str(k), 1200, "checkout") for k in range(3)])

    [incident] = desk.all
    assert incident.services == ("checkout", "front")
    assert incident.voices == 3


def test_a_surge_that_an_incident_explains_belongs_to_it_and_opens_nothing() -> None:
    desk = Desk()
    bad = signal("payment", 1000)
    said = [complaint(str(k), 1200 + k, "payment") for k in range(4)]
    desk.step(1000, [bad])
    desk.step(1210, complaints=said)
    desk.step(1300, [over(bad, 1300)])
    desk.step(1500)

    desk.step(1510, [signal("payment", 1200, kind="complaint", at=1510, ids=["0", "1", "2", "3"])])

    [incident] = desk.all
    assert incident.state is State.RESOLVED
    assert [s.kind for s in incident.signals] == ["metric", "complaint"]


def test_a_surge_grown_by_voices_that_no_incident_explains_opens_one() -> None:
    desk = Desk()
    bad = signal("payment", 1000)
    first = [complaint(str(k), 1200 + k, "payment") for k in range(3)]
    surge = signal("payment", 1200, kind="complaint", at=1210, ids=["0", "1", "2"])
    desk.step(1000, [bad], first)
    desk.step(1210, [surge], first)
    desk.step(1300, [over(bad, 1300)])
    desk.step(1500)

    more = [complaint(str(k), 2400 + k, "payment") for k in range(3, 6)]
    desk.step(2410, [replace(surge, at=2410, ids=tuple("012345"))], more)

    [one] = desk.open
    assert one.complaints == ("3", "4", "5")


def test_a_surge_belongs_where_its_newest_complaints_say() -> None:
    desk = Desk()
    old = [complaint(str(k), 1000 + k) for k in range(3)]
    new = [complaint(str(k), 1800 + k, "cart") for k in range(3, 9)]
    desk.step(1100, complaints=old)

    desk.step(1810, [signal("mailer", 1000, kind="complaint", at=1810, ids=tuple("012345678"))], new)

    [incident] = desk.all
    assert incident.services == ("cart",)


def test_complaints_far_apart_are_no_crowd() -> None:
    desk = Desk()
    said = [complaint(str(k), 1000 + 600 * k, "payment") for k in range(4)]

    for k, one in enumerate(said):
        surge = signal("payment", 1000, kind="complaint", at=one.time, ids=tuple("0123"[: k + 1]))
        desk.step(one.time, [surge], [one])

    assert (len(desk.all[0].complaints), desk.all[0].voices) == (4, 2)


def test_customers_who_name_nothing_mean_what_has_just_broken() -> None:
    desk = Desk()
    desk.step(1000, [signal("payment", 1000)])
    said = [complaint(str(k), 1200 + k) for k in range(3)]

    desk.step(1210, [signal("", 1200, kind="complaint", at=1210, ids=["0", "1", "2"])], said)

    [incident] = desk.all
    assert incident.complaints == ("0", "1", "2")


def test_a_complaint_that_names_no_service_stays_loose() -> None:
    desk = Desk()
    desk.step(1000, [signal("payment", 1000)])

    desk.step(1010, complaints=[complaint("vague", 1010)])

    assert desk.all[0].complaints == ()


def test_a_surge_opens_an_incident_with_its_complaints() -> None:
    desk = Desk()
    said = [complaint(str(k), 1000 + k, "payment") for k in range(3)]

    desk.step(1005, [signal("payment", 1000, kind="complaint", ids=["0", "1", "2"])], said)

    [incident] = desk.all
    assert incident.complaints == ("0", "1", "2")
    assert incident.priority == "P1"


@pytest.mark.parametrize(
    ("text", "attached"),
    [
        pytest.param("my basket page hangs again", True, id="what the others say"),
        pytest.param("where is my parcel", False, id="what is asked every day"),
    ],
)
def test_a_complaint_that_names_no_service_goes_where_others_say_the_same(text: str, attached: bool) -> None:
    desk = Desk()
    for k in range(10):
        desk.step(10.0 * k, complaints=[replace(complaint(f"chat{k}", 10.0 * k), text="where is my parcel")])
    said = [replace(complaint(str(k), 4010, "payment"), text=f"basket page hangs {k}") for k in range(3)]
    desk.step(4000, [signal("payment", 4000)])
    desk.step(4010, complaints=said)

    desk.step(4100, complaints=[replace(complaint("new", 4100), text=text)])

    assert ("new" in desk.all[0].complaints) is attached


@pytest.mark.parametrize(
    ("text", "attached"),
    [
        pytest.param("my basket page hangs again", True, id="what the others say"),
        pytest.param("where is my parcel", False, id="what is asked every day"),
    ],
)
def test_a_complaint_that_hardly_names_a_service_goes_there_only_with_what_others_say(
    text: str, attached: bool
) -> None:
    desk = Desk()
    for k in range(10):
        desk.step(10.0 * k, complaints=[replace(complaint(f"chat{k}", 10.0 * k), text="where is my parcel")])
    desk.step(4000, [signal("payment", 4000)])
    said = replace(complaint("first", 4010, "payment"), text="basket page hangs")
    desk.step(4010, complaints=[said])

    vague = replace(complaint("new", 4100), text=text, services=(("payment", 0.3),))
    desk.step(4100, complaints=[vague])

    assert ("new" in desk.all[0].complaints) is attached


def test_the_first_complaint_of_an_incident_may_hardly_name_its_service() -> None:
    desk = Desk()
    desk.step(4000, [signal("payment", 4000)])

    desk.step(4100, complaints=[replace(complaint("new", 4100), services=(("payment", 0.3),))])

    assert desk.all[0].complaints == ("new",)


def test_a_complaint_speaks_of_what_customers_tell_of_now_and_not_of_what_is_over() -> None:
    desk = Desk()
    bad = signal("payment", 2700, kind="complaint")
    desk.step(2700, [bad])
    desk.step(2800, [over(bad, 2800)])
    desk.step(2800 + QUIET)
    said = [complaint(str(k), 3050 + k, "payment") for k in range(3)]
    desk.step(3060, [signal("payment", 1500, "voices", kind="complaint", at=3060, ids=tuple("012"))], said)
    assert len(desk.all) == 2

    desk.step(3100, complaints=[complaint("new", 3100, "payment")])

    [one] = desk.open
    assert "new" in one.complaints


def test_a_complaint_hardly_about_a_service_is_not_claimed_by_its_incident() -> None:
    desk = Desk()
    vague = replace(complaint("vague", 940), services=(("payment", 0.2),))
    desk.step(940, complaints=[vague])

    desk.step(1000, [signal("payment", 1000)])

    assert desk.all[0].complaints == ()


@pytest.mark.parametrize(
    ("kind", "wait", "anew"),
    [
        pytest.param("complaint", 120, True, id="only customers had told of it"),
        pytest.param("metric", 120, False, id="measured to be over: they speak of that yet"),
        pytest.param("metric", AFTER + 1, True, id="measured to be over long ago"),
    ],
)
def test_customers_who_complain_anew_after_an_incident_was_over_are_not_put_to_it(
    kind: str, wait: Seconds, anew: bool
) -> None:
    desk, ended = Desk(), 1100 + QUIET
    before = signal("payment", 1000, kind=kind)
    desk.step(1000, [before])
    desk.step(1100, [over(before, 1100)])
    desk.step(ended)
    again = [complaint(f"n{k}", ended + wait + 20 * k, "payment") for k in range(3)]

    for each in again:
        desk.step(each.time, complaints=[each])
    at = again[-1].time + 1
    desk.step(
        at, [signal("payment", again[0].time, "voices", kind="complaint", at=at, ids=["n0", "n1", "n2"])]
    )

    assert [i.complaints for i in desk.all] == ([(), ("n0", "n1", "n2")] if anew else [("n0", "n1", "n2")])


@pytest.mark.parametrize(
    ("felt", "anew"),
    [
        pytest.param(1, False, id="hardly anybody had written: they come late"),
        pytest.param(2, True, id="more than before"),
        pytest.param(6, True, id="half as many as before"),
        pytest.param(7, False, id="ever fewer"),
    ],
)
def test_a_crowd_that_writes_again_soon_after_a_measured_end_speaks_of_something_new(
    felt: int, anew: bool
) -> None:
    desk, ended = Desk(), 1100 + QUIET
    bad = signal("payment", 1000)
    desk.step(1000, [bad])
    desk.step(1080, complaints=[complaint(f"felt-{k}", 1080, "payment") for k in range(felt)])
    desk.step(1100, [over(bad, 1100)])
    desk.step(ended)

    again = [complaint(f"n{k}", ended + 120 + 20 * k, "payment") for k in range(3)]
    for each in again:
        desk.step(each.time, complaints=[each])
    told = signal("payment", again[0].time, "voices", kind="complaint", ids=["n0", "n1", "n2"])
    desk.step(again[-1].time + 1, [told])

    assert [len(i.complaints) for i in desk.all] == ([felt, 3] if anew else [felt + 3])


def test_one_or_two_who_write_late_speak_of_what_is_over() -> None:
    desk = Desk()
    desk.step(1000, [signal("payment", 1000)])
    desk.step(1100, [over(signal("payment", 1000), 1100)])
    desk.step(1100 + QUIET)

    for k in range(2):
        desk.step(1400 + 20 * k, complaints=[complaint(f"n{k}", 1400 + 20 * k, "payment")])
    desk.step(1441, [signal("payment", 1400, kind="complaint", at=1441, ids=["n0", "n1"])])

    assert desk.open == []
    assert desk.all[0].complaints == ("n0", "n1")


def test_a_surge_that_grows_strong_leaves_mere_evidence_for_the_incident_that_has_its_complaints() -> None:
    desk = Desk()
    emerging = signal("payment", 1000, kind="complaint", page=False, ids=["0", "1"])
    desk.step(1000, [signal("front", 1000, page=False), emerging])
    [weak] = desk.all
    desk.step(2500, [signal("payment", 2500)])
    desk.step(2560, complaints=[complaint(str(k), 2560, "payment") for k in range(2, 5)])
    [broken] = [i for i in desk.open if i.id != weak.id]

    desk.step(2570, [replace(emerging, page=True, at=2570, ids=tuple("01234"))])

    assert [s.kind for s in desk.known[broken.id].signals] == ["complaint", "metric"]
    assert [s.service for s in desk.known[weak.id].signals] == ["front"]


def test_an_incident_of_nothing_but_a_surge_that_is_of_another_is_over() -> None:
    desk = Desk()
    emerging = signal("payment", 1000, kind="complaint", page=False, ids=["0", "1"])
    desk.step(1000, [emerging])
    [weak] = desk.all
    desk.step(2500, [signal("payment", 2500)])
    desk.step(2560, complaints=[complaint(str(k), 2560, "payment") for k in range(2, 5)])

    desk.step(2570, [replace(emerging, page=True, at=2570, ids=tuple("01234"))])

    assert desk.known[weak.id].state is State.RESOLVED
    assert desk.known[weak.id].timeline[-1].what == "over: what customers say is of another incident"


def test_complaints_of_mere_evidence_that_passed_are_free_for_the_incident_that_comes() -> None:
    desk = Desk()
    weak = signal("payment", 1000, page=False)
    desk.step(1000, [weak])
    desk.step(1070, complaints=[complaint("early", 1070, "payment")])
    desk.step(1100, [over(weak, 1100)])
    desk.step(1100 + QUIET)
    assert [i.complaints for i in desk.all] == [()]

    desk.step(1400, complaints=[complaint("between", 1400, "payment")])
    desk.step(1500, [signal("payment", 1180, "latency_s", at=1500)])

    assert [i.complaints for i in desk.all] == [(), ("early", "between")]


def test_a_growing_surge_asks_each_of_its_complaints_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 customers who name nothing each says something else, and the surge speaks with each of them."""
    desk = Desk()
    asked: Counter[str] = Counter()
    near = Kin.near

    def counted(kin: Kin, id: str) -> Floats:
        asked[id] += 1
        return near(kin, id)

    monkeypatch.setattr(Kin, "near", counted)
    ids: tuple[str, ...] = ()
    for k in range(200):
        ids = (*ids, f"c{k}")
        said = replace(
            complaint(ids[-1], 1000 + k), text="".join(map(chr, range(0x4E00 + 9 * k, 0x4E09 + 9 * k)))
        )
        surge = replace(signal("payment", 1000, kind="complaint"), ids=ids, at=1000.0 + k)
        desk.step(1000 + k, [surge], [said])

    [incident] = desk.open
    assert incident.complaints == ()
    assert 200 <= asked.total() <= 200 * 8  # 20,000 where each is asked each time
