"""Dead letters: which are meant, and how they go back."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from schemas.messages import DeadLetter
from services.embedded.letters import Filter, marked, newest, refused, sent_again


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
    again = marked(letter)
    assert again.topic == "dlq.writer.v1"
    assert DeadLetter.decode(again.value) == msgspec.structs.replace(letter, redrives=1)


def test_what_was_sent_again_three_times_is_refused():
    tired, empty = a_letter(redrives=3), a_letter(2, message_value=None)
    assert refused([a_letter(3), tired, empty]) == [tired, empty]


def test_each_letter_is_there_once_as_it_was_last():
    first, later = a_letter(), a_letter(redrives=1)
    assert newest([a_letter(2), later, first]) == [later, a_letter(2)]
