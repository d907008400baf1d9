"""Accepted messages on disk, until everybody has them: for a broker whose log lives in memory."""

import asyncio
import errno
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct

import msgspec

HEADER = Struct("<II")  # length and CRC-32 of what follows
CLOSED = -1
SUFFIX, SENT = ".spool", ".sent"


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One message: topic without prefix, key and value."""

    topic: str
    key: bytes
    value: bytes


@dataclass(eq=False)
class Segment:
    """One file of entries. `sent_run` is the broker run that has acknowledged every entry."""

    path: Path
    run: str  # the broker run when the segment was opened
    opened_at_seconds: float
    closed_at_seconds: float | None = None
    bytes: int = 0
    pending: int = 0  # entries whose sending is not over
    failed: bool = False  # some entry was not acknowledged
    sent_run: str | None = None
    phase: int = 0
    snapshot: dict[tuple[str, int], int] = field(default_factory=dict)

    def sent(self, run: str) -> None:
        """Remember across restarts that `run` has everything."""
        self.sent_run, self.failed, self.phase, self.snapshot = run, False, 0, {}
        self.path.with_suffix(SENT).write_text(run)

    def entries(self) -> Iterator[Entry]:
        """The entries in the order they were accepted; a torn end, which nobody was promised, is left out.

        Torn is also what a power cut filled with zeros: no entry is empty, though the checksum of nothing is zero.
        """
        with self.path.open("rb") as file:
            while len(header := file.read(HEADER.size)) == HEADER.size:
                length, checksum = HEADER.unpack(header)
                body = file.read(length)
                if not body or len(body) < length or zlib.crc32(body) != checksum:
                    return
                yield _DECODER.decode(body)


class Receipt:
    """Entries that are on disk and on their way; `settle` says how the way ended."""

    def __init__(self, segment: Segment, count: int) -> None:
        self._segment, self._count = segment, count

    def settle(self, *, acknowledged: bool) -> None:
        """Say once whether Kafka has acknowledged all of them; what it has not is sent again later."""
        self._segment.pending -= self._count
        self._segment.failed |= not acknowledged


_Batch = list[tuple[Sequence[Entry], asyncio.Future[Segment]]]


class Spool:
    """Segment files in one private directory.

    Durability: what `append` returned for survives kill -9 and power loss. Concurrent appends share one fsync.
    """

    def __init__(self, folder: Path, run: str = "", limit_bytes: int = 4 << 30) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._limit_bytes = folder, limit_bytes
        self._lock = asyncio.Lock()
        self._waiting: _Batch = []
        self._writer: asyncio.Task[None] | None = None
        self.closed = [_adopted(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
        self._number = int(self.closed[-1].path.stem) if self.closed else 0
        self._descriptor, self.current = self._opened(run)

    @property
    def bytes(self) -> int:
        """The size of everything on disk."""
        return self.current.bytes + sum(segment.bytes for segment in self.closed)

    def gate(self, size_bytes: int) -> str | None:
        """Why a body of this size would not fit with all that is being written; None where it would."""
        waiting = sum(len(entry.value) for entries, _ in self._waiting for entry in entries)
        if self.bytes + waiting + size_bytes <= self._limit_bytes:
            return None
        return "the spool is full: a consumer is behind, or the broker is away"

    async def append(self, entries: Sequence[Entry]) -> Receipt:
        """Write the entries and return when they are on the disk. Raises OSError where they could not be written."""
        if self._descriptor == CLOSED:
            raise OSError(errno.EBADF, "the spool is closed: the gateway ends")
        if self.bytes > self._limit_bytes:
            raise OSError(errno.ENOSPC, "the spool is full: a consumer is behind, or the broker is away")
        done: asyncio.Future[Segment] = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, done))
        if self._writer is None or self._writer.done():
            # A task of its own: a caller that is cancelled must not leave a write behind that nobody waits for.
            self._writer = asyncio.create_task(self._write_waiting())
        return Receipt(await done, len(entries))

    async def rotate(self, run: str) -> None:
        """Close the open segment, unless it is empty, and open the next one.

        What waits for the disk goes into the segment that is closed: a run that is over may have acknowledged it.
        Raises OSError where there is no next one: then the open segment stays, and takes what comes.
        """
        async with self._lock:
            await self._write()
            if self.current.bytes:
                self._switch(*self._opened(run))
            self.current.run = run

    def delete(self, segment: Segment) -> None:
        """Forget a closed segment."""
        segment.path.unlink()
        segment.path.with_suffix(SENT).unlink(missing_ok=True)
        self.closed.remove(segment)

    async def close(self) -> None:
        """Close the files when what is being written is on the disk; what is appended after is refused."""
        async with self._lock:
            if self._descriptor != CLOSED:
                self._switch(CLOSED, self.current)

    async def _write_waiting(self) -> None:
        while self._waiting:
            async with self._lock:
                await self._write()

    async def _write(self) -> None:
        """Write all that waits; whoever calls holds the lock."""
        batch, self._waiting = self._waiting, []
        if batch:
            data = b"".join(_framed(entry) for entries, _ in batch for entry in entries)
            error = await asyncio.to_thread(_written, self._descriptor, data, self.current.bytes)
            self._answer(batch, len(data), error)

    def _answer(self, batch: _Batch, size: int, error: OSError | None) -> None:
        waiting = [(len(entries), done) for entries, done in batch if not done.cancelled()]
        if error is not None:
            for _, done in waiting:
                done.set_exception(error)
            return
        self.current.bytes += size
        self.current.failed |= len(waiting) < len(batch)
        for count, done in waiting:
            self.current.pending += count
            done.set_result(self.current)

    def _opened(self, run: str) -> tuple[int, Segment]:
        """A fresh segment and its file, durable; where that fails, there is none."""
        self._number += 1
        path = self._folder / f"{self._number:012d}{SUFFIX}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            _fsync_folder(self._folder)
        except OSError:
            os.close(descriptor)
            path.unlink()
            raise
        return descriptor, Segment(path, run, time.time())

    def _switch(self, descriptor: int, segment: Segment) -> None:
        """Write here from now on; the file that was written to is closed last, so that nothing can come between."""
        former, self._descriptor = self._descriptor, descriptor
        self.current.closed_at_seconds = time.time()
        self.closed.append(self.current)
        self.current = segment
        os.close(former)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Entry)


def _framed(entry: Entry) -> bytes:
    body = _ENCODER.encode(entry)
    return HEADER.pack(len(body), zlib.crc32(body)) + body


def _written(descriptor: int, data: bytes, end: int) -> OSError | None:
    try:
        os.ftruncate(descriptor, end)  # what a failed write left behind: nothing after a torn entry is ever read
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except OSError as error:
        return error
    return None


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _adopted(path: Path) -> Segment:
    status, sent = path.stat(), path.with_suffix(SENT)
    return Segment(
        path=path,
        run="",
        opened_at_seconds=status.st_mtime,
        closed_at_seconds=status.st_mtime,
        bytes=status.st_size,
        sent_run=sent.read_text() if sent.exists() else None,
    )
