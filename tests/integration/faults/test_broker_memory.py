"""The embedded broker outgrows its memory under load: drained, made anew, and nothing is lost."""

import time

import pytest

from tests.support.stack import Stack
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(900)]


def test_nothing_acknowledged_is_lost_across_broker_runs(tmp_path):
    stack = Stack(tmp_path / "data", ("registry", "gateway", "writer", "latency"), broker_memory_bytes=24 * 2**20)
    try:
        stack.up()
        runs = {stack.status()["broker_run"]}
        with Traffic(stack, calls_per_second=150) as traffic:
            while len(runs) < 2:
                time.sleep(0.5)
                runs.add(stack.status()["broker_run"])
            stack.until_at_least("SELECT count() FROM calls", traffic.emitted)
            traffic.stop()
            counts = traffic.accounted()
        stack.until("SELECT uniqExact(call_id) FROM scores WHERE evaluator = 'latency'", counts["stored"])
        assert stack.ask("SELECT uniqExact(broker_run) FROM ingest_ranges") >= 2
    finally:
        stack.tidemark("down")
