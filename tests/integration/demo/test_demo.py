"""The main job, as a newcomer runs it: it closes its loop and loses nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
pytestmark = [pytest.mark.embedded, pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_bad_version_is_noticed_rolled_back_and_nothing_is_lost(tmp_path):
    summary = tmp_path / "summary.json"
    told = {"DEMO_SECONDS": "120", "DEMO_SUMMARY": str(summary)}
    ran = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    figures = json.loads(summary.read_text())
    assert figures["acknowledged"] == figures["stored"] + figures["dead_lettered"] == figures["emitted"]
    assert (figures["lost"], figures["duplicates"], figures["verified"]) == (0, 0, True)
    assert figures["peak_memory_bytes"] < 5 * 2**30
    for line in ("v2 serves now", "toxic-responses", "executing by registry", "verified"):
        assert line in ran.stdout
