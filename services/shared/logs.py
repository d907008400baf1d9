"""Logs: one JSON object a line on standard error, a sentence with fields."""

import logging
import sys
import time
from collections.abc import Callable

from pythonjsonlogger.json import JsonFormatter

# While a broker is away these say the same a hundred times a second.
CHATTY = ("aiokafka", "faust", "mode", "kafka")


class Sparing(logging.Filter):
    """Lets a message of one place in the code pass `burst` times in `period_seconds`, then says how many it held."""

    def __init__(
        self, burst: int = 5, period_seconds: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._burst, self._period_seconds, self._clock = burst, period_seconds, clock
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        place, now = (record.pathname, record.lineno), self._clock()
        began, count = self._seen.get(place, (now, 0))
        if now - began >= self._period_seconds:
            record.__dict__["suppressed"] = max(0, count - self._burst)
            began, count = now, 0
        self._seen[place] = (began, count + 1)
        return count < self._burst


class _ChattyOnly(Sparing):
    def filter(self, record: logging.LogRecord) -> bool:
        return super().filter(record) if record.name.startswith(CHATTY) else True


def start(service: str, level: str) -> None:
    """Log from here on as `service`, at `level` and above."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            static_fields={"service": service},
            datefmt="%Y-%m-%dT%H:%M:%S%z",
        )
    )
    handler.addFilter(_ChattyOnly())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("aiokafka", "faust", "mode", "httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.captureWarnings(capture=True)
