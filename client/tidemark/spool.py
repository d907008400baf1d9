"""What could not be sent yet, on disk: acknowledged, and sent when somebody listens again."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from zlib import crc32

SEGMENT_BYTES = 2**20
LOCK = "lock"
SUFFIX = ".spool"
UNREADABLE_SECONDS = 30.0


class Spool:
    """Segment files of framed lines under `<folder>/<instance>/`, owned by whoever holds the lock in there.

    Order: oldest first, across all that is owned. Repeats: a segment goes when all of it is settled, so a crash in the
    middle sends the whole segment again. A torn or damaged line is skipped and counted. The size limit holds for
    what this process owns: its own segments and those it took over. One thread at a time.
    """

    def __init__(self, folder: Path, *, instance: str, max_bytes: int) -> None:
        self.folder, self._own, self._max_bytes = folder, folder / instance, max_bytes
        self._locks: dict[Path, int] = {}
        self._waiting: dict[Path, tuple[int, int]] = {}  # sealed segments: bytes and lines
        self._open: tuple[Path, int] | None = None
        self._loaded: tuple[Path, list[bytes]] | None = None
        self._unreadable: dict[Path, float] = {}  # until when they are left alone
        self.damaged = 0

    @property
    def size_bytes(self) -> int:
        """Bytes on disk that this process owns."""
        return sum(size for size, _ in self._waiting.values())

    def __len__(self) -> int:
        unread = sum(lines for path, (_, lines) in self._waiting.items() if not self._loaded or path != self._loaded[0])
        return unread + (len(self._loaded[1]) if self._loaded else 0)

    def append(self, payloads: Iterable[bytes]) -> int:
        """Write and fsync as many as fit, from the first on; how many, which survive a crash of process and machine.

        Nothing is evicted for what is new. Raises `OSError`, and then none of them is promised. A payload is one line
        without line breaks.
        """
        lines = self._fitting([frame(payload) for payload in payloads])
        if not lines:
            return 0
        block = b"".join(lines)
        path, file = self._segment()
        start = os.fstat(file).st_size
        try:
            _write_all(file, block)
            os.fsync(file)
        except OSError:
            os.ftruncate(file, start)
            raise
        size, count = self._waiting[path]
        self._waiting[path] = (size + len(block), count + len(lines))
        if size + len(block) >= SEGMENT_BYTES:
            self._seal()
        return len(lines)

    def oldest(self, limit: int) -> list[bytes]:
        """Up to `limit` of the oldest payloads that are not settled; the same ones until `settle` takes them.

        Raises `OSError` for a segment that is gone, whose lines count as damaged, or that cannot be read, and is tried
        again later; the others follow.
        """
        while self._loaded is None or not self._loaded[1]:
            self._drop_loaded()
            path = min(self._readable(), key=lambda path: path.name, default=None)
            if path is None:
                return []
            if self._open and path == self._open[0]:
                self._seal()
            payloads, damaged = self._read(path)
            self.damaged += damaged
            self._loaded = (path, payloads)
        return self._loaded[1][:limit]

    def settle(self, payloads: Iterable[bytes]) -> None:
        """Forget payloads that `oldest` gave; their segment goes with the last of them."""
        if self._loaded:
            gone = set(payloads)
            path, left = self._loaded
            self._loaded = (path, [payload for payload in left if payload not in gone])
            if not self._loaded[1]:
                self._drop_loaded()

    def adopt(self) -> int:
        """Take over what processes left that are dead; how many segments."""
        if not self.folder.is_dir():
            return 0
        before = len(self._waiting)
        for folder in sorted(self.folder.iterdir()):
            if folder.is_dir() and not folder.name.startswith(".") and folder not in self._locks:
                self._take_over(folder)
        return len(self._waiting) - before

    def close(self) -> None:
        """Let go: what waits is there for the next process."""
        self._seal()
        for folder, lock in self._locks.items():
            if not any(path.parent == folder for path in self._waiting):
                shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
        self._locks.clear()

    def abandon(self) -> None:
        """Close what a fork copied, without unlocking: the parent goes on owning it."""
        for file in [*self._locks.values(), *([self._open[1]] if self._open else [])]:
            with suppress(OSError):
                os.close(file)
        self._locks.clear()
        self._waiting.clear()
        self._open = self._loaded = None

    def _fitting(self, lines: list[bytes]) -> list[bytes]:
        ends = accumulate(map(len, lines), initial=self.size_bytes)
        next(ends)
        return [line for line, end in zip(lines, ends, strict=True) if end <= self._max_bytes]

    def _readable(self) -> set[Path]:
        now = time.monotonic()
        return {path for path in self._waiting if self._unreadable.get(path, now) <= now}

    def _read(self, path: Path) -> tuple[list[bytes], int]:
        try:
            return read(path)
        except FileNotFoundError:
            self.damaged += self._waiting.pop(path)[1]
            raise
        except OSError:
            self._unreadable[path] = time.monotonic() + UNREADABLE_SECONDS
            raise

    def _segment(self) -> tuple[Path, int]:
        if self._open and os.fstat(self._open[1]).st_nlink == 0:
            self._seal()  # somebody removed it: what is written there is lost
        if self._open is None:
            self._own_folder()
            path = self._own / f"{time.time_ns():020d}{SUFFIX}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._open = (path, os.open(path, flags, 0o600))
            self._waiting[path] = (0, 0)
            _fsync_folder(self._own)
        return self._open

    def _own_folder(self) -> None:
        """Make the folder under a hidden name and lock it before anybody can see and adopt it."""
        if self._own in self._locks:
            if self._own.is_dir():
                return
            os.close(self._locks.pop(self._own))  # somebody removed the folder, and the lock with it
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        hidden = self.folder / f".{self._own.name}"
        hidden.mkdir(mode=0o700, exist_ok=True)  # left behind where the lock could not be had
        self._locks[self._own] = _lock(hidden / LOCK, create=True)
        hidden.rename(self._own)
        _fsync_folder(self.folder)

    def _seal(self) -> None:
        if self._open:
            file, self._open = self._open[1], None  # first: a fork meanwhile must not close its number again
            os.close(file)

    def _drop_loaded(self) -> None:
        if self._loaded:
            path = self._loaded[0]
            path.unlink(missing_ok=True)
            del self._waiting[path]
            self._loaded = None

    def _take_over(self, folder: Path) -> None:
        try:
            lock = _lock(folder / LOCK)
        except OSError:
            return  # its owner lives, or another process was faster
        found = {path: (path.stat().st_size, path.read_bytes().count(b"\n")) for path in folder.glob(f"*{SUFFIX}")}
        if found:
            self._locks[folder] = lock
            self._waiting.update(found)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def frame(payload: bytes) -> bytes:
    """One line: the checksum (CRC-32, eight hexadecimal digits), a space, the payload."""
    return b"%08x %s\n" % (crc32(payload), payload)


def read(path: Path) -> tuple[list[bytes], int]:
    """The payloads of a segment whose checksum is right, and how many lines were not."""
    lines = path.read_bytes().split(b"\n")
    torn = bool(lines.pop())
    sound = list(_sound(lines))
    return sound, len(lines) - len(sound) + torn


def _sound(lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        checksum, _, payload = line.partition(b" ")
        if checksum == b"%08x" % crc32(payload):
            yield payload


def _lock(path: Path, *, create: bool = False) -> int:
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file


def _write_all(file: int, block: bytes) -> None:
    while block:
        block = block[os.write(file, block) :]


def _fsync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
