"""Complaints that came before their incident: the latest are of it, those of long before are not."""

from __future__ import annotations

from tests.nouns import Desk, complaint, signal


def test_a_complaint_before_the_incident_is_found_by_it() -> None:
    desk = Desk()
    desk.step(940, complaints=[complaint("early", 940, "payment")])

    desk.step(1000, [signal("payment", 1000)])

    [incident] = desk.all
    assert incident.complaints == ("early",)
    assert incident.first_complaint == 940
    assert "customer-early" in incident.customers


def test_nobody_speaks_of_what_is_measured_to_have_begun_long_after() -> None:
    desk = Desk()
    desk.step(1000, complaints=[complaint("before", 1000, "payment")])
    desk.step(1250, complaints=[complaint("as it began", 1250, "payment")])

    desk.step(1310, [signal("payment", 1300)])

    assert [i.complaints for i in desk.all] == [("as it began",)]


def test_what_a_surge_gathered_long_before_its_incident_opened_is_not_of_it() -> None:
    desk = Desk()
    times = [3000, 3600, 4400, 4401, 4402]
    for k, time in enumerate(times):
        desk.step(time, complaints=[complaint(str(k), time, "payment")])

    desk.step(4405, [signal("payment", 3000, kind="complaint", at=4405, ids=tuple("01234"))])

    assert desk.all[0].complaints == ("1", "2", "3", "4")
