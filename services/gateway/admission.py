"""What is let in under pressure, and what is asked to come back later."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from prometheus_client import Gauge

from services.gateway import metrics
from services.gateway.gateway import TokenBucket
from services.shared.problem import Problem

SOON_SECONDS, LATER_SECONDS = 1.0, 5.0
SHARE = 4  # of what may be in hand, one key may have a quarter once half is taken: nobody alone keeps others out

# Says why nothing more may be taken at the moment, of so many bytes; None where it may.
Gate = Callable[[int], str | None]


@dataclass(frozen=True)
class Most:
    """How much is let in: bytes and requests that are worked on at once; messages a second of a key, and at once."""

    bytes: int = 64 << 20
    requests: int = 256
    per_second: float = 10_000
    burst: float = 50_000


class _InHand:
    """How much is worked on, of all keys and of each; a key that has none may always begin with one."""

    def __init__(self, what: str, most: int, gauge: Gauge) -> None:
        self._what, self._most, self._gauge = what, most, gauge
        self._all, self._of_key = 0, Counter[str]()

    @contextmanager
    def taken(self, key_id: str, amount: int) -> Iterator[None]:
        """Have so much more in hand; `Problem` (429) above the key's share, or above what all may have."""
        own = self._of_key[key_id]
        if own and own + amount > self._most // SHARE and self._all + amount > self._most // 2:
            said = f"the key has as many {self._what} in hand as one key may"
            raise later("saturated", said, SOON_SECONDS)
        if self._all + amount > self._most:
            raise later("saturated", f"the gateway has as many {self._what} in hand as it may", SOON_SECONDS)
        self._add(key_id, amount)
        try:
            yield
        finally:
            self._add(key_id, -amount)

    def _add(self, key_id: str, amount: int) -> None:
        self._all += amount
        self._of_key[key_id] += amount
        if not self._of_key[key_id]:
            del self._of_key[key_id]
        self._gauge.set(self._all)


class Admission:
    """Refuses before work is done, with 429 and the time to come back: too much of one key, in hand, or behind.

    Memory is bounded: a request is held with the size of its body from before it is read until it is answered, and
    `gates`, by the name that refusals are counted as, are asked of what outlives an answer. One key has a share of
    what may be in hand, so that it keeps no other out. What was acknowledged is none of its business.
    """

    def __init__(self, most: Most, gates: Mapping[str, Gate] | None = None) -> None:
        self._most, self._gates = most, dict(gates or {})
        self._buckets: dict[str, TokenBucket] = {}
        self._bytes = _InHand("bytes", most.bytes, metrics.IN_FLIGHT_BYTES)
        self._requests = _InHand("requests", most.requests, metrics.IN_FLIGHT_REQUESTS)

    @contextmanager
    def entered(self, key_id: str, size_bytes: int) -> Iterator[None]:
        """Work on one request of a key, of this size; `Problem` (429) where there is no room here, or behind a gate."""
        for name, gate in self._gates.items():
            if reason := gate(size_bytes):
                raise later(name, reason, LATER_SECONDS)
        with self._requests.taken(key_id, 1):
            yield

    def holding(self, key_id: str, size_bytes: int) -> AbstractContextManager[None]:
        """Hold bytes of a key's request; `Problem` (429) where there is no room for them."""
        return self._bytes.taken(key_id, size_bytes)

    def pass_rate(self, key_id: str, count: int) -> None:
        """Count messages of a key; `Problem` (429) above its rate."""
        now = time.monotonic()
        if key_id not in self._buckets:
            self._buckets[key_id] = TokenBucket(rate=self._most.per_second, burst=self._most.burst, now_seconds=now)
        wait_seconds = self._buckets[key_id].take(count, now)
        if wait_seconds > 0:
            said = f"the key's rate of {self._most.per_second:g} messages a second is used up"
            raise later("too_many", said, wait_seconds)


def later(reason: str, message: str, wait_seconds: float) -> Problem:
    """429: there is enough in hand, and the sender is to come back."""
    return _problem(429, reason, message, wait_seconds, "send again after the seconds in Retry-After")


def unavailable(message: str) -> Problem:
    """503: what is behind the gateway took nothing of a request."""
    remedy = "send again after the seconds in Retry-After; repeats are harmless"
    return _problem(503, "unavailable", message, SOON_SECONDS, remedy)


def _problem(status: int, code: str, message: str, wait_seconds: float, remedy: str) -> Problem:
    metrics.REFUSED.labels(code).inc()
    return Problem(status, code, message, remedy=remedy, headers={"Retry-After": str(max(1, round(wait_seconds)))})
