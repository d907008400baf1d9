"""Alerts of a replay never decide anything: rollback as a process, on a real broker."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from schemas.messages import Alert
from schemas.topics import ALERTS, COMMANDS, OUTCOMES, dead_letters
from services.shared.record import REPLAY_HEADER
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.service_process import ServiceProcess
from tests.unit.rollback.scene import an_alert

pytestmark = pytest.mark.embedded


def a_fresh_alert(version):
    now = datetime.now(UTC)
    return replace(an_alert(version=version), window_end=now, changed_at=now)


@pytest.fixture
async def rollback(kafka, tmp_path):
    await declare(kafka, ALERTS, OUTCOMES, COMMANDS, dead_letters("rollback"))
    service = ServiceProcess(
        "rollback",
        tmp_path,
        TIDEMARK_DATA=str(tmp_path / "data"),
        TIDEMARK_KAFKA_BOOTSTRAP=kafka.bootstrap,
        TIDEMARK_KAFKA_PREFIX=kafka.prefix,
        TIDEMARK_SECRET="a long random text",
        TIDEMARK_ROLLBACK_SESSION_SECONDS="3",
    )
    service.start()
    try:
        service.ready()
        yield service
    finally:
        service.kill()


def kept(folder):
    """The versions of the alerts that rollback has in its store, from which every decision comes."""
    with closing(sqlite3.connect(folder / "data" / "state" / "rollback.sqlite")) as state:
        return [Alert.decode(message).segment.version for (message,) in state.execute("SELECT message FROM alerts")]


async def test_an_alert_of_a_replay_proposes_nothing(kafka, rollback, tmp_path):
    await put(kafka, ALERTS, [a_fresh_alert("replayed").encode()], headers=[(REPLAY_HEADER, b"1")])
    await put(kafka, ALERTS, [a_fresh_alert("live").encode()])

    async def both_recorded():
        return (await committed(kafka, ALERTS, "rollback")).get(0) == 2

    await eventually(both_recorded)
    assert rollback.stop() == 0
    assert await log_of(kafka, COMMANDS) == []
    assert kept(tmp_path) == ["live"]
