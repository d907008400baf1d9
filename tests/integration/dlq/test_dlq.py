"""`tidemark dlq` on real letters: listed, shown, sent again, refused in the end."""

import asyncio
import json

import pytest
from aiokafka import AIOKafkaProducer

from tests.integration.stack.test_stack import calls
from tests.support.stack import Stack

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(1200)]
BAD = b'{"type": "call.v1", "call_id": 7'


@pytest.fixture
def stack(tmp_path):
    made = Stack(tmp_path / "data")
    made.up()
    yield made
    made.tidemark("down")


def put(stack, value, topic="calls.v1"):
    async def send():
        async with AIOKafkaProducer(bootstrap_servers=f"127.0.0.1:{stack.ports.broker}") as producer:
            await producer.send_and_wait(topic, value, key=b"local|x")

    asyncio.run(send())


def listed(stack, count, *filters):
    while True:
        answer = json.loads(stack.tidemark("dlq", "list", "--json", *filters).stdout)
        if answer["count"] >= count:
            assert answer["count"] == count
            return answer["letters"]


def test_a_malformed_message_is_listed_shown_and_sent_again_three_times(stack):
    put(stack, BAD)
    stack.post(calls(5))
    (letter,) = listed(stack, 1)
    assert (letter["service"], letter["stage"], letter["topic"]) == ("writer", "decode", "calls.v1")
    assert listed(stack, 0, "--service", "latency") == []
    shown = json.loads(stack.tidemark("dlq", "show", letter["dead_letter_id"][:10], "--json").stdout)
    assert shown["message"] == {"text": BAD.decode()}
    assert shown["reason"]

    newest = letter["dead_letter_id"]
    for redrives in (1, 2, 3):
        again = stack.tidemark("dlq", "redrive", newest, "--json")
        assert json.loads(again.stdout)["sent"] == 1
        letters = listed(stack, redrives + 1)
        assert max(each["redrives"] for each in letters) == redrives
        newest = letters[-1]["dead_letter_id"]
    refused = stack.tidemark("dlq", "redrive", newest, "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout) == {"sent": 0, "messages": 0, "refused": 1, "found": 1, "ids": []}
    stack.until("SELECT count() FROM calls", 5)


def test_letters_can_be_read_without_clickhouse(stack):
    put(stack, BAD)
    listed(stack, 1)
    put(stack, b"no letter", "dlq.writer.v1")
    done = stack.tidemark("dlq", "list", "--json", TIDEMARK_CLICKHOUSE_URL="http://127.0.0.1:1")
    assert "calls.v1" in {letter["topic"] for letter in json.loads(done.stdout)["letters"]}
    assert "ClickHouse at http://127.0.0.1:1 does not answer" in done.stderr
    assert "messages on the dead-letter topics that are no dead letters are stepped over: 1" in done.stderr
    done = stack.tidemark("dlq", "show", "zzz")
    assert done.returncode == 1
    assert "0 dead letters begin with zzz" in done.stderr
