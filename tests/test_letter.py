"""What is read at three in the morning: words, their order, and nothing that a stranger could slip in."""

from __future__ import annotations

import email
import email.policy
from zoneinfo import ZoneInfo

import msgspec
import pytest

from pipeline.notify import Notice
from pipeline.notify._letter import MAX_SUBJECT, write
from pipeline.notify.email import Args, compose
from pipeline.notify.webhook import payload
from pipeline.types import Incident
from tests.response import Stage, answer, book, incident, signal

PARIS = ZoneInfo("Europe/Paris")
URL = "https://fw.example/incidents/payment-1"


def notice(of: Incident, mode: str = "approve", **changes: object) -> Notice:
    """Return the notice of the page for an incident."""
    stage = Stage(answer(book(mode=mode)), of)
    page = next(a for a in stage.page(100) if a.kind == "notify")
    found = msgspec.convert(page.args["notice"], Notice)
    return msgspec.structs.replace(found, url=URL, **changes)


def test_the_letter_answers_in_this_order_what_since_when_why_who_and_what_next() -> None:
    hurt = incident(customers=("acme", "globex"), complaints=("c-1",), first_complaint=99.0)

    letter = write(notice(hurt), PARIS)

    assert letter.subject == "[P1] payment answers slowly"
    assert letter.text == (
        "P1  payment answers slowly\n"
        "\n"
        "https://fw.example/incidents/payment-1\n"
        "\n"
        "Why you are told\n"
        "  latency alone is enough\n"
        "\n"
        "When\n"
        "  Since Thu 01:01:35 CET, 5 s ago.\n"
        "\n"
        "What is wrong\n"
        "  payment latency is 2.4 s, 0.2 s expected\n"
        "\n"
        "First suspect\n"
        "  payment: deployed 5 s before the onset (d-42, Thu 01:01:30 CET)\n"
        "\n"
        "Customers\n"
        "  2 affected: acme, globex.\n"
        "  1 complaint, the first at Thu 01:01:39 CET.\n"
        "\n"
        "Healing\n"
        "  Playbook rollback waits for your yes until Thu 01:16:40 CET. It would:\n"
        "  1. Roll payment back behind d-42\n"
        "  2. Verify: the signals of payment must end within 3m and stay so for 20s\n"
        "\n"
        "If you do nothing\n"
        "  lead is told at Thu 01:06:40 CET, unless somebody acknowledges.\n"
        "\n"
        "Incident payment-1\n"
    )


def test_the_strongest_signals_are_shown_and_the_rest_counted() -> None:
    many = tuple(signal(f"s{k}", surprise=float(k), reason=f"reason {k}") for k in range(8))

    text = write(notice(incident(signals=many)), PARIS).text

    assert [k for k in range(8) if f"reason {k}" in text] == [3, 4, 5, 6, 7]
    assert text.index("reason 7") < text.index("reason 6")
    assert "and 3 more signals." in text


@pytest.mark.parametrize(
    ("reason", "subject"),
    [
        ("resolved", "Resolved: [P1] payment answers slowly"),
        ("escalated", "Unanswered: [P1] payment answers slowly"),
        ("approval wanted", "Approve? [P1] payment answers slowly"),
    ],
)
def test_the_subject_says_first_what_is_wanted(reason: str, subject: str) -> None:
    assert write(notice(incident(), reason=reason), PARIS).subject == subject


def test_a_title_can_add_neither_headers_nor_markup() -> None:
    title = "x\r\nBcc: all@example.org <script>alert(1)</script> 支付失败 " + "y" * 300
    nasty = incident(title=title, signals=(signal(reason="<script>alert(2)</script>"),))

    mail = compose(Args(("a@example.org",)), notice(nasty), "k")
    read = email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)

    assert read["Bcc"] is None
    assert read["Subject"].startswith("[P1] x Bcc: all@example.org <script>alert(1)</script> 支付失败 y")
    assert len(read["Subject"]) == MAX_SUBJECT
    html = read.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert html.get_content().count("&lt;script&gt;") == 2


def test_the_same_key_gives_the_same_message_id_and_another_key_another() -> None:
    told = notice(incident())

    ids = [compose(Args(("a@example.org",)), told, key)["Message-ID"] for key in ("a", "a", "b")]

    assert ids[0] == ids[1] != ids[2]


def test_a_webhook_of_an_ended_incident_says_resolved_for_every_alert() -> None:
    said = payload(notice(incident(), reason="resolved", state="resolved", resolved=160.0))

    assert (said["status"], said["notification_reason"]) == ("resolved", "all alerts resolved")
    assert said["alerts"][0]["endsAt"] == "1970-01-01T00:02:40.000Z"
