"""Two members of one group: what a join, a kill and a sleep beyond the session do under load."""

import asyncio
import contextlib
import os
import re
import signal
import time

import pytest
from aiokafka.errors import RequestTimedOutError

from schemas.messages import Score
from schemas.topics import CALLS, SCORES, dead_letters
from services.shared.consumer import Consumer
from services.shared.kafka import Kafka
from services.shared.pipeline import next_offsets
from services.shared.predecessors import Membership
from tests.support.broker import Tansu, committed, declare, eventually, log_of, producing, put
from tests.support.kafka_broker import Apache
from tests.support.messages import a_call
from tests.support.process import a_process
from tests.support.scoring_process import Started

pytestmark = [pytest.mark.embedded, pytest.mark.alone]

TOPICS = (CALLS, SCORES, dead_letters("latency"))
SMALL = {"TIDEMARK_LATENCY_BATCH_RECORDS": "20", "SLOW_SECONDS": "0.1"}


class Load:
    """Calls on every partition, all the time, and whether a committed offset ever went back."""

    def __init__(self, kafka) -> None:
        self.kafka, self.calls, self.backwards, self.longest_stall_seconds = kafka, [], [], 0.0
        self.changes = 0

    async def emit(self):
        async with producing(self.kafka) as producer:
            while True:
                for partition in range(CALLS.partitions):
                    self.calls.append(call := a_call())
                    name = self.kafka.full(CALLS.name)
                    await producer.send_and_wait(name, call.encode(), key=b"k", partition=partition)
                await asyncio.sleep(0.05)

    async def observe(self):
        seen, moved_at = {}, time.monotonic()
        while True:
            found = await committed(self.kafka, CALLS, "latency")
            self.backwards += [p for p, offset in seen.items() if found.get(p, 0) < offset]
            if found != seen:
                self.longest_stall_seconds = max(self.longest_stall_seconds, time.monotonic() - moved_at)
                seen, moved_at, self.changes = found, time.monotonic(), self.changes + 1
            await asyncio.sleep(0.2)

    async def done(self):
        """Whether every call was committed past."""
        return sum((await committed(self.kafka, CALLS, "latency")).values()) >= len(self.calls)


@contextlib.asynccontextmanager
async def load(kafka):
    """Emit and observe; what was emitted is all there when it ends."""
    under = Load(kafka)
    emitting, observing = asyncio.create_task(under.emit()), asyncio.create_task(under.observe())
    try:
        yield under
        emitting.cancel()
        await asyncio.gather(emitting, return_exceptions=True)
        under.calls.pop()  # the one whose acknowledgement was not waited for
        await eventually(under.done, 90)
        assert not observing.done(), observing  # it would have seen nothing go back
    finally:
        emitting.cancel()
        observing.cancel()
        await asyncio.gather(emitting, observing, return_exceptions=True)


async def scored(kafka):
    return [Score.decode(each.value).call_id for each in await log_of(kafka, SCORES)]


