"""What each kind of rule says of a window."""

import numpy as np
import pytest

from services.alerter.alerter.evaluation import Baseline, Observation, baseline_version, evaluate, serves
from services.alerter.alerter.judgement import judge
from services.alerter.alerter.lifecycle import Progress
from services.alerter.alerter.rules import ChangeRule, DriftRule, HealthRule, ThresholdRule
from services.shared.aggregate import merge

from .streams import a_deployment, a_drift, a_window, at, segment

ERRORS = ThresholdRule(
    name="e", metric="error", statistic="label_rate", enter=0.1, exit=0.03, significance=0.01, minimum_count=10
)
RISE = ChangeRule(name="c", metric="m", enter=1.5, exit=1.1, minimum_count=10)
DRIFT = DriftRule(name="d", metric="m", minimum_count=20, strong_p_value=0.01, strong_statistic=0.3)


def an_observation(values=(), drift=()):
    window = a_window("m", list(values))
    return Observation(
        segment("v2"), "m", "", "test", "1", 5, window.window_start, window.window_end, merge([window]), drift
    )


def a_baseline(values, windows=()):
    return Baseline("v1", merge([a_window("m", values)]), tuple(merge([a_window("m", part)]) for part in windows))


def level(rule, values=(), baseline=None, drift=()):
    return evaluate(rule, an_observation(values, drift), baseline).level


@pytest.mark.parametrize(
    ("errors", "calls", "expected"),
    [(2, 20, "between"), (4, 20, "breach"), (0, 20, "healthy"), (1, 20, "between"), (5, 9, "unknown")],
)
def test_a_rate_must_be_high_and_surely_so(errors, calls, expected):
    assert level(ERRORS, [1.0] * errors + [0.0] * (calls - errors)) == expected


@pytest.mark.parametrize(("shift", "expected"), [(1.0, "healthy"), (1.3, "between"), (2.0, "breach")])
def test_a_change_is_measured_against_the_baseline(shift, expected):
    values = np.random.default_rng(0).gamma(20, 0.02, 400)
    assert level(RISE, shift * values[:20], a_baseline(values)) == expected


@pytest.mark.parametrize(("after", "expected"), [(28.0, "healthy"), (80.0, "between"), (500.0, "breach")])
def test_a_difference_too_small_to_fire_is_back_to_normal(after, expected):
    rule = ChangeRule(name="c", metric="m", enter=2, exit=1.25, minimum_difference=100.0)
    assert level(rule, [after - 0.1, after + 0.1] * 10, a_baseline([21.7, 21.8] * 50)) == expected


@pytest.mark.parametrize(("after", "expected"), [(0.88, "healthy"), (0.8, "between"), (0.5, "breach")])
def test_so_it_is_where_less_is_worse(after, expected):
    options = {"direction": "below", "compare": "difference", "enter": 0, "exit": 0, "minimum_difference": 0.2}
    rule = ChangeRule(name="c", metric="m", **options)
    assert level(rule, [after - 0.01, after + 0.01] * 10, a_baseline([0.9, 0.91] * 50)) == expected


def test_a_change_needs_a_baseline_with_enough_calls():
    assert level(RISE, [1.0] * 20) == "unknown"
    assert level(RISE, [1.0] * 20, a_baseline([0.1] * 10)) == "unknown"


def test_what_the_baseline_s_own_windows_reached_is_no_news():
    quiet, loud = [0.1, 0.11] * 10, [0.4, 0.41] * 10
    calm = a_baseline(quiet * 10, [quiet] * 10)
    restless = a_baseline(quiet * 8 + loud * 2, [quiet] * 8 + [loud] * 2)
    assert level(RISE, [0.38, 0.4] * 10, calm) == "breach"
    assert level(RISE, [0.38, 0.4] * 10, restless) == "between"


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (a_drift(0.01), "breach"),
        (a_drift(0.03), "between"),
        (a_drift(0.4), "healthy"),
        (a_drift(0.01, size=12), "unknown"),
    ],
)
def test_drift_needs_a_small_p_value_of_enough_calls(test, expected):
    assert level(DRIFT, drift=(test,)) == expected


