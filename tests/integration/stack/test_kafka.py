"""The embedded stack on Apache Kafka: one log, whatever dies."""

import os
import signal

import pytest

from services.embedded.control_client import alive
from tests.support.kafka_broker import skip_where_missing
from tests.support.stack import Stack
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.embedded, pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(1200)]
SERVICES = ("registry", "gateway", "writer", "latency", "windower", "alerter")
STORED = "SELECT count() FROM calls"
SCORED = "SELECT uniqExact(call_id) FROM scores WHERE evaluator = 'latency'"


@pytest.fixture
def stack(tmp_path):
    skip_where_missing()
    made = Stack(tmp_path / "data", SERVICES, broker="kafka")
    yield made
    made.tidemark("down")


def test_the_broker_is_killed_and_goes_on_with_its_log_and_so_does_the_next_start(stack):
    stack.up()
    before = stack.status()
    with Traffic(stack, calls_per_second=50) as traffic:
        stack.until_at_least(STORED, 100)
        os.kill(stack.pids()["broker"], signal.SIGKILL)
        stack.until_at_least(STORED, traffic.emitted + 100)
        traffic.stop()
        stored = traffic.accounted()["stored"]
    stack.until(SCORED, stored)
    after = stack.status()
    assert (after["broker_run"], after["durable"]) == (before["broker_run"], True)
    restarts = {part["name"]: part["restarts"] for part in after["parts"]}
    assert {name: count for name, count in restarts.items() if count} == {"broker": 1}

    pids = stack.pids()
    stack.down()
    assert [name for name, pid in pids.items() if alive(pid)] == []
    other = stack.tidemark("up", "--broker", "tansu", "--detach")
    assert (other.returncode, "use --broker kafka" in other.stderr) == (2, True)
    stack.up()
    assert stack.status()["broker_run"] == before["broker_run"]
    assert (stack.ask(STORED), stack.ask(SCORED)) == (stored, stored)
    assert stack.ask("SELECT uniqExact(broker_run) FROM ingest_ranges") == 1
