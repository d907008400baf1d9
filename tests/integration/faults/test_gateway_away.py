"""The gateway hangs, then is killed, while an application goes on: spooled, then caught up with."""

import os
import signal
import time

import pytest

from tests.support.stack import Stack
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(900)]


def test_what_is_emitted_while_the_gateway_is_away_is_pending_then_stored(tmp_path):
    stack = Stack(tmp_path / "data", ("registry", "gateway", "writer"))
    try:
        stack.up()
        with Traffic(stack, calls_per_second=50, request_seconds=1.0) as traffic:
            stack.until_at_least("SELECT count() FROM calls", 50)
            gateway = stack.pids()["gateway"]
            os.kill(gateway, signal.SIGSTOP)
            while traffic.client.stats().spooled < 100:
                time.sleep(0.1)
            code, counts = traffic.verify(wait=0)
            assert (code, counts["lost"], counts["duplicates"]) == (0, 0, 0)
            assert counts["pending"] >= 100
            assert counts["acknowledged"] == counts["stored"] + counts["pending"]

            os.kill(gateway, signal.SIGKILL)
            while traffic.client.stats().spooled:
                time.sleep(0.1)
            traffic.stop()
            traffic.accounted()
    finally:
        stack.tidemark("down")
