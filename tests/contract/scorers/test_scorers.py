"""What every scorer survives, whatever it scores."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.messages import Call, CallError, ChatMessage, Choice, Document, Score, Tokens
from services.shared.scoring import failures, version_of
from tests.support.models import SCORERS, an_encoder, shared_scorer

AT = datetime(2026, 1, 1, tzinfo=UTC)
TOLERANCES = {"fp32": 1e-4, "bf16": 2e-2, "int8": 5e-2, "": 0.0}  # by the precision of the model, "" without one
WITHOUT_A_MODEL = {"latency", "uncertainty", "judge", "repeats"}
LANGUAGES = (
    "Wie spät ist es?", "¿Qué hora es?", "今何時ですか。", "الساعة كم؟", "Который час?", "现在几点？", "समय क्या है?",
    "몇 시예요?", "Τι ώρα είναι;", "กี่โมงแล้ว", "Saat kaç?", "Mấy giờ rồi?",
)  # fmt: skip
PLANES = tuple("".join(map(chr, range(plane << 16 | 0x100, plane << 16 | 0x180))) for plane in range(17))


def a_call(number: int = 1, **fields: object) -> Call:
    return Call(call_id=UUID(int=number), tenant="t", app="a", environment="e", version="1", called_at=AT, **fields)


def a_full_call(number: int, text: str) -> Call:
    return a_call(
        number,
        prompt=text,
        response=f"{text} And so on. {text}",
        context=(Document(text=f"Once more: {text}"),),
        reference=f"Again: {text}",
        choices=(Choice(text=f"{text} And so on. {text}"), Choice(text=text), Choice(text="Something else.")),
        log_probabilities=(-0.5, -0.1),
        tokens=Tokens(input=10, output=20),
        duration_seconds=2.0,
        time_to_first_token_seconds=0.5,
    )


def text_of(call: Call, field: str) -> str:
    """The text that evidence points into: `prompt`, `error.kind`, `context.0` or `context[0]`, and what is inside."""
    if field in {"prompt", "response"}:
        return {"prompt": call.question, "response": call.answer}[field] or ""
    found: object = msgspec.to_builtins(call)
    for part in field.replace("[", ".").replace("]", "").split("."):
        found = found[int(part)] if isinstance(found, list | tuple) else found[part]
    return found["text"] if isinstance(found, dict) else found


@pytest.fixture(scope="module", params=SCORERS)
def scorer(request):
    return shared_scorer(request.param)


def scores(scorer, calls: Sequence[Call]) -> list[Score]:
    return list(scorer.score(calls))


def precision_of(scorer) -> str:
    """Of the model that a scorer works with: all of them take what the hardware has."""
    return "" if scorer.evaluator in WITHOUT_A_MODEL else an_encoder().engine.precision


def check(scorer, calls: Sequence[Call]) -> list[Score]:
    """The promises of one score, on every score of `calls`."""
    found = scores(scorer, calls)
    expected = [(call.call_id, metric.name) for call in calls for metric in scorer.metrics]
    assert [(score.call_id, score.metric) for score in found] == expected
    metrics = {metric.name: metric for metric in scorer.metrics}
    by_id = {call.call_id: call for call in calls}
    for score in found:
        metric, call = metrics[score.metric], by_id[score.call_id]
        assert (score.evaluator, score.evaluator_version) == (scorer.evaluator, version_of(scorer, metric))
        assert (score.value is None) == (score.status != "scored")
        assert (score.reason is None) == (score.status == "scored")
        if score.value is not None:
            assert metric.minimum <= score.value <= metric.maximum
            assert score.label == (None if metric.threshold is None else score.value >= metric.threshold)
        for span in score.evidence:
            assert 0 <= span.start < span.end <= len(text_of(call, span.field))
        assert Score.decode(score.encode()) == score
    return found


def test_the_same_call_gives_the_same_scores(scorer):
    calls = [a_full_call(number, text) for number, text in enumerate(LANGUAGES, 1)]
    assert scores(scorer, calls) == scores(scorer, calls)


def test_a_score_does_not_depend_on_its_batch(scorer):
    calls = [a_full_call(number, text * number) for number, text in enumerate(LANGUAGES, 1)]
    fresh = SCORERS[scorer.evaluator]()
    together = check(scorer, calls)
    alone = [score for call in calls for score in check(fresh, [call])]
    assert [score.status for score in together] == [score.status for score in alone]
    assert [score.value for score in together] == pytest.approx(
        [score.value for score in alone], abs=TOLERANCES[precision_of(scorer)]
    )


def test_no_calls_no_scores(scorer):
    assert scores(scorer, []) == []


def test_a_call_without_anything_is_not_scored_and_says_what_is_missing(scorer):
    found = check(scorer, [a_call()])
    assert {score.status for score in found if not score.metric.startswith("error")} == {"not_scored"}


@pytest.mark.parametrize("text", ["", " ", "\n\n", "...", "\u200b", "\x00", "a"])
def test_next_to_nothing(scorer, text):
    check(scorer, [a_full_call(1, text), a_call(2, prompt=text, response=text, context=(Document(text=text),))])


@pytest.mark.parametrize("unit", ["It works. ", "x", " ", "\n", "漢字", "😀", "a.", "word "])
def test_a_megabyte(scorer, unit):
    text = unit * (1_000_000 // len(unit.encode()))
    check(scorer, [a_call(prompt=text, response=text, context=(Document(text=text),), reference=text)])


def test_every_plane_of_unicode(scorer):
    check(scorer, [a_full_call(number, text) for number, text in enumerate(PLANES, 1)])


def test_many_languages(scorer):
    check(scorer, [a_full_call(number, text) for number, text in enumerate(LANGUAGES, 1)])


def test_messages_and_choices_are_read_where_prompt_and_response_are_absent(scorer):
    turns = (ChatMessage(role="user", content="Old."), ChatMessage(role="user", content="Why?"))
    context = (Document(text="Because."),)
    shape = a_call(messages=turns, choices=(Choice(text="Because."),), context=context, error=CallError(kind="timeout"))
    plain = a_call(prompt="Why?", response="Because.", context=context, error=CallError(kind="timeout"))
    assert check(scorer, [shape]) == check(scorer, [plain])


def test_a_failure_is_a_failed_score_for_each_metric(scorer):
    found = failures(scorer, a_call(), ValueError("secret text"))
    assert [score.metric for score in found] == [metric.name for metric in scorer.metrics]
    assert {(score.status, score.reason) for score in found} == {("failed", "ValueError")}


def test_the_version_names_what_scores(scorer):
    assert scorer.version == SCORERS[scorer.evaluator]().version
    assert len(scorer.version) >= 5


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.none() | st.text(max_size=300), st.none() | st.text(max_size=300)), max_size=5))
def test_any_text(scorer, pairs):
    calls = [
        a_call(number, prompt=prompt, response=response, context=(Document(text=prompt or ""),), reference=prompt)
        for number, (prompt, response) in enumerate(pairs, 1)
    ]
    check(scorer, calls)
