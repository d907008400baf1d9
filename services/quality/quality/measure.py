"""What a measure is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.messages import Call
from services.shared.scoring import Metric, Result

Judge = Callable[[Sequence[Call]], Sequence[Result]]


@dataclass(frozen=True)
class Measure:
    """A metric and how calls are judged by it: one result a call, in their order.

    `version` says what decides beside the rules here: a library's version, a model's weights. `of_reference`: it is
    taken again when a reference comes late.
    """

    metric: Metric
    judge: Judge
    version: str = ""
    of_reference: bool = False


def one_by_one(
    metric: Metric, judge: Callable[[Call], Result], version: str = "", *, of_reference: bool = False
) -> Measure:
    """A measure of each call by itself."""
    return Measure(metric, lambda calls: [judge(call) for call in calls], version, of_reference)
