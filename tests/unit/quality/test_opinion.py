"""Feedback as a number, and what comes late as scores that take the place of earlier ones."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import Feedback
from services.quality.quality import Opinions, QualityScorer
from services.quality.quality.measures import WITHOUT_A_MODEL
from services.quality.quality.opinion import kept_share, opinion
from services.shared.scoring import Invalid, Measured, Missing
from services.writer.writer import SCORES
from tests.support.messages import CALLED_AT, a_call

CALL = a_call(response="It opens at nine.")
SCORER = QualityScorer(WITHOUT_A_MODEL)


def said(kind, value=None, *, text=None, after=60.0, number=1):
    at = CALLED_AT + timedelta(seconds=after)
    return Feedback(
        feedback_id=UUID(int=number), call_id=CALL.call_id, tenant="t", kind=kind, value=value, text=text, given_at=at
    )


@pytest.mark.parametrize(
    ("given_opinion", "expected"),
    [
        (said("thumbs", -1.0), Measured(0.0)),
        (said("thumbs", 1.0), Measured(1.0)),
        (said("stars", 1.0), Measured(0.0)),
        (said("stars", 4.0), Measured(0.75)),
        (said("acceptance", 0.0), Measured(0.0)),
        (said("acceptance", 1.0), Measured(1.0)),
        (said("edit", text="It opens at nine."), Measured(1.0)),
        (said("edit", text="It opens at five."), Measured(1 - 2 / 17)),
        (said("edit"), Missing("text")),
        (said("thumbs"), Missing("value")),
        (said("stars", 6.0), Invalid("value is out of range for stars: 6")),
    ],
)
def test_an_opinion_is_a_number_between_nothing_and_one(given_opinion, expected):
    assert opinion(given_opinion, CALL) == expected


@given(st.text(max_size=30), st.text(max_size=30))
def test_what_is_kept_is_a_share_and_all_of_it_where_nothing_changed(one, other):
    assert 0 <= kept_share(one, other) <= 1
    assert kept_share(one, one) == 1
    assert kept_share(one, other) == kept_share(other, one)


def test_a_word_changed_in_a_very_long_text_changes_little():
    text = "word " * 200_000
    assert 0.99 < kept_share(text, "other " + text) < 1


def late(*opinions, call=CALL):
    return {score.metric: score for score in SCORER.late(call, Opinions(opinions))}


def test_the_newest_readable_opinion_counts():
    found = late(said("thumbs", 1.0), said("stars", 2.0, after=120), said("stars", 9.0, after=180), said("comment"))
    assert (found["feedback"].value, found["feedback"].label) == (0.25, False)
    assert found["feedback"].input_at == CALLED_AT + timedelta(seconds=120)
    assert set(found) == {"feedback"}


@pytest.mark.parametrize("silent", [said("comment", text="hm"), said("stars", 9.0), said("edit")])
def test_what_says_nothing_changes_nothing(silent):
    assert late(silent) == {}


def test_a_late_reference_takes_the_place_of_not_scored():
    found = late(said("reference", text="It opens at nine.", after=7200))
    before = {score.metric: score for score in SCORER.score([CALL])}
    assert set(found) == {measure.metric.name for measure in WITHOUT_A_MODEL if measure.of_reference}
    for metric, score in found.items():
        assert (before[metric].status, score.status) == ("not_scored", "scored")
        assert score.score_id == before[metric].score_id
        assert version_of(score) > version_of(before[metric])


def test_it_gives_what_the_call_would_have_given_with_it():
    found = late(said("reference", text="It opened at ten."), call=CALL)
    whole = a_call(call_id=CALL.call_id, response=CALL.response, reference="It opened at ten.")
    expected_values = {score.metric: score.value for score in SCORER.score([whole])}
    assert {metric: score.value for metric, score in found.items()} == {m: expected_values[m] for m in found}


def test_a_clock_that_is_behind_does_not_lose_an_opinion():
    found = late(said("thumbs", 1.0, after=-30))
    (before,) = (score for score in SCORER.score([CALL]) if score.metric == "feedback")
    assert version_of(found["feedback"]) > version_of(before)


def version_of(score):
    return SCORES.arrow([score])["row_version"][0].as_py()
