"""The bar of surges: set by the stream itself to a budget; known topics and flagged services count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.complaints import ComplaintState, hear, surge, tuned
from pipeline.complaints.budget import GROWS, LASTS, LOW, MAX_GROWING, START, WEEK, Budget, Flagged
from pipeline.complaints.heard import LENGTHS, SAMPLED, Heard, Said, voices
from pipeline.complaints.known import Known
from pipeline.complaints.sense import Sense
from pipeline.complaints.surge import Surges, notice
from pipeline.complaints.tuning import Complaints
from pipeline.complaints.usual import DAY, HISTORY, LEAN, NEAREST, Usual
from pipeline.complaints.words import Rarity, Vector, alike, columns, plain
from pipeline.topology import Topology
from pipeline.types import Complaint, Event, Seconds, Signal

NOW = 1_700_000_000.0


def weeks_of_chance(budget: Budget, weeks: int, slope: float, true: int = 0) -> Budget:
    """Chance reaches LOW + x, 60 * 10 ** (-slope * x) times a week; and each week so many true surges do."""
    rng = np.random.default_rng(3)
    budget.began = NOW
    for k in range(weeks * 60):
        budget.hear(NOW + k * WEEK / 60, LOW + float(rng.exponential(1 / (slope * np.log(10)))))
        if k % 60 < true:
            budget.hear(NOW + k * WEEK / 60, 3.0)
    return budget


@pytest.mark.parametrize("slope", [pytest.param(1.0, id="heavy tail"), pytest.param(1.4, id="light tail")])
@pytest.mark.parametrize("true", [pytest.param(0, id="calm weeks"), pytest.param(7, id="weeks of outages")])
def test_chance_reaches_the_bar_about_once_a_week_rather_less(slope: float, true: int) -> None:
    budget = weeks_of_chance(Budget(), 4, slope, true)

    per_week = 60 * 10 ** (-slope * (budget.bar - LOW))

    assert 0.1 < per_week < 1.6


def test_before_anything_is_known_the_bar_is_the_one_shipped() -> None:
    budget = Budget()
    budget.began = NOW

    budget.hear(NOW + 60, 2.0)

    assert budget.bar == pytest.approx(START, abs=0.2)


def test_a_larger_budget_lowers_the_bar_and_a_flagged_service_lowers_it_more() -> None:
    one, five = Budget(), Budget()
    one.allow(1.0)
    five.allow(5.0)

    bars = [one.ask(NOW, flagged=False) for _ in range(1000)]

    assert five.bar < one.bar == bars[-1]
    assert one.ask(NOW, flagged=True) < one.bar


def flagged_peaks(each_week: int, weeks: int = 4) -> Budget:
    """Return what is learned of a flag that 3 % of complaints meet, so many alike each week by chance."""
    budget = Budget(began=NOW)
    for k in range(1000):
        budget.ask(NOW, flagged=k % 33 == 0)
    for k in range(weeks * each_week):
        budget.flags.hear(f"f{k}", NOW + k * WEEK / each_week, LOW - 0.5, ())
    return budget


def test_the_more_often_all_who_are_alike_are_flagged_by_chance_the_higher_is_their_bar() -> None:
    rare, usual, frequent = (flagged_peaks(n).ask(NOW + 4 * WEEK, flagged=True) for n in (1, 6, 24))

    assert LOW < rare < usual < frequent < START


def test_the_fewer_weeks_were_seen_the_less_is_believed_how_rarely_all_are_flagged() -> None:
    young, old = (flagged_peaks(2, weeks).ask(NOW + weeks * WEEK, flagged=True) for weeks in (1, 4))

    assert old < young


def test_flagged_complaints_alike_are_one_peak_that_counts_once_it_is_over_and_stayed_low() -> None:
    flags = Flagged()
    for k, peak in enumerate((-2.9, -2.5, -2.7)):
        flags.hear(f"a{k}", NOW + 60.0 * k, peak, [f"a{i}" for i in range(k)])
    for k, peak in enumerate((-2.4, LOW)):
        flags.hear(f"b{k}", NOW + 60.0 * k, peak, [f"b{i}" for i in range(k)])
    assert (list(flags.growing), flags.over) == (["a2", "b1"], [])

    flags.hear("c", NOW + GROWS + 1000, -3.5, ())

    assert (list(flags.growing), flags.over) == (["c"], [NOW + 120.0])


def test_flagged_peaks_are_forgotten_in_time_and_no_more_of_them_grow_than_the_bound() -> None:
    flags = Flagged()
    flags.hear("old", NOW, -2.5, ())
    for k in range(MAX_GROWING + 1):
        flags.hear(f"c{k}", NOW + LASTS + GROWS + 1, -2.5, ())

    assert (len(flags.growing), flags.over) == (MAX_GROWING, [])


NONE = np.zeros(0, np.float32)
OLD, NEW, OTHER = (Rarity().weigh(*columns([text])[0]) for text in ("pay now", "log in", "seat map"))


def emerged(said: list[tuple[str, Seconds, Vector]]) -> tuple[Heard, Surges]:
    """Return a surge that emerged of complaints of that id, so long ago and in those words."""
    heard, surges = Heard(), Surges()
    for id, before, vector in said:
        heard.add(id, NOW - before, ord(id), 0, Said(vector, NONE), Known())
    heard.usual.began = heard.usual.since = NOW - HISTORY
    heard.usual.until, heard.usual.hours = NOW - DAY / 4, np.full(48, 14.0)
    signal = Signal(
        id="surge-1",
        kind="complaint",
        service="",
        series="",
        labels={"state": "emerging"},
        detector="surge",
        since=NOW - 5300,
        at=NOW - 100,
        surprise=0.0,
        observed=3.0,
        expected=0.0,
        page=False,
        reason="",
        ids=tuple(id for id, *_ in said),
    )
    surges.on, surges.newest, surges.peak = {"surge-1": signal}, {"surge-1": NOW - 100}, {"surge-1": -1.0}
    return heard, surges


def says(heard: Heard, surges: Surges, id: str, vector: Vector, *, flagged: bool = False) -> Signal:
    complaint = Complaint(id, NOW, id, "chat", "en", id, "", "", ())
    *_, found = notice(surges, heard, complaint, Said(vector, NONE), ord(id[0]), "", NOW, flagged=flagged)
    heard.add(id, NOW, ord(id[0]), 0, Said(vector, NONE), Known())
    return found


def test_a_page_names_who_says_so_now_and_the_like_of_what_was_said_before_joins_it_still() -> None:
    before = [("a", 3300.0, OLD), ("b", 3200.0, OLD), ("c", 3100.0, OLD)]
    heard, surges = emerged(
        [*before, ("d", 300.0, NEW), ("x", 250.0, OTHER), ("e", 200.0, NEW), ("f", 100.0, NEW)]
    )

    paged, joined, newest = (says(heard, surges, *said) for said in (("g", NEW), ("h", OLD), ("i", NEW)))

    assert (paged.id, paged.page, paged.ids, paged.since) == ("surge-1", True, tuple("dxefg"), NOW - 300)
    assert surges.earlier == {"surge-1": ("a", "b", "c")}
    assert [(later.id, later.ids) for later in (joined, newest)] == [
        ("surge-1", tuple("dxefgh")),
        ("surge-1", tuple("dxefghi")),
    ]
    surges.endings(heard, NOW + DAY + 1e4)
    surges.endings(heard, NOW + 2 * DAY + 1e4)
    assert heard.spent[: len(heard)].all()
    assert surges.earlier == {}


def test_a_page_for_a_flag_names_those_whose_service_was_flagged_however_long_ago_they_wrote() -> None:
    before = [("a", 5200.0, NEW), ("b", 5100.0, NEW), ("c", 5000.0, NEW)]
    heard, surges = emerged([*before, *((id, 300.0, NEW) for id in "defghijk")])
    heard.usual.hours[:22] *= 300  # the hours before 22:13 are so busy that the last minutes tell most
    surges.budget.bar = 1e9
    surges.flagged = ["b", "c"]

    paged = says(heard, surges, "l", NEW, flagged=True)

    assert (paged.page, paged.ids, paged.since) == (True, tuple("bcdefghijkl"), NOW - 5100)
    assert surges.earlier == {"surge-1": ("a",)}


def test_a_page_counts_those_it_names_and_its_first_is_its_beginning() -> None:
    before = [(id, 5000.0, NEW) for id in "abc"]
    heard, surges = emerged([*before, *((id, 300.0, NEW) for id in "defghijk")])
    heard.usual.hours[:22] *= 300  # the hours before 22:13 are so busy that the last minutes tell most
    surges.on["surge-1"] = replace(surges.on["surge-1"], observed=11.0)

    paged, later = says(heard, surges, "l", NEW), says(heard, surges, "m", NEW)

    assert (len(paged.ids), paged.observed, later.observed) == (9, 9.0, 10.0)
    assert paged.reason.startswith("9 customers complain alike within 5 min")


def test_what_is_no_longer_kept_stays_first_in_a_surge_and_the_oldest_past_the_bound_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard, surges = emerged([(id, 300.0, NEW) for id in "defg"])
    gone = tuple(f"gone {k}" for k in (7, 3, 5))
    surges.on["surge-1"] = replace(surges.on["surge-1"], page=True, ids=(*gone, *"defg"))

    told, again = says(heard, surges, "h", NEW), says(heard, surges, "gone 3", NEW)  # delivered again
    monkeypatch.setattr(surge, "MAX_IDS", 4)
    cut = says(heard, surges, "i", NEW)

    assert told.ids == (*gone, *"defgh")
    assert again.ids == ("gone 7", "gone 5", *"defgh", "gone 3")
    assert cut.ids == (*"gh", "gone 3", "i")


def test_a_few_old_complaints_that_come_first_do_not_make_a_history() -> None:
    heard, fresh = Heard(), Heard()
    for one in (heard, fresh):
        for k in range(400):
            late = 40 * DAY if one is heard and k < 20 else 0.0
            one.add(str(k), NOW + 60.0 * k - late, k, 0, Said(NEW, NONE), Known())

    reached = NOW + 60 * 399 - heard.usual.since
    assert reached == pytest.approx(NOW + 60 * 399 - fresh.usual.since, rel=0.1)
    assert heard.usual.stray > NOW - DAY
    assert fresh.usual.stray == -np.inf


def of_one_sense(rows: int) -> Usual:
    """Return a history of that many texts that mean the same, and as many that mean something else."""
    usual = Usual(dense=np.zeros((2 * rows, 3), np.float32), service=np.zeros(2 * rows, np.int64))
    usual.dense[:rows, 0] = usual.dense[rows:, 1] = 1.0
    return usual


def test_a_text_leans_towards_its_nearest_in_the_history_and_stays_of_length_one() -> None:
    usual, text = of_one_sense(NEAREST + 1), np.array([0.6, 0.0, 0.8], np.float32)

    found = usual.lean(np.zeros(len(usual.service)), text)

    drawn = (1 - LEAN) * text + LEAN * np.array([1.0, 0.0, 0.0])
    assert found == pytest.approx(drawn / np.linalg.norm(drawn), abs=1e-6)


def test_a_text_leans_nowhere_without_history_or_without_meaning() -> None:
    text, nothing = np.array([0.6, 0.0, 0.8], np.float32), np.zeros(3, np.float32)

    assert Usual().lean(np.zeros(0), text).tolist() == text.tolist()
    assert of_one_sense(40).lean(np.zeros(80), nothing).tolist() == nothing.tolist()


def test_many_that_are_a_little_alike_come_in_finer_grains_once_the_history_is_long() -> None:
    heard, nothing = Heard(), np.zeros(0, np.float32)
    heard.usual.topic, heard.usual.sure = np.zeros(400, np.int64), np.zeros(400)
    low, high = heard.usual.knees
    heard.usual.since, heard.usual.until = 0.0, HISTORY
    vector = Rarity().weigh(*columns(["x"])[0])

    a_little = heard.often(Said(vector, nothing, usual=np.full(400, low + 0.2 * (high - low))))
    surely = heard.often(Said(vector, nothing, usual=np.full(400, high)))
    heard.usual.until = DAY
    young = heard.often(Said(vector, nothing, usual=np.full(400, low + 0.2 * (high - low))))

    assert a_little == pytest.approx((80.0, 0.2), abs=0.01)
    assert surely == pytest.approx((400.0, 1.0), abs=0.01)
    assert young == pytest.approx((80.0, 1 - 0.8 / 14), abs=0.01)


def test_the_same_count_in_finer_grains_is_more_surprising() -> None:
    heard = Heard()
    heard.time[:20], heard.voice[:20], heard.count = NOW - 60.0, np.arange(20), 20
    heard.usual.began = heard.usual.since = NOW - HISTORY
    heard.usual.until, heard.usual.hours = NOW - DAY / 4, np.full(48, 14.0)
    same, rows = np.full(20, 0.2), slice(0, 20)

    coarse, fine = (heard.rise(same, rows, 100.0, NOW, 99, grain) for grain in (1.0, 0.2))

    assert coarse.voices == fine.voices == pytest.approx(4.0)
    assert fine.surprise > coarse.surprise + 0.5


def seat_maps(state: ComplaintState, flagged: tuple[str, ...] = (), after: int = 0) -> Seconds | None:
    """Return when a surge of ten customers pages, in a week of a question every ten minutes.

    The services are flagged after so many of the ten.
    """
    chatter = ("Where is my parcel", "Forgot my password", "怎么开发票", "Do you ship to Norway", "Thank you")
    paged = None
    for k in range(1008):
        event = Event("complaint", f"c{k}", NOW + 600.0 * k, {"customer": f"u{k}"}, f"{chatter[k % 5]} {k}")
        hear(state, (event,), Topology(), event.time)
    for k in range(10):
        at = NOW + 600.0 * 1008 + 180.0 * k
        event = Event("complaint", f"s{k}", at, {"customer": f"s{k}"}, f"the {k}th seat map never loads")
        signals, _ = hear(state, (event,), Topology(), at, flagged if k >= after else ())
        if paged is None and any(s.page for s in signals):
            paged = at
    return paged


AGES = st.sampled_from([0.0, 599.0, 600.0, 5000.0, 80_000.0, 86_400.0, 1e6])


@given(st.lists(st.tuples(AGES, st.integers(0, 3), st.floats(0.01, 1.0)), min_size=1, max_size=20))
def test_a_customer_counts_once_in_each_window_by_the_likest_that_he_said(
    said: list[tuple[float, int, float]],
) -> None:
    age, who, same = (np.array(column) for column in zip(*said, strict=True))

    found = voices(age, who, same)

    naive = [
        sum(max((s for a, w, s in said if w == one and a < length), default=0.0) for one in range(4))
        for length in LENGTHS
    ]
    assert found == pytest.approx(naive)


@given(st.lists(st.text("ab 支付", max_size=30), min_size=4, max_size=40), st.text("ab 支付x", max_size=30))
def test_the_postings_of_the_history_tell_the_cosines_that_row_by_row_come_out(
    texts: list[str], asked: str
) -> None:
    rarity, heard, none = Rarity(), Heard(), np.zeros(0, np.float32)
    *past, vector = [rarity.weigh(*columns([plain(text)])[0]) for text in [*texts, asked]]
    for k, one in enumerate(past):
        heard.add(str(k), NOW + k * DAY / 8, k, 0, Said(one, none), Known())
    columns_of = {name: getattr(heard, name)[: len(past)] for name in SAMPLED}
    heard.usual.take(columns_of, len(past), NOW + len(past) * DAY / 8)

    found = heard.usual.words(vector)

    assert len(found) >= len(past) // 2
    assert found == pytest.approx([naive_cosine(one, vector) for one in past[: len(found)]], abs=1e-6)
    assert alike(heard.index, heard.weight, vector)[: len(found)] == pytest.approx(found, abs=1e-6)


def naive_cosine(one: Vector, other: Vector) -> float:
    said: dict[int, float] = dict(zip(one.index[::-1].tolist(), one.weight[::-1].tolist(), strict=True))
    pairs = zip(other.index.tolist(), other.weight.tolist(), strict=True)
    return float(sum(weight * said.get(column, 0.0) for column, weight in pairs if weight))


def test_a_surge_about_a_flagged_service_pages_sooner() -> None:
    alone = seat_maps(tuned(ComplaintState(), Complaints(encoder="none")))
    flagged = seat_maps(tuned(ComplaintState(), Complaints(encoder="none")), ("",))

    assert alone is not None
    assert flagged is not None
    assert flagged <= alone


def test_only_those_whose_service_was_flagged_too_lower_the_bar() -> None:
    at_once = tuned(ComplaintState(), Complaints(encoder="none"))
    late = tuned(ComplaintState(), Complaints(encoder="none"))
    for state in (at_once, late):
        state.surges.budget.bar = 1e9

    assert seat_maps(at_once, ("",)) is not None
    assert seat_maps(late, ("",), after=9) is None
    assert at_once.surges.flagged == [f"s{k}" for k in range(10)]


def test_another_encoder_forgets_what_was_meant_but_not_what_was_said() -> None:
    state = tuned(ComplaintState(), Complaints(encoder="none"))
    seat_maps(state)
    before = len(state.heard)

    meant = snapshot.load(snapshot.dump(state))
    meant.sense = Sense("use")  # as if until now
    meant.heard.dense = np.ones((len(meant.heard.time), 3), np.float32)
    meant.surges.budget.bar = 1e9

    again = tuned(meant, Complaints(encoder="none", false_surges_a_week=2.0))

    assert (len(again.heard), again.heard.dense.shape[1], again.sense.encoder) == (before, 0, "none")
    assert again.heard.weight.tolist() == state.heard.weight.tolist()
    assert (again.known.read, again.heard.changed) == (-1, float(again.heard.time[:before].max()))
    assert again.surges.budget.a_week == pytest.approx(2.0)
    assert again.surges.budget.bar < state.surges.budget.bar
