"""What one rule says of one window."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

from schemas.messages import Deployment, DriftTest, Segment
from services.alerter.alerter.rules import AnyRule, ChangeRule, DisparityRule, DriftRule, ThresholdRule
from services.alerter.alerter.significance import p_beyond_baseline, p_beyond_level
from services.shared.aggregate import Aggregate, Statistic
from services.shared.disparity import Disparity, disparities
from services.shared.intervals import Interval

Level = Literal["breach", "between", "healthy", "unknown"]


@dataclass(frozen=True)
class Observation:
    """All source partitions of one window together; `disparity` where a group of calls stands against the others.

    `discovered` is false where a drift may be one of those that chance finds among many streams.
    """

    segment: Segment
    metric: str
    group: str
    evaluator: str
    evaluator_version: str
    interval_seconds: int
    start: datetime
    end: datetime
    aggregate: Aggregate
    drift: Sequence[DriftTest] = ()
    disparity: Disparity | None = None
    discovered: bool = True


@dataclass(frozen=True)
class Baseline:
    """The same metric, by the same evaluator, of the version that this one replaced: all of it, and its windows."""

    version: str
    aggregate: Aggregate
    windows: Sequence[Aggregate] = ()

    def level(self, statistic: Statistic) -> float | None:
        """The statistic of all of it; of `count`, which adds up, the mean of its windows."""
        if statistic == "count":
            return self.aggregate.weight / len(self.windows) if self.windows else None
        return self.aggregate.statistic(statistic)


@dataclass(frozen=True)
class Verdict:
    """What a rule says: `between` neither fires nor resolves, `unknown` says nothing at all.

    `threshold` is the level that fires, in the unit of `value`, whatever the kind of rule. A breach that is not
    `discovered` counts and does not fire.
    """

    level: Level
    value: float | None = None
    threshold: float | None = None
    p_value: float | None = None
    baseline: Baseline | None = None
    baseline_value: float | None = None
    interval: Interval | None = None
    strong: bool = False
    discovered: bool = True


UNKNOWN = Verdict("unknown")
USUAL_SHARE = 0.9  # of the baseline's windows: what one in ten of them reached is no news
FEWEST_WINDOWS = 5  # fewer say nothing of how much windows differ


def baseline_version(segment: Segment, deployment: Deployment | None) -> str | None:
    """The version that `segment`'s version is compared with; None where there is none.

    That is the one that a person has pinned, else the one before. A version that a rollback restored has none of its
    own: the one before it was bad, and being worse than a bad version in one metric would roll forward to it. A version
    that takes part in an experiment is compared with the one that serves.
    """
    if deployment is None:
        return None
    if deployment.version == segment.version:
        if deployment.baseline_version:
            return None if deployment.baseline_version == segment.version else deployment.baseline_version
        return None if deployment.decision_id else deployment.previous_version
    return deployment.version if segment.version in deployment.weights else None


def serves(segment: Segment, deployment: Deployment | None) -> bool:
    """Whether the version of `segment` gets traffic; taken as true while nothing is known of the target."""
    return deployment is None or segment.version == deployment.version or segment.version in deployment.weights


def evaluate(rule: AnyRule, observation: Observation, baseline: Baseline | None) -> Verdict:
    """What `rule` says of `observation`; `unknown` where there are too few calls to say anything."""
    if isinstance(rule, DriftRule):
        return _drift(rule, observation)
    if isinstance(rule, DisparityRule):
        return _disparity(rule, observation.disparity) if observation.disparity else UNKNOWN
    if rule.statistic != "count" and observation.aggregate.count < rule.minimum_count:  # few calls are what it counts
        return UNKNOWN
    if isinstance(rule, ThresholdRule):
        return _threshold(rule, observation.aggregate, baseline)
    if baseline is None or baseline.aggregate.count < rule.baseline_minimum_count:
        return UNKNOWN
    return _change(rule, observation.aggregate, baseline)


def compared(rule: DisparityRule, observation: Observation, groups: Mapping[str, Aggregate]) -> Iterator[Observation]:
    """An observation for each group that has enough calls, against the other groups of its attribute.

    `groups` are the calls of each `attribute=value` in the windows that the rule takes together.
    """
    by_attribute: dict[str, dict[str, Aggregate]] = defaultdict(dict)
    for group, aggregate in groups.items():
        attribute, _, value = group.partition("=")
        if fnmatchcase(attribute, rule.attribute):
            by_attribute[attribute][value] = aggregate
    for attribute, values in sorted(by_attribute.items()):
        found = disparities(
            values,
            rule.statistic,
            minimum_count=rule.minimum_count,
            alpha=2.0 * rule.significance / len(values),  # one side of the interval is asked, once a group
            favourable="labelled" if rule.direction == "below" else "unlabelled",
        )
        for each in found:
            yield replace(observation, group=f"{attribute}={each.value}", aggregate=each.own, disparity=each)


def _disparity(rule: DisparityRule, found: Disparity) -> Verdict:
    above, base = rule.direction == "above", found.other_level
    interval = found.ratio if rule.compare == "ratio" else found.difference
    enter, leave = _levels(rule, base)
    sure = interval is not None and (interval.low > rule.exit if above else interval.high < rule.exit)
    return Verdict(
        _level(found.level, enter, leave, above=above, sure=sure),
        value=found.level,
        threshold=enter,
        baseline_value=base,
        interval=interval,
    )


def _threshold(rule: ThresholdRule, observed: Aggregate, baseline: Baseline | None) -> Verdict:
    value = observed.statistic(rule.statistic)
    if value is None:
        return UNKNOWN
    above = rule.direction == "above"
    p_value = None
    if rule.significance is not None:
        p_value = p_beyond_level(observed, rule.statistic, rule.exit, above=above)
    sure = p_value is None or p_value <= (rule.significance or 0.0)
    return Verdict(
        _level(value, rule.enter, rule.exit, above=above, sure=sure),
        value=value,
        threshold=rule.enter,
        p_value=p_value,
        baseline=baseline,
        baseline_value=baseline.level(rule.statistic) if baseline else None,
    )


def _change(rule: ChangeRule, observed: Aggregate, baseline: Baseline) -> Verdict:
    value, base = observed.statistic(rule.statistic), baseline.level(rule.statistic)
    if value is None or base is None or (rule.statistic == "count" and len(baseline.windows) < FEWEST_WINDOWS):
        return UNKNOWN
    above = rule.direction == "above"
    enter, leave = _levels(rule, base)
    p_value = p_beyond_baseline(observed, baseline.aggregate, rule.statistic, _margin(rule, rule.exit), above=above)
    level = _level(value, enter, leave, above=above, sure=p_value <= rule.significance)
    if level == "breach" and not _unusual(rule, value, baseline.windows):
        level = "between"
    return Verdict(
        level,
        value=value,
        threshold=enter,
        p_value=p_value,
        baseline=baseline,
        baseline_value=base,
    )


def _unusual(rule: ChangeRule, value: float, windows: Sequence[Aggregate]) -> bool:
    """Whether the baseline's own windows rarely got there.

    The test takes calls as independent; load and topics move whole windows, and only windows show by how much.
    """
    enough = [window for window in windows if rule.statistic == "count" or window.count >= rule.minimum_count]
    found = [worth for window in enough if (worth := window.statistic(rule.statistic)) is not None]
    if len(found) < FEWEST_WINDOWS:
        return True
    reached = sum(worth >= value if rule.direction == "above" else worth <= value for worth in found)
    return reached <= (1.0 - USUAL_SHARE) * len(found)


def _levels(rule: ChangeRule | DisparityRule, base: float) -> tuple[float, float]:
    """The levels that fire and resolve; half of the smallest difference that matters is back to normal."""
    enter, leave = _shifted(base, _margin(rule, rule.enter)), _shifted(base, _margin(rule, rule.exit))
    if rule.direction == "above":
        return max(enter, base + rule.minimum_difference), max(leave, base + rule.minimum_difference / 2)
    return min(enter, base - rule.minimum_difference), min(leave, base - rule.minimum_difference / 2)


def _margin(rule: ChangeRule | DisparityRule, amount: float) -> tuple[float, float]:
    """(factor, offset) of the level that lies `amount` from the baseline."""
    return (amount, 0.0) if rule.compare == "ratio" else (1.0, amount)


def _shifted(base: float, margin: tuple[float, float]) -> float:
    return margin[0] * base + margin[1]


def _level(value: float, enter: float, leave: float, *, above: bool, sure: bool) -> Level:
    signed, fires, resolves = (value, enter, leave) if above else (-value, -enter, -leave)
    if signed >= fires and sure:
        return "breach"
    # a value that is no better than what fires is not healthy, even where both levels are one
    return "healthy" if signed <= resolves and signed < fires else "between"


def tested(rule: DriftRule, observation: Observation) -> DriftTest | None:
    """The test that `rule` goes by: that of the largest sample; None where there is none or it is too small."""
    test = min(observation.drift, key=lambda test: (-test.sample_size, test.p_value), default=None)
    return test if test and test.sample_size >= rule.minimum_count else None


def _drift(rule: DriftRule, observation: Observation) -> Verdict:
    test = tested(rule, observation)
    if test is None:
        return UNKNOWN
    reference = test.reference_version
    baseline = Baseline(reference, Aggregate()) if reference else None
    strong = _strong(rule, test)
    drifted = test.p_value <= rule.p_value and test.statistic >= rule.minimum_statistic
    healthy = test.p_value > rule.exit_p_value or test.statistic < rule.minimum_statistic
    level: Level = "breach" if drifted or strong else "healthy" if healthy else "between"
    return Verdict(
        level,
        test.statistic,
        rule.minimum_statistic,
        test.p_value,
        baseline,
        strong=strong,
        discovered=observation.discovered,
    )


def _strong(rule: DriftRule, test: DriftTest) -> bool:
    if rule.strong_p_value is None or rule.strong_statistic is None:
        return False
    return test.p_value <= rule.strong_p_value and test.statistic >= rule.strong_statistic
