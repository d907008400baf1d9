"""The line that says whether everything is stored."""

from datetime import UTC, datetime, timedelta

from services.console.completeness import SHOWN, completeness

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def a_gap(first, last=None, *, age_seconds=0.0, **fields):
    defaults = {"kind": "calls", "place": "acme|0199", "subject": "shop in production"}
    since = NOON - timedelta(seconds=age_seconds)
    return {**defaults, "first": first, "last": first if last is None else last, "since": since, **fields}


def a_check(*gaps, missing=0, **fields):
    counts = {"missing_offsets": 0, "missing_calls": missing, "pending_offsets": 2, "pending_calls": 0}
    return {
        "checked_at": NOON,
        "grace_seconds": 60.0,
        "pause_seconds": 10.0,
        "gaps": gaps,
        "whole": True,
        **counts,
        **fields,
    }


def test_complete():
    shown = completeness(a_check(), NOON)
    assert (shown["state"], shown["missing"], shown["pending"], shown["gaps"]) == ("complete", 0, 2, [])


def test_what_is_missing_is_named_the_oldest_first():
    offsets = a_gap(15, 16, kind="offsets", place="calls.v1|3", subject="", age_seconds=60)
    shown = completeness(a_check(a_gap(4, age_seconds=59), offsets, missing=2), NOON)
    assert (shown["state"], shown["missing"]) == ("missing", 2)
    assert [(gap["what"], gap["overdue"]) for gap in shown["gaps"]] == [
        ("calls.v1, partition 3: offsets 15 to 16", True),
        ("shop in production (acme): call 4 of client 0199", False),
    ]


def test_a_check_that_is_not_of_the_whole_says_so_unless_something_is_missing():
    assert completeness(a_check(whole=False), NOON)["state"] == "unsure"
    assert "could not be read" in completeness(a_check(whole=False), NOON)["verdict"]
    assert completeness(a_check(whole=False, missing=1), NOON)["state"] == "missing"


def test_more_gaps_than_are_shown_are_counted():
    shown = completeness(a_check(*(a_gap(number) for number in range(SHOWN + 3))), NOON)
    assert (len(shown["gaps"]), shown["more"]) == (SHOWN, 3)


def test_an_old_check_says_nothing():
    assert completeness(a_check(), NOON + timedelta(seconds=60))["state"] == "complete"
    assert completeness(a_check(), NOON + timedelta(seconds=61))["state"] == "unsure"
    assert completeness(a_check(pause_seconds=300.0), NOON + timedelta(seconds=899))["state"] == "complete"
    assert completeness(None, NOON)["state"] == "unsure"
