"""The report: nothing is dropped silently, what is done again replaces itself, the bound is 3/n where all passed."""

import json
from dataclasses import replace

import pytest

from tests.support.campaign.fault import Fault
from tests.support.campaign.load import Load
from tests.support.campaign.record import Record
from tests.support.campaign.report import Report, bound, of_time, page
from tests.support.campaign.schedule import Schedule

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
    assert "None: 1 of 2 runs did not pass. Those that did acknowledged 3,000 messages" in told


@pytest.mark.parametrize("failed", [{"lost": 0}, {"acknowledged": 0, "stored": 0}])
def test_a_run_that_failed_or_broke_off_leaves_no_bound(failed):
    told = bound([RECORD, replace(RECORD, seed=2, passed=False, **failed)])
    assert "1 of 2 runs did not pass" in told
    assert "3,000 messages" in told
    assert "3/" not in told


def test_nothing_lost_in_n_is_a_share_of_at_most_three_in_n():
    assert "3/3,000 = 1.0e-03: of a million at most 1,000.0" in bound([RECORD])


def test_what_ran_smaller_is_told():
    told = page([replace(RECORD, target="a million calls", smaller="3,000 calls")], "2 cores")
    assert "| kills | a million calls | 3,000 calls | – | `make` |" in told
    assert "2 cores" in told


@pytest.mark.parametrize(
    ("targets", "figures", "in_time", "told"),
    [
        ({}, {}, None, "–"),
        ({"stall_seconds": 10}, {"stall_seconds": 2.86}, True, "met: stall 2.86 of 10 s"),
        ({"stall_seconds": 10}, {"stall_seconds": 16.75}, False, "missed: stall 16.75 of 10 s"),
        ({"catch_up": 3}, {"catch_up": 5.23}, True, "met: catch-up 5.23 of at least 3"),
        ({"catch_up": 3}, {"catch_up": 2.5}, False, "missed: catch-up 2.5 of at least 3"),
        ({"catch_up": 3}, {}, False, "not measured: catch-up – of at least 3"),
        (
            {"p95_seconds": 30, "recovery_seconds": 20},
            {"p95_seconds": 16.58, "recovery_seconds": 20.83},
            False,
            "missed: recovery 20.83 of 20 s; met: p95 16.58 of 30 s",
        ),
    ],
)
def test_targets_of_time_are_judged_and_told_and_do_not_decide(targets, figures, in_time, told):
    record = replace(RECORD, targets=targets, **figures)
    assert (record.in_time, of_time(record), record.passed) == (in_time, told, True)
    assert f"| {told} | `make` |" in page([record], "2 cores")


def test_a_record_from_before_there_were_targets_has_those_of_its_fault():
    old = {name: value for name, value in RECORD.as_dict().items() if name != "targets"}
    assert Record.of(old | {"fault": "zombies"}).targets == {"stall_seconds": 10}
    assert Record.of(old).targets == {}
    assert (
        Record.of(replace(RECORD, fault="zombies", targets={"stall_seconds": 5}).as_dict()).targets["stall_seconds"]
        == 5
    )


def test_a_fault_writes_its_targets_down():
    nowhere = {"place": None, "load": Load(1, 1), "schedule": Schedule(0), "strike": None}
    fault = Fault(name="zombies", target="stall ≤ 4 s", targets={"stall_seconds": 4}, **nowhere)
    assert fault.broken_off(1, "make", OSError()).targets == {"stall_seconds": 4}


def test_the_page_is_made_again_and_names_the_machine_of_the_runs(report, tmp_path):
    report.add(RECORD)
    (tmp_path / "faults.md").write_text("# Faults\n\nThe machine: 64 cores, Python 3.12.1.\n\nold\n")
    report.rewrite()
    assert (tmp_path / "faults.md").read_text() == page([RECORD], "64 cores, Python 3.12.1")
