"""Time, token, cost and error measures."""

import time
from datetime import UTC, date, datetime, timedelta, timezone

import msgspec
import pytest

from schemas.messages import CallError, Tokens
from services.latency import latency
from services.latency.error_class import error_class
from services.latency.latency import LatencyScorer
from services.latency.prices import Prices
from services.shared.scoring import Invalid, Measured, Missing, failures
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
    ("measure", "fields", "expected"),
    [
        (latency.queued, {"queue_seconds": 0.5, "duration_seconds": 2.0}, Measured(0.5)),
        (latency.queued, {}, Missing("queue_seconds")),
        (
            latency.queued,
            {"queue_seconds": 3.0, "duration_seconds": 2.0},
            Invalid("queue_seconds is more than duration_seconds"),
        ),
        (latency.inter_token_mean, {"inter_token_seconds": (0.1, 0.3)}, Measured(0.2)),
        (latency.inter_token_mean, {}, Missing("inter_token_seconds")),
        (latency.inter_token_mean, {"inter_token_seconds": (0.1, -0.3)}, Invalid("inter_token_seconds is negative")),
        (latency.reasoning_tokens, {"tokens": Tokens(output=9, reasoning=4)}, Measured(4.0)),
        (latency.reasoning_tokens, {"tokens": Tokens(output=3, reasoning=4)}, Invalid("tokens contradict each other")),
        (latency.reasoning_tokens, {}, Missing("tokens.reasoning")),
        (latency.cached_input_share, {"tokens": Tokens(input=8, cached=2)}, Measured(0.25)),
        (latency.cached_input_share, {"tokens": Tokens(input=8)}, Missing("tokens.cached")),
        (latency.cached_input_share, {"tokens": Tokens(input=0, cached=0)}, Missing("tokens.input")),
        (latency.cached_input_share, {"tokens": Tokens(input=1, cached=2)}, Invalid("tokens contradict each other")),
    ],
)
def test_other_measures(measure, fields, expected):
    assert measure(a_call(**fields)) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CallError(kind="openai.RateLimitError"), "rate_limit"),
        (CallError(kind="throttling_exception", status=400), "rate_limit"),
        (CallError(kind="ThrottlingException"), "rate_limit"),
        (CallError(kind="RESOURCE_EXHAUSTED"), "rate_limit"),
        (CallError(kind="error", status=429), "rate_limit"),
        (CallError(kind="httpx.ReadTimeout"), "timeout"),
        (CallError(kind="TimeoutError"), "timeout"),
        (CallError(kind="DEADLINE_EXCEEDED"), "timeout"),
        (CallError(kind="error", status=504), "timeout"),
        (CallError(kind="openai.APIConnectionError"), "network"),
        (CallError(kind="httpx.ConnectError"), "network"),
        (CallError(kind="ConnectionResetError"), "network"),
        (CallError(kind="overloaded_error", status=529), "server"),
        (CallError(kind="InternalServerError"), "server"),
        (CallError(kind="503"), "server"),
        (CallError(kind="anthropic.BadRequestError", status=400), "client"),
        (CallError(kind="AuthenticationError"), "client"),
        (CallError(kind="content_filter", status=400), "content_filter"),
        (CallError(kind="ContentPolicyViolationError"), "content_filter"),
        (CallError(kind="error", message="Request timed out."), "timeout"),
        (CallError(kind="openai.InternalServerError", status=504), "timeout"),
        (CallError(kind="openai.InternalServerError", status=524), "timeout"),
        (CallError(kind="ServerError", status=429), "rate_limit"),
        (CallError(kind="invalid_request_error", status=429), "rate_limit"),
        (CallError(kind="ETIMEDOUT"), "timeout"),
        (CallError(kind="ResponsibleAIPolicyViolation", status=400), "content_filter"),
        (CallError(kind="requests.exceptions.SSLError"), "network"),
        (CallError(kind="error", message="You exceeded your current quota, see plan."), "rate_limit"),
        (CallError(kind="error", message="Unterminated quotation mark"), "other"),
        (CallError(kind="error", message="Failed to generate: limit of 3 images"), "other"),
        (CallError(kind="error", message="process lost"), "other"),
        (CallError(kind="error", message="runtime outage"), "other"),
        (CallError(kind="ValueError"), "other"),
        (CallError(kind="_OTHER"), "other"),
    ],
)
def test_errors_fall_into_classes_whatever_they_are_called(error, expected):
    assert error_class(error) == expected
    (score,) = [s for s in LatencyScorer(Prices.parse(LISTED)).score([a_call(error=error)]) if s.metric == "error"]
    assert [(span.field, span.kind) for span in score.evidence] == [("error.kind", expected)]


