"""Whether a restored version is well."""

import pytest
from msgspec.structs import replace

from schemas.messages import DriftTest
from services.rollback.rollback.policies import Verification
from services.rollback.rollback.verification import deadline, recovery

from .scene import a_window, an_alert, at

CHECK = Verification(windows=3, minimum_count=20, deadline_intervals=12)


def verdict(alert, windows):
    return recovery([alert], {alert.alert_id: windows}, CHECK).verdict


def windows(mean, number=3, count=20):
    return [a_window(at(20 + 5 * index), mean, count) for index in range(number)]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (windows(0.02), "healthy"),
        (windows(0.3), "unhealthy"),
        (windows(0.02, number=2), "waiting"),
        (windows(0.02, count=6), "waiting"),
        (windows(0.02, count=7), "healthy"),
        ([], "waiting"),
    ],
)
def test_enough_windows_with_enough_calls_decide(found, expected):
    assert verdict(an_alert(), found) == expected


def test_the_bad_side_may_be_below():
    alert = an_alert(threshold=0.5, labels={"statistic": "mean", "direction": "below"})
    assert verdict(alert, windows(0.8)) == "healthy"
    assert verdict(alert, windows(0.3)) == "unhealthy"


@pytest.mark.parametrize(("count", "expected"), [(60, "healthy"), (30, "unhealthy")])
def test_the_number_of_calls_is_that_of_one_window(count, expected):
    alert = an_alert(threshold=50.0, labels={"statistic": "count", "direction": "below"})
    assert verdict(alert, windows(0.1, count=count)) == expected


def test_partitions_of_one_window_are_one_window():
    assert verdict(an_alert(), [a_window(at(20), 0.02), a_window(at(20), 0.02), a_window(at(25), 0.02)]) == "waiting"


def test_every_metric_has_to_be_well():
    well, sick, silent = an_alert(), an_alert(rule="errors"), an_alert(1)
    both = {well.alert_id: windows(0.02), sick.alert_id: windows(0.4)}
    assert recovery([well, sick], both, CHECK).verdict == "unhealthy"
    assert recovery([well, silent], both, CHECK).verdict == "waiting"


@pytest.mark.parametrize(
    ("p_value", "statistic", "expected"), [(0.01, 0.1, "unhealthy"), (0.4, 0.1, "healthy"), (0.01, 0.01, "healthy")]
)
def test_drift_is_over_when_a_window_is_like_its_reference_or_differs_too_little(p_value, statistic, expected):
    test = DriftTest(
        name="mmd", statistic=statistic, p_value=p_value, reference_id="r", reference_size=100, sample_size=30
    )
    alert = an_alert(kind="drift", threshold=0.02, labels={})
    assert verdict(alert, [replace(window, drift=test) for window in windows(0.1)]) == expected


def test_waiting_ends():
    assert deadline([an_alert()], at(0), CHECK) == at(90)
