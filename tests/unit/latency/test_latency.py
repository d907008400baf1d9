"""Time, token, cost and error measures."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from schemas.messages import CallError, Tokens
from services.latency import latency
from services.latency.latency import LatencyScorer
from services.latency.prices import Prices
from services.shared.scoring import Invalid, Measured, Missing
from tests.support.messages import a_call

LISTED = """
version: test
prices:
  - {model: m, since: 2025-01-01, input: 2, cached: 1, output: 10}
  - {model: m, since: 2025-06-01, input: 1, output: 5}
  - {model: m-mini, since: 2025-01-01, input: 0.1, output: 0.5}
"""
MAY, JULY = datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"time_to_first_token_seconds": 0.25}, Measured(0.25)),
        ({"time_to_first_token_seconds": None}, Missing("time_to_first_token_seconds")),
        ({"time_to_first_token_seconds": -0.1}, Invalid("time_to_first_token_seconds is negative")),
        (
            {"time_to_first_token_seconds": 2.0, "duration_seconds": 1.0},
            Invalid("time_to_first_token_seconds is more than duration_seconds"),
        ),
    ],
)
def test_time_to_first_token(fields, expected):
    assert latency.first_token(a_call(**fields)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"duration_seconds": 3.0, "time_to_first_token_seconds": 1.0, "tokens": Tokens(output=21)}, Measured(10.0)),
        ({"duration_seconds": 2.0, "tokens": Tokens(output=20)}, Measured(10.0)),
        ({"duration_seconds": 2.0, "tokens": Tokens(output=1)}, Missing("tokens.output")),
        ({"tokens": Tokens(output=20)}, Missing("duration_seconds")),
        (
            {"duration_seconds": 0.0, "tokens": Tokens(output=20)},
            Invalid("duration_seconds leaves no time for the tokens"),
        ),
    ],
)
def test_tokens_per_second(fields, expected):
    assert latency.generation_rate(a_call(**fields)) == expected


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ((), Missing("inter_token_seconds")),
        ((0.5,), Measured(0.5)),
        (tuple(number / 100 for number in range(1, 101)), Measured(0.95)),
        ((0.1, -0.1), Invalid("inter_token_seconds is negative")),
    ],
)
def test_inter_token_p95(pauses, expected):
    assert latency.inter_token_p95(a_call(inter_token_seconds=pauses)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cost_usd": 0.5}, Measured(0.5)),
        ({"cost_usd": -0.5}, Invalid("cost_usd is negative")),
        ({}, Missing("answering_model")),
        ({"answering_model": "other"}, Missing("price")),
        ({"answering_model": "m", "tokens": Tokens(input=1)}, Missing("tokens.output")),
        (
            {"answering_model": "m", "tokens": Tokens(input=1, output=1, cached=2)},
            Invalid("tokens contradict each other"),
        ),
        ({"answering_model": "m", "tokens": Tokens(input=2_000_000, output=1_000_000)}, Measured(14.0)),
        ({"requested_model": "m", "tokens": Tokens(input=2_000_000, output=0, cached=1_000_000)}, Measured(3.0)),
        ({"answering_model": "m", "called_at": JULY, "tokens": Tokens(input=2_000_000, output=0)}, Measured(2.0)),
    ],
)
def test_cost(fields, expected):
    assert latency.cost(a_call(**{"called_at": MAY, **fields}), Prices.parse(LISTED)) == expected


@pytest.mark.parametrize("name", ["m-mini", "vendor/M-mini", "m-mini-2025-03-01", "m-mini-20250301", "m-mini-latest"])
def test_a_snapshot_has_the_price_of_its_model(name):
    price = Prices.parse(LISTED).of(name, date(2025, 7, 1))
    assert price is not None
    assert price.model == "m-mini"


def test_a_misspelt_price_list_is_refused_with_the_field():
    with pytest.raises(msgspec.ValidationError, match="outptu"):
        Prices.parse("{version: x, prices: [{model: m, since: 2025-01-01, input: 1, outptu: 2, output: 2}]}")


def test_the_list_that_ships_is_valid_and_dated():
    prices = Prices.load()
    assert prices.version
    assert prices.of("gpt-4o-2024-08-06", date(2025, 1, 1)).input == 2.5


@pytest.mark.parametrize(("error", "label"), [(None, False), (CallError(kind="timeout"), True)])
def test_an_error_is_a_score_of_its_own(error, label):
    scores = LatencyScorer(Prices.parse(LISTED)).score([a_call(error=error)])
    [score] = [score for score in scores if score.metric == "error"]
    assert (score.value, score.label) == (float(label), label)


def test_a_new_price_list_is_a_new_evaluator_version():
    assert LatencyScorer(Prices.parse(LISTED)).version != LatencyScorer(Prices.load()).version
