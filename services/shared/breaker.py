"""A bad deploy must not drain a topic: too many failures stop the service until a person resumes it."""

import json
from collections import deque
from copy import copy
from datetime import datetime
from pathlib import Path

WINDOW, MOST_FAILURES, MOST_IN_A_ROW = 1000, 50, 100  # more than 5 % in 1,000 messages, or 100 in a row


class Tripped(Exception):
    """Too many messages failed."""


class Breaker:
    """Counts failures of the service's own code, in the order of the messages.

    It stops at the failure that makes the limit certain to be passed, without waiting for a thousand messages: so a
    service that fails on everything stops at the 51st, and a hundred in a row are a limit of their own only for a
    wider ratio.

    >>> breaker = Breaker()
    >>> breaker.succeeded(10_000)
    >>> for _ in range(50): breaker.failed("bad")
    >>> breaker.failed("bad")
    Traceback (most recent call last):
    services.shared.breaker.Tripped: 51 of the last 1000 messages failed; the last one with: bad
    """

    def __init__(self) -> None:
        self._seen = 0
        self._in_a_row = 0
        self._failures: deque[int] = deque()

    def succeeded(self, messages: int) -> None:
        """Count messages that were handled."""
        if messages:
            self._seen += messages
            self._in_a_row = 0

    def failed(self, reason: str) -> None:
        """Count one message that could not be handled; raises `Tripped` when it is one too many."""
        self._seen += 1
        self._in_a_row += 1
        self._failures.append(self._seen)
        while self._failures[0] <= self._seen - WINDOW:
            self._failures.popleft()
        if self._in_a_row >= MOST_IN_A_ROW:
            raise Tripped(f"{self._in_a_row} messages in a row failed; the last one with: {reason}")
        if len(self._failures) > MOST_FAILURES:
            raise Tripped(f"{len(self._failures)} of the last {WINDOW} messages failed; the last one with: {reason}")

    def trial(self) -> "Breaker":
        """A copy to count a batch on, which may have to be handled again."""
        other = copy(self)
        other._failures = self._failures.copy()
        return other


class Marker:
    """The file that keeps a service stopped over restarts: `state/<service>.stopped` in the data directory."""

    def __init__(self, data: Path, service: str) -> None:
        self.name, self.path = service, data / "state" / f"{service}.stopped"

    @classmethod
    def all(cls, data: Path) -> dict[str, "Marker"]:
        """The markers of the services that are stopped."""
        return {path.stem: cls(data, path.stem) for path in sorted((data / "state").glob("*.stopped"))}

    @classmethod
    def stopped(cls, data: Path) -> list[dict[str, str]]:
        """`service`, `reason` and `stopped_at` of each service that is stopped."""
        return [{"service": name, **marker.told()} for name, marker in cls.all(data).items()]

    def reason(self) -> str | None:
        """Why the service is stopped; None when it is not."""
        try:
            return self.told()["reason"]
        except FileNotFoundError:
            return None

    def told(self) -> dict[str, str]:
        """`reason` and `stopped_at` (ISO 8601); raises FileNotFoundError where the service is not stopped."""
        text = self.path.read_text()
        try:
            found = json.loads(text)
            return {"reason": str(found["reason"]), "stopped_at": str(found["stopped_at"])}
        except (ValueError, KeyError, TypeError):
            return {"reason": f"{self.path} exists", "stopped_at": "a time that it does not say"}

    def set(self, reason: str, now: datetime) -> None:
        """Stop the service until the file is removed."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.write_text(json.dumps({"reason": reason, "stopped_at": now.isoformat()}))

    def clear(self) -> None:
        """Let the service go on."""
        self.path.unlink(missing_ok=True)