@pytest.mark.parametrize("metric", ["error.rate_limit", "error.timeout"])
def test_classes_that_are_acted_on_are_metrics_of_their_own(metric):
    calls = [a_call(error=None), a_call(error=CallError(kind="429")), a_call(error=CallError(kind="timeout"))]
    found = [s.value for s in LatencyScorer(Prices.parse(LISTED)).score(calls) if s.metric == metric]
    assert found == ([0.0, 1.0, 0.0] if metric == "error.rate_limit" else [0.0, 0.0, 1.0])


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


def test_the_day_of_a_call_is_that_of_utc():
    tokens, east = Tokens(input=2_000_000, output=0), timezone(timedelta(hours=10))
    last_of_may = datetime(2025, 6, 1, 1, tzinfo=east)
    call = a_call(answering_model="m", called_at=last_of_may, tokens=tokens)
    assert latency.cost(call, Prices.parse(LISTED)) == Measured(4.0)


@pytest.mark.parametrize(
    ("fields", "metrics"),
    [
        ({"tokens": Tokens(input=10**400, output=1)}, ["input_tokens", "cost_usd"]),
        ({"tokens": Tokens(output=10**400)}, ["tokens_per_second", "output_tokens"]),
        ({"inter_token_seconds": (1.7e308, 1.7e308)}, ["inter_token_mean_seconds", "inter_token_p95_seconds"]),
    ],
)
def test_what_no_number_can_hold_fails_its_own_metrics_alone(fields, metrics):
    call = a_call(answering_model="m", duration_seconds=1.0, called_at=MAY, **fields)
    found = [score for score in LatencyScorer(Prices.parse(LISTED)).score([call]) if score.status == "failed"]
    assert [score.metric for score in found] == metrics
    assert all(score.reason.startswith(f"{score.metric} is ") for score in found)


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


def test_the_first_snapshot_of_a_model_keeps_its_price():
    prices = Prices.load()
    first = prices.of("openai/gpt-4o-2024-05-13", date(2025, 1, 1))
    assert (first.input, first.output) == (5.0, 15.0)
    assert prices.of("gpt-4o-2024-11-20", date(2025, 1, 1)).input == 2.5


@pytest.mark.parametrize(("error", "label"), [(None, False), (CallError(kind="timeout"), True)])
def test_an_error_is_a_score_of_its_own(error, label):
    scores = LatencyScorer(Prices.parse(LISTED)).score([a_call(error=error)])
    [score] = [score for score in scores if score.metric == "error"]
    assert (score.value, score.label) == (float(label), label)


def test_a_new_price_list_is_a_new_version_of_the_cost_and_of_nothing_else():
    listed, shipped, call = LatencyScorer(Prices.parse(LISTED)), LatencyScorer(Prices.load()), a_call()
    given, failed = (
        {first.metric for first, second in zip(*pair, strict=True) if first.score_id != second.score_id}
        for pair in (
            (listed.score([call]), shipped.score([call])),
            (failures(listed, call, OSError()), failures(shipped, call, OSError())),
        )
    )
    assert given == failed == {"cost_usd"}
    assert listed.version != shipped.version


def test_a_name_too_long_for_a_model_has_no_price_at_once():
    began = time.perf_counter()
    assert Prices.parse(LISTED).of("-latest" * 10_000 + "x", date(2025, 7, 1)) is None
    assert time.perf_counter() - began < 2
