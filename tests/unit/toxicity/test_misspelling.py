"""Misspelt texts for training: some of every kind, and none of what measures."""

import random

import pytest

from services.toxicity.training.examples import Example
from services.toxicity.training.misspelling import SHARE, misspelt, some_misspelt

TEXT = "Nobody should have to listen to that awful noise every evening."


def test_about_the_share_is_misspelt_and_what_is_held_out_is_not():
    found = [Example(f"{TEXT} {n}", "made", {"abuse": 1.0}, held_out=n % 2 == 0) for n in range(4000)]
    changed = some_misspelt(found, random.Random(1))
    assert [(each.source, each.labels, each.held_out) for each in changed] == [
        (each.source, each.labels, each.held_out) for each in found
    ]
    different = [old for old, new in zip(found, changed, strict=True) if old.text != new.text]
    assert not any(each.held_out for each in different)
    assert len(different) / 2000 == pytest.approx(SHARE, abs=0.03)


def test_every_way_leaves_most_of_the_text_as_it_was():
    made = {misspelt(TEXT, random.Random(seed)) for seed in range(200)}
    assert TEXT not in made
    assert TEXT.replace(" ", "") in made
    together = {text for text in made if " " in text}
    assert len(together) > 100
    assert all(sum(word in TEXT.split() for word in text.split()) >= 5 for text in together)


@pytest.mark.parametrize("text", ["", "a b c", "42", "\U0001f40d"])
def test_a_text_without_longer_words_stays_readable(text):
    assert misspelt(text, random.Random(5)) in {text, text.replace(" ", "")}
