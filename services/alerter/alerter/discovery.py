"""Which of the many drift tests of one interval are believed: only a share of those may be chance."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from schemas.messages import Segment
from services.alerter.alerter.evaluation import Observation, tested
from services.alerter.alerter.rules import DriftRule

Stream = tuple[Segment, str, str, str]


def discoveries(rule: DriftRule, start: datetime, family: Iterable[Observation]) -> frozenset[Stream]:
    """The streams whose drift in the window that began at `start` is believed.

    `family` are the newest windows of all streams (segment, metric, group, evaluator version). A stream's p-value is
    the largest of its last `fire_after` tests, 1 where it has fewer or its window has not come yet: so a late window
    costs power and never control.
    """
    tests: dict[Stream, dict[datetime, float]] = defaultdict(dict)
    for each in family:
        if test := tested(rule, each):
            tests[stream_of(each)][each.start] = test.p_value
    p_values = {stream: _lasting(row, start, rule.fire_after) for stream, row in tests.items()}
    largest = largest_discovery(p_values.values(), rule.false_discovery_rate)
    return frozenset(stream for stream, p_value in p_values.items() if p_value <= largest)


def largest_discovery(p_values: Collection[float], rate: float) -> float:
    """The largest p-value that is a discovery; 0 where none is. Of all discoveries a share of `rate` is false.

    For independent tests, or such as are positively dependent. Not for p-values that cannot be smaller than
    `rate` / their number: no single one is then ever found. Source: Benjamini and Hochberg 1995.

    >>> largest_discovery([0.001, 0.02, 0.03, 0.9], 0.05)
    0.03
    >>> largest_discovery([0.02, 0.5, 0.7, 0.9], 0.05)
    0.0
    """
    ranked = enumerate(sorted(p_values), start=1)
    return max((p_value for rank, p_value in ranked if p_value <= rate * rank / len(p_values)), default=0.0)


def _lasting(row: Mapping[datetime, float], start: datetime, windows: int) -> float:
    newest = sorted(row, reverse=True)[:windows]
    return max(row[each] for each in newest) if newest[0] == start and len(newest) == windows else 1.0


def stream_of(observation: Observation) -> Stream:
    """What is tested again and again."""
    return observation.segment, observation.metric, observation.group, observation.evaluator_version