def folders(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    return tmp_path / "a", tmp_path / "b"


async def progressed(under, by=80):
    goal = sum((await committed(under.kafka, CALLS, "latency")).values()) + by

    async def reached():
        return sum((await committed(under.kafka, CALLS, "latency")).values()) >= goal

    await eventually(reached, 300)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_members_that_join_are_killed_and_wake_up_again_lose_nothing(kafka, tmp_path, record_property):
    await declare(kafka, *TOPICS)
    one, two = folders(tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        first = stack.enter_context(Started(kafka, one, **SMALL))
        await eventually(first.ready, 60)
        async with load(kafka) as under:
            await progressed(under)
            second = stack.enter_context(Started(kafka, two, **SMALL))  # a rebalance under load
            await eventually(second.begun, 60)
            first.end(signal.SIGKILL)
            first = stack.enter_context(Started(kafka, one, **SMALL))
            await progressed(under)
            second.process.send_signal(signal.SIGSTOP)  # a zombie: it holds a batch, and its session ends
            await progressed(under, 200)
            second.process.send_signal(signal.SIGCONT)
            await progressed(under)
        assert first.end(signal.SIGTERM) == 0
        assert second.end(signal.SIGTERM) == 0
    assert set(await scored(kafka)) >= {call.call_id for call in under.calls}
    assert under.backwards == []
    assert under.changes > 10
    record_property("longest_stall_seconds", under.longest_stall_seconds)
    record_property("repeats", len(await scored(kafka)) - len(set(await scored(kafka))))


# The embedded broker lets a group join after half a session; on Apache Kafka nobody waits the session's minute.
SESSIONS = {Tansu: 10, Apache: 60}


async def test_the_successor_of_a_killed_process_takes_its_place_in_the_group(broker, kafka, tmp_path):
    await declare(kafka, *TOPICS)
    await put(kafka, CALLS, [a_call().encode()])
    session = {"TIDEMARK_LATENCY_SESSION_SECONDS": str(SESSIONS[type(broker)])}
    with Started(kafka, tmp_path, **session) as first:
        await eventually(lambda: _is_committed(kafka, 1), 60)
        first.end(signal.SIGKILL)
    await put(kafka, CALLS, [a_call().encode()])
    with Started(kafka, tmp_path, **session) as second:
        await eventually(lambda: "for the dead member" in second.log, 60)
        await eventually(lambda: _is_committed(kafka, 2), 20)
        assert re.findall(r"for the dead member \S+: code (\d+)", second.log) == ["0"]
        assert second.end(signal.SIGTERM) == 0
    assert list((tmp_path / "state" / "members").iterdir()) == []


async def _is_committed(kafka, offset):
    return (await committed(kafka, CALLS, "latency")).get(0) == offset


async def test_nobody_leaves_for_a_member_that_lives_or_is_elsewhere(kafka, tmp_path):
    with Started(kafka, tmp_path) as living:
        membership = Membership(tmp_path, "g")
        membership.remember("m")
        (path,) = (tmp_path / "state" / "members").iterdir()
        path.write_text(path.read_text().replace(f'"pid": {os.getpid()}', f'"pid": {living.process.pid}'))
        assert await Membership(tmp_path, "g").bury(kafka) == []
        path.write_text(path.read_text().replace('"host": "', '"host": "not-'))
        living.end(signal.SIGKILL)
        assert await Membership(tmp_path, "g").bury(kafka) == []
        path.write_text("half a fi")
        assert await Membership(tmp_path, "g").bury(kafka) == []


async def test_a_group_that_does_not_answer_holds_up_no_start(tmp_path):
    membership = Membership(tmp_path, "g")
    membership.remember("m")
    assert await Membership(tmp_path, "g").bury(Kafka("127.0.0.1:1")) == []


async def test_a_commit_of_a_member_that_was_put_out_is_refused_and_no_error(kafka, tmp_path):
    """CommitFailedError means that it comes again, not that the process has to die."""
    await declare(kafka, *TOPICS)
    await put(kafka, CALLS, [a_call().encode() for _ in range(5)])
    process = a_process(kafka, tmp_path, heartbeat_seconds=10, session_seconds=12)
    progress = process.watched("latency")
    async with Consumer(process, [CALLS.name], service="latency", progress=progress) as consumer:
        fetched = await _fetched(consumer)
        assert await Membership(tmp_path, process.config.group_of("latency")).bury(kafka) != []  # as a successor would
        (partition,) = fetched.records
        assert not await consumer.commit({partition: 5}, fetched.epoch)
        assert progress.uncommitted_since is None
        assert await committed(kafka, CALLS, "latency") == {}
        again = await _fetched(consumer)  # it joins again by itself
        assert again.epoch > fetched.epoch
        assert not await consumer.commit({partition: 5}, fetched.epoch)
        assert await committed(kafka, CALLS, "latency") == {}
        assert await consumer.commit({partition: 5}, again.epoch)
    assert await committed(kafka, CALLS, "latency") == {0: 5}


async def test_what_comes_while_a_member_waits_for_more_over_a_rebalance_is_handled(kafka, tmp_path):
    await declare(kafka, *TOPICS)
    await put(kafka, CALLS, [a_call().encode() for _ in range(5)])
    process = a_process(kafka, tmp_path)
    progress = process.watched("latency")
    async with Consumer(process, [CALLS.name], service="latency", progress=progress) as consumer:
        lingering = asyncio.create_task(consumer.fetch(1000, 30, linger_seconds=30))
        await eventually(lambda: _position(consumer, 5))
        assert await Membership(tmp_path, process.config.group_of("latency")).bury(kafka) != []
        await eventually(lambda: consumer.epoch > 0)
        await put(kafka, CALLS, [a_call().encode() for _ in range(5)])
        fetched, handled = await lingering, set()
        async with asyncio.timeout(30):
            while len(handled) < 10:
                if fetched.epoch == consumer.epoch:
                    handled |= {each.offset for found in fetched.records.values() for each in found}
                    await consumer.commit(next_offsets(fetched), fetched.epoch)
                fetched = await consumer.fetch(1000, 0.5)
    assert handled == set(range(10))


async def test_what_could_not_be_committed_before_a_rebalance_is_the_next_owners(kafka, tmp_path, monkeypatch):
    async def fail(_offsets):
        raise RequestTimedOutError

    await declare(kafka, *TOPICS)
    await put(kafka, CALLS, [a_call().encode()])
    process = a_process(kafka, tmp_path)
    progress = process.watched("latency")
    async with Consumer(process, [CALLS.name], service="latency", progress=progress) as consumer:
        fetched = await _fetched(consumer)
        monkeypatch.setattr(consumer._client, "commit", fail)
        assert not await consumer.commit(next_offsets(fetched), fetched.epoch)
        assert progress.uncommitted_since is not None
        assert await Membership(tmp_path, process.config.group_of("latency")).bury(kafka) != []
        await eventually(lambda: consumer.epoch > fetched.epoch)
        assert progress.uncommitted_since is None  # else the watchdog ends it a minute later


async def test_a_member_of_the_first_generation_leaves_its_group(kafka, tmp_path):
    await declare(kafka, *TOPICS)
    process = a_process(kafka, tmp_path)
    async with Consumer(process, [CALLS.name], service="latency", progress=process.watched("latency")) as consumer:
        await eventually(lambda: consumer.assignment)
    assert consumer._client._coordinator.left
    assert list((tmp_path / "state" / "members").iterdir()) == []


async def test_a_member_whose_leaving_fails_is_taken_out_by_its_successor(kafka, tmp_path, monkeypatch):
    async def fail(_request):
        raise RequestTimedOutError

    await declare(kafka, *TOPICS)
    process = a_process(kafka, tmp_path)
    async with Consumer(process, [CALLS.name], service="latency", progress=process.watched("latency")) as consumer:
        await eventually(lambda: consumer.assignment)
        member = consumer._client._coordinator.member_id
        monkeypatch.setattr(consumer._client._coordinator, "_send_req", fail)
    assert await Membership(tmp_path, process.config.group_of("latency")).bury(kafka) == [member]


async def _position(consumer, offset):
    places = [place for place in consumer.assignment if place.partition == 0]
    return bool(places) and await consumer._client.position(places[0]) == offset


async def _fetched(consumer):
    while True:
        if (fetched := await consumer.fetch(10, 0.5)).records:
            return fetched
