"""Three brokers, each message on all of them, two in sync for an acknowledgement: what hard bounces of them do."""

import asyncio
import contextlib
import json
import signal
import time

import pytest

from schemas.messages import Score
from schemas.topics import CALLS, SCORES, dead_letters
from services.shared.kafka import Kafka
from services.shared.producer import Producer, Writes
from tests.support.broker import declare, eventually, log_of
from tests.support.kafka_broker import Apache
from tests.support.messages import a_call
from tests.support.scoring_process import Started

pytestmark = [pytest.mark.embedded, pytest.mark.kafka, pytest.mark.faults, pytest.mark.alone]

TOPICS = (CALLS, SCORES, dead_letters("latency"), dead_letters("drift"))
AT_ONCE, AFTER_A_KILL = 10, 300
AWAY_SECONDS, BOUNCES = 240, 5


@pytest.fixture
def three():
    """The controllers notice in seconds what takes them nine by default."""
    brokers = Apache(3, broker_session_timeout_ms="3000", broker_heartbeat_interval_ms="500")
    brokers.start()
    yield brokers
    brokers.stop()


class Emitted:
    """Calls through one producer, all the time, and which of them it said are acknowledged."""

    def __init__(self, kafka) -> None:
        self.kafka, self.acknowledged, self.longest_seconds = kafka, [], 0.0

    async def emit(self, stop):
        async with Producer(self.kafka) as producer:
            while not stop.is_set():
                calls, began = [a_call() for _ in range(AT_ONCE)], time.monotonic()
                await producer.send(calls, Writes(CALLS))
                self.acknowledged += [call.call_id for call in calls]
                self.longest_seconds = max(self.longest_seconds, time.monotonic() - began)
                await asyncio.sleep(0.02)

    async def goes_on(self):
        goal = len(self.acknowledged) + AFTER_A_KILL
        await eventually(lambda: len(self.acknowledged) >= goal, AWAY_SECONDS)


class Kept:
    """An agent that is started again when it has ended, as its supervisor would."""

    def __init__(self, stack, kafka, folder) -> None:
        self._start = lambda: stack.enter_context(Started(kafka, folder, LEDGER=str(folder / "ledger"), AGENT="drift"))
        self.ledger, self.restarts, self.agent = folder / "ledger", 0, self._start()

    async def keep(self):
        while True:
            if self.agent.process.poll() is not None:
                self.restarts, self.agent = self.restarts + 1, self._start()
            await asyncio.sleep(0.2)

    @property
    def recorded(self):
        return self.ledger.read_text().split() if self.ledger.exists() else []


@contextlib.asynccontextmanager
async def emitting(kafka):
    emitted, stop = Emitted(kafka), asyncio.Event()
    task = asyncio.create_task(emitted.emit(stop))
    try:
        yield emitted
        stop.set()
        await asyncio.wait_for(task, AWAY_SECONDS)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def described(kafka):
    admin = kafka.admin()
    await admin.start()
    try:
        return await admin.describe_topics()
    finally:
        await admin.close()


async def leader(kafka):
    topics = await described(kafka)
    (calls,) = (each for each in topics if each["topic"] == kafka.full(CALLS.name))
    return next(each["leader"] for each in calls["partitions"] if each["partition"] == 0)


async def in_sync(kafka):
    return all(len(place["isr"]) == 3 for topic in await described(kafka) for place in topic["partitions"])


async def bounce(three, kafka, number, emitted):
    """Kill a broker, have everything go on without it, and with it again."""
    three.kill(number)
    await emitted.goes_on()
    three.start()
    await eventually(lambda: in_sync(kafka), AWAY_SECONDS)
    await emitted.goes_on()


def lines(started):
    """The lines of other people's code that a process has written."""
    found = [json.loads(line) for line in started.log.splitlines() if line.startswith("{")]
    return [each for each in found if each["logger"].startswith(("aiokafka", "faust", "mode"))]


@pytest.mark.timeout(900)
async def test_hard_bounces_of_leader_and_controller_lose_nothing(three, tmp_path, record_property):
    kafka, began = Kafka(three.bootstrap, "t."), time.monotonic()
    await declare(kafka, *TOPICS)
    for name in ("pipeline", "agent"):
        (tmp_path / name).mkdir()
    with contextlib.ExitStack() as stack:
        pipeline = stack.enter_context(Started(kafka, tmp_path / "pipeline"))
        kept = Kept(stack, kafka, tmp_path / "agent")
        keeping = asyncio.create_task(kept.keep())
        await eventually(lambda: pipeline.ready() and kept.agent.ready(), 120)
        async with emitting(kafka) as emitted:
            for number in range(BOUNCES):
                killed = three.controller if number % 2 else await leader(kafka)
                await bounce(three, kafka, killed, emitted)
        acknowledged = {str(each) for each in emitted.acknowledged}
        log = [json.loads(each.value)["call_id"] for each in await log_of(kafka, CALLS)]
        assert acknowledged <= set(log)

        async def scored():
            return {str(Score.decode(each.value).call_id) for each in await log_of(kafka, SCORES)} == set(log)

        await eventually(scored, AWAY_SECONDS)
        await eventually(lambda: set(kept.recorded) == set(log), AWAY_SECONDS)
        keeping.cancel()
        written = len(lines(pipeline)) + len(lines(kept.agent))
        assert written < 2 * (time.monotonic() - began)  # a hundred a second, were they not held
        assert pipeline.process.poll() is None
        assert pipeline.end(signal.SIGTERM) == 0
        assert kept.agent.end(signal.SIGTERM) == 0
    record_property("acknowledged", len(acknowledged))
    record_property("repeats", len(log) - len(set(log)))
    record_property("longest_seconds", emitted.longest_seconds)
    record_property("agent_restarts", kept.restarts)
    record_property("lines", written)
    record_property("seconds", time.monotonic() - began)
