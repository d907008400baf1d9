"""Lengths are counted, not guessed."""

import pytest

from services.quality.quality.length import CHARACTERS, MEASURES, WORDS
from services.shared.scoring import Measured, Missing
from tests.support.messages import a_call


@pytest.mark.parametrize(
    ("text", "characters", "words"),
    [
        ("Don't stop: it's 3 o'clock.", 27, 5),
        ("今何時ですか。", 7, 6),
        ("", 0, 0),
        ("😀 …", 3, 0),
        ("naïve café", 10, 2),
    ],
)
def test_lengths(text, characters, words):
    call = a_call(response=text)
    assert MEASURES[CHARACTERS](call) == Measured(characters)
    assert MEASURES[WORDS](call) == Measured(words)


def test_without_a_response_there_is_no_length():
    assert {measure(a_call(response=None)) for measure in MEASURES.values()} == {Missing("response")}
