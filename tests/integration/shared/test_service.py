"""A service as a process: how it starts, is killed, and ends."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from schemas.messages import Score
from schemas.topics import CALLS, SCORES, dead_letters
from services.shared.kafka import Kafka
from tests.support.broker import committed, declare, eventually, free_port, log_of, put
from tests.support.messages import a_call

pytestmark = pytest.mark.embedded

ROOT = Path(__file__).parents[3]


class Started:
    """One process of the small service."""

    def __init__(self, kafka, folder, **variables) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        given = {
            "TIDEMARK_DATA": str(folder),
            "TIDEMARK_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "TIDEMARK_KAFKA_PREFIX": kafka.prefix,
            "TIDEMARK_LATENCY_HTTP_PORT": str(port),
            "TIDEMARK_LATENCY_SESSION_SECONDS": "3",
        }
        outside = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
        self.log = (folder / "log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.scoring_service"],
            env={**outside, **given, **variables},
            cwd=ROOT,
            stdout=self.log,
            stderr=self.log,
        )

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.log.close()
        return code


def committed_is(kafka, offset):
    async def check():
        return (await committed(kafka, CALLS, "latency")).get(0) == offset

    return check


async def test_nothing_is_lost_when_it_is_killed_in_the_middle_of_batches(kafka, tmp_path):
    await declare(kafka, CALLS, SCORES, dead_letters("latency"))
    calls = [a_call() for _ in range(2000)]
    await put(kafka, CALLS, [call.encode() for call in calls])
    chance = random.Random(1)
    for _ in range(3):
        started = Started(kafka, tmp_path, SLOW_SECONDS="0.3", TIDEMARK_LATENCY_BATCH_RECORDS="100")
        before = (await committed(kafka, CALLS, "latency")).get(0, 0)
        await eventually(lambda before=before: _moved(kafka, before), 60)
        time.sleep(chance.uniform(0, 0.5))
        assert started.end(signal.SIGKILL) == -signal.SIGKILL
    started = Started(kafka, tmp_path)
    await eventually(committed_is(kafka, 2000), 60)
    assert started.end(signal.SIGTERM) == 0
    scores = [Score.decode(each.value) for each in await log_of(kafka, SCORES)]
    assert {score.call_id for score in scores} == {call.call_id for call in calls}
    assert len({score.score_id for score in scores}) == 2000


async def _moved(kafka, before):
    return (await committed(kafka, CALLS, "latency")).get(0, 0) > before


async def test_a_stop_finishes_the_batch_in_hand(kafka, tmp_path):
    await declare(kafka, CALLS, SCORES, dead_letters("latency"))
    started = Started(kafka, tmp_path, SLOW_SECONDS="0.5")
    await eventually(started.ready)
    assert "tidemark_commits_total" in httpx.get(f"{started.url}/metrics").text
    assert httpx.get(f"{started.url}/health/live").text == "live"
    await put(kafka, CALLS, [a_call().encode() for _ in range(10)])
    assert started.end(signal.SIGTERM) == 0
    scores = len(await log_of(kafka, SCORES))
    assert (await committed(kafka, CALLS, "latency")).get(0, 0) == scores


async def test_a_missing_topic_ends_it_with_a_sentence(mortal_broker, tmp_path):
    started = Started(Kafka(mortal_broker.bootstrap, "none."), tmp_path)
    assert started.process.wait(60) == os.EX_UNAVAILABLE
    started.log.close()
    assert "none.calls.v1. Apply them: `tidemark up` does" in (tmp_path / "log").read_text()


async def test_a_misspelt_setting_ends_it_before_it_joins(kafka, tmp_path):
    started = Started(kafka, tmp_path, TIDEMARK_LATENCY_BATCH_RECORD="5", TIDEMARK_WRITER_ANYTHING="1")
    assert started.process.wait(30) == 2
    started.log.close()
    said = (tmp_path / "log").read_text()
    assert "TIDEMARK_LATENCY_BATCH_RECORD is no setting; did you mean TIDEMARK_LATENCY_BATCH_RECORDS?" in said
    assert "WRITER" not in said
