"""Drift in many streams: what chance finds among them does not fire."""

import numpy as np
import pytest

from services.alerter.alerter.discovery import largest_discovery
from services.alerter.alerter.rules import parse
from services.alerter.app import MIGRATIONS
from services.alerter.watch import Watch
from services.shared import outbox
from services.shared.database import connect, migrate

from .streams import a_deployment, a_drift, a_window, at

STREAMS = 40


class Stage:
    """An alerter with one rule on drift, told of a p-value for each stream and interval."""

    def __init__(self, path, more=""):
        self.engine = connect(f"sqlite:///{path}/alerter.sqlite")
        migrate(self.engine, MIGRATIONS, outbox.MIGRATIONS)
        rules = parse(f"rules: [{{name: d, kind: drift, metric: embedding_drift.*, p_value: 0.01{more}}}]", "f")
        self.watch = Watch(self.engine, rules=rules, deployment=lambda _: a_deployment("v2", "v1"))

    def emit(self, index, p_values, seconds=6.0):
        windows = [
            a_window(f"embedding_drift.{name}", [0.1], index, drift=a_drift(p_value))
            for name, p_value in p_values.items()
        ]
        self.watch.record(windows, at(5 * index + seconds))
        return {alert.metric.removeprefix("embedding_drift.") for alert in self.watch.step(at(5 * index + seconds + 1))}


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    stage.engine.dispose()


def p_values(drifted, p_value):
    return {f"s{n}": p_value if n < drifted else 0.3 + n / 100 for n in range(STREAMS)}


@pytest.mark.parametrize(
    ("drifted", "p_value", "fires"), [(1, 0.008, False), (1, 0.001, True), (10, 0.008, True), (5, 0.008, False)]
)
def test_one_among_many_must_be_surer_than_one_of_several(stage, drifted, p_value, fires):
    told = [stage.emit(index, p_values(drifted, p_value)) for index in range(2)]
    assert told == [set(), {f"s{n}" for n in range(drifted)} if fires else set()]


def test_both_windows_in_a_row_must_be_sure(stage):
    told = [stage.emit(index, p_values(1, p_value)) for index, p_value in enumerate((0.009, 0.001, 0.001))]
    assert told == [set(), set(), {"s0"}]


def test_alone_a_stream_is_taken_by_itself(stage):
    assert [stage.emit(index, {"s0": 0.009}) for index in range(2)] == [set(), {"s0"}]


def test_streams_whose_windows_have_not_come_count_as_healthy(stage):
    everything = p_values(10, 0.008)
    stage.emit(0, everything)
    early = {name: everything.pop(name) for name in ("s0", "s1", "s2")}
    assert stage.emit(1, early) == set()
    assert stage.emit(1, everything, seconds=8.0) == {f"s{n}" for n in range(3, 10)}


def test_a_row_longer_than_ten_windows_fires(tmp_path):
    stage = Stage(tmp_path, ", fire_after: 12")
    assert [stage.emit(index, {"s0": 0.001}) for index in range(12)] == [set()] * 11 + [{"s0"}]
    stage.engine.dispose()


def test_two_versions_of_an_evaluator_are_two_streams(stage):
    def emit(index, versions):
        windows = [
            a_window("embedding_drift.s0", [0.1], index, drift=a_drift(p_value), evaluator_version=version)
            for version, p_value in versions
        ]
        stage.watch.record(windows, at(5 * index + 6))
        return [alert.state for alert in stage.watch.step(at(5 * index + 7))]

    told = [emit(index, [("1", 0.001), ("2", 0.9)]) for index in range(2)]
    assert told == [[], ["firing"]]


def test_a_rate_of_one_takes_each_by_itself(tmp_path):
    stage = Stage(tmp_path, ", false_discovery_rate: 1")
    assert [stage.emit(index, p_values(1, 0.009)) for index in range(2)] == [set(), {"s0"}]
    stage.engine.dispose()


def test_chance_finds_something_in_as_many_families_as_the_rate_allows():
    random = np.random.default_rng(1)
    found = [largest_discovery(random.random(30).tolist(), 0.05) > 0 for _ in range(4000)]
    assert np.mean(found) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 4000))


def test_of_discoveries_the_share_of_chance_is_below_the_rate():
    random, shares = np.random.default_rng(2), []
    for _ in range(2000):
        p_values = np.concatenate([random.random(30), random.random(10) / 1000])
        limit = largest_discovery(p_values.tolist(), 0.05)
        shares.append((p_values[:30] <= limit).sum() / max(1, (p_values <= limit).sum()))
    assert 0.02 < np.mean(shares) <= 0.05
