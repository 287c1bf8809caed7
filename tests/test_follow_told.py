"""How a promise at risk and a word for a customer read, by mail and by webhook."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import msgspec
import pytest

from pipeline.follow.tell import warning, word
from pipeline.notify import Notice
from pipeline.notify._letter import write
from pipeline.notify.email import Args, compose
from pipeline.notify.webhook import payload
from pipeline.types import Action
from tests.following import T0, Desk, desk

MAIL = Args(to=("desk@example.org",))


def notice(action: Action) -> Notice:
    """Return it as it is sent: with its address put in."""
    found = msgspec.convert(action.args["notice"], Notice)
    return msgspec.structs.replace(found, url=f"https://fw.example{found.page}")


@pytest.fixture
def stage() -> Desk:
    """One complaint whose answer is due in two minutes, then fixed."""
    found = desk(update="0", resolve="0")
    found.until(T0 + 480)
    found.say(T0 + 490, "fixed", text="The till is back.")
    return found


def test_a_promise_at_risk_says_whose_and_how_long_is_left(stage: Desk) -> None:
    letter = write(notice(stage.actions[0]), UTC)

    assert letter.subject == "[P3] A complaint wants a first answer: it is due in 2 min"
    assert "https://fw.example/desk" in letter.text
    assert "Of m1 (customer-2)." in letter.text
    assert "No customer has complained" not in letter.text


def test_a_word_for_a_customer_names_the_complaint_and_no_incident(stage: Desk) -> None:
    letter = write(notice(stage.actions[1]), UTC)

    assert letter.subject == "[m1] fixed - please confirm"
    assert "The till is back. It should work again." in letter.text
    assert letter.text.endswith("\nComplaint m1\n")
    assert "Incident" not in letter.text


def test_the_place_of_a_complaint_is_quoted_whatever_stands_in_its_id(stage: Desk) -> None:
    case = replace(stage.cases["m1"], complaint="SUP-1/2?x#3")
    [action] = word(stage.settings.response, "portal", case, case.marks[-1])

    assert notice(action).url == "https://fw.example/api/v1/complaints/SUP-1%2F2%3Fx%233"
    assert payload(notice(action))["externalURL"] == "https://fw.example"
    assert action.incident == "complaint/SUP-1%2F2?x#3"
    assert action.key.startswith(f"{action.incident}/ask.")


def test_words_of_one_complaint_are_one_thread(stage: Desk) -> None:
    stage.say(T0 + 500, "reply", text="And the lamp, too.")

    threads = {compose(MAIL, notice(a), a.key)["In-Reply-To"] for a in stage.actions[1:]}

    assert len(threads) == 1


def test_promises_of_several_complaints_are_a_group_named_after_the_first(stage: Desk) -> None:
    one = stage.cases["m1"]
    risen = [(replace(one, complaint=id), one.promises[0]) for id in ("m2", "m1")]
    [action] = warning(stage.settings.response, "desk", "broken", risen, T0 + 900)

    assert payload(notice(action))["groupKey"] == '{}:{complaint="m1"}'
    assert write(notice(action), UTC).text.endswith("\nComplaints\n")


def test_a_relay_finds_the_complaint_and_the_words_in_the_webhook(stage: Desk) -> None:
    sent = payload(notice(stage.actions[1]))

    assert sent["externalURL"] == "https://fw.example"
    assert sent["incident"]["complaint"] == "m1"
    assert sent["incident"]["reason"] == "how did we do"
    assert sent["incident"]["customers"] == ("customer-2",)
