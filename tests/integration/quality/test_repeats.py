"""Repeated questions meet wherever their calls lie, and a service that is killed says the same as one that was not."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from schemas.messages import Answer, Score
from schemas.topics import ANSWERS, CALLS, FEEDBACK, SCORES, dead_letters
from services.quality.quality.repeats import Memory
from services.shared.tumbling import Timing
from services.windower.windower import Partition
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.messages import a_call
from tests.support.service_process import ServiceProcess

pytestmark = pytest.mark.embedded
RECORDS = 50
SAID = ["The red key starts the engine.", "The red key starts the engine.", "Ask somebody else about it, please."]


@pytest.fixture
def quality(kafka, prefix, tmp_path):
    service = ServiceProcess(
        "quality",
        tmp_path,
        TIDEMARK_KAFKA_BOOTSTRAP=kafka.bootstrap,
        TIDEMARK_KAFKA_PREFIX=prefix,
        TIDEMARK_DATA=str(tmp_path),
        TIDEMARK_QUALITY_METRICS="non_determinism",
        TIDEMARK_QUALITY_REPEATS_RECORDS=str(RECORDS),
    )
    yield service
    service.kill()


def calls(count, first=0):
    """Three questions, asked in turn; each has its answers in turn."""
    return [
        a_call(
            prompt=f"Question {number % 3}",
            response=SAID[number // 3 % 3],
            parameters={"temperature": 0.0, "seed": 1},
            called_at=datetime(2026, 1, 5, 12, 0, 0, number, UTC),
        )
        for number in range(first, first + count)
    ]


async def spread(kafka, given):
    """Onto the partitions of calls, as their traces would be."""
    for partition in range(CALLS.partitions):
        await put(kafka, CALLS, [call.encode() for call in given[partition :: CALLS.partitions]], partition=partition)


async def scores(kafka):
    return [Score.decode(each.value) for each in await log_of(kafka, SCORES)]


async def scored(kafka, given):
    return {score.call_id for score in await scores(kafka)} >= {call.call_id for call in given}


async def by_definition(kafka):
    """The scores that one memory a partition gives, which reads the whole log of answers."""
    memories = [Memory(RECORDS, 86_400.0) for _ in range(ANSWERS.partitions)]
    log = await log_of(kafka, ANSWERS)
    found = [memories[each.partition].score(Answer.decode(each.value), each.offset) for each in log]
    return {score.encode() for score in found if score is not None}


async def test_repeats_are_found_across_partitions_and_over_kills(kafka, quality):
    await declare(kafka, CALLS, FEEDBACK, ANSWERS, SCORES, dead_letters("quality"), dead_letters("repeats"))
    unanswered = replace(a_call(), response=None)
    first = calls(120)
    await spread(kafka, [*first, unanswered])
    quality.start()
    await eventually(lambda: scored(kafka, [*first, unanswered]))
    quality.kill()
    second = calls(120, first=120)
    await spread(kafka, [*second, *first[:20]])  # and a client that sends again what it has sent
    quality.start()
    await eventually(lambda: scored(kafka, second))
    ends = dict.fromkeys(range(ANSWERS.partitions), 0)
    for each in await log_of(kafka, ANSWERS):
        ends[each.partition] = each.offset + 1
    await eventually(lambda: reaches(kafka, ends))
    assert quality.stop() == 0

    found = await scores(kafka)
    lacking = [score for score in found if score.call_id == unanswered.call_id]
    assert {(score.status, score.reason) for score in lacking} == {("not_scored", "response")}
    # Whatever came twice says the same, and a kill makes nobody forget.
    assert {score.encode() for score in found if score.call_id != unanswered.call_id} == await by_definition(kafka)
    values = {score.call_id: score.value for score in found if score.value is not None}
    assert len(values) >= len(first) + len(second) - 3  # each question has one first answer
    assert 0 < sum(value == 1.0 for value in values.values()) < len(values)


async def reaches(kafka, ends):
    found = await committed(kafka, ANSWERS, "repeats")
    return all(found.get(place, 0) >= end for place, end in ends.items())


async def test_a_window_gives_their_mean(kafka, quality):
    await declare(kafka, CALLS, FEEDBACK, ANSWERS, SCORES, dead_letters("quality"), dead_letters("repeats"))
    given = [a_call(response=SAID[number]) for number in (0, 0, 2, 2)]
    await put(kafka, CALLS, [call.encode() for call in given])
    quality.start()
    await eventually(lambda: scored(kafka, given))
    windows = Partition(0, [60], timing=Timing(settle_seconds=0))
    for offset, score in enumerate(await scores(kafka)):
        windows.add(score, offset)
    assert not list(windows.tick(given[0].called_at.timestamp()))
    (window,) = windows.tick(given[0].called_at.timestamp() + 62)
    assert (window.metric, window.count, window.not_scored, window.labelled) == ("non_determinism", 3, 1, 1)
    assert window.mean == pytest.approx(1 / 3)
