"""One way to look at texts, as metrics of prompt and response."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from schemas.messages import Call, Score
from services.guard.guard.found import Found, spans
from services.shared.scoring import Evaluator, Measured, Metric, Missing, Result


@dataclass(frozen=True)
class TextScorer:
    """Two metrics, of the prompt and of the response, each the probability that something in it is what is looked for.

    That of the surest find; the finds are the evidence, in characters of `Call.question` (field `prompt`) and
    `Call.answer` (field `response`).
    """

    find: Callable[[str], Sequence[Found]]
    version: str
    metrics: tuple[Metric, Metric]
    counted: frozenset[str] | None = None  # the kinds that make a text risky; None: all
    evaluator: str = "guard"

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """The scores of `calls`, call by call."""
        evaluator = Evaluator(self.evaluator, self.version)
        prompt, response = self.metrics
        for call in calls:
            yield evaluator.score(call, prompt, self._result("prompt", call.question))
            yield evaluator.score(call, response, self._result("response", call.answer))

    def _result(self, field: str, text: str | None) -> Result:
        if text is None:
            return Missing(field)
        found = self.find(text)
        risky = [each.confidence for each in found if self.counted is None or each.kind in self.counted]
        return Measured(max(risky, default=0.0), spans(found, field))
