"""What Faust would lose or hide, with an agent as a process of its own on a real broker."""

import os
import random
import signal
import time
from contextlib import ExitStack

import psutil
import pytest

from schemas.messages import DeadLetter
from schemas.topics import CALLS, dead_letters
from services.shared.breaker import MOST_FAILURES, Marker
from services.shared.kafka import Kafka
from services.shared.watchdog import STUCK
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.messages import a_call
from tests.support.scoring_process import Started

pytestmark = [pytest.mark.embedded, pytest.mark.alone]

LETTERS = dead_letters("latency")


@pytest.fixture
async def topics(kafka):
    await declare(kafka, CALLS, LETTERS)


def started(kafka, folder, **variables):
    return Started(kafka, folder, LEDGER=str(folder / "ledger"), **variables)


def recorded(folder):
    path = folder / "ledger"
    return path.read_text().split() if path.exists() else []


def is_committed(kafka, offset):
    async def check():
        return (await committed(kafka, CALLS, "latency")).get(0) == offset

    return check


@pytest.mark.slow
async def test_killed_in_the_middle_with_poison_it_loses_nothing(kafka, topics, tmp_path):
    """An idiomatic `take()` with a JSON serializer stored 521 of 89,121 under such faults."""
    calls = [a_call(prompt="poison" if n % 100 == 7 else "why?") for n in range(600)]
    values = [call.encode() for call in calls]
    values[50:50], values[300:300] = [b"{"], [b"\xff"]
    await put(kafka, CALLS, values)
    chance = random.Random(1)
    with ExitStack() as stack:
        for _ in range(3):
            before = len(recorded(tmp_path))
            agent = stack.enter_context(started(kafka, tmp_path, SLOW_SECONDS="0.3"))
            await eventually(lambda before=before: len(recorded(tmp_path)) > before, 60)
            time.sleep(chance.uniform(0, 0.5))
            agent.end(signal.SIGKILL)
        agent = stack.enter_context(started(kafka, tmp_path))
        await eventually(is_committed(kafka, 602), 60)
        assert agent.end(signal.SIGTERM) == 0
    assert set(recorded(tmp_path)) == {str(call.call_id) for call in calls if call.prompt != "poison"}
    found = {DeadLetter.decode(each.value).message_value for each in await log_of(kafka, LETTERS)}
    assert found == {call.encode() for call in calls if call.prompt == "poison"}


async def test_a_stream_that_ends_by_itself_ends_the_process(kafka, topics, tmp_path):
    with started(kafka, tmp_path, FAULT="stream") as agent:
        assert agent.exit_code() == STUCK
        assert "the stream of latency ended by itself" in agent.log


async def test_a_stream_that_stands_still_ends_the_process_although_steps_go_on(kafka, topics, tmp_path):
    await put(kafka, CALLS, [a_call().encode()])
    with started(kafka, tmp_path, FAULT="still", TIDEMARK_LATENCY_STALL_SECONDS="2") as agent:
        assert agent.exit_code() == STUCK
    assert "latency has a lag of 1 and has done nothing for" in agent.log
    assert await committed(kafka, CALLS, "latency") == {}


async def test_an_agent_that_was_idle_for_longer_than_a_stall_is_not_ended_by_the_next_message(kafka, topics, tmp_path):
    with started(kafka, tmp_path, TIDEMARK_LATENCY_STALL_SECONDS="2", SLOW_SECONDS="1.2") as agent:
        await eventually(agent.ready, 60)
        time.sleep(5)
        await put(kafka, CALLS, [a_call().encode()])
        await eventually(is_committed(kafka, 1), 60)
        assert agent.end(signal.SIGTERM) == 0


async def test_an_error_in_the_agent_ends_the_process_and_commits_nothing(kafka, topics, tmp_path):
    """Faust would commit the event, or the batch, and start the agent again."""
    await put(kafka, CALLS, [a_call().encode() for _ in range(10)])
    with started(kafka, tmp_path, FAULT="agent") as agent:
        assert agent.exit_code() == STUCK
        assert "the agent itself fails" in agent.log
    assert await committed(kafka, CALLS, "latency") == {}


async def test_an_agent_that_hangs_ends_the_process_and_commits_nothing(kafka, topics, tmp_path):
    """Faust would log that it is slow, and call itself well."""
    await put(kafka, CALLS, [a_call().encode()])
    with started(kafka, tmp_path, FAULT="hang", TIDEMARK_LATENCY_STALL_SECONDS="3") as agent:
        assert agent.exit_code() == STUCK
        assert "has a lag of 1 and has done nothing" in agent.log
    assert await committed(kafka, CALLS, "latency") == {}


async def test_an_error_of_a_step_ends_the_process(kafka, topics, tmp_path):
    with started(kafka, tmp_path, FAULT="step") as agent:
        assert agent.exit_code() == STUCK
        assert "a step fails" in agent.log


async def test_a_stop_finishes_what_is_begun_and_commits_no_more_than_that(kafka, topics, tmp_path):
    with started(kafka, tmp_path, SLOW_SECONDS="1") as agent:
        await eventually(agent.ready, 60)
        await put(kafka, CALLS, [a_call().encode() for _ in range(5)])
        await eventually(agent.begun, 60)
        assert agent.end(signal.SIGTERM) == 0
    assert (await committed(kafka, CALLS, "latency")).get(0, 0) == len(recorded(tmp_path)) > 0


async def test_it_opens_no_port_but_its_own(kafka, topics, tmp_path):
    """Faust's own web server listens on every address, without authentication."""
    with started(kafka, tmp_path) as agent:
        await eventually(agent.ready, 60)
        listening = [
            each.laddr for each in psutil.Process(agent.process.pid).net_connections("tcp") if each.status == "LISTEN"
        ]
        assert [f"http://{each.ip}:{each.port}" for each in listening] == [agent.url]


async def test_a_missing_topic_ends_it_with_a_sentence(mortal_broker, tmp_path):
    """Faust reports it ten times a second, for ever, and calls itself ready."""
    with started(Kafka(mortal_broker.bootstrap, "none."), tmp_path) as agent:
        assert agent.exit_code() == os.EX_UNAVAILABLE
        assert "none.calls.v1. Apply them: `tidemark up` does" in agent.log


async def test_too_many_failures_stop_it_until_a_person_resumes_it(kafka, topics, tmp_path):
    marker = Marker(tmp_path, "latency")
    await put(kafka, CALLS, [a_call(prompt="poison").encode() for _ in range(150)])
    with started(kafka, tmp_path, TIDEMARK_LATENCY_STALL_SECONDS="2") as agent:
        await eventually(marker.reason, 60)
        await eventually(lambda: agent.asked("/health/ready") == 503, 60)
        time.sleep(5)  # longer than a stall: what is stopped is not stuck
        assert agent.asked("/health/live") == 200
        assert agent.asked("/health/ready") == 503
        assert agent.end(signal.SIGTERM) == 0
    done = (await committed(kafka, CALLS, "latency")).get(0, 0)  # in batches too small to be too many
    assert done == len(await log_of(kafka, LETTERS)) <= MOST_FAILURES
    with started(kafka, tmp_path) as agent:
        await eventually(lambda: agent.asked("/health/ready") == 503, 60)
        assert marker.reason()
        marker.clear()
        await eventually(marker.reason, 60)  # it goes on where it was, and the cause is still there
        assert agent.asked("/health/live") == 200
    assert (
        (await committed(kafka, CALLS, "latency")).get(0, 0) <= len(await log_of(kafka, LETTERS)) <= 2 * MOST_FAILURES
    )
