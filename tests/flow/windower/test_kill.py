"""The windower is killed again and again while windows interleave, and the final windows are those of the scores."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from schemas.messages import Window
from schemas.topics import SCORES, WINDOWS
from services.shared.record import REPLAY_HEADER
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.service_process import ServiceProcess
from tests.unit.windower.builders import a_score

pytestmark = [pytest.mark.embedded, pytest.mark.slow]
INTERVAL = 60
MINUTES = 24
KILLS = 4


def scores(now):
    """Calls of two hours ago, up to 100 s out of order: less than the two intervals after which they are late."""
    dice, start = random.Random(4), datetime.fromtimestamp(now // INTERVAL * INTERVAL - 7200, UTC)
    moments = sorted(
        (dice.uniform(0, MINUTES * 60) for _ in range(6000)), key=lambda moment: moment + dice.uniform(0, 100)
    )
    made = [
        a_score(
            number,
            value=dice.gammavariate(2, 1),
            inclusion_probability=dice.choice([1.0, 0.5]),
            groups={"region": dice.choice(["eu", "us"])},
            metric=dice.choice(["duration_seconds", "cost"]),
        )
        for number in range(len(moments))
    ]
    return [
        replace(score, called_at=start + timedelta(seconds=moment)) for score, moment in zip(made, moments, strict=True)
    ]


def expected(made):
    """Count and weight of every window, from the scores themselves."""
    found = defaultdict(lambda: [0, 0.0])
    for score in made:
        start = int(score.called_at.timestamp() // INTERVAL) * INTERVAL
        for group in ("", f"region={score.groups['region']}"):
            place = found[score.metric, group, start]
            place[0] += 1
            place[1] += 1 / score.inclusion_probability
    return {key: tuple(value) for key, value in found.items()}


async def kept(kafka):
    """What a reader of the topic keeps: of each id the fuller window."""
    windows = {}
    for record in await log_of(kafka, WINDOWS):
        window = Window.decode(record.value)
        if window.window_id not in windows or window.count > windows[window.window_id].count:
            windows[window.window_id] = window
    return windows.values()


async def test_kill_with_interleaved_windows(kafka, tmp_path):
    await declare(kafka, SCORES, WINDOWS)
    made = scores(datetime.now(UTC).timestamp())
    service = ServiceProcess(
        "windower",
        tmp_path,
        TIDEMARK_DATA=str(tmp_path),
        TIDEMARK_KAFKA_BOOTSTRAP=kafka.bootstrap,
        TIDEMARK_KAFKA_PREFIX=kafka.prefix,
        TIDEMARK_WINDOWER_INTERVAL_SECONDS=str(INTERVAL),
        TIDEMARK_WINDOWER_SETTLE_SECONDS="0",
        TIDEMARK_WINDOWER_SESSION_SECONDS="2",
        TIDEMARK_WINDOWER_BATCH_RECORDS="200",
    )
    part, offsets = len(made) // KILLS, [0]
    try:
        for kill in range(KILLS):
            service.start()
            await put(kafka, SCORES, [score.encode() for score in made[kill * part : (kill + 1) * part]])
            offsets.append(await eventually(lambda: moved(kafka, offsets[-1]), 60))
            service.kill()
        marked = [(REPLAY_HEADER, b"1")]
        await put(kafka, SCORES, [score.encode() for score in made[:50]], headers=marked)
        await put(kafka, SCORES, [replace(a_score(10**6), called_at=datetime.now(UTC)).encode()])
        service.start()
        await eventually(lambda: moved(kafka, len(made) + 49), 60)
        assert service.stop() == 0
    finally:
        service.kill()
    assert all(offset < (kill + 1) * part for kill, offset in enumerate(offsets[1:])), "open windows hold offsets back"
    # the embedded broker may name an end that is a moment old
    await eventually(lambda: as_many(kafka, len(expected(made))))
    assert await found(kafka) == expected(made)


async def as_many(kafka, windows):
    """Whether that many windows are there."""
    return len(await found(kafka)) >= windows


async def found(kafka):
    """Count and weight of every window that is kept, the one of the last score aside."""
    return {
        (window.metric, window.group, int(window.window_start.timestamp())): (window.count, window.weight)
        for window in await kept(kafka)
        if window.window_start < datetime.now(UTC) - timedelta(hours=1)
    }


async def moved(kafka, beyond):
    """The committed offset of partition 0, once it is beyond `beyond`."""
    offset = (await committed(kafka, SCORES, "windower")).get(0, 0)
    return offset if offset > beyond else None
