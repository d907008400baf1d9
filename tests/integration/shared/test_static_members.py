"""Why no member has a name of its own (KIP-345): what aiokafka makes of it. See docs/decisions/0008."""

from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError
from aiokafka.protocol import commit, group

from schemas.topics import CALLS
from tests.support.broker import declare, eventually

pytestmark = pytest.mark.embedded
on_kafka = pytest.mark.parametrize("broker", [pytest.param("kafka", marks=pytest.mark.kafka)], indirect=True)


@asynccontextmanager
async def member(kafka):
    """A member that is called `one`."""
    async with AIOKafkaConsumer(
        kafka.full(CALLS.name),
        bootstrap_servers=kafka.bootstrap,
        group_id=kafka.full("g"),
        group_instance_id="one",
        enable_auto_commit=False,
        heartbeat_interval_ms=100,
        session_timeout_ms=30_000,
    ) as joined:
        yield joined


@on_kafka
async def test_who_comes_under_the_name_of_a_member_takes_its_place_without_a_rebalance(kafka):
    await declare(kafka, CALLS)
    async with member(kafka) as first:
        generation = first._coordinator.generation
    async with member(kafka) as successor:  # the first did not leave: a static member never does
        assert len(successor.assignment()) == CALLS.partitions
        assert successor._coordinator.generation == generation


@on_kafka
async def test_two_that_live_under_one_name_both_own_everything_and_take_it_from_each_other(kafka):
    """One replica too many, and messages are handled twice, for ever: no heartbeat and no commit carries the name."""
    await declare(kafka, CALLS)
    async with member(kafka) as first, member(kafka) as second:
        seen = set()

        def fought():
            seen.update(each._coordinator.member_id for each in (first, second))
            return len(seen) > 6

        await eventually(fought)
        assert len(first.assignment()) == len(second.assignment()) == CALLS.partitions


@pytest.mark.parametrize("module", [commit, group], ids=["commit", "group"])
def test_what_would_fence_one_of_them_is_not_sent(module):
    versions = [
        each for name, each in vars(module).items() if name.startswith(("OffsetCommitRequest_", "HeartbeatRequest_"))
    ]
    assert versions
    assert not [each for each in versions if "group_instance_id" in each.SCHEMA.names]


@on_kafka
async def test_the_commit_of_who_was_replaced_is_refused(kafka):
    await declare(kafka, CALLS)
    place = TopicPartition(kafka.full(CALLS.name), 0)
    async with member(kafka) as first:
        old = first._coordinator.member_id
        async with member(kafka) as second:
            second._coordinator.member_id = old
            with pytest.raises(CommitFailedError):
                await second.commit({place: 1})
