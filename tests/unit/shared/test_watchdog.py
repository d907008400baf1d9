"""What ends a process that stands still, and what keeps its logs short."""

import logging

from services.shared.logs import Sparing
from services.shared.watchdog import Progress, verdict


def a_progress(**fields):
    progress = Progress("latency")
    for name, value in {"advanced_at": 100.0, **fields}.items():
        setattr(progress, name, value)
    return progress


def test_lag_without_progress_ends_it():
    assert verdict(a_progress(lag=1), 121.0, stall_seconds=20) == "latency has a lag of 1 and has done nothing for 21 s"


def test_no_lag_no_hurry():
    assert verdict(a_progress(lag=0), 1e9, stall_seconds=20) is None


def test_who_was_not_behind_has_not_stood_still():
    progress = a_progress(lag=0)
    progress.behind(1)
    at = progress.advanced_at
    assert verdict(progress, at + 1, stall_seconds=20) is None
    progress.behind(2)
    assert progress.advanced_at == at


def test_a_retry_counts_as_progress():
    progress = a_progress(lag=1)
    progress.advance()
    assert verdict(progress, progress.advanced_at + 1, stall_seconds=20) is None


def test_a_minute_without_a_commit_ends_it():
    assert "could not commit for 61 s" in verdict(a_progress(uncommitted_since=100.0), 161.0, stall_seconds=1000)


def test_the_same_line_passes_five_times_and_then_says_how_often_it_was_held():
    now = [0.0]
    sparing = Sparing(burst=5, period_seconds=30, clock=lambda: now[0])
    record = logging.LogRecord("aiokafka", logging.ERROR, "/client.py", 7, "away", (), None)
    assert [sparing.filter(record) for _ in range(8)] == [True] * 5 + [False] * 3
    now[0] = 31.0
    assert sparing.filter(record)
    assert record.suppressed == 3
