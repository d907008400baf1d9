"""What the verdict on each event leads to: acknowledged, spooled, kept aside or counted."""

from __future__ import annotations

import json
import random
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from tidemark.reports import Reports
from tidemark.spool import Spool
from tidemark.transport import CALLS, RETRY, Indigestible, Item, Transport, Unavailable, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tidemark.ledger import Ledger
    from tidemark.rejects import Rejects

SHORTEST_BACKOFF_SECONDS = 0.2


class Backoff:
    """When to try again: after the server's own word, by a jitter under a doubling ceiling.

    The jitter comes on top, or all clients that were told the same second would come back in it.
    """

    def __init__(self, *, longest_seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._longest_seconds, self._clock = longest_seconds, clock
        self._until, self._failures = 0.0, 0

    @property
    def closed(self) -> bool:
        """Whether it is too early to try."""
        return self._clock() < self._until

    def failed(self, retry_after_seconds: float = 0.0) -> None:
        """Nothing went through."""
        ceiling = min(self._longest_seconds, SHORTEST_BACKOFF_SECONDS * 2 ** min(self._failures, 20))
        self._failures += 1
        pause = retry_after_seconds + random.uniform(ceiling / 2, ceiling)  # noqa: S311
        self._until = self._clock() + pause

    def succeeded(self) -> None:
        """Something went through."""
        self._until, self._failures = 0.0, 0


class Replaced(BaseException):
    """Another thread went on while this one waited for the transport; nothing here is its own any more."""


class Delivery:
    """Sends batches and does with each event what its verdict asks for. One thread.

    An event is acknowledged once: when the transport took it or when the spool holds it, and its id is in the ledger
    before it is counted. What was spooled is not acknowledged again when it is sent. `turn` is free while the transport
    is asked: whoever takes it then goes on in place of the thread that asks, which gets `Replaced` for an answer.
    """

    def __init__(
        self, transport: Transport, *, spool: Spool, ledger: Ledger | None, rejects: Rejects, backoff: Backoff
    ) -> None:
        self._transport, self._spool, self._ledger = transport, spool, ledger
        self._rejects, self._backoff = rejects, backoff
        self._reports = Reports()
        self.acknowledged = self.rejected = self.replayed = 0
        self.lost = 0  # so far, by whatever did not fit; told to the server with the next batch
        self._said = 0
        self.turn = Lock()
        self.turn.acquire()

    def fresh(self, items: Sequence[Item], *, spool_only: bool = False) -> list[Item]:
        """Deliver what was never promised; what is returned found the spool full and is still nobody's."""
        verdicts = [(item, RETRY) for item in items] if spool_only else self._send(list(items))
        stored = [item for item, verdict in verdicts if verdict.status == "stored"]
        waiting = [item for item, verdict in verdicts if verdict.status == "retry"]
        self._reject(verdicts)
        self._acknowledge(stored)
        kept = self._spooled(waiting)
        self._acknowledge(waiting[:kept])
        return waiting[kept:]

    def replay(self, limit: int) -> bool:
        """Send a batch of what is spooled, oldest first; whether anything was settled."""
        items = [Item.parse(payload) for payload in self._oldest(limit)]
        batch = [item for item in items if item.kind == items[0].kind]
        if not batch or self._backoff.closed:
            return False
        verdicts = self._send(batch)
        settled = [item for item, verdict in verdicts if verdict.status != "retry"]
        self._reject(verdicts)
        self._spool.settle(item.payload for item in settled)
        self.replayed += len(settled)
        return bool(settled)

    def reject(self, item_id: str, reason: dict[str, str], event: object) -> None:
        """Count what was refused for good and keep it aside."""
        self.rejected += 1
        self._reports.warn("rejected", "Refused: %(field)s %(message)s. %(remedy)s", reason)
        try:
            self._rejects.add(item_id, reason, event)
        except Exception as error:  # one that cannot be told of must not take the others along
            self._reports.warn("rejects", "The reject file cannot be written: %s.", error)

    def _send(self, items: list[Item]) -> list[tuple[Item, Verdict]]:
        """The verdict on each; a batch that is refused as a whole is halved until one stands alone."""
        if self._backoff.closed:
            return [(item, RETRY) for item in items]
        lost = self.lost
        try:
            verdicts = self._asked(items, lost - self._said)
        except Indigestible as refusal:
            if len(items) == 1:
                return [(items[0], refusal.verdict)]
            middle = len(items) // 2
            return self._send(items[:middle]) + self._send(items[middle:])
        except Unavailable as pause:
            self._pause(str(pause), pause.retry_after_seconds)
            return [(item, RETRY) for item in items]
        except Exception as error:  # whatever a transport does, the calls are in hand and the spool takes them
            self._pause(repr(error), 0.0)
            return [(item, RETRY) for item in items]
        self._said = lost
        if RETRY in verdicts:
            self._pause("some calls shall be tried again", 0.0)
        else:
            self._backoff.succeeded()
        return list(zip(items, verdicts, strict=True))

    def _asked(self, items: list[Item], dropped: int) -> list[Verdict]:
        self.turn.release()
        try:
            return self._transport.send(items, dropped=dropped)
        finally:
            if not self.turn.acquire(blocking=False):
                raise Replaced

    def _pause(self, reason: str, seconds: float) -> None:
        self._backoff.failed(seconds)
        self._reports.warn("unavailable", "Calls wait in the spool: %s.", reason)

    def _oldest(self, limit: int) -> list[bytes]:
        if self._backoff.closed:
            return []
        try:
            return self._spool.oldest(limit)
        except OSError as error:
            self._reports.warn("spool", "The spool cannot be read: %s.", error)
            return []

    def _spooled(self, items: list[Item]) -> int:
        """How many of the items the spool holds, from the first on."""
        try:
            kept = self._spool.append(item.payload for item in items)
        except OSError as error:
            self._reports.warn("spool", "The spool cannot be written: %s.", error)
            return 0
        if kept < len(items):
            self._reports.warn("spool", "The spool is full (%d bytes), new calls are refused.", self._spool.size_bytes)
        return kept

    def _acknowledge(self, items: list[Item]) -> None:
        if self._ledger and items:
            try:
                self._ledger.add(item.id for item in items if item.kind == CALLS)
            except OSError as error:
                self._reports.warn("ledger", "The ledger cannot be written: %s.", error)
        self.acknowledged += len(items)

    def _reject(self, verdicts: list[tuple[Item, Verdict]]) -> None:
        for item, verdict in verdicts:
            if verdict.status == "rejected":
                self.reject(item.id, verdict.reason, json.loads(item.payload))
