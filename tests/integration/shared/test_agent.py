"""What every agent must survive, on a real broker."""

import asyncio
import threading

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import RecordsToDelete

from schemas.messages import DeadLetter
from schemas.topics import CALLS, dead_letters
from services.shared.agent import WATCH_SECONDS, Agent
from services.shared.errors import Again, Transient
from services.shared.kafka import Kafka
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.messages import a_call
from tests.support.process import a_process, running

pytestmark = pytest.mark.embedded

NAME = "latency"
LETTERS = dead_letters(NAME)


class Store:
    """What an agent records, and how often it stepped."""

    def __init__(self) -> None:
        self.ids, self.steps, self.away, self.poison, self.threads = [], 0, 0, None, set()

    def record(self, records) -> None:
        self.threads.add(threading.get_ident())
        if self.away:
            self.away -= 1
            raise Transient("the store is away")
        if any(record.message.prompt == self.poison for record in records):
            raise ValueError("poison")
        self.ids += [record.message.call_id for record in records]

    def step(self, now) -> None:
        self.threads.add(threading.get_ident())
        self.steps += 1


def an_agent(store: Store) -> Agent:
    return Agent(NAME, reads=CALLS, record=store.record, step=store.step, step_seconds=0.05)


@pytest.fixture
async def topics(kafka):
    await declare(kafka, CALLS, LETTERS)


def committed_is(kafka, offset):
    async def check():
        return (await committed(kafka, CALLS, NAME)).get(0) == offset

    return check


async def test_records_what_comes_in_order_and_steps_in_the_same_thread(kafka, topics, tmp_path):
    calls = [a_call() for _ in range(500)]
    await put(kafka, CALLS, [call.encode() for call in calls])
    store, process = Store(), a_process(kafka, tmp_path)
    async with running(an_agent(store), process):
        await eventually(lambda: len(store.ids) == 500 and store.steps > 3)
        await eventually(committed_is(kafka, 500))
        await eventually(lambda: process.health.is_ready)
    assert store.ids == [call.call_id for call in calls]
    assert len(store.threads) == 1
    assert list((tmp_path / "state" / "members").iterdir()) == []  # it has left its group


async def test_malformed_and_poisonous_messages_neither_stop_nor_slow_it(kafka, topics, tmp_path):
    calls = [a_call(prompt="poison" if n == 5 else "why?") for n in range(20)]
    await put(kafka, CALLS, [b"{", b"\xff", *(call.encode() for call in calls), b"null"])
    store = Store()
    store.poison, store.away = "poison", 2
    async with running(an_agent(store), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 23))
    assert store.ids == [call.call_id for call in calls if call.prompt != "poison"]
    letters = [DeadLetter.decode(each.value) for each in await log_of(kafka, LETTERS)]
    assert [(each.offset, each.reason) for each in letters] == [(7, "poison")]


async def test_what_was_not_recorded_comes_again_in_the_next_life(kafka, topics, tmp_path):
    calls = [a_call() for _ in range(50)]
    await put(kafka, CALLS, [call.encode() for call in calls[:20]])
    store = Store()
    async with running(an_agent(store), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 20))
    await put(kafka, CALLS, [call.encode() for call in calls[20:]])
    async with running(an_agent(store), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 50))
    assert store.ids == [call.call_id for call in calls]


async def test_a_new_log_of_the_broker_ends_it_to_be_started_again(mortal_broker, tmp_path):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS, LETTERS)
    process = a_process(kafka, tmp_path)
    task = asyncio.create_task(an_agent(Store()).run(process))
    await eventually(lambda: process.health.reasons.get(NAME) == "")
    mortal_broker.restart_empty()
    with pytest.raises(Again, match="another one"):
        await asyncio.wait_for(task, 60)


@pytest.mark.parametrize("broker", [pytest.param("kafka", marks=pytest.mark.kafka)], indirect=True)
async def test_a_group_that_it_cannot_join_ends_it_to_be_started_again(kafka, topics, tmp_path):
    """Faust alone would wait in it for ever, without a word."""
    async with AIOKafkaConsumer(kafka.full(CALLS.name), bootstrap_servers=kafka.bootstrap, group_id=kafka.full(NAME)):
        with pytest.raises(Again, match=r"cannot join its group: .*InconsistentGroupProtocol"):
            await asyncio.wait_for(an_agent(Store()).run(a_process(kafka, tmp_path)), 120)


@pytest.mark.parametrize("broker", [pytest.param("kafka", marks=pytest.mark.kafka)], indirect=True)
async def test_what_was_deleted_before_it_was_read_is_no_lag(kafka, topics, tmp_path):
    await put(kafka, CALLS, [a_call().encode() for _ in range(5)])
    admin = kafka.admin()
    await admin.start()
    await admin.delete_records({TopicPartition(kafka.full(CALLS.name), 0): RecordsToDelete(5)})
    await admin.close()
    process = a_process(kafka, tmp_path)
    async with running(an_agent(Store()), process):
        await eventually(lambda: process.health.is_ready)
        await asyncio.sleep(2 * WATCH_SECONDS)
        assert [progress.lag for progress in process.progress] == [0]
