"""The report of a soak."""

import json

from tests.support.campaign.soak import Sample
from tests.support.campaign.soak_report import MEBIBYTE, write

COUNTS = {"acknowledged": 10, "stored": 10, "dead_lettered": 0, "lost": 0, "duplicates": 0, "pending": 0}


def a_process(growth_mb_per_hour, files=(10, 10)):
    return [
        Sample(at, 7, int((100 + growth_mb_per_hour * at / 3600) * MEBIBYTE), files[at > 2400], 4, at % 3)
        for at in range(0, 3600, 5)
    ]


def test_a_leak_and_growing_files_are_told(tmp_path):
    samples = {"writer": a_process(0.5), "gateway": a_process(20, files=(10, 30))}
    found = {"command": "make soak", "seconds": 3600, "calls_per_second": 5, "calls": COUNTS, "restarts": 0}
    write(tmp_path, {**found, "delays": [0.5, 1.0], "samples": samples, "complaints": []})
    kept = json.loads((tmp_path / "soak.json").read_text())["processes"]
    assert (kept["writer"]["within_target"], kept["gateway"]["within_target"]) == (True, False)
    assert (kept["writer"]["files"], kept["gateway"]["files"]) == ([10, 10], [10, 30])
    least = kept["gateway"]["least_mb_by_minute"]
    assert (len(least), least[0], least[-1]) == (60, 100.0, 119.7)
    assert "| gateway |" in (tmp_path / "soak.md").read_text()
