"""What the gauge of the lag says."""

from services.shared.lag import tell
from services.shared.metrics import LAG


def gauges():
    return {
        (sample.labels["topic"], sample.labels["partition"]): sample.value
        for metric in LAG.collect()
        for sample in metric.samples
        if sample.labels["service"] == "test"
    }


def test_partitions_that_were_taken_away_are_told_no_longer():
    told = tell("test", {("calls.v1", 0): 3, ("calls.v1", 1): 4}, frozenset())
    told = tell("test", {("calls.v1", 1): 5}, told)
    assert gauges() == {("calls.v1", "1"): 5}
    assert tell("test", {}, told) == frozenset()
    assert gauges() == {}
