"""Errors of configuration name the file, the key and the nearest right word."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import config
from pipeline.clock import Span, span
from pipeline.detect import Watch


def write(folder: Path, text: str) -> Path:
    path = folder / "forewarn.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_at_all_is_a_working_configuration() -> None:
    found = config.load()

    assert found.web.listen == "127.0.0.1:9093"
    assert len(found.watches) > 0


def test_an_empty_file_is_the_same_as_none(tmp_path: Path) -> None:
    assert config.load(write(tmp_path, "")).storage == config.load().storage


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("web: {listn: x}", 'web.listn: unknown key; did you mean "listen"?', id="unknown key"),
        pytest.param("wbe: {}", 'wbe: unknown key; did you mean "web"?', id="unknown section"),
        pytest.param(
            "storage: {retention: 5 d}",
            'storage.retention: expected a duration such as "30s", "5m" or "1h30m", got "5 d"',
            id="no duration",
        ),
        pytest.param(
            "limits: {series: many}", "limits.series: expected a whole number, got text", id="wrong type"
        ),
        pytest.param("limits: {body: -1}", "limits.body: expected a whole number >= 1", id="too small"),
        pytest.param("- web", "expected keys and values, got a list", id="no mapping"),
        pytest.param("web: [", "not YAML: line 1, column 7: expected the node content", id="not YAML"),
        pytest.param(
            "response: {receivers: [{name: a}]}",
            "response.receivers[0].via: missing, and there is no default",
            id="missing",
        ),
        pytest.param(
            "web: {external_url: '${FW_NOT_SET}'}",
            "${FW_NOT_SET}: this environment variable is not set",
            id="unset variable",
        ),
        pytest.param("rules: [nowhere]", "nowhere: no such file or folder", id="no such folder"),
        pytest.param("catalog: gone.yaml", "gone.yaml: No such file or directory", id="no catalogue"),
    ],
)
def test_an_error_says_where_and_what(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(config.Invalid) as caught:
        config.load(write(tmp_path, text))

    assert sentence in caught.value.errors[0]


def test_every_error_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.yaml").write_text("watchs: []")
    (tmp_path / "mine" / "b.yaml").write_text("watches: [{name: x, nmae: y}]")

    with pytest.raises(config.Invalid) as caught:
        config.load(write(tmp_path, "rules: [mine]"))

    assert 'watchs: unknown key; did you mean "watches"?' in caught.value.errors[0]
    assert 'nmae: unknown key; did you mean "name"?' in caught.value.errors[1]


def test_every_wrong_key_of_one_file_is_told_at_once(tmp_path: Path) -> None:
    text = "policy: {voices: many, voicse: 2}\nweb: []\nlimits: {bdy: 1}\nresponse: {receiver: x}\n"

    with pytest.raises(config.Invalid) as caught:
        config.load(write(tmp_path, text))

    assert [e.partition("forewarn.yaml: ")[2] for e in sorted(caught.value.errors)] == [
        'limits.bdy: unknown key; did you mean "body"?',
        "policy.voices: expected a whole number, got text",
        'policy.voicse: unknown key; did you mean "voices"?',
        'response: receiver: no receiver "x"',
        "web: expected keys and values, got a list",
    ]


def test_a_file_that_is_no_text_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "forewarn.yaml").write_bytes(b"web\xf8\n")

    with pytest.raises(config.Invalid, match="not text in UTF-8: invalid start byte at byte 3"):
        config.load(tmp_path / "forewarn.yaml")


def test_a_word_that_is_not_one_of_those_known_is_told_the_nearest() -> None:
    with pytest.raises(config.Invalid) as caught:
        config.parse({"name": "w", "metrics": ["x"], "detection_direction": "abov"}, Watch)

    assert caught.value.errors == ['detection_direction: "abov" is not known here; did you mean "above"?']


def test_a_variable_is_put_in_and_may_have_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FW_HOST", "pager.example")

    found = config.load(write(tmp_path, "web: {external_url: 'https://${FW_HOST}/${FW_PATH:-here}'}"))

    assert found.web.external_url == "https://pager.example/here"


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("1h30m", 5400), ("2d", 172800), ("0", 0), ("1w", 604800)]
)
def test_durations_are_written_as_prometheus_writes_them(text: str, seconds: float) -> None:
    assert span(text) == pytest.approx(Span(seconds))


@pytest.mark.parametrize("text", ["", "5", "1.5h", "30m1h", "1h 30m", "-5m"])
def test_what_prometheus_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        span(text)
