"""Windows through the alerter's real store."""

import random
from pathlib import Path

import pytest
from sqlalchemy import select

from schemas.messages import Alert
from services.alerter.alerter.rules import parse
from services.alerter.app import MIGRATIONS
from services.alerter.tables import NOTIFICATIONS, STANDINGS
from services.alerter.watch import Timing, Watch
from services.shared import outbox
from services.shared.database import connect, migrate

from .streams import a_deployment, a_window, at

RULES = parse((Path(__file__).parents[3] / "deploy/rules/default.yaml").read_text(), "default.yaml")
BAD, GOOD = [0.6, 0.1] * 10, [0.01, 0.02] * 10


class Stage:
    """An alerter on a database of its own; `open` again is a restart."""

    def __init__(self, path):
        self.engine = connect(f"sqlite:///{path}/alerter.sqlite")
        migrate(self.engine, MIGRATIONS, outbox.MIGRATIONS)
        self.serving, self.rules = a_deployment("v2", "v1"), RULES
        self.open()

    def open(self):
        self.watch = Watch(
            self.engine, rules=self.rules, deployment=lambda _: self.serving, channels=["pager"], timing=Timing()
        )

    def emit(self, *windows, seconds=None):
        """Windows come one second after their end, and the step that sees them runs half a second later."""
        now = at(seconds) if seconds is not None else max(window.window_end for window in windows) + (at(1) - at(0))
        self.watch.record(windows, now)
        return [(alert.rule, alert.state) for alert in self.watch.step(now + (at(0.5) - at(0)))]

    def published(self):
        with self.engine.connect() as connection:
            rows = connection.execute(select(outbox.OUTBOX.c.value).order_by(outbox.OUTBOX.c.id)).scalars()
            return [Alert.decode(row) for row in rows]


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    stage.engine.dispose()


def toxic(index, values=BAD, **others):
    return a_window("response_toxicity", values, index, **others)


def test_two_bad_windows_fire_once_and_three_good_ones_resolve(stage):
    told = [stage.emit(toxic(index)) for index in range(4)] + [stage.emit(toxic(i, GOOD)) for i in range(4, 7)]
    assert told == [[], [("toxic-responses", "firing")], [], [], [], [], [("toxic-responses", "resolved")]]
    fired, resolved = stage.published()
    assert fired.alert_id == resolved.alert_id
    assert (fired.first_window_start, fired.window_end) == (at(0), at(10))


def test_the_alert_comes_within_two_windows_and_five_seconds(stage):
    stage.emit(toxic(0))
    stage.emit(toxic(1))
    (alert,) = stage.published()
    assert (alert.changed_at - alert.first_window_start).total_seconds() <= 2 * 5 + 5


def test_a_window_that_comes_again_fuller_is_not_judged_twice(stage):
    assert stage.emit(toxic(0)) == []
    assert stage.emit(toxic(0, [*BAD, 0.9]), seconds=8) == []
    assert stage.emit(toxic(0, [*BAD, 0.9]), seconds=9) == []
    assert stage.emit(toxic(1)) == [("toxic-responses", "firing")]


def test_a_restart_between_any_two_steps_changes_nothing(stage):
    told = []
    for index in range(3):
        stage.watch.record([toxic(index)], at(5 * index + 6))
        stage.open()
        told += stage.watch.step(at(5 * index + 7))
        stage.open()
        told += stage.watch.step(at(5 * index + 7.5))
    assert [alert.state for alert in told] == ["firing"]


def test_windows_older_than_three_intervals_never_fire(stage):
    assert stage.emit(toxic(0), toxic(1), toxic(2), seconds=60) == []
    assert stage.emit(toxic(20)) == []


def test_source_partitions_are_judged_together(stage):
    for index in range(2):
        told = stage.emit(toxic(index, BAD[:6], partition=0), toxic(index, BAD[:6], partition=1))
    assert told == [("toxic-responses", "firing")]
    assert stage.published()[0].count == 12


def test_a_change_is_told_with_the_baseline_version(stage):
    draw = random.Random(1)
    for index in range(12):
        values = [0.2 + 0.1 * draw.random() for _ in range(20)]
        assert stage.emit(a_window("hallucination", values, index, version="v1")) == []
    told = [stage.emit(a_window("hallucination", [0.5 + 0.1 * draw.random()] * 20, i)) for i in (12, 13)]
    assert told == [[], [("hallucination-rise", "firing")]]
    (alert,) = stage.published()
    assert (alert.baseline_version, round(alert.baseline_value, 2)) == ("v1", 0.25)


