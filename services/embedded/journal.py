"""The supervisor's own log."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path


class Journal:
    """Appends one sentence a line, with its time, to `logs/supervisor.log`."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def __call__(self, sentence: str) -> None:
        """Write one sentence; on a full disk it is lost, and whoever told it goes on."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        with suppress(OSError), self._log.open("a") as opened:
            opened.write(f"{at} {sentence}\n")
