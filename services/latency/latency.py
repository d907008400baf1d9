"""Time, token, cost and error measures of one call."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.messages import Call, Score
from services.latency.prices import Prices
from services.shared.scoring import Evaluator, Invalid, Measured, Metric, Missing, Result

DURATION = Metric("duration_seconds", unit="s", worse="higher")
TIME_TO_FIRST_TOKEN = Metric("time_to_first_token_seconds", unit="s", worse="higher")
INTER_TOKEN_P95 = Metric("inter_token_p95_seconds", unit="s", worse="higher")
TOKENS_PER_SECOND = Metric("tokens_per_second", unit="tokens/s", worse="lower")
INPUT_TOKENS = Metric("input_tokens", unit="tokens", worse="higher")
OUTPUT_TOKENS = Metric("output_tokens", unit="tokens", worse="higher")
COST = Metric("cost_usd", unit="USD", worse="higher")
ERROR = Metric("error", unit="1", worse="higher", maximum=1.0, threshold=0.5)
METRICS = (
    DURATION, TIME_TO_FIRST_TOKEN, INTER_TOKEN_P95, TOKENS_PER_SECOND, INPUT_TOKENS, OUTPUT_TOKENS, COST, ERROR,
)  # fmt: skip

Measure = Callable[[Call], Result]


@dataclass(frozen=True)
class LatencyScorer:
    """Every measure that a call carries, in seconds, tokens per second and US dollars.

    A measure whose field is missing is `not_scored` and names the field: a zero would read as a fast call. A negative
    one is `failed`.

    >>> LatencyScorer(Prices.parse("{version: x, prices: []}")).version
    '1-prices.x'
    """

    prices: Prices
    evaluator: str = "latency"
    metrics: tuple[Metric, ...] = METRICS

    @property
    def version(self) -> str:
        """Changes with the rules and with the price table."""
        return f"1-prices.{self.prices.version}"

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """The scores of `calls`, call by call."""
        evaluator = Evaluator(self.evaluator, self.version)
        return [evaluator.score(call, metric, self._measure(metric)(call)) for call in calls for metric in self.metrics]

    def _measure(self, metric: Metric) -> Measure:
        return (lambda call: cost(call, self.prices)) if metric is COST else MEASURES[metric]


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
    """What the application says it paid, else tokens by list price on the day of the call."""
    if call.cost_usd is not None:
        return given("cost_usd", call.cost_usd)
    model = call.answering_model or call.requested_model
    if model is None:
        return Missing("answering_model")
    price = prices.of(model, call.called_at.date())
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
    TIME_TO_FIRST_TOKEN: first_token,
    INTER_TOKEN_P95: inter_token_p95,
    TOKENS_PER_SECOND: generation_rate,
    INPUT_TOKENS: lambda call: given("tokens.input", call.tokens.input),
    OUTPUT_TOKENS: lambda call: given("tokens.output", call.tokens.output),
    ERROR: lambda call: Measured(float(call.error is not None)),
}
