"""The report of a soak."""

import json
import sys
from types import SimpleNamespace

import pytest

from tests.support.campaign import soak
from tests.support.campaign.soak import Sample
from tests.support.campaign.soak_report import MEBIBYTE, beyond, write

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


@pytest.mark.parametrize(
    ("within", "told"),
    [
        ({"writer": True, "gateway": True}, "0 of 2 processes are beyond the target of 5 MB an hour"),
        ({"writer": True, "gateway": False}, "1 of 2 processes are beyond the target of 5 MB an hour: gateway"),
        ({"writer": None}, "0 of 1 processes are beyond the target of 5 MB an hour; 1 not measured"),
    ],
)
def test_who_is_beyond_the_target_is_counted(within, told):
    assert beyond({name: {"within_target": each} for name, each in within.items()}) == told


@pytest.mark.parametrize(("complaints", "code"), [([], 0), (["lost: 1, not 0"], 1)])
def test_the_last_line_of_a_soak_counts_who_is_beyond_the_target(tmp_path, monkeypatch, capsys, complaints, code):
    samples = {"gateway": a_process(20)}
    found = {"seconds": 3600, "calls_per_second": 5, "calls": COUNTS, "restarts": 0, "delays": [0.5]}
    monkeypatch.setattr(soak, "soak", lambda *_: {**found, "samples": samples, "complaints": complaints})
    monkeypatch.setattr(soak, "signal", SimpleNamespace(signal=lambda *_: None, SIGTERM=0, default_int_handler=None))
    monkeypatch.setattr(sys, "argv", ["soak", "--into", str(tmp_path)])
    assert soak.main() == code
    said = capsys.readouterr().out.splitlines()
    assert said == [*(complaints or ["every call is accounted for"]), beyond({"gateway": {"within_target": False}})]
