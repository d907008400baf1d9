"""Alert rules as people write them."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec
import yaml
from msgspec import Meta

from schemas.messages import Segment
from schemas.messages.message import Name
from services.shared.aggregate import Statistic
from services.shared.disparity import Level
from services.shared.match import Match

Severity = Literal["info", "warning", "critical"]
Direction = Literal["above", "below"]
Significance = Annotated[float, Meta(gt=0, le=0.5)]
Positive = Annotated[int, Meta(ge=1)]


class RuleError(ValueError):
    """A rule file that cannot be used; the text names file, rule, field and remedy."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every kind of rule says.

    `metric` is a shell pattern; an alert names the metric itself. Below `minimum_count` scored calls a window says
    nothing. Without `interval_seconds` the shortest windows of a metric are judged. `groups`: judge the groups of
    calls as well.
    """

    name: Name
    metric: Name
    severity: Severity = "warning"
    match: Match = Match()
    groups: bool = False
    interval_seconds: Positive | None = None
    minimum_count: Positive = 20
    fire_after: Positive = 2
    resolve_after: Positive = 3

    def covers(self, segment: Segment, metric: str, group: str) -> bool:
        """Whether this rule judges windows of `metric` and `group` of `segment`."""
        wanted = fnmatchcase(metric, self.metric) and (self.groups or not group)
        return wanted and self.match.covers(segment.target)


class ThresholdRule(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="threshold"):
    """A statistic beyond a fixed level.

    Fires at `enter`, resolves at `exit`. With `significance` the statistic must also be beyond `exit` by a test at
    that level, so that two errors in ten calls are no error rate of 20 %.
    """

    statistic: Statistic = "mean"
    direction: Direction = "above"
    enter: float
    exit: float
    significance: Significance | None = None


class HealthRule(ThresholdRule, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="health"):
    """A threshold on what Tidemark says of itself: people are told, and nothing acts on it, whatever policies say."""


class ChangeRule(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="change"):
    """A statistic that is worse than that of the version which this one replaced.

    `enter` and `exit` are ratios to the baseline's value or differences from it. The change must also be at least
    `minimum_difference` and beyond `exit` by a test at `significance`.
    """

    statistic: Statistic = "mean"
    direction: Direction = "above"
    compare: Literal["ratio", "difference"] = "ratio"
    enter: float
    exit: float
    minimum_difference: Annotated[float, Meta(ge=0)] = 0.0
    significance: Significance = 0.01
    baseline_windows: Positive = 60
    baseline_minimum_count: Positive = 30


class DriftRule(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="drift"):
    """A two-sample test that says that a window is not like its reference.

    `minimum_statistic` is the smallest effect that matters. One window is enough when its p-value is at most
    `strong_p_value` and its statistic at least `strong_statistic`. Otherwise, of all streams in which the rule finds
    drift at one time, at most a share of `false_discovery_rate` may be due to chance; 1 takes each by itself.
    """

    p_value: Significance = 0.01
    exit_p_value: Annotated[float, Meta(gt=0, le=1)] = 0.05
    minimum_statistic: float = 0.0
    strong_p_value: Significance | None = None
    strong_statistic: float | None = None
    false_discovery_rate: Annotated[float, Meta(gt=0, le=1)] = 0.05


class DisparityRule(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="disparity"):
    """A statistic that is worse for one group of calls than for the other groups of the same attribute together.

    The newest `windows` windows are taken together; `attribute` is a shell pattern, and `minimum_count` holds for
    the group and for the others. `enter` and `exit` are ratios to the others' value or differences from it. The
    disparity must also be at least `minimum_difference`, and its interval, at `significance` shared among the groups
    that are compared, beyond `exit`.
    """

    attribute: Name = "*"
    statistic: Level = "label_rate"
    direction: Direction = "above"
    compare: Literal["ratio", "difference"] = "ratio"
    enter: float = 1.25  # the four-fifths rule, seen from the harm
    exit: float = 1.0
    minimum_difference: Annotated[float, Meta(ge=0)] = 0.0
    significance: Significance = 0.01
    windows: Positive = 60


AnyRule = ThresholdRule | HealthRule | ChangeRule | DriftRule | DisparityRule


class RuleFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of rules; each rule is read by itself, so that an error names it."""

    rules: tuple[dict[str, object], ...]


def parse(text: str, file: str) -> tuple[AnyRule, ...]:
    """The rules that `text`, the content of `file`, declares.

    Raises `RuleError` at the first rule that cannot be used.
    """
    try:
        declared = msgspec.convert(yaml.safe_load(text), RuleFile)
    except yaml.YAMLError as error:
        raise RuleError(f"{file} is no YAML: {error}") from error
    except msgspec.ValidationError as error:
        raise RuleError(f"{file}: {error}. A rule file is a mapping with one list, `rules`.") from error
    return tuple(_rule(entry, file) for entry in declared.rules)


def check_names(rules: Sequence[AnyRule]) -> None:
    """Refuse two rules of one name: their alerts could not be told apart."""
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise RuleError(f"two rules are named {rule.name!r}. Give each rule a name of its own.")
        seen.add(rule.name)


def _rule(entry: dict[str, object], file: str) -> AnyRule:
    where = f"{file}, rule {entry.get('name', '(without a name)')!r}"
    try:
        rule: AnyRule = msgspec.convert(entry, AnyRule)
    except msgspec.ValidationError as error:
        raise RuleError(f"{where}: {error}. The fields of each kind are in the alerter's README.") from error
    problem = _contradiction(rule)
    if problem:
        raise RuleError(f"{where}: {problem}")
    return rule


def _contradiction(rule: AnyRule) -> str | None:
    return _drift_contradiction(rule) if isinstance(rule, DriftRule) else _level_contradiction(rule)


def _drift_contradiction(rule: DriftRule) -> str | None:
    if rule.exit_p_value < rule.p_value:
        return f"field exit_p_value is below p_value ({rule.p_value}). Make it at least as large."
    if (rule.strong_p_value is None) != (rule.strong_statistic is None):
        return "field strong_statistic: one window alone needs both strong_p_value and strong_statistic."
    return None


def _level_contradiction(rule: ThresholdRule | ChangeRule | DisparityRule) -> str | None:
    if rule.direction == "above" and rule.exit > rule.enter:
        return f"field exit is above enter ({rule.enter}). An alert could never resolve: lower exit."
    if rule.direction == "below" and rule.exit < rule.enter:
        return f"field exit is below enter ({rule.enter}). An alert could never resolve: raise exit."
    if isinstance(rule, ChangeRule | DisparityRule) and rule.compare == "ratio" and min(rule.enter, rule.exit) <= 0:
        return "field enter: a ratio is above 0. Use `compare: difference` for differences."
    if isinstance(rule, DisparityRule) and rule.groups:
        return "field groups: a disparity compares the groups of an attribute by itself. Leave it out."
    return None
