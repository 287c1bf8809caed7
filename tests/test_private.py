"""Personal data that people write reaches no file, no log, no metric and no page of a real server."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx
import pytest

from tests.running import Running

EN = (
    "ann.lee@example.org", "4111 1111 1111 1111", "+44 20 7946 0958", "(212) 555-0147", "078-05-1120",
    "GB29 NWBK 6016 1331 9268 19", "12 Old Mill Road",
)  # fmt: skip
ZH = (
    "13812345678",
    "11010519491231002X",
    "6222021234567890128",
    "010-62345678",
    "文三路123号",
    "碧桂园1号楼504",
)
NAMES = ("Annabel Leeson", "王小明", "Bertram Oakes")
WHO = "bo@customers.example"  # an account that is a mail address, in the catalogue, too
SECRETS = (*EN, *ZH, *NAMES, "oakes (dot) org", WHO)
TEXT = (
    f"the zebra checkout fails. My name is {NAMES[0]}. I live at {EN[6]}, reach me: {'; '.join(EN[:6])}. "
    f"我叫{NAMES[1]},寄到杭州市{ZH[4]},或杭州市{ZH[5]}。身份证{ZH[1]},卡号{ZH[2]},手机{ZH[0]},座机{ZH[3]}。"
    f"\nbert (at) oakes (dot) org\nBest regards,\n{NAMES[2]}\nOakes Ltd "
)
# The door keeps 20,000 characters: here they end in the middle of the card number.
LONG = "y" * (20_000 - TEXT.index(EN[1]) - 9)
MARK = b"zebra checkout"  # of the same texts: where it is found, the others would be
CATALOG = (
    "services: {checkout: {aliases: {en: [checkout]}}}\n"
    f"customers: {{acme: {{uses: [checkout]}}, {WHO}: {{uses: [checkout]}}}}\n"
)
PAGES = (
    "/", "/desk", "/complaints", "/boards", "/board/acme", f"/board/{WHO}", "/services", "/controls",
    "/answers", "/metrics", "/api/v1/topics", "/api/v1/aliases", "/api/v1/complaints/c1",
    "/api/v1/boards/acme", "/api/v1/incidents", f"/api/v1/boards/{WHO}",
)  # fmt: skip


class Told(NamedTuple):
    files: dict[str, bytes]
    pages: dict[str, str]
    answers: list[str]
    log: str


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """All that a server keeps and says once it has heard such texts wherever people write."""
    home = tmp_path_factory.mktemp("private")
    (home / "catalog.yaml").write_text(CATALOG)
    (home / "forewarn.yaml").write_text("catalog: catalog.yaml\nstorage: {snapshot_interval: 200ms}\n")
    running = Running(home / "data", _port(), home / "forewarn.yaml")
    running.wait_until_ready()
    with httpx.Client(base_url=running.url, trust_env=False) as client:
        answers = [answer.text for answer in _write(client)]
        pages = {page: client.get(page).text for page in PAGES}
        _until(
            lambda: any(MARK in f.read_bytes() for f in home.glob("data/snapshots/*.snapshot")), "snapshot"
        )
    running.kill()  # what a crash leaves behind: journal and write-ahead log as they are
    files = {str(f.relative_to(home)): f.read_bytes() for f in home.glob("data/**/*") if f.is_file()}
    again = Running(home / "data", _port(), home / "forewarn.yaml")
    again.wait_until_ready()
    assert again.stop() == 0
    files |= {f"after {f.name}": f.read_bytes() for f in home.glob("data/**/*") if f.is_file()}
    return Told(files, pages, answers, again.said())


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _write(client: httpx.Client) -> Iterator[httpx.Response]:
    """Yield the answers to such a text as complaint, bad request, reply, label and typed question."""
    door, one = "/api/v1/complaints", "/api/v1/complaints/c1"
    mails = [{"customer": f"u{k}", "id": f"m{k}", "text": f"{TEXT} {k}"} for k in range(20)]
    yield client.post(door, json={"customer": "acme", "id": "c1", "text": TEXT, "region": EN[6]})
    yield client.post(door, json=mails)
    yield client.post(door, json={"customer": WHO, "id": "c3", "text": "the zebra checkout fails me, too"})
    yield client.post(door, json={"customer": "acme", "id": "c2", "text": f"{LONG}{TEXT}{'x' * 80_000}"})
    yield client.post(door, json={"customer": "a" * 9_000, "text": TEXT})
    yield client.post(door, content=TEXT.encode())
    yield client.post(door, json={"text": [TEXT]})
    _wait(client, f"{door}/m19")
    yield client.post(f"{one}/ask", json={"by": "ann", "text": TEXT})
    _wait_for(client, one, "waiting for you")
    yield client.post("/board/acme/say", data={"do": "answer", "complaint": "c1", "text": TEXT})
    yield client.post(f"{one}/reply", json={"by": "ann", "text": TEXT})
    yield client.post(f"{one}/close", json={"by": "ann", "text": TEXT, "topic": f"card {EN[1]}"})
    yield client.post("/do", data={"do": "alias", "service": "checkout", "alias": f"the shop at {EN[6]}"})
    yield client.post("/api/v1/answers", json={"text": TEXT, "customer": "acme"})
    yield client.post("/answers", data={"text": "nothing personal"})
    _wait_for(client, one, "closed")


def _wait(client: httpx.Client, path: str) -> None:
    _until(lambda: client.get(path).status_code == 200, path)


def _wait_for(client: httpx.Client, path: str, state: str) -> None:
    _until(lambda: client.get(path).json().get("state") == state, f"{path}: {state}")


def _until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_the_texts_themselves_reach_journal_store_snapshot_and_pages(told: Told) -> None:
    holding = [name for name, raw in told.files.items() if MARK in raw]

    assert any("journal" in name for name in holding)
    assert any("snapshot" in name for name in holding)
    assert any(".db" in name or "sqlite" in name for name in holding)
    assert [page for page in ("/desk", "/board/acme") if "zebra checkout" in told.pages[page]] == [
        "/desk",
        "/board/acme",
    ]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_masked_reaches_nothing(told: Told, secret: str) -> None:
    assert [name for name, raw in told.files.items() if secret.encode() in raw] == []
    assert [page for page, said in told.pages.items() if secret in said] == []
    assert [said for said in told.answers if secret in said] == []
    assert secret not in told.log


def test_no_metric_has_a_label_that_a_customer_wrote(told: Told) -> None:
    assert "acme" not in told.pages["/metrics"]
    assert "zebra" not in told.pages["/metrics"]


def test_whose_account_is_a_mail_address_still_finds_their_own_board(told: Told) -> None:
    assert "the zebra checkout fails me, too" in told.pages[f"/board/{WHO}"]
    assert "the zebra checkout fails me, too" not in told.pages["/board/acme"]


def test_a_mail_of_a_hundred_kilobytes_is_taken_and_cut_without_baring_what_stands_at_the_cut(
    told: Told,
) -> None:
    assert [name for name, raw in told.files.items() if b"y" * 3_000 in raw] != []
    assert [name for name, raw in told.files.items() if b"4111" in raw or b"xxxxx" in raw] == []
