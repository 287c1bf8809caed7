"""Whether we helped: asked each time a complaint is said to be over, taken back by who opens it again."""

from __future__ import annotations

from pipeline.console.own import told
from pipeline.types import Progress
from tests.following import OVER, T0, desk, incident


def test_who_opens_it_again_takes_back_that_we_helped_and_is_asked_anew() -> None:
    stage = desk()
    stage.say(T0 + 60, "fixed")
    stage.say(T0 + 120, "rate", helped="yes", score="5")
    stage.say(T0 + 180, "reopen", by="customer", text="broken again")
    again = stage.cases["m1"]
    stage.say(T0 + 240, "fixed")

    assert (again.progress, again.helped, again.score) == (Progress.LOOKED_AT, None, 0)
    assert told(stage.cases["m1"], T0 + 300)["asks"] is not None
    assert stage.asked == [60, 240]


def test_after_a_no_the_question_is_put_again_when_it_is_fixed_or_closed() -> None:
    fixed, closed = desk(), desk()
    for stage, do in ((fixed, "fixed"), (closed, "close")):
        stage.say(T0 + 60, "fixed")
        stage.say(T0 + 120, "rate", helped="no", score="2")
        asked = told(stage.cases["m1"], T0 + 200)["asks"]
        stage.say(T0 + 240, do, text="now")

        assert asked is None
        assert told(stage.cases["m1"], T0 + 300)["asks"] is not None
        assert stage.asked == [60, 240]


def test_satisfaction_is_asked_once_each_time_it_is_fixed() -> None:
    stage = desk(confirm="1d")
    stage.at(T0 + 300, touched=(incident(**OVER),))
    stage.until(T0 + 2000, T0 + 300)
    stage.say(T0 + 2000, "reopen", by="customer")
    stage.say(T0 + 2100, "fixed")
    stage.until(T0 + 2100 + 86400, T0 + 2100, beat=3600)

    assert stage.asked == [300, 2100]
    assert stage.cases["m1"].progress == Progress.CLOSED
