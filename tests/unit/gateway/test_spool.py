"""What the spool keeps across crashes."""

import asyncio
import resource
import signal

import pytest

from services.gateway import spool as spools
from services.gateway.spool import Entry, Spool


def entries(*numbers: int) -> list[Entry]:
    return [Entry("calls.v1", b"acme|t", f"call {number}".encode()) for number in numbers]


def kept(folder) -> list[str]:
    """What a process that starts in `folder` finds."""
    found = Spool(folder, "later")
    values = [entry.value.decode() for segment in found.closed for entry in segment.entries()]
    found.close()
    return values


async def test_what_was_appended_is_found_by_the_next_process(tmp_path):
    spool = Spool(tmp_path, "run")
    await spool.append(entries(1, 2))
    await spool.rotate("run")
    await spool.append(entries(3))
    assert kept(tmp_path) == ["call 1", "call 2", "call 3"]
    spool.close()


async def test_appends_at_the_same_time_share_a_sync_and_keep_their_order(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(spools.os, "fsync", synced.append)
    spool = Spool(tmp_path, "run")
    synced.clear()
    await asyncio.gather(*(spool.append(entries(number)) for number in range(200)))
    assert len(synced) < 10
    assert kept(tmp_path) == [f"call {number}" for number in range(200)]
    spool.close()


async def test_a_torn_end_is_left_out_and_nothing_before_it(tmp_path):
    spool = Spool(tmp_path, "run")
    await spool.append(entries(1, 2, 3))
    path = spool.current.path
    spool.close()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        found = [entry.value for entry in spool.closed[0].entries()]
        assert found == [entry.value for entry in entries(1, 2, 3)][: len(found)]
        assert len(found) == length * 3 // len(whole)


async def test_a_flipped_bit_is_noticed(tmp_path):
    spool = Spool(tmp_path, "run")
    await spool.append(entries(1))
    path = spool.current.path
    spool.close()
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)
    assert list(spool.closed[0].entries()) == []


async def test_a_disk_that_is_full_fails_the_append_and_spoils_no_other(tmp_path):
    spool = Spool(tmp_path, "run")
    await spool.append(entries(1))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (spool.current.bytes + 10, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            await spool.append(entries(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    await spool.append(entries(3))
    assert kept(tmp_path) == ["call 1", "call 3"]
    spool.close()


async def test_a_caller_that_goes_away_leaves_the_spool_whole(tmp_path):
    spool = Spool(tmp_path, "run")
    gone = asyncio.create_task(spool.append(entries(1)))
    await asyncio.sleep(0)
    gone.cancel()
    await spool.append(entries(2))
    assert kept(tmp_path)[-1] == "call 2"
    assert spool.current.failed
    spool.close()


async def test_only_the_owner_may_read_it(tmp_path):
    spool = Spool(tmp_path / "spool", "run")
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert spool.current.path.stat().st_mode & 0o777 == 0o600
    spool.close()


async def test_a_deleted_segment_is_gone_and_its_number_is_not_used_again(tmp_path):
    spool = Spool(tmp_path, "run")
    await spool.append(entries(1))
    await spool.rotate("run")
    (segment,) = spool.closed
    segment.sent("run")
    spool.delete(segment)
    assert kept(tmp_path) == []
    assert not list(tmp_path.glob("*.sent"))
    spool.close()