def test_one_very_strong_window_is_enough():
    assert evaluate(DRIFT, an_observation(drift=(a_drift(0.01, statistic=0.4),)), None).strong
    assert not evaluate(DRIFT, an_observation(drift=(a_drift(0.01, statistic=0.2),)), None).strong


@pytest.mark.parametrize(
    ("deployment", "expected"),
    [
        (a_deployment("v2", "v1"), "v1"),
        (a_deployment("v2", None), None),
        (a_deployment("v2", "v1", decision_id=a_deployment().deployment_id), None),
        (a_deployment("v3", "v2"), None),
        (a_deployment("v1", None, weights={"v1": 0.9, "v2": 0.1}), "v1"),
        (a_deployment("v2", "v1", baseline_version="v0"), "v0"),
        (a_deployment("v2", "v1", baseline_version="v0", decision_id=a_deployment().deployment_id), "v0"),
        (a_deployment("v2", "v1", baseline_version="v2"), None),
        (None, None),
    ],
)
def test_the_baseline_is_pinned_or_the_version_that_this_one_replaced_unless_a_rollback_restored_it(
    deployment, expected
):
    assert baseline_version(segment("v2"), deployment) == expected


def test_what_tidemark_says_of_itself_is_told_as_such():
    rule = HealthRule(name="h", metric="missing_*", enter=1, exit=0, minimum_count=1, fire_after=1, resolve_after=1)
    found = []
    for index, missing in enumerate((3, 0)):
        window = a_window("missing_calls", [missing], index)
        span = (window.window_start, window.window_end, merge([window]))
        observation = Observation(segment(), "missing_calls", "", "completeness", "1", 5, *span)
        progress = found[-1].progress if found else Progress()
        found.append(judge(rule, observation, None, progress=progress, now=at(12)))
    assert [(each.alert.kind, each.alert.state) for each in found] == [("health", "firing"), ("health", "resolved")]
    assert found[0].alert.summary.startswith("Tidemark itself: missing calls: 3")


def test_who_serves():
    assert serves(segment("v2"), a_deployment("v2"))
    assert not serves(segment("v2"), a_deployment("v1", "v2"))
    assert serves(segment("v2"), None)


def test_the_sentence_says_what_how_much_and_since_when():
    rule = ThresholdRule(name="t", metric="response_toxicity", enter=0.2, exit=0.1, minimum_count=5, fire_after=1)
    window = a_window("response_toxicity", [0.41] * 20, 1)
    observation = Observation(
        segment(), window.metric, "", "x", "1", 5, window.window_start, window.window_end, merge([window])
    )
    judgement = judge(rule, observation, a_baseline([0.05] * 40), progress=Progress(), now=at(12))
    assert judgement.alert.summary == (
        "response_toxicity of docs-bot v2 in production is 0.41 on average, 8.2 times v1's 0.05, since 14:03:25 UTC"
    )
    assert judgement.alert.labels["statistic"] == "mean"


@pytest.mark.parametrize(("calls", "expected"), [(100, "healthy"), (70, "between"), (40, "breach"), (60, "between")])
def test_the_calls_of_a_window_are_held_against_those_of_a_window_before(calls, expected):
    rule = ChangeRule(name="c", metric="m", statistic="count", direction="below", enter=0.5, exit=0.8, minimum_count=1)
    windows = [[0.1] * count for count in (90, 95, 100, 105, 110, 100)]
    baseline = a_baseline([value for window in windows for value in window], windows)
    verdict = evaluate(rule, an_observation([0.1] * calls), baseline)
    assert (verdict.level, verdict.baseline_value, verdict.threshold) == (expected, 100.0, 50.0)
    assert evaluate(rule, an_observation([0.1]), a_baseline(windows[0], windows[:1])).level == "unknown"
