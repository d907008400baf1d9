"""Where a claim follows its passage word for word, and then says something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hallucination.alignment import LONGEST_CHANGE, twists

PASSAGE = "In the spring of 1923 Anna Keller sold the mill to Bruno Ott, who had not seen it before."
PLACES = "The harbour lies north of Leeds and was opened in 1911."


def held(claim, *passages):
    return {claim[twist.start : twist.end]: round(twist.weight, 2) for twist in twists(claim, passages or [PASSAGE])}


@pytest.mark.parametrize(
    ("claim", "wrong"),
    [
        ("In the spring of 1932 Anna Keller sold the mill to Bruno Ott.", "1932"),
        ("In the spring of 1923 Anna Miller sold the mill to Bruno Ott.", "Miller"),
        ("In the spring of 1923 Anna Keller sold the mill to Leeds.", "Leeds"),
        ("Anna Keller sold the mill to Bruno Ott, who had seen it before.", "seen"),
        ("In the spring of 1923 Anna Keller never sold the mill to Bruno Ott.", "never"),
    ],
)
def test_another_name_number_or_denial_in_its_place_is_a_twist(claim, wrong):
    found = held(claim, PASSAGE, PLACES)
    assert list(found) == [wrong]
    assert found[wrong] > 0.5


def test_names_in_each_others_place_are_two_twists():
    found = held("In the spring of 1923 Bruno Ott sold the mill to Anna Keller, who had not seen it before.")
    assert set(found) == {"Bruno Ott", "Anna Keller"}


@pytest.mark.parametrize(
    "claim",
    [
        PASSAGE,
        "Anna Keller sold the mill to Bruno Ott in the spring of 1923.",
        "Bruno Ott bought a mill; the seller was called Anna Keller.",
        "No, the harbour lies north of Leeds.",
        "I cannot find anything about that.",
        "",
        "…",
    ],
)
def test_what_is_said_again_in_whatever_words_has_none_to_speak_of(claim):
    assert max(held(claim, PASSAGE, PLACES).values(), default=0) < 0.2


def test_another_word_weighs_less_than_another_name():
    (word,) = held("In the spring of 1923 Anna Keller leased the mill to Bruno Ott.").values()
    assert 0 < word < 0.25


def test_nothing_stands_beside_no_passage():
    assert twists("Anna Keller sold the mill.", []) == []


@given(st.text(), st.text())
def test_any_texts_can_be_held_against_each_other(claim, passage):
    for twist in twists(claim, [passage]):
        assert 0 <= twist.start < twist.end <= len(claim)
        assert 0 <= twist.weight <= 1


def test_another_statement_is_no_twist():
    claim = "In the spring of 1923 Anna Keller asked her three older brothers for money to Bruno Ott."
    assert all(len(wrong.split()) <= LONGEST_CHANGE for wrong in held(claim))
