"""The ids of acknowledged calls, one a line, on disk before anybody is told."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_CLOSED = -1


class Ledger:
    """Appends ids to a file; each batch is fsynced before `add` returns. Processes may share one file.

    Raises `OSError` where the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            said = f"ledger cannot be written ({error.strerror}), name another file"
            raise OSError(error.errno, said, str(path)) from error
        self._rest = b""  # of a line that a full disk took in part: it comes first, or the next id would follow it

    def add(self, call_ids: Iterable[str]) -> None:
        """Write the ids, in order. One write a batch: lines of several processes do not mix."""
        lines = self._rest + "".join(f"{call_id}\n" for call_id in call_ids).encode()
        if lines:
            self._rest = lines[os.write(self._file, lines) :]
            os.fsync(self._file)
            if self._rest:
                raise OSError(errno.ENOSPC, "the ledger was written in part")

    def close(self) -> None:
        """Complete what a full disk tore, if there is room by now, and close the file."""
        with suppress(OSError):
            self.add(())
        self.abandon()

    def abandon(self) -> None:
        """Close the file, once: its number may be another one's by then. What is torn is the parent's to complete."""
        file, self._file = self._file, _CLOSED
        if file != _CLOSED:
            os.close(file)