def test_an_alert_ends_when_its_version_does_not_serve_any_more(stage):
    stage.emit(toxic(0))
    stage.emit(toxic(1))
    stage.serving = a_deployment("v1", "v2")
    assert stage.watch.step(at(20)) == []
    (alert,) = stage.watch.step(at(26))
    assert (alert.state, alert.segment.version) == ("resolved", "v2")
    assert "does not serve" in alert.summary
    assert alert.labels["replaced"] == "true"


def test_an_alert_ends_when_its_rule_is_taken_away(stage):
    stage.emit(toxic(0))
    stage.emit(toxic(1))
    stage.rules = [rule for rule in RULES if rule.name != "toxic-responses"]
    stage.open()
    (alert,) = stage.watch.step(at(11))
    assert (alert.rule, alert.state) == ("toxic-responses", "resolved")
    assert "no rule toxic-responses any more" in alert.summary
    assert "replaced" not in alert.labels
    assert stage.watch.step(at(20_000)) == []
    with stage.engine.connect() as connection:
        assert len(connection.execute(select(NOTIFICATIONS)).all()) == 2  # fired and resolved, no reminder


def test_silence_is_no_recovery_while_the_version_serves(stage):
    stage.emit(toxic(0))
    stage.emit(toxic(1))
    assert stage.watch.step(at(3000)) == []


def test_without_a_deployment_an_alert_ends_when_another_version_gets_the_calls(stage):
    stage.serving = None
    stage.emit(toxic(0))
    stage.emit(toxic(1))
    assert [stage.emit(toxic(index, GOOD, version="v3")) for index in range(2, 11)] == [[]] * 9
    assert stage.emit(toxic(11, GOOD, version="v3")) == [("toxic-responses", "resolved")]
    alert = stage.published()[-1]
    assert (alert.segment.version, alert.labels["replaced"]) == ("v2", "true")
    assert "version v2 gets no calls any more" in alert.summary


def test_without_a_deployment_an_alert_stays_while_its_version_gets_any_calls(stage):
    stage.serving = None
    stage.emit(toxic(0))
    stage.emit(toxic(1))
    told = [stage.emit(toxic(i, GOOD, version="v3"), toxic(i, GOOD[:2])) for i in range(2, 20)]
    assert told == [[]] * 18


def test_without_a_deployment_silence_of_every_version_ends_an_alert_after_two_days(stage):
    stage.serving = None
    stage.emit(toxic(0), toxic(0, GOOD, version="v3"))
    stage.emit(toxic(1), toxic(1, GOOD, version="v3"))
    assert stage.watch.step(at(172_800)) == []
    (alert,) = stage.watch.step(at(172_806))
    assert (alert.state, alert.labels["replaced"]) == ("resolved", "true")
    assert "could be judged for 48 hours" in alert.summary


def counted(index, calls):
    return a_window("duration_seconds", [0.1] * calls, index)


COUNTING = parse(
    "rules: [{name: few, kind: threshold, metric: duration_seconds, statistic: count, direction: below,"
    " enter: 5, exit: 10}]",
    "f",
)


def test_a_drop_in_traffic_fires_however_few_calls_are_left(stage):
    stage.rules = COUNTING
    stage.open()
    told = [stage.emit(counted(index, calls)) for index, calls in enumerate((30, 2, 2, 30, 30, 30))]
    assert told == [[], [], [("few", "firing")], [], [], [("few", "resolved")]]


def test_no_traffic_at_all_fires_once_and_resolves_when_it_is_back(stage):
    stage.rules = COUNTING
    stage.open()
    for index in range(3):
        assert stage.emit(counted(index, 30)) == []
    told = [(second, alert) for second in range(18, 300) for alert in stage.watch.step(at(second))]
    assert [(second, alert.state, alert.value, alert.count) for second, alert in told] == [(40, "firing", 0.0, 0)]
    assert [stage.emit(counted(index, 30)) for index in (60, 61, 62)] == [[], [], [("few", "resolved")]]


def test_windows_that_were_not_read_yet_are_no_silence_after_a_restart(stage):
    stage.rules = parse(
        "rules: [{name: few, kind: threshold, metric: duration_seconds, statistic: count,"
        " direction: below, enter: 5, exit: 10, fire_after: 1}]",
        "f",
    )
    stage.open()
    for index in range(3):
        stage.emit(counted(index, 30))
    stage.open()
    assert stage.watch.step(at(40)) == []
    told = [stage.emit(counted(index, 30), seconds=41) for index in range(3, 8)]
    told += [alert for second in range(42, 80) for alert in stage.watch.step(at(second))]
    assert [alert.window_start for alert in filter(None, told)] == [at(40)]


