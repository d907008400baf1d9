"""Perplexity and entropy are what their formulas say."""

from math import inf, log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import Choice
from services.quality.quality.log_probability import perplexity, token_entropy
from services.shared.scoring import Invalid, Measured, Missing
from tests.support.messages import a_call

logarithms = st.lists(st.floats(-50, 0), min_size=1, max_size=50).map(tuple)


@given(logarithms)
def test_perplexity_is_the_exponential_of_the_mean_surprise(given_logarithms):
    found = perplexity(a_call(log_probabilities=given_logarithms))
    assert found.value == pytest.approx(np.exp(-np.mean(given_logarithms)), rel=1e-9)
    assert token_entropy(a_call(log_probabilities=given_logarithms)).value == pytest.approx(log(found.value), abs=1e-9)


def test_a_uniform_guess_among_four_has_perplexity_four():
    assert perplexity(a_call(log_probabilities=(log(0.25),) * 3)).value == pytest.approx(4)


def test_those_of_the_first_choice_are_read_where_the_call_has_none():
    call = a_call(choices=(Choice(text="a", log_probabilities=(log(0.5),)), Choice(text="b")))
    assert perplexity(call).value == pytest.approx(2)


@pytest.mark.parametrize("wrong", [(0.5,), (nan,), (-inf, -1.0)])
def test_what_is_no_log_probability_is_invalid(wrong):
    assert isinstance(perplexity(a_call(log_probabilities=wrong)), Invalid)


def test_rounding_above_zero_is_certainty():
    assert perplexity(a_call(log_probabilities=(1e-7,))) == Measured(1.0)


def test_a_call_without_them_is_not_scored():
    assert perplexity(a_call()) == Missing("log_probabilities")
    assert token_entropy(a_call()) == Missing("log_probabilities")


@pytest.mark.parametrize("given_logarithms", [(-9999.0,), (-9999.0, *(-0.1,) * 19)])
def test_what_no_model_says_is_invalid(given_logarithms):
    assert isinstance(perplexity(a_call(log_probabilities=given_logarithms)), Invalid)


def test_the_mean_of_the_largest_numbers_is_one_of_them():
    assert token_entropy(a_call(log_probabilities=(-1.7e308,) * 2)) == Measured(1.7e308)
