"""What carries events out of the process, and what may come back."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, Protocol

CALLS, FEEDBACK = "calls", "feedback"


class Item(NamedTuple):
    """One event on its way: `kind` is calls or feedback, `payload` its JSON."""

    kind: str
    id: str
    payload: bytes

    @classmethod
    def parse(cls, payload: bytes) -> Item:
        """The item in a payload that was spooled."""
        event: dict[str, Any] = json.loads(payload)
        if event["type"] == "call.v1":
            return cls(CALLS, event["call_id"], payload)
        return cls(FEEDBACK, event["feedback_id"], payload)


class Verdict(NamedTuple):
    """What became of one event: `stored`, `rejected` (field and remedy), or `retry`."""

    status: str
    field: str = ""
    message: str = ""
    remedy: str = ""

    @property
    def reason(self) -> dict[str, str]:
        """Why, for the reject file."""
        return {"field": self.field, "message": self.message, "remedy": self.remedy}


STORED, RETRY = Verdict("stored"), Verdict("retry")


class Unavailable(Exception):
    """Nothing of the batch was taken, and all of it may be later; `retry_after_seconds` where the server said when."""

    def __init__(self, reason: str, *, retry_after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class Indigestible(Exception):
    """The batch as a whole was refused for good: too large, or one of it is malformed. `verdict` is for one alone."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.message)
        self.verdict = verdict


class Transport(Protocol):
    """One way out of the process; used by one thread, except `abort`."""

    def send(self, items: list[Item], *, dropped: int) -> list[Verdict]:
        """Deliver a batch of one kind and answer item by item, in order; says that `dropped` were lost since the last.

        Raises `Unavailable` or `Indigestible`.
        """
        ...

    def abort(self) -> None:
        """Make a `send` that waits give up, from another thread; over HTTP nothing is tried again."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
