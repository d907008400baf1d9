"""The aggregate of one metric of one segment over an interval of event time."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from schemas.messages.message import Message, Name, Probability, Timestamp
from schemas.messages.segment import Segment

_SHARE_BITS = 12
_WHOLE = 2**_SHARE_BITS - 1


class Sketch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A DDSketch: weighted counts per logarithmic bin, mergeable by adding bins (Masson, Rim and Lee, VLDB 2019).

    Bin i of `positive` holds the values in (gamma**(i-1), gamma**i] with gamma = (1 + alpha) / (1 - alpha);
    `negative` mirrors it; a quantile is off by at most `alpha` relative.
    """

    alpha: float = 0.01
    positive: Mapping[int, float] = {}
    negative: Mapping[int, float] = {}
    zero: float = 0.0


class DriftTest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A two-sample test of a window against its reference."""

    name: Name
    statistic: float
    p_value: Probability
    reference_id: str
    reference_version: str | None = None
    reference_size: int
    sample_size: int


class Window(Message, frozen=True, kw_only=True, tag="window.v1"):
    """One tumbling window of one metric.

    Raw counts decide minimum counts; weighted sums (each score by 1 / inclusion probability) are the estimates;
    `weight ** 2 / weight_squares` is the effective sample size. A window comes again, with a higher generation or
    more counted, as an upsert of the same `window_id`.
    """

    window_id: UUID
    segment: Segment
    metric: Name
    evaluator: Name
    evaluator_version: Name
    group: str = ""  # "" for all calls, or `attribute=value`
    interval_seconds: int
    window_start: Timestamp
    window_end: Timestamp
    source_partition: int
    generation: int = 0
    count: int = 0  # distinct scored
    not_scored: int = 0
    failed: int = 0
    labelled: int = 0  # distinct scored whose label is true
    weight: float = 0.0
    weight_squares: float = 0.0
    weighted_sum: float = 0.0
    weighted_square_sum: float = 0.0
    labelled_weight: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    sketch: Sketch | None = None
    statistics: Mapping[str, float] = {}  # weighted sums of the scores' own
    corpus: float | None = None  # the value of all calls as one text, from `statistics`; None for other metrics
    drift: DriftTest | None = None

    @property
    def key(self) -> str:
        """The segment."""
        return self.segment.key

    @property
    def fullness(self) -> int:
        """Of two windows with one id and one generation the larger is right.

        It has counted more distinct scores; of as many, more that have a value; then those with the larger inclusion
        probabilities. Below 2**52 while fewer than 2**28 are counted.
        """
        counted = self.count + self.not_scored + self.failed
        scored = self.count / counted if counted else 0.0
        sureness = min(1.0, self.count / self.weight) if self.weight else 0.0
        return (counted << _SHARE_BITS | int(scored * _WHOLE)) << _SHARE_BITS | int(sureness * _WHOLE)

    @property
    def mean(self) -> float | None:
        """The weighted mean; None for an empty window."""
        return self.weighted_sum / self.weight if self.weight else None

    @property
    def label_rate(self) -> float | None:
        """The weighted share of scores whose label is true; None for an empty window."""
        return self.labelled_weight / self.weight if self.weight else None
