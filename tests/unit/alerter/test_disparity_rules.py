"""Rules that compare the groups of an attribute, from windows to the alert."""

from pathlib import Path

import numpy as np
import pytest

from services.alerter.alerter.rules import DisparityRule, RuleError, check_names, parse
from services.alerter.app import MIGRATIONS
from services.alerter.watch import Watch
from services.shared import outbox
from services.shared.database import connect, migrate

from .streams import a_deployment, at, split_windows

FOLDER = Path(__file__).parents[3] / "deploy/rules"
RULES = parse((FOLDER / "fairness.yaml").read_text(), "fairness.yaml")
SIZES = {"language=en": 12, "language=de": 6, "language=fr": 4, "plan=free": 11, "plan=paid": 11}


class Stage:
    """An alerter on a database of its own, told of one window after another."""

    def __init__(self, path, rules=RULES):
        self.engine = connect(f"sqlite:///{path}/alerter.sqlite")
        migrate(self.engine, MIGRATIONS, outbox.MIGRATIONS)
        self.watch = Watch(self.engine, rules=rules, deployment=lambda _: a_deployment("v2", "v1"))

    def emit(self, metric, groups, index):
        now = at(5 * index + 6)
        self.watch.record(split_windows(metric, groups, index), now)
        return self.watch.step(at(5 * index + 6.5))


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    stage.engine.dispose()


def drawn(random, rates):
    return {
        group: (random.random(size) < rates.get(group, 0.05)).astype(float).tolist() for group, size in SIZES.items()
    }


def test_a_group_that_fares_worse_fires_once_and_is_named_with_the_interval(stage):
    random = np.random.default_rng(1)
    alerts = [a for index in range(60) for a in stage.emit("error", drawn(random, {"language=fr": 0.3}), index)]
    assert {alert.group for alert in alerts if alert.state == "firing"} == {"language=fr"}
    first = alerts[0]
    assert (first.rule, first.kind) == ("unequal-errors", "change")
    assert "for language=fr is" in first.summary
    assert "the other groups'" in first.summary
    assert float(first.labels["interval_low"]) > 1
    assert float(first.labels["four_fifths_ratio"]) < 1
    assert first.value > first.threshold > first.baseline_value


def test_equal_groups_never_fire(stage):
    random = np.random.default_rng(2)
    assert [alert for index in range(400) for alert in stage.emit("error", drawn(random, {}), index)] == []


def test_below_the_minimum_count_nothing_is_said(stage):
    groups = {"language=fr": [1.0] * 4, "language=en": [0.0] * 4}
    assert [alert for index in range(12) for alert in stage.emit("error", groups, index)] == []


def test_it_resolves_when_the_groups_are_alike_again(tmp_path):
    text = "rules: [{name: r, kind: disparity, metric: error, windows: 4, minimum_count: 10}]"
    stage, random = Stage(tmp_path, parse(text, "f")), np.random.default_rng(3)
    states = []
    for index in range(40):
        rates = {"language=fr": 0.9} if index < 12 else dict.fromkeys(SIZES, 0.2)
        states += [(alert.group, alert.state) for alert in stage.emit("error", drawn(random, rates), index)]
    assert states == [("language=fr", "firing"), ("language=fr", "resolved")]
    stage.engine.dispose()


def test_it_ends_when_the_calls_of_its_group_end(tmp_path):
    text = "rules: [{name: r, kind: disparity, metric: error, windows: 4, minimum_count: 10}]"
    stage, random, told = Stage(tmp_path, parse(text, "f")), np.random.default_rng(3), []
    for index in range(24):
        groups = drawn(random, {"language=fr": 0.9})
        if index >= 12:
            del groups["language=fr"]
        told += [(alert.group, alert.state, index) for alert in stage.emit("error", groups, index)]
    fired, resolved = told
    assert fired[:2] == ("language=fr", "firing")
    assert resolved[:2] == ("language=fr", "resolved")
    assert resolved[2] == 19
    stage.engine.dispose()


def test_one_of_two_windows_does_not_end_before_the_next(tmp_path):
    text = "rules: [{name: r, kind: disparity, metric: error, windows: 2, minimum_count: 4}]"
    stage, random = Stage(tmp_path, parse(text, "f")), np.random.default_rng(3)
    told = [
        alert.state for index in range(12) for alert in stage.emit("error", drawn(random, {"language=fr": 0.9}), index)
    ]
    assert told == ["firing"]
    stage.engine.dispose()


def test_where_a_label_is_good_the_group_with_fewer_is_below_four_fifths(tmp_path):
    text = (
        "rules: [{name: r, kind: disparity, metric: feedback, direction: below, enter: 0.8, exit: 1,"
        " windows: 4, minimum_count: 10}]"
    )
    stage, random = Stage(tmp_path, parse(text, "f")), np.random.default_rng(3)
    rates = dict.fromkeys(SIZES, 0.9) | {"language=fr": 0.1}
    alerts = [alert for index in range(12) for alert in stage.emit("feedback", drawn(random, rates), index)]
    assert [alert.group for alert in alerts] == ["language=fr"]
    assert float(alerts[0].labels["four_fifths_ratio"]) < 0.5
    stage.engine.dispose()


def test_it_resolves_at_a_difference_too_small_to_fire(tmp_path):
    text = (
        "rules: [{name: r, kind: disparity, metric: error, statistic: mean, windows: 4, minimum_count: 10,"
        " minimum_difference: 0.5}]"
    )
    stage, random, states = Stage(tmp_path, parse(text, "f")), np.random.default_rng(3), []
    for index in range(24):
        worse = 1.0 if index < 12 else 0.05
        groups = {"plan=free": 0.2 + worse + 0.01 * random.random(20), "plan=paid": 0.2 + 0.01 * random.random(20)}
        states += [alert.state for alert in stage.emit("error", {k: v.tolist() for k, v in groups.items()}, index)]
    assert states == ["firing", "resolved"]
    stage.engine.dispose()


def test_means_are_compared_where_a_metric_has_no_label(stage):
    random = np.random.default_rng(4)
    alerts = []
    for index in range(30):
        groups = {
            "plan=free": (2.0 * random.lognormal(size=20)).tolist(),
            "plan=paid": random.lognormal(size=20).tolist(),
        }
        alerts += stage.emit("duration_seconds", groups, index)
    assert [(alert.rule, alert.group) for alert in alerts] == [("unequal-latency", "plan=free")]


def test_the_rules_that_ship_have_names_of_their_own():
    every = [rule for file in FOLDER.glob("*.yaml") for rule in parse(file.read_text(), file.name)]
    check_names(every)
    assert all(isinstance(rule, DisparityRule) for rule in RULES)


def test_the_rules_that_ship_look_every_minute_and_so_must_be_sure():
    assert {rule.significance for rule in RULES} == {0.00001}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{name: r, kind: disparity, metric: m, groups: true}", "by itself"),
        ("{name: r, kind: disparity, metric: m, exit: 2}", "exit is above enter"),
        ("{name: r, kind: disparity, metric: m, exit: -1}", "a ratio is above 0"),
        ("{name: r, kind: disparity, metric: m, statistic: p95}", r"\$\.statistic"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_field(rule, said):
    with pytest.raises(RuleError, match=said):
        parse(f"rules: [{rule}]", "rules.yaml")
