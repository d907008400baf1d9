"""`tidemark resume` on a data directory."""

import json
from datetime import UTC, datetime

import pytest

from cli.main import main
from services.shared.breaker import Marker

NOW = datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.fixture
def run(tmp_path, capsys):
    def told(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["resume", *arguments, "--data", str(tmp_path)])
        return ended.value.code, capsys.readouterr()

    return told


def test_who_is_stopped_is_listed_with_reason_and_time(run, tmp_path):
    assert run()[1].out == "nobody is stopped\n"
    Marker(tmp_path, "toxicity").set("51 of the last 1000 messages failed", NOW)
    told = {"service": "toxicity", "reason": "51 of the last 1000 messages failed", "stopped_at": NOW.isoformat()}
    assert json.loads(run("--json")[1].out) == {"stopped": [told]}


def test_one_goes_on_and_the_others_stay(run, tmp_path):
    for name in ("toxicity", "latency"):
        Marker(tmp_path, name).set("bad", NOW)
    code, printed = run("toxicity")
    assert (code, "bad" in printed.out) == (0, True)
    assert list(Marker.all(tmp_path)) == ["latency"]


def test_who_is_not_stopped_is_code_1(run):
    code, printed = run("toxicity")
    assert (code, "toxicity is not stopped" in printed.err) == (1, True)


def test_a_marker_that_nobody_can_read_stops_and_is_removed(run, tmp_path):
    marker = Marker(tmp_path, "latency")
    marker.path.parent.mkdir()
    marker.path.write_text("not JSON")
    assert str(marker.path) in marker.reason()
    assert run("latency")[0] == 0
    assert marker.reason() is None
