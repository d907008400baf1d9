"""One percent of what lies on `calls.v1` is malformed: told, kept, sent again; and nothing else notices."""

import asyncio
import json

import pytest
from aiokafka import AIOKafkaProducer

from schemas.ids import uuid7
from schemas.topics import CALLS
from tests.support.stack import Stack
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(900)]
SERVICES = ("registry", "gateway", "writer", "latency", "windower", "alerter", "rollback")
CALL = {"type": "call.v1", "call_id": str(uuid7()), "tenant": "local", "app": "a", "environment": "e", "version": "v"}
KINDS = {
    "no JSON": b"not JSON at all",
    "cut short": json.dumps(CALL).encode()[:40],
    "another type": json.dumps(CALL | {"type": "score.v1"}).encode(),
    "a field is missing": json.dumps(CALL).encode(),
    "a field of another kind": json.dumps(CALL | {"called_at": "soon"}).encode(),
    "no UTF-8": b'{"type": "call.v1", "app": "\xff\xfe"}',
    "empty": b"",
    "too deep": b'{"type": "call.v1", "attributes": {"a": ' + b"[" * 100_000,
    "deleted": None,
}
ROUNDS = 2
CALLS_EMITTED = 100 * len(KINDS) * ROUNDS
HEADERS = [("traceparent", b"\xff\x00"), ("nothing", None)]  # what a stranger's producer may put there


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    made = Stack(tmp_path_factory.mktemp("stack"), SERVICES)
    made.up()
    yield made
    made.tidemark("down")


def put(stack, values, headers=()):
    """Send straight to the topic; where each came to lie: (partition, offset)."""

    async def send():
        async with AIOKafkaProducer(bootstrap_servers=f"127.0.0.1:{stack.ports.broker}", acks="all") as producer:
            sent = [await producer.send_and_wait(CALLS.name, each, key=b"k", headers=list(headers)) for each in values]
            return [(one.partition, one.offset) for one in sent]

    return asyncio.run(send())


def letters(stack, count):
    """All dead letters, once there are `count`."""
    while True:
        listed = json.loads(stack.tidemark("dlq", "list", "--json", "--limit", "1000").stdout)
        assert listed["count"] <= count
        if listed["count"] == count:
            return listed["letters"]


def show(stack, letter):
    return json.loads(stack.tidemark("dlq", "show", letter["dead_letter_id"], "--json").stdout)


def test_each_is_a_dead_letter_and_nothing_else_notices(stack):
    with Traffic(stack, calls_per_second=200) as traffic:
        placed = []
        for number in range(ROUNDS):
            while traffic.emitted < CALLS_EMITTED * (number + 0.5) / ROUNDS:
                pass
            placed += put(stack, KINDS.values(), HEADERS if number else ())
        while traffic.emitted < CALLS_EMITTED:
            pass
        traffic.stop()
        traffic.accounted()
        emitted = traffic.emitted
    found = letters(stack, len(placed))
    assert {(each["partition"], each["offset"]) for each in found} == set(placed)
    assert {(each["service"], each["stage"], each["topic"]) for each in found} == {("writer", "decode", CALLS.name)}
    assert {each["broker_run"] for each in found} == {stack.status()["broker_run"]}
    assert all(each["error"] and each["reason"] for each in found)
    stack.until("SELECT count() FROM dead_letters", len(placed))
    assert stack.ask("SELECT uniqExact(dead_letter_id) FROM dead_letters") == len(placed)

    stack.until("SELECT uniqExact(call_id) FROM scores WHERE evaluator = 'latency'", emitted)
    assert stack.ask("SELECT count() FROM alerts") == 0
    assert {part["name"]: part["restarts"] for part in stack.status()["parts"] if part["restarts"]} == {}
    assert all(part["ready"] for part in stack.status()["parts"])


def test_a_letter_shows_the_bytes_as_they_came(stack):
    shown = [show(stack, letter)["message"] for letter in letters(stack, len(KINDS) * ROUNDS)[: len(KINDS)]]
    assert {"text": KINDS["cut short"].decode()} in shown
    assert [each for each in shown if each is not None and "base64" in each]


def test_sent_again_they_are_dead_letters_again_until_it_is_enough(stack):
    """What has no bytes is refused at once; the rest as often as allowed."""
    first = len(KINDS) * ROUNDS
    sendable = (len(KINDS) - 1) * ROUNDS
    again = stack.tidemark("dlq", "redrive", "--all", "--max-redrives", "1", "--json")
    counts = json.loads(again.stdout)
    assert (again.returncode, counts["sent"], counts["refused"]) == (1, sendable, ROUNDS)
    found = letters(stack, first + sendable)
    assert {each["redrives"] for each in found if each["dead_letter_id"] not in counts["ids"]} == {0, 1}
    enough = stack.tidemark("dlq", "redrive", "--all", "--max-redrives", "1", "--json")
    assert json.loads(enough.stdout)["sent"] == 0
    assert len(letters(stack, first + sendable)) == first + sendable
