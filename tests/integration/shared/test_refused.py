"""What Kafka never takes: given up with a reason, found among what it takes, and in nobody's way."""

import asyncio

import pytest
from aiokafka.errors import RecordListTooLargeError
from sqlalchemy import create_engine

from schemas.messages import Call, DeadLetter, Score
from schemas.topics import CALLS, SCORES, dead_letters
from services.shared.breaker import Marker
from services.shared.dead_letters import DeadLetters
from services.shared.errors import Refused
from services.shared.fold import Fold
from services.shared.kafka import LARGEST_MESSAGE_BYTES
from services.shared.outbox import OUTBOX, Outbox
from services.shared.pipeline import Pipeline
from services.shared.producer import Outgoing, Producer
from services.shared.record import REPLAY_HEADER
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.messages import CALLED_AT, a_call, a_score_of
from tests.support.process import a_process, running

pytestmark = pytest.mark.embedded

NAME = "latency"
LETTERS = dead_letters(NAME)
TOO_LARGE = "x" * LARGEST_MESSAGE_BYTES


def score_each(calls):
    """A score that explains itself at a length that Kafka does not take, where the prompt is `long`."""
    return [a_long_score(call) if call.prompt == "long" else a_score_of(call) for call in calls]


def a_long_score(call):
    return Score(**{**{name: getattr(a_score_of(call), name) for name in Score.__struct_fields__}, "reason": TOO_LARGE})


def committed_is(kafka, offset):
    async def check():
        return (await committed(kafka, CALLS, NAME)).get(0) == offset

    return check


async def letters(kafka):
    return [DeadLetter.decode(each.value) for each in await log_of(kafka, LETTERS)]


async def scored(kafka):
    return [Score.decode(each.value).call_id for each in await log_of(kafka, SCORES)]


async def test_the_message_whose_output_is_refused_is_a_dead_letter_and_the_others_go_on(kafka, tmp_path):
    await declare(kafka, CALLS, SCORES, LETTERS)
    calls = [a_call(prompt="long" if n in {5, 31} else "why?") for n in range(60)]
    await put(kafka, CALLS, [call.encode() for call in calls])
    pipeline = Pipeline(
        NAME, reads=CALLS, writes=SCORES, handle=score_each, failed=lambda call, _error: [a_score_of(call, -1.0)]
    )
    async with running(pipeline, a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 60), 60)
    found = await letters(kafka)
    assert [(each.offset, each.stage, each.error) for each in found] == [
        (5, "handle", "MessageSizeTooLargeError"),
        (31, "handle", "MessageSizeTooLargeError"),
    ]
    assert Call.decode(found[0].message_value) == calls[5]
    assert set(await scored(kafka)) == {call.call_id for call in calls}  # a failed score each for the two


async def test_a_service_whose_every_output_is_refused_stops(kafka, tmp_path):
    await declare(kafka, CALLS, SCORES, LETTERS)
    await put(kafka, CALLS, [a_call(prompt="long").encode() for _ in range(120)])
    async with running(Pipeline(NAME, reads=CALLS, writes=SCORES, handle=score_each), a_process(kafka, tmp_path)):
        await eventually(Marker(tmp_path, NAME).reason, 60)
    assert await committed(kafka, CALLS, NAME) == {}


class Echo:
    """Emits a score for every call, at the next tick."""

    def __init__(self) -> None:
        self.due = []

    def add(self, records) -> None:
        self.due += [record.message for record in records]

    def tick(self, now):
        emitted, self.due = score_each(self.due), []
        return emitted

    def needed(self):
        return None


async def test_what_a_fold_emits_and_kafka_refuses_is_itself_the_letter(kafka, tmp_path):
    await declare(kafka, CALLS, SCORES, LETTERS)
    calls = [a_call(prompt="long" if n == 3 else "why?") for n in range(10)]
    await put(kafka, CALLS, [call.encode() for call in calls])
    async with running(Fold(NAME, reads=CALLS, writes=SCORES, state=lambda _: Echo()), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 10), 60)
    assert set(await scored(kafka)) == {call.call_id for call in calls} - {calls[3].call_id}
    (letter,) = await letters(kafka)
    assert (letter.topic, letter.partition, letter.offset) == (SCORES.name, -1, -1)
    assert letter.message_value is None
    assert "are too many for a letter" in letter.reason


