"""Dead letters: which are meant, and how they go back."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import msgspec
import pytest
from aiokafka import TopicPartition

from schemas.messages import DeadLetter
from services.embedded.letters import Filter, by_message, marked, newest, on_topics, redrive, sent_again
from services.shared.kafka import Kafka


def a_letter(number=1, **changes):
    fields = {
        "dead_letter_id": UUID(int=number << 96),
        "service": "writer",
        "stage": "decode",
        "topic": "calls.v1",
        "partition": 3,
        "offset": 17,
        "broker_run": "run",
        "message_key": b"t|1",
        "message_value": b"{not json",
        "headers": {"traceparent": "00"},
        "error": "DecodeError",
        "reason": "JSON is malformed",
        "failed_at": datetime(2026, 1, number, tzinfo=UTC),
    }
    return DeadLetter(**{**fields, **changes})


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (Filter(), True),
        (Filter(service="writer", topic="calls.v1", reason="malformed"), True),
        (Filter(reason="decodeerror"), True),
        (Filter(service="latency"), False),
        (Filter(ids=("00000001",)), True),
        (Filter(ids=("00000002",)), False),
    ],
)
def test_filters(wanted, passes):
    assert wanted.passes(a_letter()) is passes


def test_a_message_goes_back_as_it_came_and_is_marked():
    again = sent_again(a_letter(redrives=1, headers={"traceparent": "00", "tidemark-redrive": "1"}))
    assert (again.topic, again.key, again.value) == ("calls.v1", b"t|1", b"{not json")
    assert again.headers == (("traceparent", b"00"), ("tidemark-redrive", b"2"))


def test_the_letter_says_how_often_it_was_sent_again():
    letter = a_letter()
    again = marked(letter, 1)
    assert again.topic == "dlq.writer.v1"
    assert DeadLetter.decode(again.value) == msgspec.structs.replace(letter, redrives=1)


def test_what_was_sent_again_three_times_is_refused():
    tired, empty, fresh = a_letter(redrives=3), a_letter(2, message_value=None), a_letter(3, message_value=b"other")
    assert by_message([fresh, tired, empty]) == ([[fresh]], [tired, empty])


def test_what_differs_from_a_message_is_another_one():
    changes = ({}, {"topic": "scores.v1"}, {"message_key": b"t|2"}, {"headers": {"tidemark-replay": "1"}})
    letters = [a_letter(number, **change) for number, change in enumerate(changes, 1)]
    assert by_message(letters).willing == [[letter] for letter in letters]


@pytest.fixture
def log(monkeypatch):
    """What a producer took, batch by batch."""
    taken = []

    class Kept:
        def __init__(self, _kafka):
            pass

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            pass

        async def publish(self, batch):
            taken.append(batch)

    monkeypatch.setattr("services.embedded.letters.Producer", Kept)
    return taken


PLACE = TopicPartition("dlq.writer.v1", 0)


class Broker:
    """Gives `values`, one each 0.2 s, and then nothing; the log ends at `end`."""

    def __init__(self, values, end):
        self.values, self.end, self.at = values, end, 0

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def seek_to_beginning(self, _place):
        pass

    def resume(self, _place):
        pass

    async def position(self, _place):
        return self.at

    async def getmany(self, timeout_ms):
        await asyncio.sleep(0.2)
        self.at += 1
        return {PLACE: [SimpleNamespace(value=self.values[self.at - 1])]} if self.at <= len(self.values) else {}

    async def ends(self, *_):
        return {PLACE: self.end}

    @staticmethod
    async def places(_kafka):
        return [PLACE]


@pytest.fixture
def read(monkeypatch):
    """Read the topics of a broker; half a second is silence."""

    def found(values, wanted, *, end=None, **options):
        broker = Broker(values, end or len(values))
        monkeypatch.setattr("services.embedded.letters._ANSWER_SECONDS", 0.5)
        monkeypatch.setattr("services.embedded.letters.AIOKafkaConsumer", lambda **_: broker)
        monkeypatch.setattr("services.embedded.letters.every_partition", broker.places)
        monkeypatch.setattr("services.embedded.letters.true_ends", broker.ends)
        return asyncio.run(on_topics(Kafka("localhost:1"), wanted, **options))

    return found


def test_reading_may_take_as_long_as_the_broker_says_something(read):
    letters = [a_letter(number) for number in (1, 2, 3, 4)]
    assert read([letter.encode() for letter in letters], Filter()) == (letters, 0)
    with pytest.raises(TimeoutError):
        read([letters[0].encode()], Filter(), end=100)


def test_of_the_topics_only_what_is_wanted_is_kept_and_for_a_list_without_bytes(read):
    values = [a_letter(1).encode(), b"no letter", a_letter(2, service="guard").encode()]
    plain = a_letter(2, service="guard", message_key=None, message_value=None)
    assert read(values, Filter(service="guard"), with_bytes=False) == ([plain], 1)


def sent(message):
    return message.topic, message.value, dict(message.headers)["tidemark-redrive"]


def test_a_message_that_failed_in_two_services_is_sent_once_and_both_letters_say_so(log):
    letters = [a_letter(1), a_letter(2, service="guard", stage="handle")]
    asyncio.run(redrive(None, by_message(letters).willing))
    messages, marks = log
    assert [sent(message) for message in messages] == [("calls.v1", b"{not json", b"1")]
    assert [mark.topic for mark in marks] == ["dlq.writer.v1", "dlq.guard.v1"]
    assert [DeadLetter.decode(mark.value).redrives for mark in marks] == [1, 1]


def test_a_message_that_always_fails_is_sent_three_times_whatever_its_letters(log):
    letters = [a_letter()]
    for round_ in range(1, 6):
        log.clear()
        willing = by_message(letters).willing
        asyncio.run(redrive(None, willing))
        assert len(log[0]) == len(willing) == (round_ <= 3)
        failed = [
            a_letter(round_ + 1, offset=round_, headers=again, redrives=int(again["tidemark-redrive"]))
            for message in log[0]
            if (again := {name: value.decode() for name, value in message.headers})
        ]
        letters = newest([*letters, *(DeadLetter.decode(mark.value) for mark in log[1]), *failed])
    assert [letter.redrives for letter in letters] == [3, 3, 3, 3]


def test_each_letter_is_there_once_as_it_was_last():
    first, later = a_letter(), a_letter(redrives=1)
    assert newest([a_letter(2), later, first]) == [later, a_letter(2)]
