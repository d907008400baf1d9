"""Why agents are written as they are: what Faust loses by itself, on a real broker. When that changes, it is news."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from schemas.topics import CALLS
from services.embedded.child import dies_with_parent
from services.shared.kafka import Kafka
from tests.support.broker import committed, declare, eventually, put
from tests.support.scoring_process import ROOT

pytestmark = [pytest.mark.embedded, pytest.mark.slow]


@contextmanager
def worker(kafka, folder, mode):
    told = {"BOOTSTRAP": kafka.bootstrap, "TOPIC": kafka.full(CALLS.name), "GROUP": "naive", "MODE": mode}
    told |= {"FOLDER": str(folder), "LEDGER": str(folder / "ledger")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.naive_faust"],
            cwd=ROOT,
            env={**os.environ, **told},
            stdout=log,
            stderr=log,
            preexec_fn=dies_with_parent(),
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def said(folder):
    path = folder / "ledger"
    return path.read_text().split() if path.exists() else []


async def test_a_message_whose_handling_failed_is_committed(mortal_broker, tmp_path):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS)
    await put(kafka, CALLS, [b"1"])

    async def passed():
        return (await committed(kafka, CALLS, "naive")).get(0) == 1

    with worker(kafka, tmp_path, "raise"):
        await eventually(passed)
    assert said(tmp_path) == ["seen"]


async def test_one_malformed_message_ends_the_agent_and_not_the_process(mortal_broker, tmp_path):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS)
    await put(kafka, CALLS, [b"{"])
    with worker(kafka, tmp_path, "decode") as process:
        await eventually(lambda: "ended" in said(tmp_path))
        assert process.poll() is None
    assert said(tmp_path) == ["ended"]