async def test_all_that_is_not_refused_is_acknowledged_in_order(kafka):
    await declare(kafka, CALLS)
    good = [Outgoing(CALLS.name, b"k", str(n).encode()) for n in range(20)]
    large = Outgoing(CALLS.name, b"k", TOO_LARGE.encode())
    async with Producer(kafka) as producer:
        with pytest.raises(Refused, match="MessageSizeTooLargeError") as refused:
            await producer.publish([*good[:7], large, *good[7:], large])
        assert sorted(refused.value.errors) == [7, 21]
    assert [each.value for each in await log_of(kafka, CALLS)] == [each.value for each in good]


async def test_what_a_broker_refuses_together_is_found_by_sending_each_alone(kafka, monkeypatch):
    """A broker with smaller limits than ours answers for whole batches."""
    await declare(kafka, CALLS)
    messages = [Outgoing(CALLS.name, b"k", b"large" if n == 4 else str(n).encode()) for n in range(9)]
    started = Producer._started

    async def strict(self):
        producer = await started(self)
        create, send = producer.create_batch, producer.send_batch
        large = []

        def create_batch():
            builder = create()
            append = builder.append

            def look(*, value, **others):
                if value == b"large":
                    large.append(builder)
                return append(value=value, **others)

            builder.append = look
            return builder

        async def send_batch(builder, topic, *, partition):
            if builder not in large:
                return await send(builder, topic, partition=partition)
            refused = asyncio.get_running_loop().create_future()
            refused.set_exception(RecordListTooLargeError())
            return refused

        monkeypatch.setattr(producer, "create_batch", create_batch)
        monkeypatch.setattr(producer, "send_batch", send_batch)
        return producer

    monkeypatch.setattr(Producer, "_started", strict)
    async with Producer(kafka) as producer:
        with pytest.raises(Refused) as refused:
            await producer.publish(messages)
        assert set(refused.value.errors) == {4}
    assert [each.value for each in await log_of(kafka, CALLS)] == [m.value for m in messages if m.value != b"large"]


async def test_the_outbox_goes_on_after_what_is_refused(kafka, tmp_path):
    await declare(kafka, CALLS)
    engine = create_engine(f"sqlite:///{tmp_path / 'outbox.sqlite'}")
    OUTBOX.create(engine)
    outbox, good = Outbox(engine), a_call()
    with engine.begin() as connection:
        for call in (a_call(prompt=TOO_LARGE), good):
            outbox.add(connection, call, CALLS)
    async with Producer(kafka) as producer:
        assert await outbox.publish_due(producer) == 2
        assert await outbox.publish_due(producer) == 0
    engine.dispose()
    assert [Call.decode(each.value) for each in await log_of(kafka, CALLS)] == [good]


async def test_a_letter_whose_headers_are_too_many_goes_without_them_and_stays_marked(kafka):
    await declare(kafka, LETTERS)
    headers = ((REPLAY_HEADER, b"1"), ("baggage", TOO_LARGE.encode()))
    made = DeadLetters(NAME, "run")
    letter = made.of_output(Outgoing(SCORES.name, b"k", b"v", headers), ValueError("no"), now=CALLED_AT)
    async with Producer(kafka) as producer:
        await made.publish(producer, [letter], "handle")
    (found,) = await letters(kafka)
    assert (found.dead_letter_id, found.headers) == (letter.dead_letter_id, {REPLAY_HEADER: "1"})
    assert "its headers are too many for a letter" in found.reason


def test_letters_of_the_same_output_are_the_same_letter():
    letters, output = DeadLetters(NAME, "run"), Outgoing(SCORES.name, b"k", b"v")
    first, second = (letters.of_output(output, ValueError("no"), now=CALLED_AT) for _ in range(2))
    assert first == second
    assert letters.of_output(output._replace(value=b"w"), ValueError("no"), now=CALLED_AT) != first
