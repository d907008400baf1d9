"""One percent of what lies on the topic is malformed, then a burst: each is one dead letter, and good calls go on."""

import asyncio
import time

import pytest
from aiokafka import AIOKafkaProducer

from schemas.topics import CALLS
from tests.support.campaign.fault import Fault
from tests.support.campaign.load import Load
from tests.support.campaign.on_stack import OnStack
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]
KINDS = (b"not JSON", b'{"type": "call.v1"', b'{"type": "call.v1"}', b'{"type": "score.v1"}', b"\xff\xfe", b"")
LETTERS = f"SELECT partition, offset FROM dead_letters WHERE topic = '{CALLS.name}' AND service = 'writer'"
PATIENCE_SECONDS = 300


def put(bootstrap, count):
    """Send malformed messages straight to the topic; where each came to lie."""

    async def send():
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True) as producer:
            values = [KINDS[number % len(KINDS)] for number in range(count)]
            sent = [await producer.send(CALLS.name, value, key=b"%d" % at) for at, value in enumerate(values)]
            return {(one.partition, one.offset) for one in await asyncio.gather(*sent)}

    return asyncio.run(send())


def spoil(burst, rounds):
    def strike(scene, number):
        since, last = time.time(), number == rounds - 1
        count = burst if last else scene.emitting.acknowledged // 100 - len(scene.placed)
        placed = put(scene.place.bootstrap, max(1, count))
        scene.say(f"put {len(placed)} malformed messages there")
        scene.placed |= placed
        return since

    return strike


def each_is_a_letter(scene):
    placed, until = scene.placed, time.monotonic() + PATIENCE_SECONDS
    while len(found := scene.place.store.rows(LETTERS)) < len(placed) and time.monotonic() < until:
        time.sleep(0.5)
    letters = [(int(partition), int(offset)) for partition, offset in found]
    scene.lettered = len(placed & set(letters))
    if sorted(letters) != sorted(placed):
        scene.complaints.append(f"dead letters: {len(letters)} of {len(set(letters))} places, not {len(placed)}")
    silent = scene.place.store.number("SELECT count() FROM dead_letters WHERE reason = '' OR error = ''")
    if silent:
        scene.complaints.append(f"dead letters without a reason: {silent}")


@pytest.mark.timeout(3600)
def test_each_malformed_message_is_one_dead_letter(campaign, long):
    rounds, burst = (20, 100_000) if long else (5, 5_000)
    fault = Fault(
        name="malformed_calls",
        target="1 % malformed; a burst of 100,000: all in dead letters with reason, once each; good calls keep flowing",
        place=OnStack,
        load=Load(50_000 if long else 10_000, 200),
        schedule=Schedule(rounds, 5.0, 8.0),
        strike=spoil(burst, rounds),
        afterwards=each_is_a_letter,
        smaller="" if long else f"a burst of {burst:,}",
    )
    campaign(fault)
