"""When a demo has succeeded."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from demo.story import between
from demo.summary import Summary

GOOD = Summary(
    emitted=10,
    acknowledged=10,
    stored=9,
    dead_lettered=1,
    lost=0,
    duplicates=0,
    page_seconds=4.0,
    first_score_seconds=9.0,
    seconds_to_alert=12.0,
    seconds_to_rollback=13.0,
    verified=True,
    peak_memory_bytes=2**30,
    calls_per_second=4.0,
    url="http://127.0.0.1:8701",
)
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def test_the_loop_is_closed_when_it_was_verified_and_nothing_is_missing():
    assert GOOD.closed


@pytest.mark.parametrize("change", [{"lost": 1}, {"duplicates": 1}, {"verified": False}, {"seconds_to_alert": None}])
def test_it_is_not_closed_otherwise(change):
    assert not replace(GOOD, **change).closed


def test_the_figures_are_written_whole(tmp_path):
    GOOD.write(tmp_path / "new" / "summary.json")
    assert json.loads((tmp_path / "new" / "summary.json").read_text()) == asdict(GOOD)


def test_what_never_happened_says_so():
    assert "never" in "\n".join(replace(GOOD, seconds_to_alert=None).lines())


def test_seconds_count_to_the_first_moment():
    assert between(NOON, [NOON + timedelta(seconds=9), NOON + timedelta(seconds=4)]) == 4
    assert between(None, [NOON]) is None
    assert between(NOON, []) is None
