"""The application's side: a call goes into a bounded queue, and nothing else happens there."""

from __future__ import annotations

from collections import deque
from itertools import count, islice
from time import time_ns
from typing import TYPE_CHECKING, Any

from tidemark.ids import CallIds

if TYPE_CHECKING:
    from typing import Unpack

    from tidemark.fields import CallFields

    # id, when it was handed over (nanoseconds since the epoch), the version that serves, the fields as given, size
    Handed = tuple[str, int, str | None, dict[str, Any], int]

# What a call with empty texts occupies: a tuple, a dictionary, an id and small values.
RECORD_SIZE = 600
ELEMENT_SIZE = 32  # a number in a list, and what the list keeps to find it
MOST_SEEN = 10_000  # elements of one field that are looked into, which take a millisecond
_TEXTS = {str}
_NESTED = (dict, list, tuple)
_FLAT = frozenset((str, float, int, bool, type(None)))
_NUMBERS = _FLAT - _TEXTS


class Intake:
    """Calls and feedback that nobody has looked at yet, bounded by number and by size.

    What does not fit is counted in `dropped`, what is no call at all in `misused`. Lists and dictionaries are copied
    two levels deep, so the caller may go on changing its own; anything deeper has to stay as it is until it is sent.
    """

    def __init__(self, *, capacity: int, capacity_bytes: int) -> None:
        self.serving: str | None = None
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self.renew()

    def renew(self) -> None:
        """Forget everything that was handed over, as a forked child must: its parent sends it."""
        self.calls: deque[Handed] = deque()
        self.opinions: deque[Handed] = deque()
        self.dropped = self.misused = 0
        self._drop_numbers, self._misuse_numbers = count(1), count(1)
        self._ids = CallIds()
        self._asleep = True
        # Without a lock, which would make callers wait for each other: threads that race may lose the size of a call
        # until the queues are empty the next time.
        self._taken = self._given = 0

    def next_call(self) -> Handed | None:
        """The oldest call that nobody has looked at, or None; for one thread."""
        return self._next(self.calls)

    def next_opinion(self) -> Handed | None:
        """The oldest feedback that nobody has looked at, or None; for one thread."""
        return self._next(self.opinions)

    def new_id(self, now_ns: int) -> str:
        """A fresh id of that time, nanoseconds since the epoch."""
        return self._ids.at(now_ns)

    def emit(self, /, *wrong: object, **fields: Unpack[CallFields]) -> str:
        """Hand over one call and return its `call_id` at once.

        Every argument is a field of the call, by name. Costs a microsecond or two; never raises, blocks or waits:
        a call that finds the queue full is counted as dropped, what makes no call is counted and logged.
        """
        call_id = ""
        try:
            now_ns = time_ns()
            call_id = str(("call_id" in fields and fields["call_id"]) or self._ids.at(now_ns))
            size = RECORD_SIZE
            for name, value in fields.items():
                if type(value) is str:
                    size += len(value)
                elif type(value) not in _FLAT:
                    fields[name], more = snapshot(value)  # type: ignore[literal-required]
                    size += more
            if wrong or self._taken - self._given + size > self._capacity_bytes or len(self.calls) >= self._capacity:
                return self._refuse(call_id, wrong)
            self._taken += size
            self.calls.append((call_id, now_ns, self.serving, fields, size))  # type: ignore[arg-type]
            if self._asleep:
                self.wake()
        except Exception:  # an application must not fail because it is watched
            self.misused = next(self._misuse_numbers)
        return call_id

    def hand_over(self, call_id: str, now_ns: int, version: str | None, fields: dict[str, Any]) -> None:
        """As `emit`, for a call whose id, time and version were made before."""
        try:
            copies = {name: snapshot(value) for name, value in fields.items()}
        except Exception:  # as in `emit`
            self.misused = next(self._misuse_numbers)
            return
        size = RECORD_SIZE + sum(more for _, more in copies.values())
        if self._taken - self._given + size > self._capacity_bytes or len(self.calls) >= self._capacity:
            self._refuse(call_id, ())
            return
        self._taken += size
        self.calls.append((call_id, now_ns, version, {name: copy for name, (copy, _) in copies.items()}, size))
        if self._asleep:
            self.wake()

    def hand_over_opinion(self, fields: dict[str, Any]) -> str:
        """Hand over feedback and return its `feedback_id`; bounded by its own number, and by size with the calls."""
        now_ns = time_ns()
        feedback_id = self._ids.at(now_ns)
        size = RECORD_SIZE + sum(len(value) for value in fields.values() if isinstance(value, str))
        if self._taken - self._given + size > self._capacity_bytes or len(self.opinions) >= self._capacity:
            return self._refuse(feedback_id, ())
        self._taken += size
        self.opinions.append((feedback_id, now_ns, None, fields, size))
        if self._asleep:
            self.wake()
        return feedback_id

    def wake(self) -> None:
        """Have somebody empty the queue."""
        self._asleep = False

    def _next(self, queue: deque[Handed]) -> Handed | None:
        handed = queue.popleft() if queue else None
        if handed:
            self._given += handed[4]
        if not (self.calls or self.opinions):
            self._given = self._taken
        return handed

    def _refuse(self, call_id: str, wrong: tuple[object, ...]) -> str:
        if wrong:
            self.misused = next(self._misuse_numbers)
        else:
            self.dropped = next(self._drop_numbers)
        return call_id


def snapshot(value: Any) -> tuple[Any, int]:
    """A copy of a value that survives changes two levels deep, and about how many bytes it holds.

    >>> snapshot(["ab", {"text": "cde"}])
    (['ab', {'text': 'cde'}], 101)
    """
    if type(value) is list:
        kinds = set(map(type, value))
        if kinds == _TEXTS:  # documents, the most frequent by far
            return value.copy(), sum(map(len, value)) + ELEMENT_SIZE * len(value)
        if kinds <= _NUMBERS:  # log-probabilities
            return value.copy(), ELEMENT_SIZE * len(value)
    if isinstance(value, str):
        return value, len(value)
    if isinstance(value, dict):
        return value.copy(), _size(value)
    if isinstance(value, list | tuple):
        return [part.copy() if isinstance(part, dict) else part for part in value], _size(value)
    return value, 0


def _size(whole: Any) -> int:
    size, unseen, most = 0, [whole], MOST_SEEN
    while unseen and most > 0:
        parts = unseen.pop()
        if isinstance(parts, dict):
            parts = list(parts.values())  # another thread may change it meanwhile
        size += ELEMENT_SIZE * len(parts)
        for part in islice(parts, most):
            if isinstance(part, str):
                size += len(part)
            elif isinstance(part, _NESTED):
                unseen.append(part)
        most -= len(parts)
    return size
