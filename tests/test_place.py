"""Where a signal belongs: how near its service is to those of an incident, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.correlate.place import beside
from tests.nouns import SHOP, Desk, signal


@pytest.mark.parametrize(
    ("service", "others", "words"),
    [
        pytest.param("payment", ("checkout",), "which checkout calls", id="called"),
        pytest.param("checkout", ("payment",), "which calls payment", id="calls"),
        pytest.param("mailer", ("batch",), "on the host of batch", id="on one host"),
        pytest.param("inventory", ("front",), "two calls from front", id="two calls away"),
        pytest.param("payment", ("cart", "checkout"), "which checkout calls", id="the nearest counts"),
        pytest.param("payment", ("payment", "checkout"), "", id="the service has a signal already"),
        pytest.param("payment", ("mailer",), "", id="far away"),
        pytest.param("", ("payment",), "", id="of no service"),
    ],
)
def test_the_nearest_service_of_an_incident_is_named(
    service: str, others: tuple[str, ...], words: str
) -> None:
    desk = Desk()
    desk.step(1000, [signal(others[0], 1000)])
    signals = (
        *(signal(other, 1000, "latency_seconds") for other in others),
        signal(service, 1000, "memory_bytes", page=False),
    )
    incident = replace(desk.all[0], signals=signals)

    assert beside(SHOP, incident, signal(service, 1010)) == words
