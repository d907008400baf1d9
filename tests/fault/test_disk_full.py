"""The disk of ClickHouse is full: the writer waits, and goes on when there is room."""

import errno
import os
import subprocess
import time
from contextlib import contextmanager

import pytest

from tests.support.campaign.apart import Apart
from tests.support.campaign.fault import Fault
from tests.support.campaign.load import Load
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]
DISK = "size=512m"
FULL_SECONDS = 20


@contextmanager
def small_disk(folder):
    """A tmpfs, mounted at `folder` for the length of a block; skips where that is not allowed."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk):
    def strike(scene, number):
        ballast = disk / "ballast"
        filled = subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=64K"], stderr=subprocess.PIPE, check=False)
        assert os.strerror(errno.ENOSPC).encode() in filled.stderr
        scene.say(f"the disk is full for {FULL_SECONDS} s ({os.statvfs(disk).f_bavail} blocks are left)")
        time.sleep(FULL_SECONDS)
        before = scene.place.store.number("SELECT count() FROM calls_rows")
        time.sleep(3)
        if scene.place.store.number("SELECT count() FROM calls_rows") != before:
            scene.complaints.append("rows were stored on a disk that is full")
        ballast.unlink()
        return scene.came_back()

    return strike


@pytest.mark.timeout(3600)
def test_nothing_is_lost_when_the_disk_is_full(campaign, long, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        fault = Fault(
            name="disk_full",
            target="ClickHouse's disk full: 0 lost, catch-up ≥ 3 × live rate",
            targets={"catch_up": 3},
            place=lambda folder: Apart(folder, engine_data=disk / "engine"),
            load=Load(8_000, 150),
            schedule=Schedule(5 if long else 1),
            strike=fill(disk),
        )
        campaign(fault)
