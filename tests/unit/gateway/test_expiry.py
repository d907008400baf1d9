"""Payloads past retention are forgotten while the gateway runs."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.gateway import expiry
from services.gateway.expiry import Expiry
from services.shared.kafka import Kafka
from services.shared.object_store import Folder
from tests.support.process import a_process, running

DAYS = ("2026-01-01", "2026-01-30", "2026-01-31", "2026-03-02")


class Away(Folder):
    """A store that does not answer when it is asked first."""

    asked = 0

    def expire(self, before):
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError("botocore says something")
        return super().expire(before)


@pytest.fixture
def process(tmp_path):
    made = a_process(Kafka("127.0.0.1:1"), tmp_path)
    made.clock = lambda: datetime(2026, 3, 3, 0, 30, tzinfo=UTC)
    return made


def filled(store):
    for day in DAYS:
        store.put(f"{day}/tenant/content", b"x")
    return store


def days_of(folder):
    return sorted(path.name for path in folder.iterdir())


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_days_past_retention_and_one_more_are_removed(process, tmp_path):
    store = filled(Folder(tmp_path / "payloads"))
    async with running(Expiry(store, timedelta(days=30)), process):
        await until(lambda: days_of(tmp_path / "payloads") == ["2026-01-31", "2026-03-02"])


async def test_a_store_that_does_not_answer_is_asked_again(process, tmp_path, monkeypatch):
    monkeypatch.setattr(expiry, "LOOK_SECONDS", 0.01)
    store = filled(Away(tmp_path / "payloads"))
    async with running(Expiry(store, timedelta(days=30)), process):
        await until(lambda: days_of(tmp_path / "payloads") == ["2026-01-31", "2026-03-02"])
    assert store.asked >= 2
