"""The character model and the hashes under it."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.guard import injection_model
from services.guard.guard.injection_hashes import HashedText
from services.guard.training.injection import surprise_fitting


@given(st.text(max_size=60), st.integers(1, 5))
def test_substrings_have_equal_hashes_exactly_where_they_are_equal(text, length):
    grams = [text[at : at + length] for at in range(len(text) - length + 1)]
    hashes = HashedText.of(text).grams(length).tolist()
    assert len(grams) == len(hashes)
    assert len(set(grams)) == len(set(hashes))
    assert len(set(zip(grams, hashes, strict=True))) == len(set(grams))


def test_words_are_runs_of_letters():
    text = "ab, ab cd"
    letters = np.array([each.isalpha() for each in text])
    first, second, third = HashedText.of(text).words(letters).tolist()
    assert first == second != third


def test_the_model_is_the_discounted_share_of_what_followed():
    text = "abababac" * 40
    model = surprise_fitting.surprise([text])
    counts = Counter(text[at : at + 5] for at in range(len(text) - 4))
    heads = Counter(text[at : at + 4] for at in range(len(text) - 4))
    expected = -math.log2((counts["babab"] - 0.5) / heads["baba"])
    assert model.bits("babab")[4] == pytest.approx(expected, abs=0.05)


def test_what_nobody_writes_is_more_surprising_than_what_people_and_programs_write():
    model = injection_model.load_surprise()
    ordinary = [
        "How do I bake bread at home?",
        "for index in range(10):\n    print(index)",
        "Wie komme ich zum Bahnhof?",
    ]
    strange = ["dUx ]( zWq**Kv nHo\\+ xq", "qzv wkrr ghtl pmzt"]
    assert max(model.bits(text).mean() for text in ordinary) < min(model.bits(text).mean() for text in strange)


def test_no_text_has_no_surprise():
    assert injection_model.load_surprise().bits("").shape == (0,)