@pytest.mark.parametrize("serving", [None, a_deployment("v3", "v2")])
def test_a_version_that_is_not_known_to_serve_may_fall_silent(stage, serving):
    stage.rules, stage.serving = COUNTING, serving
    stage.open()
    stage.emit(counted(0, 30))
    assert [alert for second in range(18, 300) for alert in stage.watch.step(at(second))] == []


def test_windows_that_get_longer_are_no_silence(stage):
    stage.rules = COUNTING
    stage.open()
    for index in range(6):
        stage.emit(a_window("duration_seconds", [0.1] * 30, index, interval=10))
    told = []
    for index in range(3, 8):
        told += stage.emit(a_window("duration_seconds", [0.1] * 60, index, interval=20))
        told += [alert for second in range(2, 20) for alert in stage.watch.step(at(20 * index + 20 + second))]
    assert told == []


def test_the_shortest_windows_of_a_metric_are_judged(stage):
    stage.emit(toxic(0))
    stage.emit(toxic(1))
    minute = [toxic(index, interval=60) for index in range(2)]
    assert stage.emit(*minute, seconds=121) == []


def test_windows_that_get_longer_are_judged_at_once(stage):
    for index in range(12):
        stage.emit(toxic(index, GOOD))
    told = [stage.emit(toxic(index, interval=60)) for index in (1, 2)]
    assert told == [[], [("toxic-responses", "firing")]]


def test_an_alert_about_a_group_ends_when_its_calls_end(stage):
    stage.rules = parse(
        "rules: [{name: r, kind: threshold, metric: response_toxicity, groups: true, enter: 0.2, exit: 0.1}]", "f"
    )
    stage.open()
    for index in range(2):
        told = stage.emit(toxic(index, GOOD), toxic(index, group="plan=free"))
    assert told == [("r", "firing")]
    assert stage.watch.step(at(3000)) == []
    told = [stage.emit(toxic(index, GOOD)) for index in range(2, 7)]
    assert [alert for alerts in told for alert in alerts] == []
    assert stage.emit(toxic(7, GOOD)) == [("r", "resolved")]
    assert "too few calls of plan=free" in stage.published()[-1].summary


def test_a_change_ends_when_another_version_of_its_evaluator_scores(stage):
    draw = random.Random(1)
    for index in range(12):
        stage.emit(a_window("hallucination", [0.2 + 0.1 * draw.random() for _ in range(20)], index, version="v1"))
    told = [stage.emit(a_window("hallucination", [0.5 + 0.1 * draw.random()] * 20, i)) for i in (12, 13)]
    assert told[1] == [("hallucination-rise", "firing")]
    told = [stage.emit(a_window("hallucination", [0.2] * 20, i, evaluator_version="2")) for i in range(14, 26)]
    assert [alert for alerts in told for alert in alerts] == [("hallucination-rise", "resolved")]
    assert "test 1 scores no calls any more" in stage.published()[-1].summary


def test_people_are_told_of_every_change_and_reminded(stage):
    stage.emit(toxic(0))
    stage.emit(toxic(1))
    stage.watch.step(at(20))
    stage.watch.step(at(14_420))
    with stage.engine.connect() as connection:
        rows = connection.execute(select(NOTIFICATIONS)).all()
    assert [row.title for row in rows] == ["[firing] toxic-responses: docs-bot"] * 2
    assert "since 14:03:20" in rows[0].body


def test_old_windows_are_forgotten(stage):
    stage.emit(toxic(0))
    stage.watch.step(at(300_000))
    with stage.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM windows").scalar() == 0


@pytest.mark.parametrize(("windows", "standing"), [(1, []), (2, ["firing"])])
def test_where_an_alert_stands_is_forgotten_unless_it_fires(stage, windows, standing):
    for index in range(windows):
        stage.emit(toxic(index))
    stage.watch.step(at(300_000))
    with stage.engine.connect() as connection:
        assert connection.execute(select(STANDINGS.c.state)).scalars().all() == standing


def test_what_a_serving_version_is_compared_with_is_kept_for_as_long_as_it_serves(stage):
    def stored():
        with stage.engine.connect() as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM windows").scalar()

    draw = random.Random(1)
    for index in range(12):
        stage.emit(a_window("hallucination", [0.2 + 0.1 * draw.random() for _ in range(20)], index, version="v1"))
    later = 3 * 86_400 // 5
    for index in range(later - 12, later):
        assert stage.emit(a_window("hallucination", [0.2 + 0.1 * draw.random() for _ in range(20)], index)) == []
    told = [stage.emit(a_window("hallucination", [0.5 + 0.1 * draw.random()] * 20, later + i)) for i in range(2)]
    assert told == [[], [("hallucination-rise", "firing")]]
    stage.serving = a_deployment("v3", "v2")
    stage.watch.step(at(3 * 86_400 + 200))
    assert stored() == 14
