"""Lines become templates by their shape alone, whatever bytes they are, in whatever order they come."""

from __future__ import annotations

import csv
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.logs import templates
from pipeline.logs.header import header_end
from pipeline.logs.shape import MAX_BYTES, shape_of, wider
from pipeline.logs.templates import LOOKS, Templates, take_block, template_of, templates_of, text_of
from tests.soak import times

LINES = st.lists(st.text(max_size=80) | st.text('ab0/=<*>"[]():. \x1b\x00\r\n', max_size=80), max_size=25)


def parsed(*lines: str) -> list[str]:
    """Return the template of each line, as it reads after the last."""
    state = Templates()
    return [text_of(state, id) for id in templates_of(state, lines)]


@settings(max_examples=times(80), deadline=None)
@given(LINES)
def test_a_block_gives_what_its_lines_give_one_by_one(lines: list[str]) -> None:
    single, block = Templates(), Templates()

    ids = [template_of(single, line) for line in lines]

    assert templates_of(block, lines) == ids
    assert {id: text_of(block, id) for id in ids} == {id: text_of(single, id) for id in ids}
    assert {id: known.lines for id, known in block.table.items()} == Counter(ids)


@settings(max_examples=times(80), deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=12).map(lambda raw: raw * 400))
def test_any_bytes_are_taken_and_each_line_gets_an_id(block: bytes) -> None:
    state = Templates()

    ids, counts = take_block(state, block)

    assert len(ids) == len(re.findall(rb"[^\n]*\n|[^\n]+$", block))
    assert sum(counts.values()) == len(ids)
    assert all(0 <= id < 2**53 for id in ids)
    assert take_block(state, block)[0] == ids


@settings(max_examples=times(60), deadline=None)
@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_lines_and_sources_changes_no_id(lines: list[str], chance: random.Random) -> None:
    mixed = lines[:]
    chance.shuffle(mixed)

    ids = dict(zip(mixed, templates_of(Templates(), mixed), strict=True))

    assert [ids[line] for line in lines] == templates_of(Templates(), lines)


@settings(max_examples=times(40), deadline=None)
@given(LINES, LINES)
def test_a_snapshot_in_the_middle_changes_nothing(before: list[str], after: list[str]) -> None:
    straight = Templates()
    templates_of(straight, before)
    broken = snapshot.load(snapshot.dump(straight))

    assert templates_of(broken, after) == templates_of(straight, after)
    assert broken == straight


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(
            "2026-11-22 10:00:00,123 INFO [main] shop.Cart: item 7 added", "item 7 added", id="log4j"
        ),
        pytest.param("Jun  9 06:06:20 web1 sshd(pam_unix)[20885]: closed 5", "closed 5", id="syslog"),
        pytest.param("<34>1 2026-11-22T10:00:00Z web app 12 ID47 - a 5", "a 5", id="syslog, RFC 5424"),
        pytest.param("[Sun Dec 04 04:51:14 2005] [notice] child 5 up", "child 5 up", id="httpd error"),
        pytest.param(
            '9.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /x" 200', '"GET /x" 200', id="httpd access"
        ),
        pytest.param("03-17 16:13:38.869  22 27 D TextView: visible is 5", "visible is 5", id="logcat"),
        pytest.param("081109 204324 34 INFO dfs.Node: block 5", "block 5", id="numbers and a level"),
        pytest.param(
            "20171223-22:15:29:606|Step|30002312|walked 3579", "walked 3579", id="columns with bars"
        ),
        pytest.param("2026-11-22 10:00:00,123 - my.jobs - WARNING - disk 5", "disk 5", id="python"),
        pytest.param("2026-11-22T10:00:00Z INFO 1 --- [exec-1] o.s.Web : done 5", "done 5", id="spring"),
        pytest.param("2026-11-22T10:00:00.1Z stdout F took 5", "took 5", id="container runtime"),
        pytest.param(
            "connection from 9.0.0.1 () at Fri Jun 17 07:07:00 2005", "", id="a clock at the end is none"
        ),
        pytest.param("backup 5 at 10:00:00 done", "", id="prose before a clock"),
        pytest.param("10.0.0.1:50010 Served block 7 to 10.0.0.2", "", id="an address is no clock"),
        pytest.param("5 errors 7 warnings", "", id="a lower-case word is no level"),
        pytest.param("ERROR card gateway 5 refused", "", id="a level alone is kept"),
    ],
)
def test_a_header_is_known_by_its_shape(line: str, message: str) -> None:
    state = Templates()
    shape = wider(shape_of(line)).decode()

    assert (header_end(shape) > 0) is bool(message)
    assert template_of(state, line) == template_of(state, message or line)


