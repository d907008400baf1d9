"""The oracle over samples sees what it is there to see."""

import pytest

from schemas.ids import uuid7
from services.shared.sampling import place_of
from tests.support.campaign.oracle import no_sample

STORED = [uuid7() for _ in range(4000)]


def taken(rate):
    return {call_id: rate for call_id in STORED if place_of(call_id) < rate}


@pytest.mark.parametrize("rate", [1.0, 0.5, 0.125])
def test_a_whole_sample_is_one(rate):
    assert not no_sample(taken(rate), STORED)


def test_rates_that_change_in_between_make_a_sample_of_both():
    mixed = {call_id: 0.5 for call_id in STORED[:2000] if place_of(call_id) < 0.5}
    mixed |= {call_id: 0.125 for call_id in STORED[2000:] if place_of(call_id) < 0.125}
    assert not no_sample(mixed, STORED)


def test_one_call_that_is_missing_is_seen():
    rates = taken(0.5)
    rates.pop(next(iter(rates)))
    (complaint,) = no_sample(rates, STORED)
    assert complaint.startswith("1 calls of every sample")


def test_nothing_scored_at_all_is_seen():
    complaints = no_sample({}, STORED)
    assert complaints[0].startswith("4000 calls of every sample")


def test_a_call_that_should_not_have_been_taken_is_seen():
    rates = taken(0.5)
    rates[next(call_id for call_id in STORED if place_of(call_id) >= 0.5)] = 0.5
    assert no_sample(rates, STORED) == ["1 scored calls outside of their sample"]


def test_a_stated_rate_that_was_not_the_real_one_is_seen():
    stated = dict.fromkeys(taken(0.25), 0.5)
    assert any("by the sample" in complaint for complaint in no_sample(stated, STORED))
