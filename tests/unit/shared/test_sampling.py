"""Which calls are scored while a scorer is behind."""

import itertools
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tidemark.preparing import sampled as sampled_by_client

from schemas.ids import derived_id
from schemas.messages import CallError, Feedback
from services.alerter.config import Config
from services.shared.lag import Lag
from services.shared.sampling import LagBounds, Rate, Sampler, place_of
from services.shared.sampling_settings import SamplingSettings
from tests.support.messages import a_call

MINUTE = LagBounds(seconds=60)
lags = st.lists(st.floats(0, 1e6), max_size=40)


def test_under_twice_the_load_windows_of_a_minute_still_come_in_time_to_fire():
    bound = SamplingSettings.model_fields["sampling_lag_seconds"].default
    assert 4 * bound < 60 * Config.model_fields["late_intervals"].default


def a_sampler(opinions=()):
    return Sampler("test", MINUTE, opinions)


def calls(count, **fields):
    return [a_call(call_id=derived_id("sampling", number), **fields) for number in range(count)]


@given(lags)
def test_the_rate_is_a_power_of_two_and_bounded(found):
    rate = Rate(LagBounds(seconds=60, halvings=5))
    rates = [rate.follow(Lag(seconds=lag)) for lag in found]
    assert all(each in {0.5**k for k in range(6)} for each in rates)


@given(lags, st.floats(0, 1e6))
def test_the_rate_depends_on_the_past_by_one_step_at_most(before, lag):
    """A service that was started again a moment ago scores about as much as the one that it replaced."""
    old, fresh = Rate(MINUTE), Rate(MINUTE)
    for each in before:
        old.follow(Lag(seconds=each))
    assert old.follow(Lag(seconds=lag)) / fresh.follow(Lag(seconds=lag)) in {1.0, 0.5}


def test_a_lag_that_trembles_around_a_bound_changes_the_rate_once():
    rate = Rate(MINUTE)
    trembling = np.random.default_rng(3).normal(60, 8, size=1000)
    rates = [rate.follow(Lag(seconds=lag)) for lag in trembling]
    assert sum(before != after for before, after in itertools.pairwise(rates)) <= 1


@pytest.mark.parametrize("overload", [1.5, 3.0, 10.0, 100.0])
def test_an_overload_that_lasts_is_met_at_a_bounded_lag(overload):
    """Each second `overload` times as many calls come as can be scored; skipping one costs a hundredth of a score."""
    rate, lag, worst = Rate(MINUTE), 0.0, 0.0
    for _ in range(40_000):
        kept = rate.follow(Lag(seconds=lag))
        handled = 1 / (overload * (kept + 0.001 * (1 - kept)))  # seconds of traffic worked off in one second
        lag = max(0.0, lag + 1 - handled)
        worst = max(worst, lag)
    assert 60 < worst <= 2 * overload * 60 + 1
    assert Rate(LagBounds()).follow(Lag(seconds=worst)) == 1.0  # without a bound nothing is left out


def test_messages_bound_the_lag_as_well_as_seconds():
    assert Rate(LagBounds(messages=1000)).follow(Lag(messages=3000)) == 0.25
    assert Rate(LagBounds(seconds=60, messages=1000)).follow(Lag(seconds=500, messages=10)) == 0.5**4


def test_samples_nest_and_have_the_size_they_say():
    sampler, offered = a_sampler(), calls(20_000)
    kept = [{call.call_id for call in offered if sampler.take(call, rate)} for rate in (0.5, 0.25, 0.125)]
    assert kept[2] < kept[1] < kept[0]
    for ids, rate in zip(kept, (0.5, 0.25, 0.125), strict=True):
        assert abs(len(ids) - 20_000 * rate) < 4 * (20_000 * rate * (1 - rate)) ** 0.5


def test_the_stages_sample_independently_of_each_other():
    """With one seed, the half that the client kept would be kept by the scorer whole."""
    passed = [call for call in calls(20_000) if sampled_by_client(str(call.call_id), 0.5)]
    kept = sum(place_of(call.call_id) < 0.5 for call in passed)
    assert abs(kept / len(passed) - 0.5) < 0.02


def test_what_is_taken_carries_the_product_of_the_stages():
    taken = [a_sampler().take(call, 0.25) for call in calls(100, inclusion_probability=0.5)]
    assert {call.inclusion_probability for call in taken if call} == {0.125}


def test_errors_and_calls_with_feedback_are_always_taken():
    failed = calls(200, error=CallError(kind="timeout"), inclusion_probability=0.5)
    assert [a_sampler().take(call, 0.001) for call in failed] == failed
    rated = calls(200)
    opinions = {f"{call.tenant}|{call.call_id}" for call in rated}
    assert [a_sampler(opinions).take(call, 0.001) for call in rated] == rated
    assert not any(a_sampler().take(call, 0.001) for call in rated[:20])


def test_what_is_no_call_is_always_taken():
    sampler = a_sampler()
    for call in calls(200):
        said = Feedback(feedback_id=call.call_id, call_id=call.call_id, kind="thumbs", given_at=call.called_at)
        assert sampler.take(said, 0.001) is said


def test_at_full_rate_a_call_stays_the_very_same():
    (call,) = calls(1)
    assert a_sampler().take(call, 1.0) is call


def test_the_hash_is_a_promise():
    """Another hash would let two releases that run side by side keep different calls."""
    assert place_of(UUID(int=1)) == pytest.approx(0.7036196, abs=1e-6)
