"""What a row of windows makes of an alert."""

import pytest

from services.alerter.alerter.evaluation import UNKNOWN, Verdict
from services.alerter.alerter.lifecycle import Progress, advance
from services.alerter.alerter.rules import ThresholdRule

from .streams import at

RULE = ThresholdRule(name="r", metric="m", enter=2, exit=1)
LETTERS = {
    "B": Verdict("breach", 3.0, 2.0),
    "W": Verdict("breach", 6.0, 2.0),
    "S": Verdict("breach", 3.0, 2.0, strong=True),
    "-": Verdict("between", 1.5, 2.0),
    "h": Verdict("healthy", 0.5, 2.0),
    "?": UNKNOWN,
}


def changes(row):
    """The change after each window; a blank is a window that did not come."""
    progress, told = Progress(), []
    for index, letter in enumerate(row):
        if letter == " ":
            continue
        progress, change = advance(progress, LETTERS[letter], at(5 * index), rule=RULE, interval_seconds=5)
        told.append((index, change)) if change else None
    return told


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("B", []),
        ("BB", [(1, "fired")]),
        ("BhB", []),
        ("B-B", []),
        ("B?B", [(2, "fired")]),
        ("B  B", [(3, "fired")]),
        ("B    B", []),
        ("S", [(0, "fired")]),
        ("BBB", [(1, "fired")]),
        ("BBWW", [(1, "fired"), (2, "worse")]),
        ("BBhhh", [(1, "fired"), (4, "resolved")]),
        ("BBhh-hhh", [(1, "fired"), (7, "resolved")]),
        ("BBhhhBB", [(1, "fired"), (4, "resolved"), (6, "fired")]),
        ("BB?????", [(1, "fired")]),
    ],
)
def test_two_in_a_row_fire_and_three_in_a_row_resolve(row, told):
    assert changes(row) == told


@pytest.mark.parametrize(
    ("direction", "threshold", "baseline", "told", "value", "worse"),
    [
        ("above", 2.0, None, 3.0, 4.6, True),
        ("above", 2.0, None, 3.0, 4.4, False),
        ("above", 2.0, 1.0, 3.0, 4.1, True),
        ("above", 2.0, 5.0, 4.0, 2.5, False),
        ("above", -1.0, None, -0.5, -0.9, False),
        ("below", 0.5, None, 0.3, 0.46, False),
        ("below", 0.5, None, 0.45, 0.1, True),
        ("below", 0.5, 0.9, 0.4, 0.1, True),
        ("below", 0.5, 0.1, 0.3, 0.45, False),
    ],
)
def test_worse_is_further_to_the_bad_side(direction, threshold, baseline, told, value, worse):
    rule = ThresholdRule(name="r", metric="m", direction=direction, enter=threshold, exit=threshold)
    verdict = Verdict("breach", value, threshold, baseline_value=baseline)
    progress = Progress("firing", 2, 0, at(0), at(5), told)
    assert advance(progress, verdict, at(10), rule=rule, interval_seconds=5)[1] == ("worse" if worse else None)


def test_a_window_that_comes_again_or_late_changes_nothing():
    progress, _ = advance(Progress(), LETTERS["B"], at(5), rule=RULE, interval_seconds=5)
    assert advance(progress, LETTERS["B"], at(5), rule=RULE, interval_seconds=5) == (progress, None)
    assert advance(progress, LETTERS["B"], at(0), rule=RULE, interval_seconds=5) == (progress, None)


def test_the_first_window_of_the_row_is_kept():
    progress = Progress()
    for index in (3, 4, 5):
        progress, _ = advance(progress, LETTERS["B"], at(5 * index), rule=RULE, interval_seconds=5)
    assert progress.first_start == at(15)
