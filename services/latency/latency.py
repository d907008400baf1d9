"""Time, token, cost and error measures of one call."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from math import fsum

from schemas.messages import Call, Score, Span
from services.latency.error_class import ErrorClass, error_class
from services.latency.prices import Prices
from services.shared.scoring import Evaluator, Invalid, Measured, Metric, Missing, Result

DURATION = Metric("duration_seconds", unit="s", worse="higher")
QUEUE = Metric("queue_seconds", unit="s", worse="higher")
TIME_TO_FIRST_TOKEN = Metric("time_to_first_token_seconds", unit="s", worse="higher")
INTER_TOKEN_MEAN = Metric("inter_token_mean_seconds", unit="s", worse="higher")
INTER_TOKEN_P95 = Metric("inter_token_p95_seconds", unit="s", worse="higher")
TOKENS_PER_SECOND = Metric("tokens_per_second", unit="tokens/s", worse="lower")
INPUT_TOKENS = Metric("input_tokens", unit="tokens", worse="higher")
OUTPUT_TOKENS = Metric("output_tokens", unit="tokens", worse="higher")
REASONING_TOKENS = Metric("reasoning_tokens", unit="tokens", worse="higher")
CACHED_INPUT_SHARE = Metric("cached_input_share", unit="share", worse="lower", maximum=1.0)
COST = Metric("cost_usd", unit="USD", worse="higher")
ERROR = Metric("error", unit="1", worse="higher", maximum=1.0, threshold=0.5)
RATE_LIMIT = Metric("error.rate_limit", unit="1", worse="higher", maximum=1.0, threshold=0.5)
TIMEOUT = Metric("error.timeout", unit="1", worse="higher", maximum=1.0, threshold=0.5)
METRICS = (
    DURATION, QUEUE, TIME_TO_FIRST_TOKEN, INTER_TOKEN_MEAN, INTER_TOKEN_P95, TOKENS_PER_SECOND,
    INPUT_TOKENS, OUTPUT_TOKENS, REASONING_TOKENS, CACHED_INPUT_SHARE, COST, ERROR, RATE_LIMIT, TIMEOUT,
)  # fmt: skip

RULES = "4"
Measure = Callable[[Call], Result]


@dataclass(frozen=True)
class LatencyScorer:
    """Every measure that a call carries, in seconds, tokens per second and US dollars.

    A measure whose field is missing is `not_scored` and names the field: a zero would read as a fast call. A negative
    one is `failed`. Only the cost is signed with the price list: another one changes nothing else.

    >>> scorer = LatencyScorer(Prices.parse("{version: x, prices: []}"))
    >>> scorer.version, scorer.version_of(COST), scorer.version_of(DURATION)
    ('4-prices.x', '4-prices.x', '4')
    """

    prices: Prices
    evaluator: str = "latency"
    metrics: tuple[Metric, ...] = METRICS

    @property
    def version(self) -> str:
        """Changes with the rules and with the price table."""
        return f"{RULES}-prices.{self.prices.version}"

    def version_of(self, metric: Metric) -> str:
        """Of the cost it changes with the price table too, of all else with the rules alone."""
        return self.version if metric is COST else RULES

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """The scores of `calls`, call by call."""
        signed = [(metric, Evaluator(self.evaluator, self.version_of(metric))) for metric in self.metrics]
        return [signs.score(call, metric, self._result(metric, call)) for call in calls for metric, signs in signed]

    def _result(self, metric: Metric, call: Call) -> Result:
        try:
            return cost(call, self.prices) if metric is COST else MEASURES[metric](call)
        except OverflowError:  # JSON bounds no number of tokens, and a sum of finite seconds may be infinite
            return Invalid(f"{metric.name} is beyond numbers")


def given(field: str, value: float | None) -> Result:
    """What the call says in `field`.

    >>> given("duration_seconds", -1.0)
    Invalid(reason='duration_seconds is negative')
    """
    if value is None:
        return Missing(field)
    return Measured(float(value)) if value >= 0 else Invalid(f"{field} is negative")


def first_token(call: Call) -> Result:
    """Seconds until the first token; it cannot come after the last."""
    first, whole = call.time_to_first_token_seconds, call.duration_seconds
    if first is not None and whole is not None and 0 <= whole < first:
        return Invalid("time_to_first_token_seconds is more than duration_seconds")
    return given("time_to_first_token_seconds", first)


def inter_token_p95(call: Call) -> Result:
    """The 95th percentile (nearest rank) of the pauses between tokens."""
    pauses = sorted(call.inter_token_seconds)
    if not pauses:
        return Missing("inter_token_seconds")
    return given("inter_token_seconds", pauses[0] if pauses[0] < 0 else pauses[-(-len(pauses) * 95 // 100) - 1])


def inter_token_mean(call: Call) -> Result:
    """The mean of the pauses between tokens: the time per output token after the first."""
    pauses = call.inter_token_seconds
    if not pauses:
        return Missing("inter_token_seconds")
    return Invalid("inter_token_seconds is negative") if min(pauses) < 0 else Measured(fsum(pauses) / len(pauses))


def queued(call: Call) -> Result:
    """Seconds in a queue before the model began; they are part of the duration."""
    waited, whole = call.queue_seconds, call.duration_seconds
    if waited is not None and whole is not None and 0 <= whole < waited:
        return Invalid("queue_seconds is more than duration_seconds")
    return given("queue_seconds", waited)


def reasoning_tokens(call: Call) -> Result:
    """Output tokens that were thought and not shown; they are part of the output."""
    reasoned, output = call.tokens.reasoning, call.tokens.output
    if reasoned is not None and output is not None and 0 <= output < reasoned:
        return Invalid("tokens contradict each other")
    return given("tokens.reasoning", reasoned)


def cached_input_share(call: Call) -> Result:
    """The share of the input tokens that the provider had in its cache."""
    cached, whole = call.tokens.cached, call.tokens.input
    if cached is None or not whole:
        return Missing("tokens.cached" if cached is None else "tokens.input")
    return Measured(cached / whole) if 0 <= cached <= whole else Invalid("tokens contradict each other")


def failure(call: Call, *classes: ErrorClass) -> Result:
    """1 where the call failed, in one of `classes` if there are any; the evidence names the class."""
    if call.error is None:
        return Measured(0.0)
    found = error_class(call.error)
    if classes and found not in classes:
        return Measured(0.0)
    return Measured(1.0, (Span(field="error.kind", start=0, end=len(call.error.kind), kind=found),))


def generation_rate(call: Call) -> Result:
    """Output tokens per second after the first one.

    The first token is left out because it pays for reading the prompt; without its time, the whole duration counts.
    A call with fewer than two tokens has no rate.
    """
    tokens, whole, first = call.tokens.output, call.duration_seconds, call.time_to_first_token_seconds
    if tokens is None or tokens < 2:
        return Missing("tokens.output")
    if whole is None:
        return Missing("duration_seconds")
    if isinstance(invalid := first_token(call), Invalid):
        return invalid
    seconds, counted = (whole, tokens) if first is None else (whole - first, tokens - 1)
    return Measured(counted / seconds) if seconds > 0 else Invalid("duration_seconds leaves no time for the tokens")


def cost(call: Call, prices: Prices) -> Result:
    """What the application says it paid, else tokens by list price on the day of the call in UTC."""
    if call.cost_usd is not None:
        return given("cost_usd", call.cost_usd)
    model = call.answering_model or call.requested_model
    if model is None:
        return Missing("answering_model")
    price = prices.of(model, call.called_at.astimezone(UTC).date())
    if price is None:
        return Missing("price")
    counts = call.tokens
    if counts.input is None or counts.output is None:
        return Missing("tokens.input" if counts.input is None else "tokens.output")
    cached = counts.cached or 0
    if min(counts.input, counts.output, cached) < 0 or cached > counts.input:
        return Invalid("tokens contradict each other")
    return Measured(price.cost_usd(counts.input - cached, cached, counts.output))


MEASURES: Mapping[Metric, Measure] = {
    DURATION: lambda call: given("duration_seconds", call.duration_seconds),
    QUEUE: queued,
    INTER_TOKEN_MEAN: inter_token_mean,
    REASONING_TOKENS: reasoning_tokens,
    CACHED_INPUT_SHARE: cached_input_share,
    RATE_LIMIT: lambda call: failure(call, "rate_limit"),
    TIMEOUT: lambda call: failure(call, "timeout"),
    TIME_TO_FIRST_TOKEN: first_token,
    INTER_TOKEN_P95: inter_token_p95,
    TOKENS_PER_SECOND: generation_rate,
    INPUT_TOKENS: lambda call: given("tokens.input", call.tokens.input),
    OUTPUT_TOKENS: lambda call: given("tokens.output", call.tokens.output),
    ERROR: failure,
}
