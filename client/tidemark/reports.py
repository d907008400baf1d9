"""Log lines about the client itself, at most one a minute for each subject."""

from __future__ import annotations

import logging
from time import monotonic

LOGGER = logging.getLogger("tidemark")
PAUSE_SECONDS = 60.0


class Reports:
    """Warnings by subject; what is said again within a minute is counted, and the count goes with the next one."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, int]] = {}

    def warn(self, subject: str, sentence: str, *values: object) -> None:
        """Log `sentence % values` unless `subject` was reported within the last minute."""
        said_at, silent = self._said.get(subject, (-PAUSE_SECONDS, 0))
        if monotonic() - said_at < PAUSE_SECONDS:
            self._said[subject] = (said_at, silent + 1)
            return
        self._said[subject] = (monotonic(), 0)
        repeats = f" ({silent} more like it before)" if silent else ""
        LOGGER.warning(sentence + repeats, *values)
