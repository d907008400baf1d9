"""Whether the choices of one call say the same, with the head that ships."""

from dataclasses import replace

import numpy as np
import pytest

from schemas.messages import Choice
from services.hallucination.consistency import PASSES_OF_A_CALL, TOGETHER, Statement, entropy, meanings, signs
from services.hallucination.words import Rarity
from tests.support.messages import a_call
from tests.support.models import shared_scorer

OPENED = "The bridge over the Tay was opened in July 1887 by Queen Victoria."
SAME = (
    "The Tay bridge was opened by Queen Victoria in July 1887.",
    "Queen Victoria opened the bridge over the Tay in July 1887.",
)
OTHER = (
    "The bridge over the Tay was opened in July 1932 by Queen Victoria.",
    "The bridge over the Tay was never opened by Queen Victoria.",
)


@pytest.fixture(scope="module")
def scorer():
    return shared_scorer("consistency")


def scores(scorer, *choices, **fields):
    given = {"response": None, "choices": tuple(Choice(text=text) for text in choices), **fields}
    found = list(scorer.score([a_call(**given)]))
    assert [each.metric for each in found] == ["consistency", "semantic_entropy"]
    return found


def test_the_same_words_are_consistent(scorer):
    consistency, semantic_entropy = scores(scorer, OPENED, OPENED, OPENED)
    assert (consistency.value, consistency.label, semantic_entropy.value) == (0.0, False, 0.0)


@pytest.mark.parametrize("same", SAME)
@pytest.mark.parametrize("other", OTHER)
def test_a_contradiction_is_worse_than_a_paraphrase(scorer, same, other):
    assert scores(scorer, OPENED, other)[0].value > scores(scorer, OPENED, same)[0].value


def test_meanings_that_differ_have_entropy(scorer):
    assert scores(scorer, OPENED, *OTHER)[1].value > scores(scorer, OPENED, OPENED, OPENED)[1].value


def test_the_sentence_that_the_others_do_not_bear_out_is_the_evidence(scorer):
    first = f"It is a bridge. {OTHER[0]}"
    [consistency, _] = scores(
        scorer, first, "It is a bridge. It was never opened.", "It was opened in July 1887 by nobody."
    )
    assert consistency.label
    assert [first[span.start : span.end] for span in consistency.evidence] == [OTHER[0]]


def test_the_order_of_the_choices_does_not_matter(scorer):
    one, other = scores(scorer, OPENED, *SAME)[0].value, scores(scorer, *SAME[::-1], OPENED)[0].value
    assert one == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize("choices", [(), (OPENED,)])
def test_one_choice_has_nothing_to_agree_with(scorer, choices):
    assert [(each.status, each.reason) for each in scores(scorer, *choices)] == [("not_scored", "choices")] * 2


@pytest.mark.parametrize(("one", "other"), [("ใช่", "ไม่ใช่"), ("谢谢", "你好"), ("\U0001f44d", "\U0001f44e")])
def test_choices_in_unknown_words_are_told_apart_by_nobody(scorer, one, other):
    found = [each for choices in ((one, other), ("Yes.", one)) for each in scores(scorer, *choices)]
    assert {each.reason for each in found} == {"choices in known words"}
    assert [each.value for each in scores(scorer, one, one)] == [0.0, 0.0]


@pytest.mark.parametrize("unread", [("\U0001f44d",), ("\U0001f44d", "\U0001f44d", "谢谢")])
def test_choices_in_unknown_words_are_left_out_where_two_others_remain(scorer, unread):
    together = [OPENED, *OTHER, OPENED]
    alone = [(each.value, each.evidence) for each in scores(scorer, *together)]
    for choices in ((*unread, *together), (*together, *unread)):
        assert [each.value for each in scores(scorer, *choices)] == [pytest.approx(value) for value, _ in alone]
    assert [(each.value, each.evidence) for each in scores(scorer, OPENED, *unread, OPENED)] == [(0.0, ())] * 2


class Counting:
    """A tagger that counts what it is asked to read."""

    def __init__(self):
        self.passes = []

    def tag(self, given):
        self.passes.append(len(given))
        return [(np.zeros((0, 2), np.int64), np.zeros(0))] * len(given)


def test_the_passes_of_a_call_and_the_calls_of_a_turn_are_bounded(scorer):
    texts = [
        " ".join(f"In 18{other}{each} the {OTHER[0][4:20]} {each * 7 + other} saw ships." for other in range(40))
        for each in range(8)
    ]
    call = a_call(response=None, choices=tuple(Choice(text=text) for text in texts))
    counting = Counting()
    found = iter(replace(scorer, tagger=counting).score([call] * (2 * TOGETHER)))
    next(found)
    assert len(counting.passes) == 1  # the first ones have their scores before the others are read
    assert 56 <= counting.passes[0] <= PASSES_OF_A_CALL


def test_signs_are_the_same_both_ways():
    rarity = Rarity({}, unseen=5.0)
    one, other = Statement.of(OPENED), Statement.of(OTHER[1])
    choose = np.random.default_rng(0)
    vectors = {word: choose.standard_normal(4) for word in (one.text, other.text, *one.alone(other), *other.alone(one))}
    risks = [np.array([-2.0, 3.0]), np.array([0.5])]
    found = signs(one, other, rarity, vectors, risks, 0.5)
    assert found == pytest.approx(signs(other, one, rarity, vectors, risks[::-1], 0.5))
    assert found.any()


def test_choices_that_agree_share_a_meaning():
    apart = np.array([[0, 0.2, 0.9], [0.2, 0, 0.9], [0.9, 0.9, 0]])
    assert meanings(apart) == [0, 0, 1]


def test_entropy_lies_between_one_meaning_and_as_many_as_choices():
    assert entropy([0, 0, 0, 0]) == 0.0
    assert 0 < entropy([0, 0, 0, 1]) < entropy([0, 0, 1, 1]) < entropy([0, 1, 2, 3]) == 1.0
