"""When the embedded broker is replaced."""

import asyncio
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.embedded.broker_keeper import LONGEST_LIFE_SECONDS, BrokerKeeper, BrokerPlace

ROOM = 2**60


def a_keeper(*, durable, age_seconds):
    place = BrokerPlace(SimpleNamespace(durable=durable), {}, Path("log"), ROOM)
    keeper = BrokerKeeper(place, around=None, tell=print)
    keeper.broker = SimpleNamespace(child=SimpleNamespace(running=True, pid=os.getpid()))
    keeper.started_at = time.monotonic() - age_seconds
    return keeper


async def reason_of(keeper):
    return await asyncio.wait_for(keeper._reason(), 0.1)


async def test_a_log_in_memory_ends_before_the_store_forgets_which_of_its_messages_it_has():
    assert await reason_of(a_keeper(durable=False, age_seconds=LONGEST_LIFE_SECONDS + 1)) == "it has run for 60 days"


@pytest.mark.parametrize(
    ("durable", "age_seconds"), [(False, LONGEST_LIFE_SECONDS - 60), (True, 10 * LONGEST_LIFE_SECONDS)]
)
async def test_a_younger_one_and_a_log_on_disk_go_on(durable, age_seconds):
    with pytest.raises(TimeoutError):
        await reason_of(a_keeper(durable=durable, age_seconds=age_seconds))
