"""`tidemark up`, calls through the gateway, scores in ClickHouse, `tidemark down`, and again."""

import os
import signal
from datetime import UTC, datetime

import pytest

from schemas.ids import uuid7
from services.embedded.control_client import alive
from tests.support.stack import Stack

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(1200)]
STORED = "SELECT count() FROM calls"
SCORED = "SELECT uniq(call_id) FROM scores"


def calls(count):
    return [
        {
            "type": "call.v1",
            "call_id": str(uuid7()),
            "app": "docs",
            "environment": "test",
            "version": "v1",
            "called_at": datetime.now(UTC).isoformat(),
            "prompt": f"What is {number}?",
            "response": f"{number} is a number.",
            "duration_seconds": 0.5,
        }
        for number in range(count)
    ]


def left(pids):
    return [name for name, pid in pids.items() if alive(pid)]


@pytest.fixture
def stack(tmp_path):
    made = Stack(tmp_path / "data")
    yield made
    made.tidemark("down")


def test_what_is_emitted_is_scored_and_is_still_there_after_a_stop(stack):
    stack.up()
    assert {part["name"] for part in stack.status()["parts"] if part["ready"]} >= set(stack.services)
    stack.post(calls(50))
    stack.until(STORED, 50)
    stack.until(SCORED, 50)
    pids = stack.pids()
    stack.down()
    assert left(pids) == []
    stack.up()
    assert (stack.ask(STORED), stack.ask(SCORED)) == (50, 50)


def test_a_second_up_says_that_it_runs(stack):
    stack.up()
    again = stack.tidemark("up", "--detach", f"--port-base={stack.ports.base + 100}")
    assert again.returncode == 2
    assert "it runs already" in again.stderr


def test_nothing_acknowledged_is_lost_when_the_broker_is_killed(stack):
    stack.up()
    for _ in range(10):
        stack.post(calls(20))
    os.kill(stack.pids()["broker"], signal.SIGKILL)
    for _ in range(10):
        stack.post(calls(20))
    stack.until(STORED, 400)
    stack.until(SCORED, 400)


def test_nothing_acknowledged_is_lost_when_the_broker_outgrows_its_memory(tmp_path):
    stack = Stack(tmp_path / "data", broker_memory_bytes=24 * 2**20)
    try:
        stack.up()
        run = stack.status()["broker_run"]
        for _ in range(12):
            stack.post(calls(200))
        stack.until(STORED, 2400)
        stack.until(SCORED, 2400)
        assert stack.status()["broker_run"] != run
    finally:
        stack.tidemark("down")


def test_nothing_survives_the_supervisor(stack):
    stack.up()
    pids = stack.pids()
    os.kill(pids["supervisor"], signal.SIGKILL)
    while left(pids):
        pass
    assert stack.tidemark("status").returncode == 2
