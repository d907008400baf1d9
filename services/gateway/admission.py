"""What is let in under pressure, and what is asked to come back later."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from services.gateway import metrics
from services.gateway.gateway import TokenBucket
from services.shared.problem import Problem

SOON_SECONDS, LATER_SECONDS = 1.0, 5.0

# Says why nothing more may be taken at the moment, of so many bytes; None where it may.
Gate = Callable[[int], str | None]


@dataclass(frozen=True)
class Most:
    """How much is let in: bytes and requests that are worked on at once; messages a second of a key, and at once."""

    bytes: int = 64 << 20
    requests: int = 256
    per_second: float = 10_000
    burst: float = 50_000


class Admission:
    """Refuses before work is done, with 429 and the time to come back: too much of one key, in hand, or behind.

    Memory is bounded: a request is held with the size of its body from before it is read until it is answered, and
    `gates`, by the name that refusals are counted as, are asked of what outlives an answer. What was acknowledged is
    none of its business.
    """

    def __init__(self, most: Most, gates: Mapping[str, Gate] | None = None) -> None:
        self._most, self._gates = most, dict(gates or {})
        self._buckets: dict[str, TokenBucket] = {}
        self._bytes = self._requests = 0

    @contextmanager
    def entered(self, size_bytes: int) -> Iterator[None]:
        """Work on one request of this size; `Problem` (429) where there is no room here, or behind a gate."""
        for name, gate in self._gates.items():
            if reason := gate(size_bytes):
                raise later(name, reason, LATER_SECONDS)
        if self._requests >= self._most.requests:
            raise later("saturated", "the gateway has as many requests in hand as it may", SOON_SECONDS)
        self._requests += 1
        metrics.IN_FLIGHT_REQUESTS.set(self._requests)
        try:
            yield
        finally:
            self._requests -= 1
            metrics.IN_FLIGHT_REQUESTS.set(self._requests)

    @contextmanager
    def holding(self, size_bytes: int) -> Iterator[None]:
        """Hold bytes of a request; `Problem` (429) where there is no room for them."""
        if self._bytes + size_bytes > self._most.bytes:
            raise later("saturated", "the gateway has as many bytes in hand as it may", SOON_SECONDS)
        self._bytes += size_bytes
        metrics.IN_FLIGHT_BYTES.set(self._bytes)
        try:
            yield
        finally:
            self._bytes -= size_bytes
            metrics.IN_FLIGHT_BYTES.set(self._bytes)

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
