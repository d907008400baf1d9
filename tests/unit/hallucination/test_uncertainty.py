"""How unsure a model was, from its log-probabilities."""

from math import log, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import Choice
from services.hallucination.uncertainty import UncertaintyScorer, uncertainty
from services.shared.scoring import Invalid
from tests.support.messages import a_call


def score(**fields):
    [found] = UncertaintyScorer().score([a_call(**fields)])
    return found


def test_it_is_one_minus_the_geometric_mean_of_the_probabilities():
    probabilities = [0.9, 0.5, 0.25]
    found = score(log_probabilities=tuple(map(log, probabilities)))
    assert found.value == pytest.approx(1 - prod(probabilities) ** (1 / 3), abs=1e-12)


@given(st.lists(st.floats(-1e6, 0), min_size=1), st.integers(2, 5))
def test_length_does_not_enter(given_, times):
    assert uncertainty(given_ * times).value == pytest.approx(uncertainty(given_).value, abs=1e-9)


@given(st.lists(st.floats(-50, 0), min_size=1, max_size=20), st.floats(0.01, 5))
def test_less_likely_tokens_are_more_uncertain(given_, less):
    assert uncertainty([each - less for each in given_]).value >= uncertainty(given_).value


def test_the_first_choice_speaks_where_the_response_has_none():
    choices = (Choice(text="a", log_probabilities=(log(0.5),)), Choice(text="b", log_probabilities=(0.0,)))
    assert score(choices=choices).value == pytest.approx(0.5)


def test_an_impossible_token_is_wholly_uncertain():
    assert score(log_probabilities=(-0.1, float("-inf"))).value == 1.0


@pytest.mark.parametrize("wrong", [0.5, float("nan"), float("inf")])
def test_what_is_no_probability_is_a_failure(wrong):
    assert isinstance(uncertainty([-0.1, wrong]), Invalid)
    assert score(log_probabilities=(-0.1, wrong)).status == "failed"


def test_rounding_above_zero_is_certainty():
    assert score(log_probabilities=(1e-9,)).value == 0.0


def test_without_log_probabilities_there_is_nothing_to_judge():
    assert (score().status, score().reason) == ("not_scored", "log_probabilities")


def test_the_mean_of_the_largest_numbers_is_taken():
    assert uncertainty([-1.7e308] * 2).value == 1.0
