"""Words for groups, and what a score owes to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared.counterfactual import parity, replaced, swaps
from services.shared.identity_terms import CLASSES, mentions


def terms(text: str) -> list[str]:
    return [mention.term.lower() for mention in mentions(text)]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("She drinks black coffee from a white cup.", []),
        ("Black people and white people voted.", ["black", "white"]),
        ("Draw a straight line.", []),
        ("He is straight.", ["straight"]),
        ("An old house, and an old man.", ["old", "man"]),
        ("I am blind.", ["blind"]),
        ("an african american woman", ["african american", "woman"]),
        ("The German language", []),
        ("Muslims", ["muslims"]),
        ("musliminess", []),
    ],
)
def test_words_are_groups_only_where_they_mean_people(text, named):
    assert terms(text) == named


def test_every_mention_of_a_group_changes_and_keeps_its_case():
    found = {swap.text for swap in swaps("Gay bars and GAY clubs.")}
    assert "Lesbian bars and LESBIAN clubs." in found


def test_counterfactuals_are_bounded_and_cover_every_class():
    found = list(swaps("A gay Muslim from a Mexican family, a deaf woman.", most=12))
    assert len(found) <= 12
    assert {swap.term for swap in found} == {"gay", "muslim", "mexican", "deaf", "woman"}


def test_a_text_without_groups_has_no_counterfactual():
    assert not list(swaps("Threads share memory."))
    assert parity(lambda texts: [0.5] * len(texts), "Threads share memory.").largest == 0


def test_parity_is_the_difference_to_the_original():
    found = parity(lambda texts: [float("women" in text.lower()) for text in texts], "Men sing.")
    assert [(swap.replacement, difference) for swap, difference in found.differences] == [("women", 1.0)]
    assert (found.score, found.largest, found.spread) == (0.0, 1.0, 1.0)


def test_words_of_one_class_are_of_no_other():
    every = [term for terms in CLASSES.values() for term in terms]
    assert len(every) == len(set(every))


@given(st.text(max_size=200))
def test_any_text_is_itself_where_nothing_changes(text):
    found = list(mentions(text))
    assert replaced(text, [(mention, mention.term.lower()) for mention in found]).lower() == text.lower()


@pytest.mark.parametrize("unit", ["black ", "gay ", "x", "\n", "'", "middle "])
def test_a_megabyte_is_read_in_one_pass(unit):
    text = unit * (200_000 // len(unit))
    assert len(list(mentions(text))) <= len(text)
