"""A bad version goes out, the drift service is killed, and its windows are judged by the version that it replaced."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from schemas.messages import Window
from schemas.topics import DEPLOYMENTS, EMBEDDINGS, WINDOWS
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.service_process import ServiceProcess
from tests.unit.drift.builders import a_deployment, an_embedding, vectors

pytestmark = [pytest.mark.embedded, pytest.mark.slow]
INTERVAL = 60


def calls(first, count, *, start, version, shift=0.0):
    """`count` calls of one window that began at `start`."""
    made = []
    for number, row in enumerate(vectors(count, seed=first, shift=shift), start=first):
        moment = datetime.fromtimestamp(start + (number - first) * INTERVAL / count, UTC)
        made.append(replace(an_embedding(number, vector=row, version=version), called_at=moment).encode())
    return made


async def judged(kafka):
    """The tests of each version, the window that holds most calls."""
    found = {}
    for record in await log_of(kafka, WINDOWS):
        window = Window.decode(record.value)
        key = (window.segment.version, int(window.window_start.timestamp()))
        if window.drift is not None and window.count >= (found[key].sample_size if key in found else 0):
            found[key] = window.drift
    return found


@pytest.fixture
def service(kafka, tmp_path):
    """The service, with windows of a minute and references of sixty calls."""
    process = ServiceProcess(
        "drift",
        tmp_path,
        TIDEMARK_DATA=str(tmp_path),
        TIDEMARK_KAFKA_BOOTSTRAP=kafka.bootstrap,
        TIDEMARK_KAFKA_PREFIX=kafka.prefix,
        TIDEMARK_DRIFT_INTERVAL_SECONDS=str(INTERVAL),
        TIDEMARK_DRIFT_REFERENCE_SIZE="60",
        TIDEMARK_DRIFT_SETTLE_SECONDS="0",
        TIDEMARK_DRIFT_SESSION_SECONDS="2",
        TIDEMARK_DRIFT_DEVICE="cpu",
    )
    yield process
    process.kill()


async def test_a_killed_service_judges_a_version_by_the_one_before(kafka, service, tmp_path):
    await declare(kafka, EMBEDDINGS, WINDOWS, DEPLOYMENTS)
    start = int(datetime.now(UTC).timestamp()) // INTERVAL * INTERVAL - 7200
    await put(kafka, DEPLOYMENTS, [a_deployment("v1").encode()])
    service.start()
    await put(kafka, EMBEDDINGS, calls(0, 60, start=start, version="v1"))
    await eventually(lambda: reached(kafka, 60))
    service.kill()
    assert len(list(tmp_path.glob("references/*.reference"))) == 1
    await put(kafka, DEPLOYMENTS, [a_deployment("v2", "v1", revision=2).encode()])
    good = calls(1000, 40, start=start + INTERVAL, version="v1")
    bad = calls(2000, 40, start=start + INTERVAL, version="v2", shift=0.5)
    interleaved = [each for pair in zip(good, bad, strict=True) for each in pair]
    await put(kafka, EMBEDDINGS, interleaved[:50])
    service.start()
    await eventually(lambda: len(list(tmp_path.glob("references/*.reference"))) == 2)
    service.kill()
    await put(kafka, EMBEDDINGS, interleaved[50:])
    await put(kafka, EMBEDDINGS, calls(3000, 1, start=start + 3600, version="v1"))
    service.start()
    await eventually(lambda: reached(kafka, 140))
    assert service.stop() == 0
    # the embedded broker may name an end that is a moment old
    tests = await eventually(lambda: both(kafka, start + INTERVAL))
    old, new = tests["v1", start + INTERVAL], tests["v2", start + INTERVAL]
    assert (old.reference_version, new.reference_version) == ("v1", "v1")
    assert old.reference_id == new.reference_id
    assert (old.sample_size, new.sample_size) == (40, 40)
    assert new.p_value == 0.00005
    assert new.statistic > 0.05 > old.statistic


async def both(kafka, start):
    """The tests of both versions for the window of `start`, once both are there."""
    tests = await judged(kafka)
    return tests if {("v1", start), ("v2", start)} <= tests.keys() else None


async def reached(kafka, offset):
    """Whether everything before `offset` is committed."""
    return (await committed(kafka, EMBEDDINGS, "drift")).get(0, 0) >= offset
