"""`forewarn check` and `forewarn test`: what is wrong, where, and the nearest right word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from pipeline import config, rehearse
from pipeline.__main__ import cli
from pipeline.respond import Playbook, Response
from tests.response import ROLLBACK, book

LATENCY = """
watches: [{name: latency, metrics: [latency_seconds], surprise: 4, min_rel_dev: 0.5, hold: 15s, page: true}]
tests:
  - name: a rise is told
    input_series:
      - series: latency_seconds{service="pay"}
        values: 0.20x200 2.4x20
    signals: [{series: latency_seconds, after: 50m}]
  - name: the usual is not
    input_series: [{series: 'latency_seconds{service="pay"}', values: 0.20x200}]
"""


def forewarn(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def write(folder: Path, **files: str) -> Path:
    (folder / "playbooks").mkdir()
    for name, text in files.items():
        (folder / "playbooks" / f"{name}.yaml").write_text(text, encoding="utf-8")
    main = folder / "forewarn.yaml"
    main.write_text("playbooks: [playbooks]", encoding="utf-8")
    return main


def changed(**changes: Any) -> str:
    return yaml.safe_dump({**yaml.safe_load(ROLLBACK), **changes})


def step(**changes: Any) -> list[dict[str, Any]]:
    known = {"do": "http", "what": "x", "args": {"url": "http://h/"}, "undo": {"do": "nothing", "what": "x"}}
    return [{**known, **changes}]


def test_what_ships_is_right_and_counted() -> None:
    done = forewarn("check")

    assert done.exit_code == 0
    assert done.output.startswith("Checking 'what ships'  SUCCESS\nFound:\n")
    assert " - 2 playbooks\n" in done.output


def test_the_tests_inside_what_ships_hold() -> None:
    done = forewarn("test")

    assert done.exit_code == 0, done.output
    assert "rollback-deploy.yaml\n  SUCCESS: 3 tests" in done.output


@pytest.mark.parametrize("path", sorted((config.ROOT / "playbooks").glob("*.yaml")), ids=lambda p: p.stem)
def test_a_shipped_playbook_is_short_and_tested_both_ways_and_acts_on_nobodys_behalf(path: Path) -> None:
    found = config.read(path, Playbook)

    assert len(path.read_text(encoding="utf-8").splitlines()) <= 50
    assert {bool(t.then) for t in found.tests} == {True, False}
    assert found.mode != "auto"
    assert path.stem == found.name


def test_what_is_allowed_and_perhaps_not_meant_is_noted(tmp_path: Path) -> None:
    (tmp_path / "forewarn.yaml").write_text("catalog: catalog.yaml")
    (tmp_path / "catalog.yaml").write_text(
        "services: {pay: {teir: critical, depends_on: [bd]}, db: {}}\ncustomers: {acme: {uses: [pay]}}"
    )

    done = forewarn("check", str(tmp_path / "forewarn.yaml"))

    assert done.exit_code == 0
    assert [line.replace(f"{tmp_path}/", "") for line in done.output.splitlines()[-3:]] == [
        "Note: nobody is told of incidents, because response.receiver names no receiver",
        'Note: catalog.yaml: services.pay.teir: nothing reads this key; did you mean "tier"?',
        'Note: catalog.yaml: services.pay.depends_on: no service "bd" is described; did you mean "db"?',
    ]


def test_a_catalogue_that_is_not_yaml_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "forewarn.yaml").write_text("catalog: catalog.yaml")
    (tmp_path / "catalog.yaml").write_text("services: [")

    done = forewarn("check", str(tmp_path / "forewarn.yaml"))

    assert done.exit_code == 1
    assert f"{tmp_path}/catalog.yaml: not YAML: line 1, column 12: expected" in done.output


def test_every_wrong_file_is_named_and_the_exit_code_is_one(tmp_path: Path) -> None:
    main = write(tmp_path, a=changed(mod="auto"), b=changed(steps=step(do="htp")))

    done = forewarn("check", str(main))

    assert done.exit_code == 1
    assert f'{tmp_path}/playbooks/a.yaml: mod: unknown key; did you mean "mode"?' in done.output
    assert f'{tmp_path}/playbooks/b.yaml: steps[0].do: no kind "htp"; did you mean "http"?' in done.output


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"blast_radius": None}, "blast_radius: missing under `mode: auto`", id="unbounded"),
        pytest.param({"cooldown": None}, "cooldown: missing under `mode: auto`", id="auto, no cooldown"),
        pytest.param({"verify": None}, "verify: missing under `mode: auto`", id="auto, unverified"),
        pytest.param({"steps": step(undo=None)}, "steps[0].undo: missing under `mode: auto`", id="no undo"),
        pytest.param({"steps": []}, "steps: expected at least one", id="no steps"),
        pytest.param(
            {"steps": step(args={"ulr": "x"})},
            'steps[0].args.ulr: unknown key; did you mean "url"?',
            id="unknown arg",
        ),
        pytest.param(
            {"steps": step(args={"url": "http://h/{servce}"})},
            'steps[0].args.url: no field {servce}; did you mean "service"?',
            id="unknown field",
        ),
        pytest.param(
            {"steps": step(args={"url": "http://{service}/"})},
            "steps[0].args.url: expected the host to be written out",
            id="a label would choose the host",
        ),
        pytest.param(
            {"steps": step(do="process", args={"argv": ["/bin/{service}"]})},
            "steps[0].args.argv[0]: expected the program to be written out",
            id="a label would choose the program",
        ),
        pytest.param(
            {"steps": step(do="wait", args={"within": "5"})},
            'steps[0].args.within: expected a duration such as "30s"',
            id="no duration",
        ),
        pytest.param(
            {"verify": {"hold": "5m", "within": "1m"}},
            "verify: hold: expected less than within",
            id="hold",
        ),
        pytest.param({"when": {"service": "("}}, 'when.service: not a regular expression: "("', id="regex"),
    ],
)
def test_a_playbook_that_cannot_be_right_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as caught:
        book(**changes)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{receiver: oncal}", 'receiver: no receiver "oncal"', id="nobody of that name"),
        pytest.param(
            "{escalation: [{after: 5m, receiver: lead}]}",
            'escalation: no receiver "lead"',
            id="rung",
        ),
        pytest.param(
            "{receivers: [{name: a, via: [{do: webhok}]}]}",
            'no kind "webhok"; did you mean "webhook"?',
            id="no such channel",
        ),
        pytest.param(
            "{receivers: [{name: a, via: [{do: email, args: {too: [a@b]}}]}]}",
            'args.too: unknown key; did you mean "to"?',
            id="unknown arg of a channel",
        ),
        pytest.param(
            "{receivers: [{name: a, via: [{do: email, args: {to: [a@b], username: x}}]}]}",
            "a password would go in clear",
            id="password without TLS",
        ),
        pytest.param(
            "{receivers: [{name: a, via: [{do: email, args: {to: ['a@b\\nBcc: c@d']}}]}]}",
            "expected an address",
            id="a header smuggled into an address",
        ),
    ],
)
def test_a_response_that_cannot_be_right_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        config.parse(yaml.safe_load(text), Response)

    assert said in str(caught.value)


def test_a_program_that_is_not_listed_is_told_before_it_is_needed(tmp_path: Path) -> None:
    main = write(tmp_path, a=changed(steps=step(do="process", args={"argv": ["/bin/true"]})))

    done = forewarn("check", str(main))

    assert "steps[0].args.argv: /bin/true is not listed in response.executables" in done.output


def test_a_failing_test_says_what_was_expected_and_what_came(tmp_path: Path) -> None:
    given = {
        "suspects": [{"service": "pay", "change": "d-1", "kind": "deploy"}],
        "signals": [{"series": "x"}],
    }
    path = tmp_path / "a.yaml"
    path.write_text(changed(tests=[{"name": "stays quiet", "given": given}]), encoding="utf-8")

    done = forewarn("test", str(path))

    assert done.exit_code == 1
    assert "  FAILED:\n    name: stays quiet\n    expected:\n        nothing\n" in done.output
    assert "Roll pay back behind d-1" in done.output


def test_a_rule_is_tested_on_series_as_promtool_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "latency.yaml"
    path.write_text(LATENCY, encoding="utf-8")

    done = forewarn("test", str(path))

    assert done.output == f"Unit Testing:  {path}\n  SUCCESS: 2 tests\n"


def test_a_rule_that_says_too_much_or_too_little_fails(tmp_path: Path) -> None:
    path = tmp_path / "latency.yaml"
    text = LATENCY.replace("signals: [{series: latency_seconds, after: 50m}]", "signals: [{series: errors}]")
    path.write_text(text, encoding="utf-8")

    done = forewarn("test", str(path))

    assert done.exit_code == 1
    assert "expected a signal of errors, got nothing of the kind" in done.output
    assert "expected no such signal: latency_seconds" in done.output


RULES = """
watchs: []
slos:
  - {name: a, objective: 99, sli: {total: x, eror: y}}
  - {name: b, objectve: 99, sli: {error_ratio: x}}
