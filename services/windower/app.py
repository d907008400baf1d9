"""Scores in, windows out."""

import weakref
from collections.abc import Sequence
from datetime import datetime

from schemas.messages import Score, Window
from schemas.topics import SCORES, WINDOWS
from services.shared.fold import Fold
from services.shared.record import Record
from services.shared.tumbling import is_ahead
from services.windower import metrics
from services.windower.config import Config
from services.windower.windower import Partition


def build(config: Config) -> Fold[Score]:
    """The service: its state is one set of open windows for each partition."""

    def state(partition: int) -> State:
        windows = Partition(partition, config.interval_seconds, timing=config.timing, most_groups=config.most_groups)
        return State(windows)

    return Fold("windower", reads=SCORES, writes=WINDOWS, state=state)


class State:
    """The windows of one partition, counted; what comes from a replay or from the future is left out."""

    def __init__(self, windows: Partition) -> None:
        self._windows = windows
        weakref.finalize(self, metrics.OPEN.remove, windows.partition)  # who takes the partition tells of it

    def add(self, records: Sequence[Record[Score]]) -> None:
        """Take scores in."""
        for record in records:
            if record.replayed:
                metrics.REPLAYED.inc()
            elif is_ahead(record.message.called_at, record.timestamp_ms):
                metrics.AHEAD.inc()
            else:
                self._windows.add(record.message, record.offset)

    def tick(self, now: datetime) -> list[Window]:
        """The windows that are due."""
        due = list(self._windows.tick(now.timestamp()))
        metrics.EMITTED.inc(len(due))
        metrics.count(self._windows.tally)
        metrics.OPEN.labels(self._windows.partition).set(len(self._windows))
        return due

    def needed(self) -> int | None:
        """The smallest offset that an open window still needs."""
        return self._windows.needed()
