"""What every pipeline must survive, on a real broker."""

import threading

import pytest

from schemas.messages import Call, DeadLetter, Score
from schemas.topics import CALLS, SCORES, dead_letters
from services.shared.breaker import Marker
from services.shared.errors import Transient, Unusable
from services.shared.kafka import Kafka
from services.shared.pipeline import Pipeline
from services.shared.record import REPLAY_HEADER
from tests.support.broker import committed, declare, eventually, log_of, on_both, put
from tests.support.messages import a_call, a_score_of
from tests.support.process import a_process, running

pytestmark = pytest.mark.embedded

NAME = "latency"
LETTERS = dead_letters(NAME)


def score_each(calls):
    if any(call.prompt == "poison" for call in calls):
        raise ValueError("a poisonous prompt")
    return [a_score_of(call) for call in calls]


def a_pipeline(handle=score_each, **options):
    return Pipeline(NAME, reads=CALLS, writes=SCORES, handle=handle, **options)


@pytest.fixture
async def topics(kafka):
    await declare(kafka, CALLS, SCORES, LETTERS)


async def scored(kafka):
    return [Score.decode(each.value).call_id for each in await log_of(kafka, SCORES)]


async def letters(kafka):
    return [DeadLetter.decode(each.value) for each in await log_of(kafka, LETTERS)]


def committed_is(kafka, offset):
    async def check():
        return (await committed(kafka, CALLS, NAME)).get(0) == offset

    return check


async def test_every_call_becomes_a_score_in_order_and_is_committed(kafka, topics, tmp_path):
    calls = [a_call() for _ in range(1200)]
    await put(kafka, CALLS, [call.encode() for call in calls])
    async with running(a_pipeline(), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 1200))
    assert await scored(kafka) == [call.call_id for call in calls]


async def test_the_message_that_fails_is_found_and_dead_lettered_with_its_origin(kafka, topics, tmp_path):
    calls = [a_call(prompt="poison" if index in {7, 300} else "why?") for index in range(400)]
    await put(kafka, CALLS, [call.encode() for call in calls], headers=[("trace", b"1")])
    process = a_process(kafka, tmp_path)
    async with running(a_pipeline(failed=lambda call, _error: [a_score_of(call, -1.0)]), process):
        await eventually(committed_is(kafka, 400))
    found = await letters(kafka)
    assert [(each.offset, each.stage, each.reason) for each in found] == [
        (7, "handle", "a poisonous prompt"),
        (300, "handle", "a poisonous prompt"),
    ]
    assert Call.decode(found[0].message_value) == calls[7]
    assert (found[0].topic, found[0].partition, found[0].message_key, found[0].headers) == (
        "calls.v1",
        0,
        b"k",
        {"trace": "1"},
    )
    assert sorted(await scored(kafka)) == sorted(call.call_id for call in calls)  # a failed score each for the two


async def test_what_does_not_decode_is_skipped_and_left_to_the_sink(kafka, topics, tmp_path):
    good = [a_call() for _ in range(5)]
    await put(kafka, CALLS, [b"{", *(call.encode() for call in good), b'{"type":"call.v1"}', b"\xff\xfe", b""])
    async with running(a_pipeline(), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 9))
    assert await scored(kafka) == [call.call_id for call in good]
    assert await letters(kafka) == []


async def test_what_is_away_is_tried_again_and_nothing_is_given_up(kafka, topics, tmp_path):
    tries = []

    def away_twice(calls):
        tries.append(len(calls))
        if len(tries) < 3:
            raise Transient("the model is away")
        return score_each(calls)

    calls = [a_call() for _ in range(10)]
    await put(kafka, CALLS, [call.encode() for call in calls])
    async with running(a_pipeline(away_twice), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 10))
    assert await scored(kafka) == [call.call_id for call in calls]
    assert await letters(kafka) == []


async def test_nothing_is_committed_while_something_is_away(kafka, topics, tmp_path):
    tried = threading.Event()

    def away(_calls):
        tried.set()
        raise Transient("away")

    await put(kafka, CALLS, [a_call().encode()])
    async with running(a_pipeline(away), a_process(kafka, tmp_path)):
        await eventually(tried.is_set)
    assert await committed(kafka, CALLS, NAME) == {}


async def test_a_bad_deploy_stops_instead_of_draining_the_topic(kafka, topics, tmp_path):
    def broken(_calls):
        raise KeyError("a bug")

    await put(kafka, CALLS, [a_call().encode() for _ in range(600)])
    process, marker = a_process(kafka, tmp_path), Marker(tmp_path, NAME)
    async with running(a_pipeline(broken), process):
        await eventually(marker.reason)
        await eventually(lambda: "tidemark resume latency" in process.health.reasons[NAME])
    assert await committed(kafka, CALLS, NAME) == {}
    assert await letters(kafka) == []
    process = a_process(kafka, tmp_path)
    async with running(a_pipeline(), process):
        await eventually(lambda: "stopped" in process.health.reasons.get(NAME, ""))
        marker.clear()
        await eventually(committed_is(kafka, 600))


async def test_what_comes_of_a_replayed_message_is_marked(kafka, topics, tmp_path):
    await put(kafka, CALLS, [a_call().encode()], headers=[(REPLAY_HEADER, b"1")])
    await put(kafka, CALLS, [a_call().encode()])
    async with running(a_pipeline(), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 2))
    assert [each.headers for each in await log_of(kafka, SCORES)] == [((REPLAY_HEADER, b"1"),), ()]


async def test_a_missing_topic_is_said_with_its_remedy(kafka, tmp_path, monkeypatch):
    monkeypatch.setattr("services.shared.topics.TOPICS_SECONDS", 0.0)
    with pytest.raises(Unusable, match=r"calls\.v1.*tidemark up"):
        await a_pipeline().run(a_process(kafka, tmp_path))


@on_both
async def test_a_new_log_of_the_broker_is_read_from_its_beginning(mortal_broker, tmp_path):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS, SCORES, LETTERS)
    await put(kafka, CALLS, [a_call().encode() for _ in range(30)])
    async with running(a_pipeline(), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 30))
        mortal_broker.restart_empty()
        await declare(kafka, CALLS, SCORES, LETTERS)
        calls = [a_call() for _ in range(50)]  # more than before: the old position lies inside the new log
        await put(kafka, CALLS, [call.encode() for call in calls])
        await eventually(committed_is(kafka, 50), 60)
    assert set(await scored(kafka)) == {call.call_id for call in calls}
