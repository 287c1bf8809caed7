"""The demo's own doors: the deployer's answers, and files that Forewarn takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline import config
from pipeline.demo import desk, world
from pipeline.demo.customers import PEOPLE
from pipeline.demo.fleet import SERVICES, Fleet, Service, Version
from pipeline.demo.measure import Probe
from pipeline.demo.show import Show


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A fleet whose processes are never started."""

    async def nothing(self: Fleet, service: Service) -> None: ...

    monkeypatch.setattr(Fleet, "_replace", nothing)
    found = Fleet(tmp_path, "http://127.0.0.1:1", seed=1)
    yield found
    for service in found.services.values():
        service.door.close()


@pytest.fixture
def client(fleet: Fleet, tmp_path: Path) -> TestClient:
    show = Show(fleet, Probe("http://127.0.0.1:1"), tmp_path, 240.0, "", 1)
    return TestClient(desk.app(show, fleet, desk.Pager()))


def deployed(fleet: Fleet, change: str) -> None:
    fleet.services["payment"].history.append(Version("5.4.1", "fraud-check", change))


def test_a_rollback_goes_back_to_the_version_before(fleet: Fleet, client: TestClient) -> None:
    deployed(fleet, "payment-5.4.1-1")

    answer = client.post("/deployer/payment/rollback", json={"change": "payment-5.4.1-1"})

    assert answer.json() == {"service": "payment", "version": "5.4.0"}


def test_the_same_rollback_asked_twice_is_done_once(fleet: Fleet, client: TestClient) -> None:
    deployed(fleet, "payment-5.4.1-1")
    asked = {"change": "payment-5.4.1-1"}

    answers = [client.post("/deployer/payment/rollback", json=asked).status_code for _ in range(2)]

    assert answers == [200, 409]
    assert [v.number for v in fleet.services["payment"].history] == ["5.4.0"]


def test_a_service_that_does_not_exist_is_not_found(client: TestClient) -> None:
    assert client.post("/deployer/wallet/restart", json={}).status_code == 404


def test_no_fault_goes_in_before_forewarn_knows_what_is_normal(client: TestClient) -> None:
    answer = client.post("/api/faults/bad_deploy")

    assert (answer.status_code, answer.json()) == (409, {"error": "not now: starting"})


def test_a_page_is_shown_with_its_first_suspect(client: TestClient) -> None:
    suspect = {"service": "payment", "change": "payment-5.4.1-1", "reason": "changed 4 s before"}
    incident = {"title": "payment is slow", "priority": "P1", "reason": "new", "suspects": [suspect]}

    client.post("/pager/first-on-call", json={"incident": incident})

    page = client.get("/api/state").json()["pages"][0]
    assert (page["to"], page["text"]) == ("first-on-call", "P1 payment is slow")
    assert page["suspect"] == "payment-5.4.1-1: changed 4 s before"


def test_the_files_of_the_demo_are_taken_by_forewarn(tmp_path: Path) -> None:
    found = config.load(world.lay_out(tmp_path, 9093, "http://127.0.0.1:9094"))

    assert set(found.topology.services) == set(SERVICES)
    assert set(found.topology.customers) == {p.name for p in PEOPLE}
    assert {"roll-back-a-bad-deploy", "restart-what-does-not-answer"} <= {
        b.name for b in found.response.playbooks
    }


def test_a_child_ends_when_the_pipe_to_its_parent_closes() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "pipeline.demo.leash", "http.server", "--bind", "127.0.0.1", "0"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert child.stdin is not None

    child.stdin.close()

    assert child.wait(20) == 1
