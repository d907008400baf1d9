"""The report: nothing is dropped silently, what is done again replaces itself, and the bound is 3/n."""

import json
from dataclasses import replace

import pytest

from tests.support.campaign.record import Record
from tests.support.campaign.report import Report, bound, page

RECORD = Record(fault="kills", broker="kafka", acknowledged=3000, stored=3000, seed=1, command="make", passed=True)
FIELDS = "fault broker acknowledged stored dead_lettered lost duplicates_before_final duplicates p50_seconds".split()
FIELDS += "p95_seconds recovery_seconds seed command".split()


@pytest.fixture
def report(tmp_path):
    return Report(tmp_path)


def test_the_file_has_every_promised_field(report, tmp_path):
    report.add(RECORD)
    (found,) = json.loads((tmp_path / "faults.json").read_text())
    assert set(FIELDS) <= found.keys()
    assert Record.of(found) == RECORD


def test_other_seeds_stand_side_by_side_and_the_same_run_replaces_itself(report):
    report.add(RECORD)
    report.add(replace(RECORD, seed=2))
    report.add(replace(RECORD, p95_seconds=4.0))
    assert report.records() == [replace(RECORD, p95_seconds=4.0), replace(RECORD, seed=2)]


def test_a_run_that_failed_is_told_with_its_reason(report, tmp_path):
    report.add(replace(RECORD, seed=2, passed=False, why="lost: 4, not 0", lost=4, stored=2996))
    report.add(RECORD)
    told = (tmp_path / "faults.md").read_text()
    assert "seed 2 (`make`): lost: 4, not 0" in told
    assert "4 of 6,000 acknowledged calls were lost" in told


def test_nothing_lost_in_n_is_a_share_of_at_most_three_in_n():
    assert "3/3,000 = 1.0e-03: of a million at most 1,000.0" in bound([RECORD])


def test_what_ran_smaller_is_told():
    told = page([replace(RECORD, target="a million calls", smaller="3,000 calls")], "2 cores")
    assert "| kills | a million calls | 3,000 calls | `make` |" in told
    assert "2 cores" in told
