"""What closed tickets taught: whether a text is about a known topic, and surges of one."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import snapshot
from pipeline.complaints import ComplaintState, hear, tuned
from pipeline.complaints.budget import Budget
from pipeline.complaints.head import FOLDED, Head
from pipeline.complaints.heard import HOUR, Heard, Said
from pipeline.complaints.known import AGAIN, COST, LIKER, MAYBE, NEAR, SURELY, Known
from pipeline.complaints.surge import Surges, notice
from pipeline.complaints.tuning import Complaints
from pipeline.complaints.usual import DAY, HISTORY, Usual, crowded
from pipeline.complaints.words import Rarity, Vector, alike, columns, plain
from pipeline.topology import Topology
from pipeline.types import Complaint, Event

NOW = 1_700_000_000.0


def test_labelled_complaints_tell_what_others_are_about_and_what_is_of_none() -> None:
    known, rarity = Known(), Rarity()
    texts = {"refund": "I want my {} money back please", "login": "cannot sign in with my {} password"}
    none = np.zeros(0, np.float32)
    for k, word in enumerate(("red", "old", "new", "first", "other", "last")):
        for topic, text in texts.items():
            known.teach(f"{topic}{k}", topic, rarity.weigh(*columns([plain(text.format(word))])[0]), none)
    known.reread()

    number, sure = known.of(rarity.weigh(*columns([plain("my money back")])[0]), none, 0.0)

    assert known.head.services[number - 1] == "refund"
    assert sure > 0.9
    assert known.of(rarity.weigh(*columns([plain("什么时候补货")])[0]), none, 0.0) == (0, 0.0)


def test_a_text_as_like_the_crowd_as_it_is_to_labelled_ones_is_less_surely_of_their_topic() -> None:
    known, rarity, none = Known(), Rarity(), np.zeros(0, np.float32)
    texts = {"refund": "I want my {} money back please", "login": "cannot sign in with my {} password"}
    told = {
        f"{topic}{k}": (topic, rarity.weigh(*columns([plain(text.format(word))])[0]))
        for k, word in enumerate(("red", "old", "new", "first"))
        for topic, text in texts.items()
    }
    for id, (topic, vector) in told.items():
        known.teach(id, topic, vector, none)
    known.reread()
    asked = rarity.weigh(*columns([plain("my money, where is it")])[0])
    (margin,) = asked.weight @ known.head.words[asked.index % FOLDED][:, :1]
    like = sorted(
        float(alike(v.index[None] % FOLDED, v.weight[None], Vector(asked.index % FOLDED, asked.weight))[0])
        for topic, v in told.values()
        if topic == "refund"
    )

    found = [known.of(asked, none, crowd) for crowd in (0.0, 0.1, 0.2, 1.0)]

    scores = [margin + LIKER * (np.mean(like[-NEAR:]) - crowd) for crowd in (0.0, 0.1, 0.2, 1.0)]
    wanted = np.clip((np.array(scores) - MAYBE) / (SURELY - MAYBE), 0.0, 1.0)
    assert [sure for _, sure in found] == pytest.approx(wanted, abs=1e-5)
    assert wanted[0] > wanted[1] > wanted[2] > wanted[3] == 0.0
    assert [topic for topic, _ in found] == [1, 1, 1, 0]


def test_texts_read_one_by_one_and_all_at_once_are_of_the_same_topics() -> None:
    rng, known, rarity = np.random.default_rng(4), Known(), Rarity()
    words = ["money", "back", "password", "sign", "in", "refund", "card", "please", "why", "wrong"]
    said = [" ".join(rng.choice(words, 4)) for _ in range(60)]
    vectors = [rarity.weigh(*columns([plain(text)])[0]) for text in said]
    rows = rng.normal(size=(60, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for k, topic in enumerate(("refund", "login", "card") * 10):
        known.teach(str(k), topic, vectors[k], rows[k])
    known.reread()
    crowd = rng.random(60)

    topics, surely = known.of_all(
        np.stack([v.index for v in vectors]), np.stack([v.weight for v in vectors]), rows, crowd
    )

    found = [known.of(v, row, float(near)) for v, row, near in zip(vectors, rows, crowd, strict=True)]
    assert topics.tolist() == [topic for topic, _ in found]
    assert surely == pytest.approx([sure for _, sure in found], abs=1e-4)
    assert len({0.0 < sure < 1.0 for sure in surely.tolist()}) == 2


def test_a_topic_whose_last_label_was_taken_back_is_no_longer_known() -> None:
    known, rarity, none = Known(), Rarity(), np.zeros(0, np.float32)
    vectors = [
        rarity.weigh(*columns([plain(f"my {word} is late")])[0]) for word in ("tea", "rice", "soap", "milk")
    ]
    known.teach("a", "tea", vectors[0], none)
    for turn in range(2):
        for k, vector in enumerate(vectors):
            known.teach(f"{turn}{k}", ("rice", "soap")[k % 2], vector, none)
    known.teach("a", "rice", vectors[0], none)  # told again: not about tea
    known.reread()
    far = rarity.weigh(*columns([plain("什么时候补货")])[0])

    assert known.of(far, none, 0.1) == (0, 0.0)
    topics, surely = known.of_all(
        far.index[None], far.weight[None], np.zeros((1, 0), np.float32), np.array([0.1])
    )
    assert (topics.tolist(), surely.tolist()) == ([0], [0.0])


def test_topics_of_one_label_are_not_told_and_leave_the_others_known() -> None:
    known, rarity, none = Known(), Rarity(), np.zeros(0, np.float32)
    for k in range(20):
        for n in range(NEAR if k < 2 else 1):
            known.teach(
                f"{k}-{n}",
                f"t{k}",
                rarity.weigh(*columns([plain(f"my {'abcdefghijklmnopqrst'[k] * 5} {n}")])[0]),
                none,
            )
    known.reread()

    asked = [rarity.weigh(*columns([plain(f"my {letter * 5} again")])[0]) for letter in "abcd"]

    index, weight = np.stack([v.index for v in asked]), np.stack([v.weight for v in asked])
    found, _ = known.of_all(index, weight, np.zeros((4, 0), np.float32), np.zeros(4))

    assert [known.of(vector, none, 0.0)[0] for vector in asked] == found.tolist() == [1, 2, 0, 0]


def everyday(k: int, closed: str = "") -> list[Event]:
    """Return one of four usual questions, and that a person closes the one of that id as about its topic."""
    asked = ("where is my parcel {}", "I forgot my password {}", "do you ship to Norway {}", "thank you {}")
    text = asked[k % 4].format("abcdefghij"[k % 10])
    events = [Event("complaint", f"c{k}", NOW + 600.0 * k, {"customer": f"u{k}"}, text)]
    if closed:
        topic = f"t{int(closed[1:]) % 4}"
        events.append(
            Event("command", f"l{k}", NOW + 600.0 * k, {"do": "close", "complaint": closed, "topic": topic})
        )
    return events


def test_a_topic_that_people_begin_to_label_is_told_of_new_texts_only_as_far_as_of_the_history() -> None:
    state = tuned(ComplaintState(), Complaints(encoder="none"))
    for k in range(200):
        hear(state, everyday(k), Topology(), NOW + 600.0 * k)
    surely: list[tuple[float, float]] = []

    for k in range(200, 280):  # labels of two topics, then of all
        closed = f"c{4 * (k - 200) + k % 2}" if k < 230 else f"c{k - 200}"
        events = everyday(k, closed)
        hear(state, events, Topology(), NOW + 600.0 * k)
        topic, sure = int(state.heard.topic[k]), float(state.heard.sure[k])
        usual = state.heard.usual
        surely.append((sure, float(usual.sure[usual.topic == topic].sum())))

    assert sum(sure > 0.3 for sure, _ in surely) > 20
    assert min(often for sure, often in surely if sure > 0) > 5


def test_a_label_told_anew_is_read_by_as_well() -> None:
    known, rarity, none = Known(), Rarity(), np.zeros(0, np.float32)
    vectors = [rarity.weigh(*columns([plain(f"my {word} is late")])[0]) for word in ("tea", "rice", "soap")]
    for k, vector in enumerate(vectors * NEAR):
        known.teach(str(k), f"t{k % 3}", vector, none)
    known.reread()
    assert not known.due()
    before = known.of(vectors[2], none, 0.95)

    for k in range(2, 3 * NEAR, 3):
        known.teach(str(k), "t0" if k < 6 else "t2", vectors[2], none)
    known.teach("more", "t2", vectors[1], none)
    due = known.due(), known.of(vectors[2], none, 0.95)
    known.reread()

    assert before[0] == 3
    assert 0.5 < before[1] < 1.0
    assert due == (True, before)
    assert (known.due(), known.of(vectors[2], none, 0.0)[0]) == (False, 1)


def test_labels_go_on_to_be_learned_alike_after_a_restart() -> None:
    known, rarity, none = Known(), Rarity(), np.zeros(0, np.float32)
    vectors = [
        rarity.weigh(*columns([plain(f"my {word} is late")])[0]) for word in ("tea", "rice", "soap", "milk")
    ]
    for k, vector in enumerate(vectors):
        known.teach(str(k), f"t{k % 2}", vector, none)
    again: Known = snapshot.load(snapshot.dump(known))
    gone_over = Head()
    for k, vector in enumerate([*vectors, vectors[0]]):
        gone_over.teach(str(k), f"t{k % 2}", vector, again=AGAIN, cost=COST)

    for one in (known, again):
        one.teach("4", "t0", vectors[0], none)

    assert again.head.pull.tolist() == known.head.pull.tolist() == gone_over.pull.tolist()


def test_another_encoder_tells_no_topic_until_two_weeks_were_said_to_it() -> None:
    heard, known, rarity, none = Heard(), Known(), Rarity(), np.zeros(0, np.float32)
    vectors = [rarity.weigh(*columns([plain(f"my {word} is late")])[0]) for word in ("tea", "rice")]
    for k in range(2 * NEAR):
        known.teach(str(k), f"t{k % 2}", vectors[k % 2], none)

    def days(first: int, last: int) -> tuple[list[int], bool]:
        for k in range(12 * first, 12 * last):
            heard.add(f"c{k}", NOW + HOUR * 2 * k, k, 0, Said(vectors[k % 2], none, crowd=0.0), known)
        return [known.of(vector, none, 0.0)[0] for vector in vectors], bool(heard.usual.sure.any())

    before = days(0, 5)
    heard.change_encoder("none")
    known.change_encoder()
    changed = [days(5, 6), days(6, 18), days(18, 21)]

    assert before == ([1, 2], True)
    assert changed == [([0, 0], False), ([0, 0], False), ([1, 2], True)]


def test_the_crowd_of_a_text_is_the_likest_fiftieth_and_three_at_least() -> None:
    cosine = np.linspace(0.0, 1.0, 201)

    assert crowded(cosine) == pytest.approx(np.mean([1.0, 0.995, 0.99, 0.985]))
    assert crowded(cosine[:20]) == pytest.approx(np.mean([0.095, 0.09, 0.085]))
    assert crowded(cosine[:2]) == 1.0


def test_unlike_texts_of_one_known_topic_say_the_same_and_alike_ones_do_so_of_any() -> None:
    usual, topics, surely = Usual(), np.array([1, 2, 0]), np.array([1.0, 1.0, 0.0])

    alike = usual.same(np.ones(3), topics, surely, 1, 1.0)
    unlike = usual.same(np.zeros(3), topics, surely, 1, 1.0)
    partly = usual.same(np.zeros(3), topics, surely / 2, 1, 0.5)
    new = usual.same(np.ones(3), topics, surely, 0, 0.0)

    assert alike.tolist() == [1.0, 1.0, 1.0]
    assert unlike.tolist() == [1.0, 0.0, 0.0]
    assert partly.tolist() == [0.25, 0.0, 0.0]
    assert new.tolist() == [1.0, 1.0, 1.0]


def told_by_three() -> tuple[Heard, Said]:
    """Return what three others said in ten minutes, unlike in words, and one more about the same known topic.

    Of two weeks' 2,000 complaints 20 were about that topic, and all are half alike.
    """
    heard, none = (
        Heard(count=3, ids=["a", "b", "c"], numbers={"a": 0, "b": 1, "c": 2}),
        np.zeros(0, np.float32),
    )
    heard.time[:3], heard.voice[:3] = NOW - np.array([400.0, 300.0, 200.0]), [1, 2, 3]
    heard.topic[:3], heard.sure[:3] = 1, 1.0
    usual = heard.usual
    usual.began = usual.since = NOW - HISTORY
    usual.until, usual.hours = NOW - DAY / 4, np.full(48, 14.0)
    usual.service, usual.sure = np.zeros(2000, np.int64), np.where(np.arange(2000) < 20, 1.0, 0.0)
    usual.topic = usual.sure.astype(np.int64)
    low, high = usual.knees
    vector = Rarity().weigh(*columns(["x"])[0])
    return heard, Said(vector, none, 1, 1.0, np.full(2000, (low + high) / 2))


def noticed(heard: Heard, said: Said, budget: Budget | None = None) -> Surges:
    surges = Surges(budget=budget or Budget())
    complaint = Complaint("d", NOW, "u4", "chat", "en", "x", "", "", ())
    notice(surges, heard, complaint, said, 4, "", NOW)
    return surges


def test_few_about_one_known_topic_page_though_much_of_what_is_said_is_a_little_alike() -> None:
    heard, said = told_by_three()
    times, _ = heard.often(said)
    about, grain = heard.often_about(said)

    (surge,) = noticed(heard, said).on.values()

    assert (times, about, grain) == pytest.approx((1010.0, 20.0, 1.0), abs=0.1)
    assert surge.page
    assert surge.observed == 4.0
    assert surge.expected < 0.1
    assert heard.rise(heard.alike(said, slice(0, 3)), slice(0, 3), times, NOW, 4).expected > 0.3


def test_a_state_of_before_crowds_were_kept_goes_on_and_takes_what_was_said_for_hardly_known() -> None:
    heard, none = Heard(), np.zeros(0, np.float32)
    vector = Rarity().weigh(*columns(["x"])[0])
    for k in range(70):
        heard.add(str(k), NOW + k, k, 0, Said(vector, none, crowd=0.3), Known())
    heard.crowd = Heard().crowd

    heard.add("new", NOW + 70, 70, 0, Said(vector, none, crowd=0.3), Known())

    assert heard.crowd[:71].tolist() == [1.0] * 70 + [0.3]
