"""Sentences and where they lie."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared.sentences import LONGEST, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Who met Mr. T.", ["Dr. Who met Mr. T."]),
        ("Version 3.11 is out.", ["Version 3.11 is out."]),
        ("first line\nsecond line", ["first line", "second line"]),
        ("今日は。明日は。", ["今日は。", "明日は。"]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("----\n====", []),
        ("", []),
    ],
)
def test_boundaries(text, expected):
    assert [sentence.text for sentence in sentences(text)] == expected


@pytest.mark.parametrize("blank", [" ", "\t", "\n", " \n"])
def test_a_long_run_of_white_space_takes_no_time(blank):
    text = f"One{blank * 300_000}two. Three."
    found = sentences(text)  # minutes where every blank begins a search of its own
    assert " ".join(sentence.text for sentence in found).split() == ["One", "two.", "Three."]


def test_a_long_one_is_cut_at_white_space():
    found = sentences("word " * 400)
    assert max(len(sentence.text) for sentence in found) <= LONGEST
    assert {word for sentence in found for word in sentence.text.split()} == {"word"}


def test_too_many_are_joined_not_dropped():
    text = "It is so. " * 1000
    found = sentences(text, most=10)
    assert len(found) <= 10
    assert sum(sentence.text.count("so") for sentence in found) == 1000


@given(st.text(alphabet=st.characters() | st.sampled_from(" .!?\n")))
def test_a_sentence_is_the_text_between_its_ends_and_none_overlap(text):
    found = sentences(text)
    assert all(text[sentence.start : sentence.end] == sentence.text for sentence in found)
    assert all(left.end <= right.start for left, right in pairwise(found))
