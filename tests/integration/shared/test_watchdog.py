"""What ends a process that stands still, and what does not."""

import asyncio
import os

import pytest

from schemas.messages import Score
from schemas.topics import CALLS, SCORES, dead_letters
from services.shared.kafka import Kafka, is_away
from services.shared.watchdog import STUCK
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.messages import a_call
from tests.support.scoring_process import Started

pytestmark = [pytest.mark.embedded, pytest.mark.alone]

TOPICS = (CALLS, SCORES, dead_letters("latency"))


async def test_a_batch_that_never_ends_ends_the_process_and_loses_nothing(kafka, tmp_path):
    await declare(kafka, *TOPICS)
    await put(kafka, CALLS, [a_call().encode()])
    with Started(kafka, tmp_path, FAULT="hang", TIDEMARK_LATENCY_STALL_SECONDS="1") as started:
        assert started.exit_code() == STUCK
    assert "latency has a lag of 1 and has done nothing for" in started.log
    assert await committed(kafka, CALLS, "latency") == {}


async def test_a_runtime_that_returns_by_itself_ends_the_process(kafka, tmp_path):
    with Started(kafka, tmp_path, FAULT="return") as started:
        assert started.exit_code() == STUCK
    assert "latency ended by itself" in started.log


@pytest.mark.slow
async def test_a_broker_that_is_away_for_longer_than_a_stall_restarts_nobody(mortal_broker, tmp_path):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, *TOPICS)
    await put(kafka, CALLS, [a_call().encode() for _ in range(3)])
    stall = {"TIDEMARK_LATENCY_STALL_SECONDS": "15", "TIDEMARK_LATENCY_BATCH_RECORDS": "1", "SLOW_SECONDS": "1"}
    with Started(kafka, tmp_path, **stall) as started:
        await eventually(started.begun, 60)
        mortal_broker.kill()  # with one batch in hand, and two messages unread
        await asyncio.sleep(40)
        assert started.process.poll() is None, started.log
        mortal_broker.start()
        await declare(kafka, *TOPICS)
        call = a_call()
        await put(kafka, CALLS, [call.encode()])
        await eventually(lambda: _scored(kafka, call), 120)
        assert started.process.poll() is None, started.log


async def _scored(kafka, call):
    return call.call_id in {Score.decode(each.value).call_id for each in await log_of(kafka, SCORES)}


async def test_a_broker_that_accepts_connections_is_not_away(mortal_broker):
    kafka = Kafka(mortal_broker.bootstrap)
    assert not await is_away(kafka)
    mortal_broker.kill()
    assert await is_away(kafka)


def test_the_exit_code_is_the_one_that_supervisors_know():
    assert os.EX_SOFTWARE == STUCK
