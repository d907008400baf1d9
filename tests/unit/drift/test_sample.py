"""Which calls of a window are compared."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.drift.drift.sample import Sample, rank_of
from tests.unit.drift.builders import an_embedding

VECTOR = np.zeros(2, dtype="<f4")


def sampled(calls, size=10):
    sample = Sample(size)
    for number, probability in calls:
        sample.add(an_embedding(number, vector=VECTOR, inclusion_probability=probability))
    return [member.session for member in sample.chosen()]


@given(
    st.lists(st.tuples(st.integers(0, 200), st.just(1.0)), max_size=80, unique=True),
    st.randoms(use_true_random=False),
    st.integers(1, 12),
)
def test_the_sample_is_a_function_of_which_calls_there_were(calls, random, size):
    again = random.sample(calls, len(calls)) + (random.choices(calls, k=20) if calls else [])
    assert sampled(calls, size) == sampled(again, size)
    assert len(sampled(calls, size)) == min(size, len(calls))


def test_what_was_kept_more_often_is_thinned_to_the_same_share():
    """Errors are always kept, others one time in ten: the sample is to look like all traffic, 10 % errors."""
    random, errors, others = np.random.default_rng(2), 0, 0
    for window in range(300):
        numbers = np.arange(window * 1000, window * 1000 + 200)
        calls = [(int(n), 1.0) for n in numbers[:20]]
        calls += [(int(n), 0.1) for n in numbers[20:] if random.random() < 0.1]
        marks = {session_number(number): probability for number, probability in calls}
        chosen = [marks[session] for session in sampled(calls, size=50)]
        errors, others = errors + chosen.count(1.0), others + chosen.count(0.1)
    assert abs(errors / (errors + others) - 0.1) < 0.02


@given(st.lists(st.integers(0, 30), min_size=1, max_size=10, unique=True), st.randoms(use_true_random=False))
def test_a_call_that_comes_at_two_rates_has_the_larger_probability_in_any_order(numbers, random):
    twice = [(number, probability) for number in numbers for probability in (0.5, 0.25)]
    assert sampled(random.sample(twice, len(twice))) == sampled(twice)
    larger, sample = [(number, 0.5) for number in numbers], Sample(10)
    for number, probability in [*twice, *larger]:
        sample.add(an_embedding(number, vector=VECTOR, inclusion_probability=probability))
    ranks = [member.rank for member in sample.chosen()]
    expected = [rank_of(an_embedding(number, vector=VECTOR, inclusion_probability=0.5)) for number in numbers]
    assert ranks == sorted(rank for rank in expected if rank < 0.25)


@given(
    st.dictionaries(st.integers(0, 500), st.sampled_from([1.0, 0.5, 0.125]), max_size=80),
    st.dictionaries(st.integers(501, 900), st.sampled_from([1.0, 0.5, 0.125]), max_size=40),
    st.randoms(use_true_random=False),
)
def test_more_calls_are_never_counted_for_less_whatever_their_order(some, others, random):
    more = [*some.items(), *others.items()]
    first, whole, again = (counted(calls) for calls in (some.items(), more, random.sample(more, len(more))))
    assert first <= whole == again
    assert len(some) >= 10 or first == len(some)


def test_calls_beyond_the_sample_are_reckoned():
    assert abs(counted([(number, 1.0) for number in range(5000)], size=500) / 5000 - 1) < 0.15


def counted(calls, size=10):
    sample = Sample(size)
    for number, probability in calls:
        sample.add(an_embedding(number, vector=VECTOR, inclusion_probability=probability))
    return sample.calls()


def session_number(number):
    sample = Sample(1)
    sample.add(an_embedding(number, vector=VECTOR))
    return sample.chosen()[0].session
