"""How far groups are behind, and how long a stop waits for them."""

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.embedded.lag import Lag, behind
from services.embedded.lag_watch import LagWatch

PLACE = TopicPartition("calls.v1", 0)


@pytest.fixture
def watch(monkeypatch):
    """Answers with one look after the other, the last one again and again; an error is a look that failed."""
    monkeypatch.setattr("services.embedded.lag_watch._DRAIN_LOOK_SECONDS", 0)

    def made(*looks):
        left = list(looks)

        async def read():
            look = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(look, Exception):
                raise look
            return {"writer": Lag(look, {}, None)}

        watch = LagWatch("", "", ())
        monkeypatch.setattr(watch, "_read", read)
        return watch

    return made


@pytest.mark.parametrize("failed", [TimeoutError(), KafkaError()])
async def test_a_look_that_failed_is_no_reason_to_stop_waiting(watch, failed):
    assert await watch(failed, 5, 0).until_nothing(["writer"], 60) == {}


async def test_a_broker_that_never_answers_leaves_an_unknown_amount(watch):
    assert await watch(TimeoutError()).until_nothing(["writer"], 0.05) == {"writer": None}


async def test_who_is_still_behind_is_told_with_its_lag(watch):
    assert await watch(5).until_nothing(["writer"], 0.05) == {"writer": 5}


@pytest.mark.parametrize(("committed", "lag"), [({}, 2), ({PLACE: 3}, 2), ({PLACE: 8}, 1), ({PLACE: 9}, 0)])
def test_messages_that_are_gone_are_nothing_to_be_behind_by(committed, lag):
    assert behind({PLACE: 9}, {PLACE: 7}, committed) == {"calls.v1": lag}
