"""What is sent again, and what is deleted."""

import asyncio
import threading

import pytest

from services.gateway import spool as spools
from services.gateway.keeper import SEGMENT_SECONDS, SETTLED_SECONDS, Keeper
from services.gateway.retention import PHASES, Progress
from services.gateway.spool import Entry, Spool

READS = {"writer": ["calls.v1"]}


class Kafka:
    """A broker whose log is gone when it starts anew; its one reader takes everything at once."""

    def __init__(self) -> None:
        self.life = "first"
        self.log: list[bytes] = []
        self.away = False
        self.taken = True

    def start_anew(self, life: str) -> None:
        self.life, self.log = life, []

    async def send_all(self, entries):
        if self.away:
            return [False] * len(entries)
        self.log += [entry.value for entry in entries]
        return [True] * len(entries)

    async def run(self):
        return self.life

    async def progress(self):
        ends = {("calls.v1", 0): len(self.log)}
        return Progress(self.life, ends, {"writer": ends if self.taken else {}}, READS)


class Gateway:
    """Accepts as the intake does, and steps the keeper under a clock of its own."""

    def __init__(self, folder, kafka: Kafka) -> None:
        self.spool, self.kafka = Spool(folder, kafka.life), kafka
        self.keeper = Keeper(self.spool, kafka, kafka)
        self.now = self.spool.current.opened_at_seconds

    async def accept(self, *values: bytes) -> None:
        entries = [Entry("calls.v1", b"k", value) for value in values]
        receipt = await self.spool.append(entries)
        receipt.settle(acknowledged=all(await self.kafka.send_all(entries)))

    async def accept_at_once(self, value: bytes) -> None:
        """Disk and broker at the same time."""
        entries = [Entry("calls.v1", b"k", value)]
        receipt, sent = await asyncio.gather(self.spool.append(entries), self.kafka.send_all(entries))
        receipt.settle(acknowledged=all(sent))

    async def step(self, seconds: float = 1) -> None:
        self.now += seconds
        await self.keeper.step(self.now)


@pytest.fixture
def kafka():
    return Kafka()


@pytest.fixture
async def gateway(tmp_path, kafka):
    gateway = Gateway(tmp_path, kafka)
    yield gateway
    await gateway.spool.close()


async def test_a_broker_that_lost_its_log_gets_everything_again_in_order(gateway, kafka):
    await gateway.accept(b"1")
    await gateway.step(SEGMENT_SECONDS)
    await gateway.accept(b"2", b"3")
    kafka.start_anew("second")
    await gateway.accept(b"4")
    await gateway.step()
    assert kafka.log == [b"4", b"1", b"2", b"3", b"4"]
    await gateway.step()
    assert len(kafka.log) == 5


async def test_what_was_acknowledged_is_not_sent_again_to_the_same_broker(gateway, kafka):
    for value in (b"1", b"2"):
        await gateway.accept(value)
        await gateway.step(SEGMENT_SECONDS)
    assert kafka.log == [b"1", b"2"]


async def test_what_kafka_did_not_take_is_sent_when_it_is_back(gateway, kafka):
    kafka.away = True
    await gateway.accept(b"1")
    await gateway.step(SEGMENT_SECONDS)
    assert kafka.log == []
    kafka.away = False
    await gateway.step()
    assert kafka.log == [b"1"]


async def test_what_an_ended_broker_acknowledged_before_the_disk_did_is_sent_again(gateway, kafka, monkeypatch):
    disk, written = threading.Semaphore(0), spools._written

    def slowly(*given):
        disk.acquire()
        return written(*given)

    monkeypatch.setattr(spools, "_written", slowly)
    first = asyncio.create_task(gateway.accept_at_once(b"1"))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(gateway.accept_at_once(b"2"))
    await asyncio.sleep(0.01)
    assert kafka.log == [b"1", b"2"]
    kafka.start_anew("second")
    stepping = asyncio.create_task(gateway.step())
    await asyncio.sleep(0.01)
    disk.release(3)
    await asyncio.gather(first, second, stepping)
    await gateway.step(SEGMENT_SECONDS)
    assert kafka.log == [b"1", b"2"]


async def test_a_restart_sends_what_was_never_confirmed_and_only_that(tmp_path, kafka):
    before = Gateway(tmp_path, kafka)
    await before.accept(b"1")
    await before.step(SEGMENT_SECONDS)
    await before.accept(b"2")
    await before.spool.close()
    after = Gateway(tmp_path, kafka)
    await after.step()
    await after.spool.close()
    assert kafka.log == [b"1", b"2", b"2"]


async def test_a_sending_that_never_ends_is_done_again(gateway, kafka):
    await gateway.spool.append([Entry("calls.v1", b"k", b"1")])
    await gateway.step(SEGMENT_SECONDS)
    assert kafka.log == []
    await gateway.step(SETTLED_SECONDS + SEGMENT_SECONDS)
    assert kafka.log == [b"1"]


async def test_a_segment_is_deleted_when_all_have_it_and_five_minutes_are_over(gateway, kafka):
    await gateway.accept(b"1")
    await gateway.step(SEGMENT_SECONDS)
    for _ in range(PHASES + 1):
        await gateway.step()
    assert len(gateway.spool.closed) == 1
    await gateway.step(400)
    assert gateway.spool.closed == []


async def test_a_segment_that_could_not_be_closed_is_when_there_is_room_again(gateway, kafka, monkeypatch):
    def no_room(_folder):
        raise OSError(28, "No space left on device")

    await gateway.accept(b"1")
    with monkeypatch.context() as patched:
        patched.setattr(spools, "_fsync_folder", no_room)
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                await gateway.step(SEGMENT_SECONDS)
        await gateway.accept(b"2")
    await gateway.accept(b"3")
    await gateway.step()
    (segment,) = gateway.spool.closed
    assert [entry.value for entry in segment.entries()] == [b"1", b"2", b"3"] == kafka.log
    for _ in range(PHASES + 1):
        await gateway.step(400)
    assert gateway.spool.closed == []
    assert not segment.path.exists()


async def test_a_reader_that_is_behind_keeps_everything(gateway, kafka):
    kafka.taken = False
    await gateway.accept(b"1")
    for _ in range(PHASES + 3):
        await gateway.step(400)
    assert len(gateway.spool.closed) == 1


async def test_a_new_broker_starts_the_wait_anew(gateway, kafka):
    await gateway.accept(b"1")
    for _ in range(PHASES + 1):
        await gateway.step(SEGMENT_SECONDS)
    kafka.start_anew("second")
    await gateway.step(400)
    assert [segment.phase for segment in gateway.spool.closed] == [0]
