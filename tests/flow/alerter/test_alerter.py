"""Windows on a real broker, the alerter as a real process, killed between them."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from schemas.ids import derived_id
from schemas.messages import Alert
from schemas.topics import ALERTS, DEPLOYMENTS, WINDOWS
from services.shared.record import REPLAY_HEADER
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.service_process import ServiceProcess
from tests.unit.alerter.streams import a_deployment, a_window

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(900)]
INTERVAL = 60
BAD = [0.6, 0.1] * 10


def a_minute(ago, values=BAD, metric="response_toxicity"):
    """The window of a minute that ended `ago` minutes before the present one began."""
    now = datetime.now(UTC).timestamp() // INTERVAL * INTERVAL
    start = datetime.fromtimestamp(now, UTC) - timedelta(minutes=ago + 1)
    made = a_window(metric, values, interval=INTERVAL)
    return replace(
        made,
        window_id=derived_id("window", metric, start),
        window_start=start,
        window_end=start + timedelta(seconds=INTERVAL),
    )


async def alerts(kafka):
    return [Alert.decode(record.value) for record in await log_of(kafka, ALERTS)]


async def recorded(kafka, number):
    async def all_committed():
        return sum((await committed(kafka, WINDOWS, "alerter")).values()) >= number

    await eventually(all_committed)


@pytest.fixture
async def alerter(kafka, tmp_path):
    await declare(kafka, WINDOWS, ALERTS, DEPLOYMENTS)
    await put(kafka, DEPLOYMENTS, [a_deployment().encode()])
    service = ServiceProcess(
        "alerter",
        tmp_path,
        TIDEMARK_DATA=str(tmp_path / "data"),
        TIDEMARK_KAFKA_BOOTSTRAP=kafka.bootstrap,
        TIDEMARK_KAFKA_PREFIX=kafka.prefix,
        TIDEMARK_ALERTER_SESSION_SECONDS="3",
    )
    service.start()
    try:
        service.ready()
        yield service
    finally:
        service.kill()


async def test_two_bad_windows_are_one_alert_through_kills_repeats_and_poison(kafka, alerter):
    first, second = a_minute(1), a_minute(0)
    await put(kafka, WINDOWS, [first.encode(), b"poison"])
    await recorded(kafka, 2)
    alerter.kill()
    await put(kafka, WINDOWS, [first.encode(), second.encode()])
    alerter.start()
    alerter.ready()
    (alert,) = await eventually(lambda: alerts(kafka), 60)
    assert (alert.rule, alert.state, alert.first_window_start) == ("toxic-responses", "firing", first.window_start)
    await put(kafka, WINDOWS, [first.encode(), second.encode()])
    await recorded(kafka, 6)
    assert {each.alert_id for each in await alerts(kafka)} == {alert.alert_id}
    assert alerter.stop() == 0


async def test_what_is_replayed_never_fires(kafka, alerter):
    await put(kafka, WINDOWS, [a_minute(1).encode(), a_minute(0).encode()], headers=[(REPLAY_HEADER, b"1")])
    await recorded(kafka, 2)
    errors = a_minute(1, [1.0] * 20, "error")
    await put(kafka, WINDOWS, [errors.encode(), a_minute(0, [1.0] * 20, "error").encode()])
    (alert,) = await eventually(lambda: alerts(kafka), 60)
    assert alert.rule == "errors"
