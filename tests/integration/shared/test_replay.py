"""What every runtime that replays must keep to, on real brokers."""

import asyncio

import pytest

from schemas.messages import Score
from schemas.topics import CALLS, FEEDBACK, SCORES, dead_letters
from services.shared.breaker import Marker
from services.shared.pipeline import Pipeline
from services.shared.record import REPLAY_HEADER
from services.shared.sink import Sink
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.messages import a_call, a_score_of
from tests.support.process import a_process, running

pytestmark = pytest.mark.embedded

NAME = "latency"
GROUP = f"{NAME}.replay.again"
MARK = ((REPLAY_HEADER, b"1"),)
ENDS = {"calls.v1": [20, 5, 0, 0, 0, 0, 0, 0]}


@pytest.fixture
async def calls(kafka):
    await declare(kafka, CALLS, SCORES, FEEDBACK, dead_letters(NAME))
    made = [a_call() for _ in range(30)]
    await put(kafka, CALLS, [call.encode() for call in made])
    await put(kafka, CALLS, [call.encode() for call in made[:10]], partition=1)
    return made


def a_replay(kafka, folder, **settings):
    return a_process(kafka, folder, replay="again", replay_ends=ENDS, batch_records=7, **settings)


def score_each(messages):
    return [a_score_of(call) for call in messages]


async def at_the_ends(kafka):
    found = await committed(kafka, CALLS, GROUP)
    return (found.get(0), found.get(1)) == (20, 5)


async def test_a_replay_reads_up_to_its_ends_marks_what_it_emits_and_leaves_the_group_alone(kafka, calls, tmp_path):
    pipeline = Pipeline(NAME, reads=CALLS, writes=SCORES, handle=score_each)
    async with running(pipeline, a_replay(kafka, tmp_path)):
        await eventually(lambda: at_the_ends(kafka))
        await put(kafka, CALLS, [call.encode() for call in calls])
        await asyncio.sleep(1)  # what comes later is not read, however long it runs
    emitted = await log_of(kafka, SCORES)
    assert len(emitted) == 25
    assert {each.headers for each in emitted} == {MARK}
    assert {Score.decode(each.value).call_id for each in emitted} == {call.call_id for call in calls[:20]}
    assert await committed(kafka, CALLS, NAME) == {}


async def test_a_sink_replays_one_topic_and_writes_no_message_of_another(kafka, calls, tmp_path):
    written = []
    await put(kafka, FEEDBACK, [b"whatever"])
    sink = Sink(NAME, reads=[CALLS, FEEDBACK], write=lambda topic, batches: written.extend((topic, b) for b in batches))
    async with running(sink, a_replay(kafka, tmp_path)):
        await eventually(lambda: at_the_ends(kafka))
    assert {topic.name for topic, _ in written} == {"calls.v1"}
    assert sum(len(batch.records) for _, batch in written) == 25
    assert max(batch.last_offset for _, batch in written if batch.partition == 0) == 19


async def test_a_replay_that_fails_too_often_stops_itself_and_not_the_service(kafka, calls, tmp_path):
    def broken(_calls):
        raise ValueError("a bug")

    await put(kafka, CALLS, [call.encode() for call in calls * 3])
    process = a_process(kafka, tmp_path, replay="again", replay_ends={"calls.v1": [120, 10, 0, 0, 0, 0, 0, 0]})
    async with running(Pipeline(NAME, reads=CALLS, writes=SCORES, handle=broken), process):
        await eventually(Marker(tmp_path, GROUP).reason)
    assert list(Marker.all(tmp_path)) == [GROUP]


async def test_who_acts_leaves_what_is_replayed_alone_and_goes_past_it(kafka, calls, tmp_path):
    acted = []

    def act(messages):
        acted.extend(message.call_id for message in messages)
        return ()

    again, last = [a_call() for _ in range(3)], a_call()
    await put(kafka, CALLS, [call.encode() for call in again], partition=2, headers=MARK)
    await put(kafka, CALLS, [last.encode()], partition=2)

    async def past():
        return (await committed(kafka, CALLS, NAME)).get(2) == 4

    async with running(Pipeline(NAME, reads=CALLS, writes=SCORES, handle=act, acts=True), a_process(kafka, tmp_path)):
        await eventually(past)
    assert last.call_id in acted
    assert not set(acted) & {call.call_id for call in again}
