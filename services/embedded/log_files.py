"""Log files that stay small."""

import os
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

_BLOCK = 64 * 1024


def rotate(log: Path, max_bytes: int) -> bool:
    """Move what is in `log` to `log.1` when it is longer than `max_bytes`; whether it did.

    The file is copied and cut, not renamed: its writer appends to the open file and never learns of it. A line
    written between copy and cut is lost.
    """
    if not log.exists() or log.stat().st_size <= max_bytes:
        return False
    shutil.copyfile(log, log.with_name(log.name + ".1"))
    os.truncate(log, 0)
    return True


def last_lines(log: Path, count: int) -> list[str]:
    """The last `count` lines, the older file included; fewer where there are fewer."""
    lines: deque[str] = deque(maxlen=count)
    for file in (log.with_name(log.name + ".1"), log):
        if file.exists():
            with file.open(errors="replace") as opened:
                lines.extend(line.rstrip("\n") for line in opened)
    return list(lines)


class Follower:
    """What is appended to one log from the time this was made."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = log.stat().st_size if log.exists() else 0
        self._rest = ""

    def fresh(self) -> Iterator[str]:
        """The whole lines that came since the last look; a cut file is read from its start."""
        if not self._log.exists():
            return
        size = self._log.stat().st_size
        if size < self._offset:
            self._offset, self._rest = 0, ""
        with self._log.open("rb") as opened:
            opened.seek(self._offset)
            while block := opened.read(_BLOCK):
                self._offset += len(block)
                self._rest += block.decode(errors="replace")
        *lines, self._rest = self._rest.split("\n")
        yield from lines


def last_error(lines: Iterable[str]) -> str | None:
    """The last line that tells of an error, as a person would look for it."""
    words = ("error", "exception", "critical", "traceback", "refused", "no such")
    found = None
    for line in lines:
        if any(word in line.lower() for word in words):
            found = line
    return found
