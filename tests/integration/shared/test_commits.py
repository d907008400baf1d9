"""What a member may commit: what it read in its group, and in the log that it read it from."""

import asyncio
from contextlib import asynccontextmanager

import aiokafka.consumer.consumer
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import CommitFailedError
from aiokafka.protocol.group import LeaveGroupRequest

from schemas.topics import CALLS
from services.shared.kafka import Kafka
from tests.support.broker import committed, declare, eventually, put

pytestmark = pytest.mark.embedded
GROUP = "latency"


class Listener(ConsumerRebalanceListener):
    """Counts assignments, says when partitions are taken, and lets them go when it is told to."""

    def __init__(self) -> None:
        self.assignments, self.taken, self.let_go = 0, asyncio.Event(), asyncio.Event()

    async def on_partitions_revoked(self, revoked):
        if revoked:
            self.taken.set()
            await self.let_go.wait()

    def on_partitions_assigned(self, assigned):
        self.assignments += bool(assigned)


async def a_member(kafka, listener):
    """One that has read the three messages of partition 0, and its place."""
    await declare(kafka, CALLS)
    await put(kafka, CALLS, [b"1", b"2", b"3"])
    member = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap,
        group_id=kafka.full(GROUP),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        heartbeat_interval_ms=100,
        metadata_max_age_ms=500,
        session_timeout_ms=6_000,
    )
    await member.start()
    member.subscribe([kafka.full(CALLS.name)], listener=listener)
    place = TopicPartition(kafka.full(CALLS.name), 0)
    read = []
    while len(read) < 3:
        read += (await member.getmany(timeout_ms=500)).get(place, [])
    return member, place


@asynccontextmanager
async def put_out(kafka):
    """A member that the group no longer knows, in the middle of a batch; its place and its listener."""
    listener = Listener()
    member, place = await a_member(kafka, listener)
    try:
        coordinator = member._coordinator
        await coordinator._send_req(LeaveGroupRequest(coordinator.group_id, coordinator.member_id))
        await asyncio.wait_for(listener.taken.wait(), 60)
        yield member, place, listener
    finally:
        listener.let_go.set()
        await member.stop()


async def test_a_member_that_was_put_out_of_its_group_commits_nothing(kafka):
    async with put_out(kafka) as (member, place, listener):
        with pytest.raises(CommitFailedError):
            await member.commit({place: 3})
        assert await committed(kafka, CALLS, GROUP) == {}
        listener.let_go.set()
        await eventually(lambda: listener.assignments > 1, 60)
        await member.commit({place: 3})
        assert await committed(kafka, CALLS, GROUP) == {0: 3}


async def test_aiokafkas_own_coordinator_commits_for_a_member_that_was_put_out(kafka, monkeypatch):
    monkeypatch.setattr(aiokafka.consumer.consumer, "GroupCoordinator", GroupCoordinator)
    async with put_out(kafka) as (member, place, _):
        await member.commit({place: 3})
        assert await committed(kafka, CALLS, GROUP) == {0: 3}


async def test_what_was_read_from_one_log_is_not_committed_in_another(mortal_broker):
    kafka, listener = Kafka(mortal_broker.bootstrap), Listener()
    listener.let_go.set()
    member, place = await a_member(kafka, listener)
    try:
        await member.commit({place: 1})
        mortal_broker.restart_empty()
        await declare(kafka, CALLS)
        await eventually(lambda: listener.assignments > 1, 60)
        with pytest.raises(CommitFailedError):
            await member.commit({place: 3})
        assert await committed(kafka, CALLS, GROUP) == {}
    finally:
        await member.stop()
