"""Several scorers as one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import replace

from schemas.ids import score_id
from schemas.messages import Call, Score
from services.shared.scoring import Metric, Scorer


@dataclass(frozen=True)
class JoinedScorer:
    """The metrics of its parts, signed by one evaluator whose version holds theirs."""

    parts: Sequence[Scorer]
    encoder: object = None  # that a part of it goes through
    evaluator: str = "guard"

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """Of all parts, in their order."""
        return tuple(metric for part in self.parts for metric in part.metrics)

    @cached_property
    def version(self) -> str:
        """Of all parts, in their order."""
        return "+".join(part.version for part in self.parts)

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """The scores of `calls`, call by call; each part takes all calls at once."""
        found = [list(part.score(calls)) for part in self.parts]
        for number in range(len(calls)):
            for part, scores in zip(self.parts, found, strict=True):
                size = len(part.metrics)
                yield from (self._signed(score) for score in scores[number * size : (number + 1) * size])

    def _signed(self, score: Score) -> Score:
        signed = score_id(score.call_id, score.metric, self.evaluator, self.version)
        return replace(score, score_id=signed, evaluator=self.evaluator, evaluator_version=self.version)
