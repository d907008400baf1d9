"""Embeddings in, drift windows out."""

import weakref
from collections.abc import Sequence
from datetime import datetime

from schemas.messages import Deployment, Embedding, Segment, Window
from schemas.topics import DEPLOYMENTS, EMBEDDINGS, WINDOWS
from services.drift import metrics
from services.drift.config import Config
from services.drift.drift import Partition
from services.drift.store import ReferenceFiles
from services.shared.errors import Transient
from services.shared.fold import Fold
from services.shared.process import Runtime
from services.shared.record import Record
from services.shared.tumbling import is_ahead
from services.shared.view import View

VIEW_SECONDS = 5.0


def build(config: Config) -> tuple[Fold[Embedding], Sequence[Runtime]]:
    """The service, and beside it the view of deployments that it needs.

    A partition's state is its open windows; references lie under the data directory.
    """
    rules, references = config.rules, ReferenceFiles(config.data / "references")
    deployments = View(DEPLOYMENTS)

    def deployed(segment: Segment) -> Deployment | None:
        return deployments.get(segment.target.key)

    def state(partition: int) -> State:
        return State(Partition(partition, rules, references, deployed), deployments)

    return Fold("drift", reads=EMBEDDINGS, writes=WINDOWS, state=state), [deployments]


class State:
    """The windows of one partition, counted; what comes from a replay or from the future is left out."""

    def __init__(self, windows: Partition, deployments: View[Deployment]) -> None:
        self._windows, self._deployments = windows, deployments
        weakref.finalize(self, metrics.OPEN.remove, windows.partition)  # who takes the partition tells of it

    def add(self, records: Sequence[Record[Embedding]]) -> None:
        """Take embeddings in; references that grew are on the disk when this returns.

        `Transient` while deployments are not known: a version must not be judged by itself because the one that it
        replaced was not heard of yet.
        """
        if not self._deployments.wait(VIEW_SECONDS):
            raise Transient("the deployments have not been read yet")
        for record in records:
            if record.replayed:
                metrics.REPLAYED.inc()
            elif is_ahead(record.message.called_at, record.timestamp_ms):
                metrics.AHEAD.inc()
            else:
                self._windows.add(record.message, record.offset)
        try:
            self._windows.keep()
        except OSError as error:
            raise Transient(f"references cannot be written or read: {error}") from error

    def tick(self, now: datetime) -> list[Window]:
        """The windows that are due, judged."""
        due = list(self._windows.tick(now.timestamp()))
        metrics.count(self._windows.tally)
        metrics.OPEN.labels(self._windows.partition).set(len(self._windows))
        return due

    def needed(self) -> int | None:
        """The smallest offset that an open window or an unsaved reference still needs."""
        return self._windows.needed()