@pytest.mark.parametrize(
    ("lines", "template"),
    [
        pytest.param(
            [f"from 9.0.0.{k} port {k} ssh2" for k in range(4)],
            "from <*> port <*> ssh2",
            id="ssh2 never varies",
        ),
        pytest.param(["from 9.0.0.1 by ssh2"], "from <*> by <*>", id="one line proves nothing"),
        pytest.param(
            [f"uid={k} tty=ssh" for k in range(4)], "uid=<*> tty=ssh", id="a value that never varies"
        ),
        pytest.param(
            [f"uid={k} tty=t{'ab'[k % 2]}" for k in range(4)], "uid=<*> tty=<*>", id="a value that does"
        ),
        pytest.param(["took 5 ms", "took 7 ms"], "took <*> ms", id="a unit"),
        pytest.param(["freed 5 MB", "freed 7 KB"], "freed <*>", id="a unit that varies"),
        pytest.param(["at Sun Jul 10 03:55:15 2005 by x"], "at <*> by x", id="a date is one variable"),
        pytest.param(
            ["from 9.0.0.1 () up", "from 9.0.0.1 (a.b.c) up"], "from <*> (<*>) up", id="an empty place"
        ),
        pytest.param(["\x1b[31mfailed\x1b[0m 5 times"], "failed <*> times", id="colours are no words"),
        pytest.param(["a\tb 5\r"], "a b <*>", id="control characters are blanks"),
    ],
)
def test_the_words_that_all_lines_share_are_shown(lines: list[str], template: str) -> None:
    assert set(parsed(*lines)) == {template}


def test_a_word_that_varies_late_is_a_variable_from_then_on() -> None:
    state = Templates()
    for k in range(2 * LOOKS):
        id = template_of(state, f"login of user root from 9.0.0.{k}")
    before = text_of(state, id)

    assert template_of(state, "login of user ann from 9.0.0.1") == id
    assert (before, text_of(state, id)) == ("login of user root from <*>", "login of user <*> from <*>")


def test_bytes_that_are_not_utf8_are_read_as_such() -> None:
    state = Templates()

    ids, _ = take_block(state, "größe 5\n".encode() + "größe 5\n".encode("latin-1") + b"\xff\xfe\x00 5\n")

    assert [text_of(state, id) for id in ids] == ["größe <*>", "gr\ufffd\ufffde <*>", "\ufffd\ufffd <*>"]


def test_a_megabyte_is_a_line_like_any_other() -> None:
    state = Templates()

    ids = templates_of(state, ["payload " + "x y " * 250_000 + str(k) for k in range(3)])

    assert len(set(ids)) == 1
    assert max(len(shape) for shape in state.known) <= MAX_BYTES
    assert len(text_of(state, ids[0])) <= MAX_BYTES


def test_a_flood_of_unlike_lines_stays_within_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MAX_TEMPLATES", 40)
    monkeypatch.setattr(templates, "MAX_HELD", 10_000)
    state = Templates()
    first = template_of(state, "word")

    for k in range(1000):
        template_of(state, "word" + "x" * (k % 500))

    assert len(state.table) <= 40
    assert len(state.known) + len(state.older) < 200
    assert len(state.young) <= 40
    assert state.dropped["idle template"] >= 900
    assert template_of(state, "word") == first
    assert text_of(state, first) == "word"


def test_the_template_met_most_recently_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MAX_TEMPLATES", 8)
    state = Templates()

    for k in range(20):
        kept = template_of(state, "heartbeat")
        template_of(state, "word" + "x" * k)

    assert state.table[kept].lines == 20


@pytest.mark.shared_data
@pytest.mark.parametrize(("column", "least"), [("Content", 0.95), ("raw", 0.9)])
def test_lines_of_eight_systems_find_their_group(shared: Path, column: str, least: float) -> None:
    found = []
    for path in sorted((shared / "data" / "loghub_dev").glob("*/*_2k.log_structured.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        raw = (
            path.with_name(path.name.removesuffix("_structured.csv"))
            .read_text("utf-8", "replace")
            .splitlines()
        )
        lines = raw if column == "raw" else [row["Content"] for row in rows]
        got: dict[int, set[int]] = {}
        true: dict[str, set[int]] = {}
        for k, id in enumerate(templates_of(Templates(), lines)):
            got.setdefault(id, set()).add(k)
            true.setdefault(rows[k]["EventId"], set()).add(k)
        found.append(sum(len(group) for group in got.values() if group in true.values()) / len(rows))

    assert len(found) == 8
    assert sum(found) / 8 > least
