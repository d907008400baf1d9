"""How unsure the model was of its own words, by the probabilities that came with the call."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, fsum, isnan

from schemas.messages import Call, Score
from services.shared.scoring import Evaluator, Invalid, Measured, Metric, Missing, Result

UNCERTAINTY = Metric("uncertainty", unit="probability", worse="higher", maximum=1.0)
ROUNDING = 1e-6  # providers round: a logarithm just above 0 is 0


def uncertainty(log_probabilities: Sequence[float]) -> Result:
    """One minus the geometric mean of the tokens' probabilities: 0 where every token was certain.

    Length does not enter. It says how predictable the wording was, which is less than whether it is true. A logarithm
    above 0 or none at all (NaN) is a failure; minus infinity is a probability of 0.

    >>> uncertainty([0.0, 0.0]).value
    0.0
    >>> round(uncertainty([-0.6931471805599453] * 3).value, 6)
    0.5
    """
    if not log_probabilities:
        return Missing("log_probabilities")
    if any(isnan(each) or each > ROUNDING for each in log_probabilities):
        return Invalid("log_probabilities holds what is no logarithm of a probability")
    # Divided first: a sum might be beyond numbers.
    mean = fsum(each / len(log_probabilities) for each in log_probabilities)
    return Measured(1 - exp(min(mean, 0.0)))


@dataclass(frozen=True)
class UncertaintyScorer:
    """`uncertainty` of the response, or of the first choice where the response carries no probabilities."""

    evaluator: str = "uncertainty"
    version: str = "1.0.1"
    metrics: tuple[Metric, ...] = (UNCERTAINTY,)

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """One score for each call."""
        evaluator = Evaluator(self.evaluator, self.version)
        for call in calls:
            given = call.log_probabilities or (call.choices[0].log_probabilities if call.choices else ())
            yield evaluator.score(call, UNCERTAINTY, uncertainty(given))