patterns:
  - name: p
    within: 10m
    count: {of: {what: chnge}, at_least: 3}
  - {name: q, within: 10 m, sequence: [{what: change}]}
  - {name: r, within: 10m, absence: {of: {wen: "true"}}}
  - {name: s, within: 10m, count: {of: {matchers: ["kind==x"]}, at_least: 3}}
tests: [{name: t, input_event: []}]
"""


def test_every_wrong_key_of_every_rule_is_named_at_once_with_the_nearest_right_word(tmp_path: Path) -> None:
    (tmp_path / "forewarn.yaml").write_text("rules: [mine.yaml]")
    (tmp_path / "mine.yaml").write_text(RULES)

    done = forewarn("check", str(tmp_path / "forewarn.yaml"))

    assert done.exit_code == 1
    assert [line.partition("mine.yaml: ")[2] for line in done.output.splitlines()[1:]] == [
        'slos[0].sli.eror: unknown key; did you mean "error"?',
        'slos[1].objectve: unknown key; did you mean "objective"?',
        "slos[1].objective: missing, and there is no default",
        'patterns[0].count.of.what: "chnge" is not known here; did you mean "change"?',
        'patterns[1].within: expected a duration such as "30s", "5m" or "1h30m", got "10 m"',
        'patterns[2].absence.of.wen: unknown key; did you mean "when"?',
        'patterns[3].count.of: matchers: kind: expected =, !=, =~ or !~, got "=="; did you mean "="?',
        'tests[0].input_event: unknown key; did you mean "input_events"?',
        'watchs: unknown key; did you mean "watches"?',
    ]


def test_two_rules_of_one_name_in_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "forewarn.yaml").write_text("rules: [mine.yaml]")
    (tmp_path / "mine.yaml").write_text(f"watches: {2 * [{'name': 'a', 'metrics': ['x']}]}")

    done = forewarn("check", str(tmp_path / "forewarn.yaml"))

    assert 'mine.yaml: watches: 2 of them have the name "a", and the last would count' in done.output


@pytest.mark.parametrize("word", ["1x", "x3", "1..2", "1+x3", "__"])
def test_values_that_promtool_would_refuse_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match="values: expected"):
        rehearse.values(word)
