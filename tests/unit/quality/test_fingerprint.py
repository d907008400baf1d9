"""Which questions are the same, and how much two answers have in common."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.messages import Answer, ChatMessage, Choice, Document, ToolCall
from services.quality.quality.fingerprint import SIZE, fingerprint, in_common, sketch, words
from services.shared.scoring import Missing
from tests.support.messages import a_call

ASKED = {
    "system_prompt": "Be brief.",
    "messages": (ChatMessage(role="user", content="Why?"),),
    "context": (Document(text="Because."),),
    "parameters": {"temperature": 0.0, "seed": 7},
    "requested_model": "m",
}


def of(**fields) -> Answer:
    found = fingerprint(a_call(**{**ASKED, **fields}))
    assert isinstance(found, Answer)
    return found


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "Why not?"},
        {"system_prompt": "Be long."},
        {"messages": (ChatMessage(role="user", content="Why ?"),)},
        {"messages": (ChatMessage(role="user", content="Why?", name="x"),)},
        {"context": (Document(text="Because"),)},
        {"context": ()},
        {"parameters": {"temperature": 0.0, "seed": 8}},
        {"parameters": {"temperature": 1.0, "seed": 7}},
        {"requested_model": "n"},
        {"synthetic": True},
        {"version": "v2"},
        {"app": "b"},
    ],
)
def test_what_the_model_is_given_makes_the_question(change):
    assert of(**change).key != of().key


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"seed": 7, "temperature": 0.0, "user": "u", "stream": True}},
        {"context": (Document(text="Because.", document_id="7", similarity=0.5),)},
        {"answering_model": "m-2026-01-31"},
        {"user_id": "u", "session_id": "s", "trace_id": "t", "tags": {"a": "b"}, "groups": {"plan": "free"}},
        {"response": "Another answer.", "duration_seconds": 3.0},
    ],
)
def test_what_says_nothing_to_the_model_does_not(change):
    assert of(**change).key == of().key


def test_where_no_model_was_asked_for_the_one_that_answered_counts():
    first, second = (of(requested_model=None, answering_model=name) for name in "ab")
    assert first.key != second.key


def test_a_call_names_what_it_lacks():
    assert fingerprint(a_call(prompt=None)) == Missing("prompt")
    assert fingerprint(a_call(response=None)) == Missing("response")


def test_a_call_of_tools_is_an_answer_and_so_is_an_empty_text():
    tools = (ToolCall(name="find", arguments='{"x": 1}'),)
    direct, chosen = (
        of(response=None, tool_calls=tools),
        of(response=None, choices=(Choice(text="", tool_calls=tools),)),
    )
    assert direct.digest == chosen.digest != of(response="").digest
    assert 0 < in_common(direct.sketch, of(response=None, tool_calls=(replace(tools[0], arguments="2"),)).sketch) < 1


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("", "", 1.0),
        ("", "word", 0.0),
        ("Paris.", " **paris** ", 1.0),
        ("yes", "no", 0.0),
        ("3.5", "35", 0.0),
        ("a - b", "a + b", 2 / 8),
        ("one two three", "one two four", 3 / 7),
        ("東京です", "東京だ", 3 / 9),
    ],
)
def test_short_answers_are_compared_exactly(one, other, expected):
    assert in_common(sketch(one), sketch(other)) == pytest.approx(expected)


@given(st.text(max_size=400), st.text(max_size=400))
def test_what_two_texts_have_in_common_is_symmetric_and_a_share(one, other):
    left, right = sketch(one), sketch(other)
    assert in_common(left, left) == 1.0
    assert 0.0 <= in_common(left, right) == in_common(right, left) <= 1.0
    assert len(left) <= 4 * SIZE


@given(st.lists(st.sampled_from("abcdefgh"), max_size=12), st.lists(st.sampled_from("abcdefgh"), max_size=12))
def test_it_is_the_jaccard_index_of_words_and_pairs(one, other):
    left, right = (set(each) | set(pairwise(each)) for each in (one, other))
    expected = len(left & right) / len(left | right) if left | right else 1.0
    assert in_common(sketch(" ".join(one)), sketch(" ".join(other))) == pytest.approx(expected)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_long_answers_are_compared_nearly(kept):
    dice = random.Random(3)
    text = [f"word{dice.randrange(10**9)}" for _ in range(3000)]
    errors = []
    for _ in range(30):
        cut = int(len(text) * kept)
        other = text[:cut] + [f"other{dice.randrange(10**9)}" for _ in text[cut:]]
        left, right = (set(each) | set(pairwise(each)) for each in (text, other))
        errors.append(
            in_common(sketch(" ".join(text)), sketch(" ".join(other))) - len(left & right) / len(left | right)
        )
        dice.shuffle(text)
    assert abs(sum(errors) / len(errors)) < 0.04
    assert max(map(abs, errors)) < 0.2


def test_words_of_a_megabyte_are_found_in_one_pass():
    for unit in ("a.", "1.", "1,2", "- ", "\ud800", "é"):
        assert len(words(unit * 300_000)) <= 600_000
