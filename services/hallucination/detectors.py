"""Published detectors of hallucination in place of the built-in one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.messages import Call, Score, Span
from services.hallucination.hallucination import HALLUCINATION, THRESHOLD
from services.shared.scoring import Evaluator, Measured, Metric, Missing, Result
from services.shared.sentences import sentences


@dataclass(frozen=True)
class Marked:
    """The risk of characters `start` to `end` (exclusive) of a response."""

    start: int
    end: int
    risk: float


class Detector(Protocol):
    """What judges the parts of a response beside a context."""

    @property
    def version(self) -> str:
        """Its name, and its weights' hash."""

    @property
    def by_sentence(self) -> bool:
        """Whether it wants sentences (NLI, HHEM) or whole responses (token classifiers)."""

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[list[Marked]]:
        """For each pair of context and claim what is marked in the claim, in its characters; never empty."""


@dataclass(frozen=True)
class DetectorScorer:
    """`hallucination` by a detector of the user's choice: the highest risk of any part of the response.

    The parts at or above the threshold are the evidence. The probabilities are the detector's own, uncalibrated here.
    """

    detector: Detector
    evaluator: str = "hallucination"
    metrics: tuple[Metric, ...] = (HALLUCINATION,)

    @property
    def version(self) -> str:
        """The detector's."""
        return self.detector.version

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """The scores of `calls`."""
        evaluator = Evaluator(self.evaluator, self.version)
        for call in calls:
            yield evaluator.score(call, HALLUCINATION, self._judged(call))

    def _judged(self, call: Call) -> Result:
        context = "\n\n".join(document.text for document in call.context)
        if not context.strip():
            return Missing("context")
        if call.answer is None:
            return Missing("response")
        parts = sentences(call.answer)
        if not parts:
            return Measured(0.0)
        claims = [(part.start, part.text) for part in parts] if self.detector.by_sentence else [(0, call.answer)]
        judged = self.detector.judge([(self._premise(call, context), text) for _, text in claims])
        marks = [
            Marked(start + each.start, start + each.end, each.risk)
            for (start, _), found in zip(claims, judged, strict=True)
            for each in found
        ]
        return Measured(max(each.risk for each in marks), _evidence(marks))

    def _premise(self, call: Call, context: str) -> str:
        """What token classifiers read first also holds the question; an NLI premise is the context alone."""
        return context if self.detector.by_sentence or not call.question else f"{call.question}\n\n{context}"


def _evidence(marks: Sequence[Marked]) -> tuple[Span, ...]:
    """The marked characters at or above the threshold; those that touch or stand a space apart are one."""
    found: list[Marked] = []
    for mark in sorted(marks, key=lambda each: each.start):
        if mark.risk < THRESHOLD or mark.end <= mark.start:
            continue
        if found and mark.start <= found[-1].end + 1:
            last = found.pop()
            found.append(Marked(last.start, max(last.end, mark.end), max(last.risk, mark.risk)))
        else:
            found.append(mark)
    return tuple(
        Span(field="response", start=mark.start, end=mark.end, kind="unsupported", value=round(mark.risk, 4))
        for mark in found
    )
