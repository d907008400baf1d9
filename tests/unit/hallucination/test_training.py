"""The training of the token classifier: it learns, it comes out the same again, and what it writes can be read."""

import numpy as np
import pytest
import torch

from services.hallucination import model as stored
from services.hallucination.training import adapter as training
from services.hallucination.training.composition import Labelled
from services.shared import adapter as adapters

TOWNS = ("Lisbon", "Oslo", "Cairo", "Lima", "Quito", "Hanoi", "Tunis", "Sofia")


def answers():
    """Answers of two sentences, of which every other one adds one that the context does not hold."""
    for at, town in enumerate(TOWNS):
        context = f"The bridge of {town} was opened in spring. It carries trams and cyclists over the river."
        right, wrong = f"The bridge of {town} was opened in spring.", "Tickets cost nine coins for tourists."
        text = f"{right} {wrong}" if at % 2 else right
        span = ((len(right) + 1, len(text)),) if at % 2 else ()
        yield Labelled("When was the bridge opened?", context, text, span, "made", "added" if at % 2 else "supported")


@pytest.fixture(scope="module")
def rows():
    return training.tokenised(list(answers()), stored.load_rarity(stored.BUILTIN))


def trained(rows, *, epochs):
    torch.manual_seed(1)
    tagger = training.Tagger()
    training.train(tagger, rows, epochs=epochs)
    return tagger.eval()


def of(label, logits, rows):
    return np.concatenate([found[row.labels == label] for found, row in zip(logits, rows, strict=True)])


def told_apart(logits, rows):
    """The share of pairs of a wrong and a right token that are in order (AUROC)."""
    return (of(1, logits, rows)[:, None] > of(0, logits, rows)).mean()


def test_what_was_added_is_told_from_what_the_context_holds(rows):
    before = training.predicted(training.Tagger().eval(), rows)
    after = training.predicted(trained(rows, epochs=20), rows)
    assert told_apart(before, rows) < 0.8
    assert told_apart(after, rows) > 0.95


def test_the_same_seed_gives_the_same_file(rows, tmp_path):
    for name in ("one", "other"):
        training.write(trained(rows, epochs=2), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    facts = adapters.read(tmp_path / "one").facts
    assert [(head.name, head.over) for head in facts.heads] == [("unsupported", "min")]


def test_only_the_response_is_learnt_and_what_is_wrong_in_it_is_marked(rows):
    for row, example in zip(rows, answers(), strict=True):
        assert bool((row.labels == 1).any()) == bool(example.wrong)
        assert (row.labels[np.array(row.types) == 0] == -1).all()
