"""The scorer: every measure of every call, and again what came late."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from schemas.messages import Call, Score
from services.quality.quality.measure import Measure
from services.quality.quality.opinion import FEEDBACK, Opinions
from services.shared.scoring import Evaluator, Invalid, Metric

RULES = "8"  # changes with the rules of any measure


@dataclass(frozen=True)
class QualityScorer:
    """Scores calls by `measures`, in their order."""

    measures: Sequence[Measure]
    evaluator: str = "quality"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is scored."""
        return tuple(measure.metric for measure in self.measures)

    @property
    def version(self) -> str:
        """The rules', and what else decides each measure: libraries with their settings, weights."""
        parts = dict.fromkeys(measure.version for measure in self.measures if measure.version)
        return "+".join([RULES, *parts])

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """The scores of `calls`, call by call."""
        evaluator = Evaluator(self.evaluator, self.version)
        results = [measure.judge(calls) for measure in self.measures]
        for number, call in enumerate(calls):
            for measure, found in zip(self.measures, results, strict=True):
                yield evaluator.score(call, measure.metric, found[number])

    def late(self, call: Call, opinions: Opinions) -> Iterator[Score]:
        """The scores that change because of what was said of `call` after it was made; none where nothing does.

        Their input is as new as what was said, so each of them takes the place of the one that did not know it.
        """
        evaluator = Evaluator(self.evaluator, self.version)
        if (reference := opinions.reference) is not None:
            whole, at = replace(call, reference=reference.text), _newer(call, reference.given_at)
            for measure in self.measures:
                if measure.of_reference:
                    yield evaluator.score(call, measure.metric, measure.judge([whole])[0], at)
        if FEEDBACK in self.metrics and (judged := opinions.judged(call)) is not None:
            yield evaluator.score(call, FEEDBACK, judged.result, _newer(call, judged.given_at))

    def unread(self, call: Call, opinions: Opinions, error: Exception) -> Iterator[Score]:
        """In place of `late` where the response cannot be read: what needs none, and failed scores for the rest."""
        evaluator, reason = Evaluator(self.evaluator, self.version), Invalid(type(error).__name__)
        if (reference := opinions.reference) is not None:
            at = _newer(call, reference.given_at)
            yield from (evaluator.score(call, each.metric, reason, at) for each in self.measures if each.of_reference)
        needs_none = Opinions([each for each in opinions.given if each not in opinions.of_text])
        told = list(self.late(call, needs_none))
        edited = [each.given_at for each in opinions.given if each.kind == "edit"]
        if edited and not told and FEEDBACK in self.metrics:
            yield evaluator.score(call, FEEDBACK, reason, _newer(call, max(edited)))
        yield from told


def _newer(call: Call, given_at: datetime) -> datetime:
    # A clock that is behind the application's must not make an opinion older than its call.
    return max(call.called_at, given_at)
