"""What every agent must survive, on a real broker."""

import threading

import pytest

from schemas.topics import CALLS, dead_letters
from services.shared.agent import Agent
from services.shared.errors import Transient
from tests.support.broker import committed, declare, eventually, put
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


async def test_records_what_comes_and_steps(kafka, tmp_path):
    await declare(kafka, CALLS, LETTERS)
    calls = [a_call() for _ in range(500)]
    await put(kafka, CALLS, [call.encode() for call in calls])
    store = Store()
    async with running(an_agent(store), a_process(kafka, tmp_path)):
        await eventually(lambda: len(store.ids) == 500 and store.steps > 3)
        await eventually(lambda: _committed(kafka, 500))
    assert store.ids == [call.call_id for call in calls]
    assert len(store.threads) == 1


async def _committed(kafka, offset):
    return (await committed(kafka, CALLS, NAME)).get(0) == offset
