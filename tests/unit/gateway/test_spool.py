"""What the spool keeps across crashes."""

import asyncio
import errno
import os
import resource
import signal
import stat
import threading
from pathlib import Path

import pytest

from services.gateway import spool as spools
from services.gateway.spool import Entry, Spool


def entries(*numbers: int) -> list[Entry]:
    return [Entry("calls.v1", b"acme|t", f"call {number}".encode()) for number in numbers]


async def kept(folder) -> list[str]:
    """What a process that starts in `folder` finds."""
    found = Spool(folder, "later")
    values = [entry.value.decode() for segment in found.closed for entry in segment.entries()]
    await found.close()
    return values


def without_room(monkeypatch, for_what: str) -> None:
    """As where files or space have run out: no segment, or the folder cannot be opened, or not be synced."""
    opened, synced = os.open, os.fsync

    def open_some(path, *more, **options):
        if Path(path).suffix == ".spool" if for_what == "segment" else for_what == "folder" and Path(path).is_dir():
            raise OSError(errno.EMFILE, "no room")
        return opened(path, *more, **options)

    def sync_some(descriptor):
        if for_what == "sync" and stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.ENOSPC, "no room")
        synced(descriptor)

    monkeypatch.setattr(spools.os, "open", open_some)
    monkeypatch.setattr(spools.os, "fsync", sync_some)


async def test_what_was_appended_is_found_by_the_next_process(tmp_path):
    spool = Spool(tmp_path, "run")
    await spool.append(entries(1, 2))
    await spool.rotate("run")
    await spool.append(entries(3))
    assert await kept(tmp_path) == ["call 1", "call 2", "call 3"]
    await spool.close()


async def test_appends_at_the_same_time_share_a_sync_and_keep_their_order(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(spools.os, "fsync", synced.append)
    spool = Spool(tmp_path, "run")
    synced.clear()
    await asyncio.gather(*(spool.append(entries(number)) for number in range(200)))
    assert 0 < len(synced) < 10
    assert await kept(tmp_path) == [f"call {number}" for number in range(200)]
    await spool.close()


async def test_what_could_not_be_synced_is_not_accepted(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "no room")

    spool = Spool(tmp_path, "run")
    with monkeypatch.context() as patched:
        patched.setattr(spools.os, "fsync", full)
        with pytest.raises(OSError, match="no room"):
            await spool.append(entries(1))
    await spool.append(entries(2))
    assert await kept(tmp_path) == ["call 2"]
    await spool.close()


async def test_a_torn_end_is_left_out_and_nothing_before_it(tmp_path):
    spool = Spool(tmp_path, "run")
    await spool.append(entries(1, 2, 3))
    path = spool.current.path
    await spool.close()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        found = [entry.value for entry in spool.closed[0].entries()]
        assert found == [entry.value for entry in entries(1, 2, 3)][: len(found)]
        assert len(found) == length * 3 // len(whole)


@pytest.mark.parametrize("zeros", [1, 8, 4096])
async def test_a_tail_of_zeros_is_a_torn_end(tmp_path, zeros):
    spool = Spool(tmp_path, "run")
    await spool.append(entries(1, 2))
    path = spool.current.path
    await spool.close()
    path.write_bytes(path.read_bytes() + bytes(zeros))
    assert await kept(tmp_path) == ["call 1", "call 2"]


async def test_a_flipped_bit_is_noticed(tmp_path):
    spool = Spool(tmp_path, "run")
    await spool.append(entries(1))
    path = spool.current.path
    await spool.close()
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
    assert await kept(tmp_path) == ["call 1", "call 3"]
    await spool.close()


@pytest.mark.parametrize("for_what", ["segment", "folder", "sync"])
async def test_a_segment_that_cannot_be_opened_leaves_the_open_one_as_it_was(tmp_path, monkeypatch, for_what):
    spool = Spool(tmp_path, "run")
    await spool.append(entries(1))
    with monkeypatch.context() as patched:
        without_room(patched, for_what)
        for _ in range(2):
            with pytest.raises(OSError, match="no room"):
                await spool.rotate("run")
        stranger = os.open(os.devnull, os.O_RDONLY)
        await spool.append(entries(2))
    assert (list(tmp_path.iterdir()), spool.closed) == ([spool.current.path], [])
    await spool.rotate("run")
    await spool.append(entries(3))
    assert len(spool.closed) == 1
    await spool.close()
    os.close(stranger)
    assert len(list(tmp_path.iterdir())) == 2
    assert await kept(tmp_path) == ["call 1", "call 2", "call 3"]


async def test_a_spool_that_is_closed_refuses_and_touches_no_other_file(tmp_path):
    spool = Spool(tmp_path / "spool", "run")
    await spool.append(entries(1))
    await spool.close()
    strangers = [(tmp_path / str(number)).open("w+") for number in range(5)]
    with pytest.raises(OSError, match="closed"):
        await spool.append(entries(2))
    await spool.close()
    for stranger in strangers:
        assert os.fstat(stranger.fileno()).st_size == 0
        stranger.close()
    assert await kept(tmp_path / "spool") == ["call 1"]


async def test_a_close_waits_for_what_is_being_written(tmp_path, monkeypatch):
    spool, written = Spool(tmp_path, "run"), spools._written
    begun, may_go_on = threading.Event(), threading.Event()

    def slowly(*given):
        begun.set()
        may_go_on.wait(10)
        return written(*given)

    monkeypatch.setattr(spools, "_written", slowly)
    appending = asyncio.create_task(spool.append(entries(1)))
    await asyncio.to_thread(begun.wait, 10)
    closing = asyncio.create_task(spool.close())
    await asyncio.sleep(0)
    assert not closing.done()
    may_go_on.set()
    await asyncio.gather(appending, closing)
    assert await kept(tmp_path) == ["call 1"]


async def test_a_caller_that_goes_away_leaves_the_spool_whole(tmp_path):
    spool = Spool(tmp_path, "run")
    gone = asyncio.create_task(spool.append(entries(1)))
    await asyncio.sleep(0)
    gone.cancel()
    await spool.append(entries(2))
    assert (await kept(tmp_path))[-1] == "call 2"
    assert spool.current.failed
    await spool.close()


async def test_only_the_owner_may_read_it(tmp_path):
    spool = Spool(tmp_path / "spool", "run")
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert spool.current.path.stat().st_mode & 0o777 == 0o600
    await spool.close()


async def test_a_deleted_segment_is_gone_and_its_number_is_not_used_again(tmp_path):
    spool = Spool(tmp_path, "run")
    await spool.append(entries(1))
    await spool.rotate("run")
    (segment,) = spool.closed
    segment.sent("run")
    spool.delete(segment)
    assert await kept(tmp_path) == []
    assert not list(tmp_path.glob("*.sent"))
    await spool.close()
