"""In which order a fold publishes and commits."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition

from schemas.topics import CALLS, SCORES
from services.shared.consumer import Fetched
from services.shared.dead_letters import DeadLetters
from services.shared.fold import Fold, _Membership
from services.shared.kafka import Kafka
from services.shared.worker import Worker
from tests.support.messages import a_call, a_score_of
from tests.support.process import a_process

PLACE = TopicPartition(CALLS.name, 0)


class Echo:
    """Says at once a score of each call, and needs none again."""

    def __init__(self) -> None:
        self.due = []

    def add(self, records) -> None:
        self.due += [a_score_of(record.message) for record in records]

    def tick(self, now):
        return self.due

    def needed(self):
        return None


class Broker:
    """Producer and consumer of a fold; writes down what was acknowledged and what was committed, in order."""

    broker_run = "run"

    def __init__(self, error=None) -> None:
        self.error, self.done = error, []

    async def publish(self, outgoing) -> None:
        await asyncio.sleep(0)  # an acknowledgement that nobody waits for comes too late
        if self.error:
            raise self.error
        self.done += [("acknowledged", each.topic) for each in outgoing]

    async def commit(self, offsets, epoch) -> None:
        self.done.append(("committed", offsets))


async def fold_one_call(broker, data):
    raw = SimpleNamespace(value=a_call().encode(), partition=0, offset=6, timestamp=0, headers=())
    process = a_process(Kafka("127.0.0.1:1"), data)
    with Worker("latency", process, process.watched("latency")) as worker:
        fold = Fold("latency", reads=CALLS, writes=SCORES, state=lambda partition: Echo())
        member, letters = _Membership(fold, process, worker), DeadLetters("latency", "run")
        fetched = Fetched({PLACE: [raw]}, epoch=0)
        await member._batch(member._after_lookback(fetched, broker), broker, broker, letters)


async def test_offsets_are_committed_after_what_was_said_of_them_is_acknowledged(tmp_path):
    broker = Broker()
    await fold_one_call(broker, tmp_path)
    assert broker.done == [("acknowledged", SCORES.name), ("committed", {PLACE: 7})]


async def test_nothing_is_committed_where_no_acknowledgement_comes(tmp_path):
    broker = Broker(ConnectionError("gone"))
    with pytest.raises(ConnectionError):
        await fold_one_call(broker, tmp_path)
    assert broker.done == []
