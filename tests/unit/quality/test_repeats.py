"""How far an answer is from the one before it to the same question, and that a replay says the same."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.messages import Answer
from services.quality.quality.fingerprint import fingerprint, in_common
from services.quality.quality.repeats import NON_DETERMINISM, Memory, RepeatScorer
from services.quality.repeats import State
from services.shared.record import REPLAY_HEADER, Record
from tests.support.messages import CALLED_AT, a_call

DAY = 86_400.0
SAID = ["The key is red.", "The key is red!", "The key is blue.", "Ask somebody else, please.", ""]


def an_answer(response="The key is red.", **fields) -> Answer:
    found = fingerprint(a_call(response=response, **fields))
    assert isinstance(found, Answer)
    return found


def scores(memory, answers, first=0):
    return [memory.score(answer, offset) for offset, answer in enumerate(answers, first)]


def told(found):
    return [(score.status, score.value, score.reason) for score in found]


def test_the_first_answer_has_nothing_to_be_compared_with():
    (score,) = scores(Memory(10, DAY), [an_answer()])
    assert (score.status, score.reason, score.metric) == ("not_scored", "earlier_answer", "non_determinism")


def test_the_same_answer_is_zero_and_another_one_names_the_call_that_it_differs_from():
    answers = [an_answer(), an_answer(), an_answer("Ask somebody else, please.")]
    _, same, other = scores(Memory(10, DAY), answers)
    assert (same.value, same.label, same.evidence) == (0.0, False, ())
    assert (other.value, other.label) == (1.0, True)
    (span,) = other.evidence
    assert (span.field, span.start, span.end) == ("response", 0, 26)
    assert span.kind == f"differs_from:{answers[1].call_id}"


def test_case_and_punctuation_are_no_disagreement():
    assert scores(Memory(10, DAY), [an_answer("Paris."), an_answer("paris")])[1].value == 0.0


@pytest.mark.parametrize("change", [{"prompt": "How?"}, {"version": "v2"}, {"tenant": "u"}, {"synthetic": True}])
def test_other_questions_and_segments_are_not_compared(change):
    assert told(scores(Memory(10, DAY), [an_answer(), an_answer(**change)]))[1][0] == "not_scored"


def test_what_lies_further_back_is_forgotten():
    question = [an_answer(), *(an_answer(prompt=str(n)) for n in range(2)), an_answer()]
    assert scores(Memory(4, DAY), question)[-1].status == "scored"
    assert scores(Memory(3, DAY), question)[-1].status == "not_scored"


@pytest.mark.parametrize(("seconds", "status"), [(60, "scored"), (-60, "scored"), (61, "not_scored")])
def test_what_is_too_old_is_not_compared_with(seconds, status):
    later = an_answer(called_at=CALLED_AT + timedelta(seconds=seconds))
    assert scores(Memory(10, 60.0), [an_answer(), later])[1].status == status


def test_of_a_call_that_comes_again_nothing_is_said_and_it_is_no_repeat_of_itself():
    first, second = an_answer(), an_answer("The key is blue.")
    found = scores(Memory(10, DAY), [first, first, second, first, second])
    assert [score.status if score else None for score in found] == ["not_scored", None, "scored", None, None]


def test_an_answer_that_is_compared_with_a_newer_one_says_how_new_its_input_is():
    later = CALLED_AT + timedelta(minutes=5)
    _, older, newer = scores(Memory(10, DAY), [an_answer(called_at=later), an_answer(), an_answer(called_at=later)])
    assert (older.input_at, newer.input_at) == (later, None)


def test_the_score_carries_what_windows_need():
    answer = an_answer(groups={"plan": "free"}, inclusion_probability=0.25)
    (score,) = scores(Memory(10, DAY), [answer])
    assert (score.segment, score.called_at, score.groups) == (answer.segment, answer.called_at, {"plan": "free"})
    assert score.inclusion_probability == 0.25


def expected(log, at, records):
    """From the definition: None for a repeat, "" for nothing to compare with, else the call that is compared with."""
    back = log[max(0, at - records + 1) : at]
    if any(each.call_id == log[at].call_id for each in back):
        return None
    before = [each for each in back if each.key == log[at].key]
    return before[-1] if before else ""


logs = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(SAID), st.booleans()), max_size=40)


def a_log(steps):
    """Answers in the order of a log; where it says so, a call comes again instead."""
    log: list[Answer] = []
    for question, said, again in steps:
        log.append(log[len(log) // 2] if again and log else an_answer(said, prompt=f"Question {question}"))
    return log


@given(logs, st.integers(1, 12))
def test_each_answer_is_held_against_the_one_before_it(steps, records):
    log = a_log(steps)
    for at, score in enumerate(scores(Memory(records, DAY), log)):
        earlier = expected(log, at, records)
        if earlier is None:
            assert score is None
        elif not earlier:
            assert score.status == "not_scored"
        else:
            assert score.value == pytest.approx(1 - in_common(earlier.sketch, log[at].sketch))


@given(logs, st.integers(1, 12), st.data())
def test_a_memory_that_is_given_the_lookback_says_what_one_says_that_was_never_away(steps, records, data):
    log = a_log(steps)
    start = data.draw(st.integers(0, len(log)))
    begin = max(0, start - records)
    back = scores(Memory(records, DAY), log[begin:], begin)
    assert back[start - begin :] == scores(Memory(records, DAY), log)[start:]


@given(logs, st.integers(1, 12), st.integers(1, 7))
def test_a_fold_says_the_same_however_its_log_is_cut_and_when_records_come_twice(steps, records, size):
    log = a_log(steps)
    found = []
    state = State(Memory(records, DAY))
    for begin in range(0, len(log), size):
        state.add(records_of(log, begin, begin + size))
        state.add(records_of(log, begin, begin + size))
        found += state.tick(CALLED_AT)
    assert found == [score for score in scores(Memory(records, DAY), log) if score]


@given(logs, st.integers(1, 12), st.data())
def test_a_fold_that_is_given_the_lookback_emits_nothing_of_it(steps, records, data):
    log = a_log(steps)
    start = data.draw(st.integers(0, len(log)))
    state = State(Memory(records, DAY))
    state.recall(records_of(log, max(0, start - records), start))
    assert state.tick(CALLED_AT) == []
    state.add(records_of(log, start, len(log)))
    assert state.tick(CALLED_AT) == [score for score in scores(Memory(records, DAY), log)[start:] if score]


def test_what_is_replayed_is_left_out():
    state = State(Memory(10, DAY))
    state.add([replace(record, headers=((REPLAY_HEADER, b"1"),)) for record in records_of([an_answer()], 0, 1)])
    state.add(records_of([an_answer(), an_answer()], 0, 2))
    assert [score.status for score in state.tick(CALLED_AT)] == ["not_scored", "scored"]


def records_of(log, begin, end):
    return [Record(answer, "answers.v1", 0, begin + n, "run", 0) for n, answer in enumerate(log[begin:end])]


def test_offline_the_order_of_the_calls_decides():
    scorer = RepeatScorer(10, DAY)
    calls = [a_call(response=text) for text in SAID[:3]] + [a_call(prompt=None), a_call(response=None)]
    found = list(scorer.score(calls))
    assert [score.reason for score in found] == ["earlier_answer", None, None, "prompt", "response"]
    assert [score.value for score in found[:3]] == [None, 0.0, pytest.approx(4 / 9)]
    assert {score.evaluator_version for score in found} == {scorer.version}
    assert scorer.version != Memory(10, DAY).evaluator.version


def test_other_settings_are_another_version():
    versions = {Memory(records, seconds).evaluator.version for records in (10, 20) for seconds in (60.0, DAY)}
    assert len(versions) == 4


def test_the_threshold_is_half():
    assert (NON_DETERMINISM.threshold, NON_DETERMINISM.maximum) == (0.5, 1.0)
