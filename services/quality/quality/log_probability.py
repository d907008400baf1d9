"""How sure the model was of what it said, from the log-probabilities that it gave."""

from math import exp, fsum, inf, isnan

from schemas.messages import Call
from services.shared.scoring import Invalid, Measured, Metric, Missing, Result

PERPLEXITY = Metric("perplexity", unit="1", worse="higher", minimum=1.0)
TOKEN_ENTROPY = Metric("token_entropy", unit="nat", worse="higher")
LARGEST_EXPONENT = 100.0  # no model is that surprised at every token: what is beyond stands for "never"
ROUNDING = 1e-4  # providers give float32, and 0 as a little more than 0


def perplexity(call: Call) -> Result:
    """The exponential of the mean negative log-probability of the response's tokens; 1 is certain.

    Not for comparing models with different tokenizers.
    """
    result = token_entropy(call)
    if not isinstance(result, Measured):
        return result
    return Measured(exp(result.value)) if result.value < LARGEST_EXPONENT else Invalid("perplexity is beyond reason")


def token_entropy(call: Call) -> Result:
    """The mean negative log-probability of the response's tokens, in nats.

    An unbiased estimate of the entropy that the model drew each token from, where it sampled at temperature 1.
    """
    given = log_probabilities(call)
    if not given:
        return Missing("log_probabilities")
    if any(isnan(each) or each > ROUNDING or each == -inf for each in given):
        return Invalid("log_probabilities are no logarithms of probabilities")
    return Measured(max(0.0, -fsum(each / len(given) for each in given)))  # a sum might be beyond numbers


def log_probabilities(call: Call) -> tuple[float, ...]:
    """Those of the response, or of the first choice."""
    if call.log_probabilities or not call.choices:
        return call.log_probabilities
    return call.choices[0].log_probabilities
