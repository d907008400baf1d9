"""Bytes under keys, in a directory and in what fsspec opens."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import uuid4

import fsspec
import pytest

from services.shared.errors import Unusable
from services.shared.object_store import Folder, Remote, opened


@pytest.fixture(params=["directory", "file url", "fsspec"])
def store(request, tmp_path):
    url = {"directory": "", "file url": f"file://{tmp_path}/else%20where", "fsspec": f"memory://{uuid4().hex}"}
    return opened(url[request.param], tmp_path / "payloads")


def without_room(monkeypatch, is_kind) -> list[int]:
    """No file, or no folder, can be synced: the sizes of those that should have been."""
    sync, sizes = os.fsync, []

    def sync_some(descriptor):
        status = os.fstat(descriptor)
        if is_kind(status.st_mode):
            sizes.append(status.st_size)
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", sync_some)
    return sizes


def test_what_was_put_is_there_and_repeats_are_harmless(store):
    for _ in range(3):
        store.put("2026-01-31/a/b", b"content")
    assert store.get("2026-01-31/a/b", 100) == b"content"
    assert store.get("2026-01-31/a/b", 3) == b"con"


def test_what_was_not_put_is_not_there(store):
    with pytest.raises(FileNotFoundError):
        store.get("2026-01-31/a/b", 100)


def test_whole_days_are_forgotten_and_nothing_else(store):
    for day in ("2026-01-29", "2026-01-30", "2026-01-31", "notes"):
        store.put(f"{day}/a/b", b"x")
        store.put(f"{day}/a/c", b"x")
    assert store.expire(date(2026, 1, 31)) == 2
    assert store.expire(date(2026, 1, 31)) == 0
    assert store.get("2026-01-31/a/c", 1) + store.get("notes/a/b", 1) == b"xx"
    with pytest.raises(FileNotFoundError):
        store.get("2026-01-30/a/b", 1)


def test_an_empty_store_has_nothing_to_forget(store):
    assert store.expire(date(2026, 1, 31)) == 0


def test_many_threads_put_the_same(store):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.put("2026-01-31/a/b", b"content" * 10_000), range(40)))
    assert store.get("2026-01-31/a/b", 1 << 20) == b"content" * 10_000


def test_only_the_owner_reads_a_directory(tmp_path):
    Folder(tmp_path / "payloads").put("2026-01-31/a/b", b"x")
    root = tmp_path / "payloads"
    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in (root, *root.rglob("*"))}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_what_was_broken_off_is_no_payload(tmp_path, monkeypatch):
    store = Folder(tmp_path)
    sizes = without_room(monkeypatch, stat.S_ISREG)
    with pytest.raises(OSError, match="No space"):
        store.put("2026-01-31/b", b"x")
    monkeypatch.undo()
    assert sizes == [1]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    store.put("2026-01-31/b", b"x")
    assert store.get("2026-01-31/b", 1) == b"x"


def test_a_payload_whose_name_is_not_synced_is_not_put(tmp_path, monkeypatch):
    store = Folder(tmp_path)
    store.put("2026-01-31/a", b"x")
    without_room(monkeypatch, stat.S_ISDIR)
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            store.put("2026-01-31/b", b"x")


def test_a_remote_store_is_what_fsspec_says(tmp_path):
    assert isinstance(opened("memory://x", tmp_path), Remote)
    fsspec.filesystem("memory").pipe_file("/x/2026-01-31/b", b"content")
    assert opened("memory://x/", tmp_path).get("2026-01-31/b", 7) == b"content"


def test_what_cannot_be_opened_is_one_sentence(tmp_path):
    with pytest.raises(Unusable, match="gopher"):
        opened("gopher://x", tmp_path)


def test_a_folder_that_could_not_be_synced_is_with_the_next_payload(tmp_path, monkeypatch):
    store, sync, synced = Folder(tmp_path / "payloads"), os.fsync, set()

    def noted(descriptor):
        synced.add(os.fstat(descriptor).st_ino)
        sync(descriptor)

    with monkeypatch.context() as patched:
        without_room(patched, stat.S_ISDIR)
        with pytest.raises(OSError, match="No space"):
            store.put("2026-01-31/a/b", b"x")
    monkeypatch.setattr(os, "fsync", noted)
    store.put("2026-01-31/a/c", b"x")
    folders = ("", "payloads", "payloads/2026-01-31", "payloads/2026-01-31/a")
    assert {(tmp_path / folder).stat().st_ino for folder in folders} <= synced
