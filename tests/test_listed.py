"""Alerts are written as Alertmanager writes them, whatever their labels and annotations hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.notify._listed import Written, write
from pipeline.series import pack
from pipeline.types import Seconds
from pipeline.untold import SOURCE, Listed, Sheet, fold, unfold
from tests.naive import listed as naive

T0 = 1_790_000_000.0
# Few of each, so that alerts have something in common; and what JSON has to escape.
NAMES = st.sampled_from(["a", "alertname", 'quo"ted', "k", "ü"])
TEXTS = st.sampled_from(["1", "k", "back\\slash", 'say "k":"1"', 'x,"k":"1', "ü 漢", "line\nfeed\0", "", "}"])
PAIRS = st.dictionaries(NAMES, TEXTS, max_size=4)
LABELS = PAIRS.filter(lambda labels: any(labels.values()))
URLS = st.sampled_from([None, "", "http://prom/graph?a=1", 'http://prom/"q"'])


def alert(
    labels: Mapping[str, str],
    notes: Mapping[str, str] | None = None,
    url: str | None = None,
    since: Seconds = T0,
    ended: Seconds | None = None,
) -> Listed:
    given = {**(notes or {}), **({} if url is None else {SOURCE: url})}
    return Listed(pack(labels), msgspec.json.encode(given), since, ended)


def sheet(alerts: Sequence[Listed]) -> Sheet:
    """Return them in columns, those that are over last."""
    ordered = sorted(alerts, key=lambda one: one.ended is not None)
    labels, notes = [one.labels for one in ordered], [one.notes for one in ordered]
    ended = [one.ended for one in ordered if one.ended is not None]
    return Sheet(labels, notes, [one.since for one in ordered], ended)


def written(alerts: Sequence[Listed]) -> Written:
    return write(unfold(fold(sheet(alerts))))


ALERTS = st.lists(
    st.builds(alert, LABELS, PAIRS, URLS, st.sampled_from([T0, T0 + 0.5]), st.sampled_from([None, T0 + 9])),
    min_size=1,
    max_size=6,
)


@given(ALERTS)
@example([alert({"k": "1"}), alert({"k": "1", "a": "k"})])
@example([alert({"k": "1"}, {"k": "1"}, "u"), alert({"k": "1"}, {'x,"k': "1", "k": "2"}, "u")])
@example([alert({"a": "k", "k": "1"}), alert({"a": "k", "alertname": "k", "k": "2"}), alert({"k": "1"})])
def test_alerts_are_written_as_one_by_one(alerts: list[Listed]) -> None:
    found = written(alerts)

    ordered = sorted(alerts, key=lambda one: one.ended is not None)
    slowly = [naive.one(each) for each in ordered]
    assert msgspec.json.decode(b"[" + found.alerts + b"]") == slowly
    assert found.labels == naive.common([each["labels"] for each in slowly])
    assert found.notes == naive.common([each["annotations"] for each in slowly])


@given(ALERTS)
def test_what_an_action_holds_gives_the_same_alerts_back(alerts: list[Listed]) -> None:
    assert unfold(fold(sheet(alerts))) == sheet(alerts)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b'{ "k" : "1" ,\n "a":"2"}', id="with blanks"),
        pytest.param(b'{"k":"\\u0031","a":"2"}', id="with escapes that were not needed"),
        pytest.param(b'{"k":"1","__generatorURL":"u","a":"2"}', id="with our own name for the source"),
    ],
)
def test_annotations_count_as_the_same_however_they_were_written(sent: bytes) -> None:
    plain = alert({"alertname": "x"}, {"k": "1"})
    alerts = [plain, Listed(pack({"alertname": "y"}), sent, T0), plain]

    found = written(alerts)

    assert found.notes == {"k": "1"}
    middle = msgspec.json.decode(b"[" + found.alerts + b"]")[1]
    assert middle == naive.one(alerts[1])
