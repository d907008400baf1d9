"""`tidemark status` says who has stopped itself."""

import json
from datetime import UTC, datetime

import pytest

from cli.main import main
from services.embedded.control_client import ControlClient
from services.shared.breaker import Marker

STOPPED = {"service": "toxicity", "reason": "51 failed", "stopped_at": "2026-01-31T10:00:00+00:00"}
ANSWER = {
    "phase": "running", "uptime_seconds": 5, "broker_run": "run", "memory_bytes": 1, "console": "", "data": "",
    "ready": False, "parts": [], "stopped": [STOPPED],
}  # fmt: skip


def status(capsys, data, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["status", "--data", str(data), *arguments])
    return ended.value.code, capsys.readouterr()


def test_of_a_running_stack(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(ControlClient, "status", lambda _: ANSWER)
    code, printed = status(capsys, tmp_path)
    assert code == 1
    assert "toxicity stopped itself at 2026-01-31T10:00:00+00:00: 51 failed" in printed.out
    assert "tidemark resume toxicity" in printed.out


def test_a_reason_and_a_path_are_shown_as_they_are(capsys, tmp_path, monkeypatch):
    part = {
        "name": "writer", "state": "starting", "pid": 1, "port": 1, "uptime_seconds": 1, "restarts": 0, "lag": None,
        "per_second": None, "memory_bytes": 1, "ready": False, "reason": "no topic [calls.v1] and [/INST]",
    }  # fmt: skip
    monkeypatch.setattr(ControlClient, "status", lambda _: {**ANSWER, "parts": [part], "data": "/my/[data]"})
    printed = status(capsys, tmp_path)[1].out
    assert ("[calls.v1] and [/INST]" in printed, "/my/[data]" in printed) == (True, True)


def test_of_a_data_directory_on_which_nothing_runs(capsys, tmp_path):
    Marker(tmp_path, "toxicity").set("51 failed", datetime(2026, 1, 31, 10, tzinfo=UTC))
    code, printed = status(capsys, tmp_path, "--json")
    answer = json.loads(printed.out)
    assert (code, answer["running"], answer["stopped"]) == (2, False, [STOPPED])
