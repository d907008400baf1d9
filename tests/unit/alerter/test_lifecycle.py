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


def test_a_window_that_comes_again_or_late_changes_nothing():
    progress, _ = advance(Progress(), LETTERS["B"], at(5), rule=RULE, interval_seconds=5)
    assert advance(progress, LETTERS["B"], at(5), rule=RULE, interval_seconds=5) == (progress, None)
    assert advance(progress, LETTERS["B"], at(0), rule=RULE, interval_seconds=5) == (progress, None)


def test_the_first_window_of_the_row_is_kept():
    progress = Progress()
    for index in (3, 4, 5):
        progress, _ = advance(progress, LETTERS["B"], at(5 * index), rule=RULE, interval_seconds=5)
    assert progress.first_start == at(15)
