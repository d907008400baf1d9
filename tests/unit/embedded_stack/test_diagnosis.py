"""What `tidemark doctor` says."""

import os
import socket
from datetime import UTC, datetime

import pytest

from services.embedded import diagnosis, machine
from services.embedded.data_directory import DataDirectory
from services.embedded.occupants import occupant
from services.embedded.services import Ports
from services.shared.breaker import Marker
from services.shared.settings import SharedSettings
from tests.unit.embedded_stack.stack_of_programs import free_base


def part(**changes):
    state = {
        "name": "writer",
        "state": "ready",
        "ready": True,
        "reason": "",
        "restarts": 0,
        "lag": 0,
        "last_exit": None,
    }
    return {**state, "log": "/nowhere.log", **changes}


def verdict(**changes):
    status = {"phase": "running", "pid": 1, "parts": [part(**changes)]}
    return next(finding for finding in diagnosis.parts(status) if finding.about == "writer")


@pytest.mark.parametrize(
    ("finding", "grade"),
    [
        (machine.python((3, 10)), "problem"),
        (machine.python((3, 12)), "good"),
        (machine.disk(0), "problem"),
        (machine.disk(2 * 2**30), "warning"),
        (machine.memory(2**30), "warning"),
        (machine.clock(newest_seconds=1e9 + 3600, now_seconds=1e9), "problem"),
        (machine.clock(newest_seconds=1e9, now_seconds=1e9), "good"),
        (machine.settings({"TIDEMARK_WRITTER_X": "1"}), "problem"),
        (verdict(), "good"),
        (verdict(restarts=2), "warning"),
        (verdict(lag=50_000), "warning"),
        (verdict(ready=False, state="starting"), "problem"),
    ],
)
def test_grades(finding, grade):
    assert finding.grade == grade
    assert finding.remedy or grade == "good"


def test_a_crash_loop_is_told_with_its_last_error(tmp_path):
    log = tmp_path / "writer.log"
    log.write_text("starting\nValueError: no such table\nbye\n")
    found = verdict(ready=False, state="crash loop", last_exit=1, log=str(log))
    assert "ValueError: no such table" in found.what


def test_a_taken_port_names_who_has_it():
    base = free_base()
    with socket.create_server(("127.0.0.1", base + 5)) as listener:
        found = machine.free_ports(Ports(base))
        assert found.grade == "problem"
        assert f"{base + 5} (broker)" in found.what
        assert f"process {os.getpid()} " in occupant(listener.getsockname()[1])


def test_a_file_that_is_gone_when_it_is_looked_at_is_no_file(tmp_path):
    (tmp_path / "keys.new").symlink_to(tmp_path / "nowhere")
    assert machine._newest(tmp_path) == 0.0


def test_a_missing_model_names_the_remedy(tmp_path):
    assert "make setup" in machine.models(tmp_path).remedy


def test_a_data_directory_that_is_a_file_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("")
    found = list(machine.look(DataDirectory(tmp_path / "file"), Ports(free_base()), {}, running=False))
    assert [finding.what for finding in found if finding.grade == "problem"] == [f"{tmp_path}/file is no directory"]


@pytest.mark.parametrize(("broker", "looked_at"), [(None, True), ("", True), ("kafka:9092", False)])
def test_ports_and_page_are_looked_at_where_the_stack_is_the_embedded_one(tmp_path, broker, looked_at):
    outside = {} if broker is None else {"TIDEMARK_KAFKA_BOOTSTRAP": broker}
    found = {each.about for each in machine.look(DataDirectory(tmp_path), Ports(free_base()), outside, running=False)}
    assert {"ports", "page"} <= found if looked_at else not {"ports", "page"} & found


@pytest.mark.parametrize("host", ["127.0.0.1", "xn--ü.de"])
def test_nobody_listening(host):
    base = free_base()
    place = SharedSettings(kafka_bootstrap=f"{host}:{base}", clickhouse_url=f"http://user:hidden@{host}:{base}")
    findings = list(diagnosis.reachable(place))
    assert [finding.grade for finding in findings] == ["problem", "problem"]
    assert "hidden" not in str(findings)


@pytest.mark.parametrize("brokers", ["127.0.0.1:1,127.0.0.1:{port}", "[::1]:{port}"])
def test_any_broker_that_listens_is_enough_wherever_it_is(brokers):
    host = "::1" if "::1" in brokers else "127.0.0.1"
    family = socket.AF_INET6 if host == "::1" else socket.AF_INET
    try:
        listener = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with listener:
        place = SharedSettings(kafka_bootstrap=brokers.format(port=listener.getsockname()[1]))
        assert next(diagnosis.reachable(place)).grade == "good"


def test_a_service_that_stopped_itself_is_a_problem(tmp_path):
    data = DataDirectory(tmp_path)
    data.create()
    Marker(data.root, "toxicity").set("100 messages in a row failed", datetime.now(UTC))
    found = next(diagnosis.stopped(data))
    assert (found.about, found.grade) == ("toxicity", "problem")
    assert "100 messages in a row failed" in found.what
