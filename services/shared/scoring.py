"""What every scorer says, and how it says it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable
from uuid import UUID

from schemas.ids import score_id
from schemas.messages import Call, Score, Segment, Span
from schemas.messages.score import Status


@dataclass(frozen=True)
class Metric:
    """A measure of one call: its unit, range and direction; labelled where value >= `threshold`, if it has one."""

    name: str
    unit: str
    worse: Literal["higher", "lower"]
    minimum: float = 0.0
    maximum: float = float("inf")
    threshold: float | None = None


@dataclass(frozen=True)
class Measured:
    """A value, the characters that account for it, and what is summed where a window's value is no mean of values."""

    value: float
    evidence: tuple[Span, ...] = ()
    statistics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Missing:
    """There is nothing to judge: the call lacks `field`."""

    field: str


@dataclass(frozen=True)
class Invalid:
    """The call contradicts itself; `reason` names the field."""

    reason: str


Result = Measured | Missing | Invalid


class Judged(Protocol):
    """What a score is of: a call, or what stands for one."""

    @property
    def call_id(self) -> UUID:
        """Which call."""

    @property
    def segment(self) -> Segment:
        """What the score is aggregated under."""

    @property
    def called_at(self) -> datetime:
        """The event time."""

    @property
    def inclusion_probability(self) -> float:
        """With which the call was in the sample."""

    @property
    def groups(self) -> Mapping[str, str]:
        """The attributes that are compared for fairness."""

    @property
    def synthetic(self) -> bool:
        """Whether it is a probe."""


class Scorer(Protocol):
    """Scores calls by one version of one evaluator.

    Guarantees: one score per call and metric, in the order of the calls; the same call gives the same scores,
    whatever it is batched with (to 1e-4 in fp32, 2e-2 in bf16); no input raises.
    """

    @property
    def metrics(self) -> Sequence[Metric]:
        """What is scored."""

    @property
    def evaluator(self) -> str:
        """Who scores."""

    @property
    def version(self) -> str:
        """Which version: changes whenever the same call could be scored otherwise; holds the weights' hash."""

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """The scores of `calls`."""


@runtime_checkable
class Remembers(Protocol):
    """A scorer whose scores depend on the calls before: it must be given all of them, in their order."""

    def recall(self, calls: Sequence[Call]) -> None:
        """Take calls in that are scored already."""

    def forget(self) -> None:
        """Begin anew."""


@runtime_checkable
class SignsByMetric(Protocol):
    """A scorer some of whose metrics change more often than others: each has a version of its own."""

    def version_of(self, metric: Metric) -> str:
        """Changes whenever the same call could get another score of `metric`."""


@dataclass(frozen=True)
class Evaluator:
    """Who signs a score."""

    name: str
    version: str

    def score(self, call: Judged, metric: Metric, result: Result, input_at: datetime | None = None) -> Score:
        """The score that says `result`; a value outside the metric's range is a failure, never a made-up number.

        `input_at` is the newest event time among the inputs, where that is not the call's own.
        """
        result = _in_range(metric, result)
        measured = result if isinstance(result, Measured) else None
        return Score(
            score_id=score_id(call.call_id, metric.name, self.name, self.version),
            call_id=call.call_id,
            segment=call.segment,
            called_at=call.called_at,
            metric=metric.name,
            status=_STATUS[type(result)],
            value=measured.value if measured else None,
            label=measured.value >= metric.threshold if measured and metric.threshold is not None else None,
            reason=_reason(result),
            evidence=measured.evidence if measured else (),
            statistics=measured.statistics if measured else {},
            evaluator=self.name,
            evaluator_version=self.version,
            input_at=input_at,
            inclusion_probability=call.inclusion_probability,
            groups=call.groups,
            synthetic=call.synthetic,
        )


# A window adds up squares of values times weights of up to 2**60: what overflows there would cost all its calls.
LARGEST_VALUE = 1e60
_STATUS: dict[type[Result], Status] = {Measured: "scored", Missing: "not_scored", Invalid: "failed"}


def _in_range(metric: Metric, result: Result) -> Result:
    if not isinstance(result, Measured):
        return result
    if abs(result.value) <= LARGEST_VALUE and metric.minimum <= result.value <= metric.maximum:
        return result
    return Invalid(f"{metric.name} is out of range: {result.value:g}")


def _reason(result: Result) -> str | None:
    match result:
        case Missing(field):
            return field
        case Invalid(reason):
            return reason
        case _:
            return None


def failures(scorer: Scorer, call: Call, error: Exception) -> list[Score]:
    """A failed score for each metric of a call that `scorer` could not take; the dead letter holds the rest."""
    reason = Invalid(type(error).__name__)
    return [
        Evaluator(scorer.evaluator, version_of(scorer, metric)).score(call, metric, reason) for metric in scorer.metrics
    ]


def version_of(scorer: Scorer, metric: Metric) -> str:
    """The version that signs the scores of `metric`."""
    return scorer.version_of(metric) if isinstance(scorer, SignsByMetric) else scorer.version
