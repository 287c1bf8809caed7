"""Actions run once, notifications get through, a crash in between is settled. Real servers, real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.frame import Frame
from pipeline.perform import TRIES, Performer
from pipeline.respond import Response
from pipeline.store import Store, sqlite
from pipeline.types import Action, Run, Seconds, Step
from tests.listeners import mailbox, web
from tests.response import Stage, answer

NOW = 1_700_000_000.0


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    found = sqlite.open(tmp_path)
    yield found
    await found.close()


class Bench:
    """A performer whose frames and pauses are kept instead of sent and slept."""

    def __init__(self, store: Store, response: Response) -> None:
        self.frames: list[Frame] = []
        self.pauses: list[Seconds] = []
        self.performer = Performer(
            store, response, self.submit, "http://console", now=lambda: NOW, sleep=self.sleep
        )

    async def submit(self, frame: Frame) -> None:
        self.frames.append(frame)

    async def sleep(self, span: Seconds) -> None:
        self.pauses.append(span)

    async def play(self, *actions: Action) -> list[tuple[str, str, str]]:
        """Run the actions to their ends; return key, ok and detail of each outcome."""
        self.performer.act(actions)
        await self.performer.idle()
        return self.heard()

    def heard(self) -> list[tuple[str, str, str]]:
        labels = [e.labels for f in self.frames for e in f.events]
        return [(one["key"], one["ok"], one["detail"]) for one in labels]


def paging(url: str) -> Response:
    receivers = f'receivers: [{{name: oncall, via: [{{do: webhook, args: {{url: "{url}"}}}}]}}]'
    return answer(text=f"{receivers}\nreceiver: oncall")


def page(response: Response) -> Action:
    """Return the page that `respond` makes of an incident."""
    (found,) = Stage(response).page(100)
    return found


def step(url: str, key: str = "payment-1/rollback/0") -> Action:
    return Action(key, "payment-1", "step", "http", {"url": url}, "Roll back", NOW, 5.0)


async def test_a_page_reaches_the_webhook_once_however_often_it_is_given(store: Store) -> None:
    async with web() as pager:
        response = paging(pager.url)
        (new,) = await store.record(Step(NOW, actions=(page(response),)), 0)
        bench = Bench(store, response)

        first = await bench.play(new)
        await bench.play(new)

    assert first == [("payment-1/told/1.0/oncall/webhook", "true", "webhook answered 200")]
    assert len(pager.heard) == 1
    assert pager.heard[0].headers["idempotency-key"] == new.key
    assert (await store.actions("payment-1"))[0][1] == "done"


async def test_a_service_named_in_any_script_is_paged_and_healed(store: Store) -> None:
    async with web() as pager:
        response = paging(pager.url)
        told = replace(page(response), key="Käse-支付-1/told/1.0/oncall/webhook")
        args = {"url": pager.url, "headers": {"X-Service": "支付"}}
        healed = replace(step(pager.url, "支付-1/rollback/0"), args=args)

        heard = await Bench(store, response).play(*await store.record(Step(NOW, actions=(told, healed)), 0))

    assert [ok for _, ok, _ in heard] == ["true", "true"], heard
    assert sorted(h.headers["idempotency-key"] for h in pager.heard) == [
        "%E6%94%AF%E4%BB%98-1/rollback/0",
        "K%C3%A4se-%E6%94%AF%E4%BB%98-1/told/1.0/oncall/webhook",
    ]


async def test_the_payload_is_alertmanagers_with_the_incident_beside_it(store: Store) -> None:
    async with web() as pager:
        response = paging(pager.url)
        await Bench(store, response).play(*await store.record(Step(NOW, actions=(page(response),)), 0))

    said = pager.heard[0].json()
    assert (said["version"], said["status"], said["receiver"]) == ("4", "firing", "oncall")
    assert said["notification_reason"] == "first notification"
    assert said["groupLabels"] == {"incident": "payment-1"}
    assert said["externalURL"] == "http://console"
    alert = said["alerts"][0]
    assert alert["labels"]["service"] == "payment"
    assert alert["startsAt"] == "1970-01-01T00:01:35.000Z"
    assert alert["endsAt"] == "0001-01-01T00:00:00Z"
    assert alert["generatorURL"] == "http://console/incidents/payment-1"
    assert said["incident"]["suspects"][0]["reason"] == "deployed 5 s before the onset"


async def test_a_busy_receiver_is_tried_again_with_the_same_key_after_as_long_as_it_asks(
    store: Store,
) -> None:
    async with web((503, {}), (429, {"Retry-After": "7"})) as pager:
        response = paging(pager.url)
        bench = Bench(store, response)

        heard = await bench.play(*await store.record(Step(NOW, actions=(page(response),)), 0))

    assert heard[0][1:] == ("true", "webhook answered 200")
    assert bench.pauses == [1.0, 7.0]
    assert len({h.headers["idempotency-key"] for h in pager.heard}) == 1


async def test_a_receiver_that_stays_down_is_given_up_and_reported(store: Store) -> None:
    async with web(*[500] * TRIES) as pager:
        response = paging(pager.url)
        bench = Bench(store, response)

        heard = await bench.play(*await store.record(Step(NOW, actions=(page(response),)), 0))

    assert heard[0][1:] == ("false", "gave up after 10 tries: webhook answered 500")
    assert bench.pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_a_refused_page_is_not_tried_again(store: Store) -> None:
    async with web(404) as pager:
        response = paging(pager.url)
        bench = Bench(store, response)

        heard = await bench.play(*await store.record(Step(NOW, actions=(page(response),)), 0))

    assert heard[0][1:] == ("false", "webhook answered 404: status 404")
    assert len(pager.heard) == 1


async def test_resolved_never_overtakes_the_page_it_ends(store: Store) -> None:
    async with web(503, 503, 503) as pager:
        response = paging(pager.url)
        stage = Stage(response)
        stage.page(100)
        stage.resolve(200)

        await Bench(store, response).play(*await store.record(Step(NOW, actions=tuple(stage.actions)), 0))

    assert [h.json()["status"] for h in pager.heard] == ["firing"] * 4 + ["resolved"]


async def test_a_receiver_that_left_the_configuration_is_an_outcome_not_a_crash(store: Store) -> None:
    gone = page(paging("http://127.0.0.1:9/"))

    heard = await Bench(store, Response()).play(*await store.record(Step(NOW, actions=(gone,)), 0))

    assert heard[0][1] == "false"
    assert 'no receiver "oncall"' in heard[0][2]


async def test_a_step_carries_its_key_and_its_answer_comes_back_as_evidence(store: Store) -> None:
    async with web() as deployer:
        bench = Bench(store, Response())

        heard = await bench.play(*await store.record(Step(NOW, actions=(step(deployer.url),)), 0))

    assert heard == [("payment-1/rollback/0", "true", f"POST {deployer.url}/ answered 200")]
    assert deployer.heard[0].headers["idempotency-key"] == "payment-1/rollback/0"
    assert bench.frames[0].events[0].notes["answer"] == "status 200"


@pytest.mark.parametrize(
    ("status", "effect"),
    [
        pytest.param(409, "none", id="a refusal did nothing"),
        pytest.param(503, "none", id="busy did nothing, and a step is not tried again"),
        pytest.param(500, "", id="a server error may have done something"),
    ],
)
async def test_a_failed_step_says_whether_it_may_have_had_an_effect(
    store: Store, status: int, effect: str
) -> None:
    async with web(status) as deployer:
        bench = Bench(store, Response())

        await bench.play(*await store.record(Step(NOW, actions=(step(deployer.url),)), 0))

    assert len(deployer.heard) == 1
    assert bench.frames[0].events[0].labels.get("effect", "") == effect
    assert bench.frames[0].events[0].labels["ok"] == "false"


@pytest.mark.parametrize("what", ["claim", "submit", "finish"])
async def test_a_disk_that_fails_for_a_moment_costs_neither_the_page_nor_its_outcome(
    store: Store, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web() as pager:
        response = paging(pager.url)
        bench = Bench(store, response)
        owner = bench.performer if what == "submit" else store
        name = "_submit" if what == "submit" else what
        real, failed = getattr(owner, name), list[str]()

        async def failing(*args: object) -> object:
            if not failed:
                failed.append(what)
                raise OSError("No space left on device")
            return await real(*args)

        monkeypatch.setattr(owner, name, failing)
        heard = await bench.play(*await store.record(Step(NOW, actions=(page(response),)), 0))

    assert failed == [what]
    assert [ok for _, ok, _ in heard] == ["true"]
    assert len(pager.heard) == 1
    assert (await store.actions("payment-1"))[0][1] == "done"


async def test_after_a_crash_a_begun_step_is_reported_and_never_run_again(store: Store) -> None:
    async with web() as deployer:
        await store.record(Step(NOW, actions=(step(deployer.url),)), 0)
        await store.claim("payment-1/rollback/0", NOW)
        bench = Bench(store, Response())

        await bench.performer.recover()
        await bench.performer.idle()

    assert deployer.heard == []
    key, ok, detail = bench.heard()[0]
    assert (key, ok, detail.split(":")[0]) == ("payment-1/rollback/0", "false", "interrupted")
    assert await store.interrupted() == ()


async def test_after_a_crash_a_begun_page_is_sent_again_with_the_same_key(store: Store) -> None:
    async with web() as pager:
        response = paging(pager.url)
        lost = page(response)
        await store.record(Step(NOW, actions=(lost,)), 0)
        await store.claim(lost.key, NOW)
        bench = Bench(store, response)

        await bench.performer.recover()
        await bench.performer.idle()

    assert [h.headers["idempotency-key"] for h in pager.heard] == [lost.key]
    assert bench.heard()[0][1] == "true"


async def test_after_a_crash_what_never_began_is_run(store: Store) -> None:
    async with web() as deployer:
        await store.record(Step(NOW, actions=(step(deployer.url),)), 0)
        bench = Bench(store, Response())

        await bench.performer.recover()
        await bench.performer.idle()

    assert len(deployer.heard) == 1


async def test_after_a_crash_a_step_of_a_stopped_run_does_not_begin(store: Store) -> None:
    run = Run("payment-1/rollback", "payment-1", "rollback", "stopped", 0, NOW, NOW)
    async with web() as deployer:
        await store.record(Step(NOW, actions=(step(deployer.url),), runs=(run,)), 0)
        bench = Bench(store, Response())

        await bench.performer.recover()
        await bench.performer.idle()

    assert deployer.heard == []
    assert bench.heard() == [("payment-1/rollback/0", "false", "stopped before it ran")]


async def test_a_step_that_its_run_has_given_up_does_not_begin_late(store: Store) -> None:
    late = Action("a/b/0", "a", "step", "http", {"url": "http://127.0.0.1:9/"}, "Late", NOW - 61)

    heard = await Bench(store, Response()).play(*await store.record(Step(NOW, actions=(late,)), 0))

    assert heard == [("a/b/0", "false", "decided 61 s ago: its run has given it up")]


async def test_the_kill_switch_ends_a_step_that_runs(store: Store) -> None:
    stopped = Run("payment-1/rollback", "payment-1", "rollback", "stopped", 0, NOW, NOW)
    async with web(0) as deployer:
        bench = Bench(store, Response())
        bench.performer.act(await store.record(Step(NOW, actions=(step(deployer.url),)), 0))
        await deployer.arrived.wait()

        bench.performer.act((), [stopped])
        await bench.performer.idle()

    assert bench.heard() == [("payment-1/rollback/0", "false", "stopped while it ran")]


async def test_closing_leaves_a_running_step_begun_for_the_next_start_to_settle(store: Store) -> None:
    async with web(0) as deployer:
        bench = Bench(store, Response())
        bench.performer.act(await store.record(Step(NOW, actions=(step(deployer.url),)), 0))
        await deployer.arrived.wait()

        await bench.performer.close()

    assert bench.heard() == []
    assert [a.key for a in await store.interrupted()] == ["payment-1/rollback/0"]


async def test_wrong_args_and_unknown_kinds_are_outcomes(store: Store) -> None:
    wrong = Action("a/b/0", "a", "step", "http", {"ulr": "x"}, "Wrong", NOW)
    unknown = Action("a/c/0", "a", "step", "carrier pigeon", {}, "Unknown", NOW)

    heard = await Bench(store, Response()).play(*await store.record(Step(NOW, actions=(wrong, unknown)), 0))

    assert [ok for _, ok, _ in heard] == ["false", "false"]


async def test_a_page_by_email_is_one_thread_with_text_and_html(store: Store) -> None:
    with mailbox("451 busy, come back") as box:
        to = f"to: [oncall@example.org], smtp: '{box.address}', timezone: Europe/Paris"
        via = f"{{do: email, args: {{{to}}}}}"
        response = answer(text=f"receivers: [{{name: oncall, via: [{via}]}}]\nreceiver: oncall")
        stage = Stage(response)
        stage.page(100)
        stage.resolve(200)
        bench = Bench(store, response)

        await bench.play(*await store.record(Step(NOW, actions=tuple(stage.actions)), 0))

    first, last = box.mails
    assert bench.pauses == [1.0]
    assert first["Subject"] == "[P1] payment answers slowly"
    assert last["Subject"] == "Resolved: [P1] payment answers slowly"
    assert first["References"] == last["References"]
    assert first["Message-ID"] != last["Message-ID"]
    assert first["Importance"] == "high"
    text = first.get_body(("plain",))
    html = first.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Since Thu 01:01:35 CET, 5 s ago." in text.get_content()
    assert "http://console/incidents/payment-1" in text.get_content()
    assert 'href="http://console/incidents/payment-1"' in html.get_content()


async def test_an_address_that_the_mail_server_refuses_is_final(store: Store) -> None:
    with mailbox("550 no such user") as box:
        via = f"{{do: email, args: {{to: [oncall@example.org], smtp: '{box.address}'}}}}"
        response = answer(text=f"receivers: [{{name: oncall, via: [{via}]}}]\nreceiver: oncall")
        bench = Bench(store, response)

        heard = await bench.play(*await store.record(Step(NOW, actions=(page(response),)), 0))

    assert heard[0][1:] == ("false", "email: 550 no such user")
    assert bench.pauses == []
