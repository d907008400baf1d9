"""What the sink promises, on a real broker."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from schemas.messages import DeadLetter
from schemas.topics import CALLS, FEEDBACK, dead_letters
from services.shared import metrics
from services.shared.errors import Transient
from services.shared.sink import Sink
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.messages import a_call
from tests.support.process import a_process, running

pytestmark = pytest.mark.embedded

NAME = "writer"
LETTERS = dead_letters(NAME)


class Store:
    """What was written: batches, and how often the store was away."""

    def __init__(self, away=0) -> None:
        self.batches, self.away = [], away

    def write(self, topic, batches) -> None:
        if self.away:
            self.away -= 1
            raise Transient("the store is away")
        if any(getattr(record.message, "prompt", "") == "poison" for batch in batches for record in batch.records):
            raise ValueError("the table does not take it")
        self.batches += batches

    def of(self, topic):
        return [batch for batch in self.batches if batch.topic.name == topic.name]


def committed_is(kafka, offset):
    async def check():
        return (await committed(kafka, CALLS, NAME)).get(0) == offset

    return check


async def test_ranges_cover_the_log_and_every_message_is_a_row_or_a_letter(kafka, tmp_path):
    await declare(kafka, CALLS, FEEDBACK, LETTERS)
    calls = [a_call(prompt="poison" if n == 70 else "why?") for n in range(100)]
    values = [call.encode() for call in calls]
    values[10], values[99] = b"{", b"null"
    await put(kafka, CALLS, values)
    store = Store(away=2)
    sink = Sink(NAME, reads=(CALLS, FEEDBACK, LETTERS), write=store.write)
    async with running(sink, a_process(kafka, tmp_path, batch_records=32)):
        await eventually(committed_is(kafka, 100))
        await eventually(lambda: len([r for b in store.of(LETTERS) for r in b.records]) == 3)
    batches = store.of(CALLS)
    covered = [offset for each in batches for offset in range(each.first_offset, each.last_offset + 1)]
    assert covered == list(range(100))
    assert [record.offset for each in batches for record in each.records] == sorted(set(range(100)) - {10, 70, 99})
    letters = [(letter.offset, letter.stage) for each in batches for letter in each.dead_letters]
    assert letters == [(10, "decode"), (70, "handle"), (99, "decode")]
    assert {each.broker_run for each in batches} == {store.batches[0].broker_run}
    on_topic = [DeadLetter.decode(each.value) for each in await log_of(kafka, LETTERS)]
    assert {each.offset: each.message_value for each in on_topic} == {10: b"{", 70: values[70], 99: b"null"}


async def test_malformed_messages_never_stop_the_sink(kafka, tmp_path):
    await declare(kafka, CALLS, LETTERS)
    await put(kafka, CALLS, [b"garbage"] * 3000 + [a_call().encode()])
    store = Store()
    async with running(Sink(NAME, reads=(CALLS,), write=store.write), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 3001))
    assert len(await log_of(kafka, LETTERS)) == 3000


async def test_a_stop_while_the_store_is_away_blames_no_message(kafka, tmp_path):
    await declare(kafka, CALLS, LETTERS)
    await put(kafka, CALLS, [a_call().encode() for _ in range(40)])
    store = Store(away=10**9)
    process = a_process(kafka, tmp_path)
    async with running(Sink(NAME, reads=(CALLS,), write=store.write), process):
        await eventually(lambda: not process.health.is_ready and "away" in str(process.health.reasons))
    assert await log_of(kafka, LETTERS) == []
    assert await committed(kafka, CALLS, NAME) == {}


async def test_a_refused_message_takes_no_range_of_another_partition_with_it(kafka, tmp_path):
    await declare(kafka, CALLS, LETTERS)
    store = Store()
    await put(kafka, CALLS, [a_call(prompt="poison").encode()], partition=0)
    await put(kafka, CALLS, [b"garbage"] * 3, partition=1)
    process = a_process(kafka, tmp_path, linger_seconds=1.0)  # both partitions in one batch
    async with running(Sink(NAME, reads=(CALLS,), write=store.write), process):
        await eventually(committed_is(kafka, 1))
        await eventually(lambda: sum(len(each.dead_letters) for each in store.batches) == 4)
    ranges = {(each.partition, each.first_offset, each.last_offset) for each in store.of(CALLS)}
    assert {(0, 0, 0), (1, 0, 2)} <= ranges


@pytest.mark.parametrize("broker", [pytest.param("kafka", marks=pytest.mark.kafka)], indirect=True)
async def test_no_range_claims_what_was_deleted_before_it_was_read(kafka, tmp_path):
    await declare(kafka, CALLS, LETTERS)
    calls, store = [a_call().encode() for _ in range(5)], Store()
    async with running(Sink(NAME, reads=(CALLS,), write=store.write), a_process(kafka, tmp_path)):
        await put(kafka, CALLS, calls)
        await eventually(committed_is(kafka, 5))
        store.away = 10**9
        await put(kafka, CALLS, calls)
        await eventually(lambda: store.away < 10**9)
        await put(kafka, CALLS, calls)
        await asyncio.sleep(1)  # they are fetched ahead, and nothing is fetched after them
        await put(kafka, CALLS, calls)
        await delete(kafka, before=18)
        store.away = 0
        await eventually(committed_is(kafka, 20))
    covered = [offset for each in store.batches for offset in range(each.first_offset, each.last_offset + 1)]
    read = [record.offset for each in store.batches for record in each.records]
    assert covered == read
    assert (read[-2:], 17 in read) == ([18, 19], False)
    assert metrics.DELETED_UNREAD.labels(NAME, CALLS.name)._value.get() == 20 - len(read)


async def delete(kafka, *, before):
    admin = kafka.admin()
    await admin.start()
    await admin.delete_records({TopicPartition(kafka.full(CALLS.name), 0): RecordsToDelete(before)})
    await admin.close()
