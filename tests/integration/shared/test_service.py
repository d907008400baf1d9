"""A service as a process: how it starts, is killed, and ends."""

import os
import random
import signal
import time

import httpx
import pytest

from schemas.messages import Score
from schemas.topics import CALLS, SCORES, dead_letters
from services.shared.kafka import Kafka
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.messages import a_call
from tests.support.scoring_process import Started

pytestmark = pytest.mark.embedded


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
    started = Started(kafka, tmp_path, SLOW_SECONDS="1.5")
    await eventually(started.ready)
    assert "tidemark_commits_total" in httpx.get(f"{started.url}/metrics").text
    assert httpx.get(f"{started.url}/health/live").text == "live"
    await put(kafka, CALLS, [a_call().encode()])
    await eventually(started.begun)
    assert started.end(signal.SIGTERM) == 0
    assert len(await log_of(kafka, SCORES)) == 1
    assert await committed(kafka, CALLS, "latency") == {0: 1}


async def test_a_stop_that_takes_too_long_leaves_the_batch_to_the_next_life(kafka, tmp_path):
    await declare(kafka, CALLS, SCORES, dead_letters("latency"))
    await put(kafka, CALLS, [a_call().encode()])
    with Started(kafka, tmp_path, FAULT="hang", TIDEMARK_LATENCY_DRAIN_SECONDS="0.2") as started:
        await eventually(started.begun, 60)
        assert started.end(signal.SIGTERM) == os.EX_TEMPFAIL
    assert await committed(kafka, CALLS, "latency") == {}


async def test_a_missing_topic_ends_it_with_a_sentence(mortal_broker, tmp_path):
    started = Started(Kafka(mortal_broker.bootstrap, "none."), tmp_path)
    assert started.exit_code() == os.EX_UNAVAILABLE
    assert "none.calls.v1. Apply them: `tidemark up` does" in started.log


async def test_a_misspelt_setting_ends_it_before_it_joins(kafka, tmp_path):
    started = Started(kafka, tmp_path, TIDEMARK_LATENCY_BATCH_RECORD="5", TIDEMARK_WRITER_ANYTHING="1")
    assert started.exit_code() == 2
    said = started.log
    assert "TIDEMARK_LATENCY_BATCH_RECORD is no setting; did you mean TIDEMARK_LATENCY_BATCH_RECORDS?" in said
    assert "WRITER" not in said
