"""The green channel: harm itself in each language is found, what only sounds so is not."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import _complaint_urgency as bench
from pipeline.complaints.encoders import encoder, installed
from pipeline.complaints.urgency import MAX_TEXT, ORDER, Lexicon, _first, _spoken, folded, urgent
from pipeline.complaints.urgency.meant import LEARNED, REASONS, digest, examples, learned, meant
from pipeline.complaints.urgency.sieve import sieve


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("The charger burst into flames and burned my hand", "life and safety", id="en, life"),
        pytest.param("Hackers took control of our server", "security", id="en, security"),
        pytest.param("None of our tills can take payments", "business blocked", id="en, business"),
        pytest.param("My entire savings have vanished", "money", id="en, money"),
        pytest.param("Our tax return is due at midnight", "legal", id="en, legal"),
        pytest.param("充电器冒烟起火了", "life and safety", id="zh, life"),
        pytest.param("充電器冒煙,孩子觸電昏迷", "life and safety", id="zh, traditional"),
        pytest.param("我的账号被黑客登录了", "security", id="zh, security"),
        pytest.param("所有门店都收不了款", "business blocked", id="zh, business"),
        pytest.param("La batería explotó y mi hijo está herido", "life and safety", id="es, life"),
        pytest.param("Nadie puede trabajar en toda la empresa", "business blocked", id="es, business"),
        pytest.param("Es riecht nach Gas in der Küche", "life and safety", id="de, life"),
        pytest.param("Die ganze Produktion steht still", "business blocked", id="de, business"),
        pytest.param("Mon compte a été piraté", "security", id="fr, security"),
        pytest.param("Toutes nos caisses sont en panne", "business blocked", id="fr, business"),
        pytest.param("Minha conta foi invadida", "security", id="pt, security"),
        pytest.param("تم اختراق حسابي", "security", id="ar, security"),
        pytest.param("アカウントが乗っ取られました", "security", id="ja, security"),
    ],
)
def test_harm_is_found_in_each_language_with_its_reason(text: str, reason: str) -> None:
    assert urgent(text).partition(":")[0] == reason


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("My phone battery died again", id="en, a battery"),
        pytest.param("I am dying to see the new collection", id="en, a saying"),
        pytest.param("How do I kill the app when it hangs?", id="en, an app"),
        pytest.param("The emergency contact field is too short", id="en, a field"),
        pytest.param("What happens if my account is hacked?", id="en, a question"),
        pytest.param("Nobody was injured, thank you", id="en, denied"),
        pytest.param("The invoice names another street", id="en, another's street"),
        pytest.param("手机没电了", id="zh, a battery"),
        pytest.param("紧急联系人怎么修改", id="zh, a field"),
        pytest.param("Me muero de ganas de verlo", id="es, a saying"),
        pytest.param("Ich sterbe vor Langeweile", id="de, a saying"),
        pytest.param("C'est à mourir de rire", id="fr, a saying"),
        pytest.param("", id="nothing"),
        pytest.param("🔥🔥🔥", id="emoji alone"),
        pytest.param("urgent", id="one word"),
    ],
)
def test_what_only_sounds_like_harm_stays_quiet(text: str) -> None:
    assert urgent(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("不着火", id="zh, one character"),
        pytest.param("账号没有被盗,只是忘记密码", id="zh, between whose and what"),
        pytest.param("没有冒烟也没有着火", id="zh, two of them"),
        pytest.param("Es brennt nicht, nur die Lampe blinkt", id="de, after the verb"),
        pytest.param("Kein Feuer, kein Rauch, nur ein Geräusch", id="de, a list"),
        pytest.param("There is neither fire nor smoke", id="en, neither nor"),
        pytest.param("The battery did not catch fire", id="en, between what and harm"),
        pytest.param("Nadie ha salido herido", id="es, nobody"),
        pytest.param("No hay humo ni fuego, solo va lento", id="es, a list"),
        pytest.param("Personne n'a été blessé", id="fr, nobody"),
        pytest.param("Le chargeur ne fume pas", id="fr, around the verb"),
        pytest.param("Ninguém ficou ferido", id="pt, nobody"),
        pytest.param("火事ではありません", id="ja, after the noun"),
    ],
)
def test_harm_that_did_not_happen_is_none(text: str) -> None:
    assert urgent(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Nobody helps us, my child is hurt", id="en, nobody helps"),
        pytest.param("There is no fire, but my account was hacked", id="en, another harm beside"),
        pytest.param("There is no oxygen left for the patient", id="en, a lack"),
        pytest.param("There is no fire escape and the house is burning", id="en, a fire escape"),
        pytest.param("Es brennt nicht nur, es qualmt auch", id="de, not only"),
        pytest.param("Es brennt nicht mehr, aber mein Sohn ist verletzt", id="de, no longer"),
        pytest.param("Nadie contesta y hay fuego en la cocina", id="es, nobody answers"),
        pytest.param("Personne ne vient, mon fils est blessé", id="fr, nobody comes"),
        pytest.param("没人管,着火了", id="zh, nobody cares"),
        pytest.param("没有胰岛素了", id="zh, a lack"),
    ],
)
def test_a_not_that_is_said_of_something_else_denies_no_harm(text: str) -> None:
    assert urgent(text) != ""


@pytest.mark.skipif(not installed("use"), reason="the encoder is not installed")
def test_what_is_denied_is_not_meant_either() -> None:
    text = "No smoke, no fire, just a loud fan"

    assert urgent(text, dense=encoder("use").encode([text])[0]) == ""


def test_of_two_reasons_the_more_urgent_one_is_given_whatever_its_language() -> None:
    assert urgent("我的律师会联系你们. The charger caught fire").startswith("life and safety")


def test_what_stands_past_the_part_that_is_read_changes_nothing() -> None:
    assert urgent("please help " * (MAX_TEXT // 12 + 1) + " the charger caught fire") == ""


@given(st.text(max_size=200))
def test_any_text_is_read_and_its_fold_is_as_urgent(text: str) -> None:
    assert urgent(folded(text)) == urgent(text)


def test_the_net_that_ships_was_taught_the_sentences_that_ship() -> None:
    assert learned().examples == digest()


def test_no_sentence_of_ours_is_taught_as_two_different_things() -> None:
    text, reason, _ = examples()

    assert len(set(text)) == len(set(zip(text, reason, strict=True)))


def test_a_text_that_holds_nothing_means_nothing() -> None:
    assert meant("", np.zeros(512, np.float32)) == ""
    assert meant("", None) == ""


def test_what_was_learned_stays_small() -> None:
    assert LEARNED.stat().st_size < 600_000


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize(
    "pattern",
    [
        r"\bgas(?:leck|geruch)|brennt",
        r"(?:all|every) tills?\b[^.!?]{0,9}(?:down|dead)",
        r"fire|[ab]c+|not (?:now)?",
        r"(?:smoke){2}|(?:burn)?ing",
        r"x?y*|once",
    ],
)
@given(data=st.data())
def test_a_sieve_lets_through_whatever_its_pattern_finds(
    pattern: str, size: int, data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(re.compile(pattern), fullmatch=False))

    assert sieve([pattern], size).may_fit(text) == {0}


def test_a_sieve_holds_back_what_has_none_of_its_letters() -> None:
    sifted = sieve([r"gas(?:leck|geruch)", r"\bfire\b", r"[0-9]+"], 3)

    assert sifted.may_fit("where is my parcel") == {2}
    assert sifted.may_fit("a fireplace") == {1, 2}


@given(st.lists(st.sampled_from(" ".join(examples()[0]).split()), max_size=25).map(" ".join))
def test_the_sieve_changes_no_verdict(text: str) -> None:
    said = folded(text)

    for lexicon in _spoken(said):
        assert _first(lexicon, said) == naive_first(lexicon, said)


def test_the_sieve_changes_no_verdict_on_the_sentences_that_ship() -> None:
    said = [folded(text) for text in examples()[0]]
    asked = [(lexicon, one) for one in said for lexicon in _spoken(one)]

    assert [_first(*both) for both in asked] == [naive_first(*both) for both in asked]


def naive_first(lexicon: Lexicon, said: str) -> tuple[int, str] | None:
    """Try every pattern at every place."""
    said = lexicon.quiet.sub(" - ", said)
    for rank in range(len(ORDER)):
        parts = [pattern.pattern for of, pattern in lexicon.patterns if of == rank]
        for found in re.finditer("|".join(parts), said) if parts else ():
            if lexicon.denied.search(said[max(0, found.start() - 60) : found.start()]) is None:
                return rank, found[0]
    return None


@pytest.mark.skipif(not installed("use"), reason="the sentence encoder is an optional extra")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("How do I change the colour of my profile?", "", id="a question"),
        pytest.param("my father's oxygen machine has stopped", REASONS[0], id="a machine that breathes"),
    ],
)
def test_meaning_says_what_cannot_wait(text: str, reason: str) -> None:
    assert meant(text, encoder("use").encode([text])[0]) == reason


def test_phrases_that_others_wrote_are_found_as_often_as_we_say() -> None:
    rates = bench.measure(bench.read())

    assert rates["recall"] >= 0.90
    assert rates["look-alikes taken"] <= 0.12


def test_our_own_phrases_with_a_not_in_them_are_told_apart_as_often_as_we_say() -> None:
    rates = bench.measure(bench.read(bench.DENIED))

    assert rates["recall"] >= 0.90
    assert rates["look-alikes taken"] <= 0.01
