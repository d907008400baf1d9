"""What every pipeline must survive, on a real broker."""

import pytest

from schemas.messages import Call, DeadLetter, Score
from schemas.topics import CALLS, SCORES, dead_letters
from services.shared.pipeline import Pipeline
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.messages import a_call, a_score_of
from tests.support.process import a_process, running

pytestmark = pytest.mark.embedded

NAME = "latency"
LETTERS = dead_letters(NAME)


def score_each(calls):
    return [a_score_of(call) for call in calls]


def a_pipeline(handle=score_each, **options):
    return Pipeline(NAME, reads=CALLS, writes=SCORES, handle=handle, **options)


async def scored(kafka):
    return [Score.decode(each.value).call_id for each in await log_of(kafka, SCORES)]


async def test_every_call_becomes_a_score_and_is_committed(kafka, tmp_path):
    await declare(kafka, CALLS, SCORES, LETTERS)
    calls = [a_call() for _ in range(1200)]
    await put(kafka, CALLS, [call.encode() for call in calls])
    async with running(a_pipeline(), a_process(kafka, tmp_path)):
        await eventually(lambda: _committed_is(kafka, 1200))
    assert await scored(kafka) == [call.call_id for call in calls]


async def _committed_is(kafka, offset):
    return (await committed(kafka, CALLS, NAME)).get(0) == offset
