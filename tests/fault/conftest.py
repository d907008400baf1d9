"""Runs a fault of the campaign and keeps its record, whatever it came to."""

import os
from pathlib import Path

import pytest

from tests.support.campaign.report import REFERENCE, Report
from tests.support.kafka_broker import Apache


@pytest.fixture
def long():
    """Whether this is the long campaign."""
    return os.environ.get("CAMPAIGN_LONG", "") not in ("", "0")


@pytest.fixture
def campaign(tmp_path, long):
    """Run a fault, write its record down, and fail where it did not pass."""
    Apache().stop()  # skips where Java or the jars cannot be had
    report = Report(Path(os.environ.get("CAMPAIGN_REPORT") or REFERENCE))
    seed = int(os.environ.get("CAMPAIGN_SEED") or 1)

    def run(fault):
        command = f"make faults{' LONG=1' if long else ''} FAULT={fault.name} SEED={seed}"
        try:
            record = fault.run(tmp_path, seed, command)
        except pytest.skip.Exception:
            raise
        except BaseException as error:  # a timeout, too: a run that does not end is a result
            report.add(fault.broken_off(seed, command, error))
            raise
        report.add(record)
        assert record.passed, record.why
        return record

    return run
