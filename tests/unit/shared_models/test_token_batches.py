"""Batches of token ids."""

import numpy as np
import pytest

from services.shared.model_store import BUILTIN, weights_folder
from services.shared.token_batches import TokenBatches, shortened

TOKENIZER = weights_folder(BUILTIN) / "tokenizer.json"


def batches(budget=1024, max_windows=16):
    return TokenBatches(TOKENIZER, max_tokens=256, budget=budget, max_windows=max_windows)


def test_every_text_comes_once_whatever_its_length():
    texts = ["word " * (number % 90) for number in range(700)]
    found = [text for batch in batches().of(texts) for text in batch.texts]
    assert sorted(found) == list(range(700))


@pytest.mark.parametrize("budget", [64, 300, 1024])
def test_a_batch_keeps_the_budget_unless_it_is_one_window(budget):
    texts = ["word " * (number % 200) for number in range(300)]
    for batch in batches(budget).of(texts):
        assert batch.ids.size <= budget or len(batch.texts) == 1


def test_padding_is_masked_and_counts_nothing():
    [batch] = batches().of(["one", "one two three"])
    assert batch.weights.tolist() == [3, 5]
    assert not batch.ids[batch.mask == 0].any()


def test_a_long_text_becomes_windows_that_hold_all_of_it():
    [*found] = batches().of(["word " * 600])
    assert sum(len(batch.texts) for batch in found) == 3
    assert sum(batch.weights.sum() for batch in found) == 600 + 3 * 2  # each window has a first and a last token


def test_of_a_very_long_text_windows_are_spread_from_first_to_last():
    text = "alpha " * 254 + "word " * 10_000 + "omega " * 254
    [*found] = batches(max_windows=4).of([text])
    assert sum(len(batch.texts) for batch in found) == 4
    first, last = (TOKENS.encode(word).ids[1] for word in ("alpha", "omega"))
    ids = np.concatenate([batch.ids.ravel() for batch in found])
    assert first in ids
    assert last in ids


def test_a_lone_surrogate_does_not_stop_it():
    assert shortened("a\ud800b") == "a?b"


TOKENS = batches().tokenizer
