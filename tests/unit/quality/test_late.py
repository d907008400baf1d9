"""What is said of calls whose texts lie elsewhere, and may be gone."""

from datetime import timedelta
from uuid import UUID

import pytest

from schemas.messages import Feedback
from services.quality.late import Judge
from services.quality.quality import QualityScorer
from services.quality.quality.measures import WITHOUT_A_MODEL
from services.shared.object_store import Folder
from services.shared.payload_reader import PayloadReader
from services.shared.payloads import Reference, apart, place
from tests.support.messages import CALLED_AT, a_call

WHOLE = a_call(prompt="k" * 9000, response="It opens at nine.")
LIGHT, DATA = apart(WHOLE)


class Stored:
    """The stored calls: one, by reference."""

    def found(self, keys):
        return {key: LIGHT for key in keys if key[1] == LIGHT.call_id}


def said(kind, value=None, *, text=None, number=1):
    at = CALLED_AT + timedelta(minutes=number)
    return Feedback(
        feedback_id=UUID(int=number), call_id=LIGHT.call_id, tenant=LIGHT.segment.tenant, kind=kind, value=value,
        text=text, given_at=at,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path):
    return Folder(tmp_path)


def answers(store, *given):
    clock = lambda: CALLED_AT + timedelta(hours=1)  # noqa: E731
    judge = Judge(Stored(), PayloadReader(store, clock=clock).whole, lambda: QualityScorer(WITHOUT_A_MODEL))
    return judge.answers(given)


def by_metric(found):
    return {score.metric: score for score in found.scores}


@pytest.mark.parametrize(("kind", "value"), [("thumbs", 1.0), ("stars", 5.0), ("acceptance", 1.0)])
def test_an_opinion_that_needs_no_text_is_scored_where_the_payload_is_missing(store, kind, value):
    found = answers(store, said(kind, value))
    assert [(each.metric, each.status, each.value) for each in found.scores] == [("feedback", "scored", 1.0)]
    assert (len(found.done), found.failed) == (1, 0)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_reference_and_an_edit_fail_where_the_payload_is_missing_or_damaged(store, damaged):
    if damaged:
        store.put(place(WHOLE, Reference.of(DATA).digest), DATA[:-1])
    found = answers(store, said("reference", text="At nine."), said("edit", text="It opens at ten.", number=2))
    why = "PayloadDamaged" if damaged else "PayloadMissing"
    assert {"bleu", "exact_match", "feedback"} <= by_metric(found).keys()
    assert {(each.status, each.reason) for each in found.scores} == {("failed", why)}
    assert by_metric(found)["feedback"].input_at == CALLED_AT + timedelta(minutes=2)
    assert (len(found.done), found.failed) == (2, 2)


def test_an_opinion_stands_beside_a_reference_and_an_edit_that_fail(store):
    found = answers(
        store,
        said("thumbs", 1.0),
        said("reference", text="At nine.", number=2),
        said("edit", text="It opens at ten.", number=3),
    )
    assert by_metric(found)["bleu"].status == "failed"
    assert [each.value for each in found.scores if each.metric == "feedback"] == [1.0]
    assert (len(found.done), found.failed) == (3, 2)


def test_a_reference_is_compared_where_the_payload_is_there(store):
    store.put(place(WHOLE, Reference.of(DATA).digest), DATA)
    found = answers(store, said("reference", text="It opens at nine."))
    assert by_metric(found)["exact_match"].value == 1.0
    assert found.failed == 0
