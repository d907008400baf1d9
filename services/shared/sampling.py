"""Which calls a scorer takes while it is behind, and how sure each of them was to be taken."""

from collections.abc import Container
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar
from uuid import UUID

from msgspec.structs import replace

from schemas.messages import Call, Message
from services.shared import metrics
from services.shared.lag import Lag

# Every stage that samples hashes with a seed of its own. All scorers share theirs, so that a call that one of them
# takes is taken by the others, too.
_STAGE = b"scorer"
_SPAN = 2.0**64
M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class LagBounds:
    """The lag, in seconds or messages, beyond which a sample is taken; 0 for no bound. The rate halves so often."""

    seconds: float = 0.0
    messages: int = 0
    halvings: int = 10

    def pressure(self, lag: Lag) -> float:
        """The lag in bounds."""
        seconds = lag.seconds / self.seconds if self.seconds else 0.0
        messages = lag.messages / self.messages if self.messages else 0.0
        return max(seconds, messages)


@dataclass
class Rate:
    """1, 1/2, 1/4, …: whoever is n bounds behind takes about one call in n.

    So an overload that lasts, of F times what can be scored, is met at a lag of at most 2 F bounds (up to
    2 ** halvings bounds), and a backlog is worked off. A rate goes up again at half of the lag at which it went down:
    it does not flap. Rates are powers of two and the hash is one, so the sample of a lower rate lies within that of a
    higher one.

    >>> rate = Rate(LagBounds(seconds=60))
    >>> [rate.follow(Lag(seconds=lag)) for lag in (50, 70, 130, 70, 40, 20)]
    [1.0, 0.5, 0.25, 0.25, 0.5, 1.0]
    """

    bounds: LagBounds
    halved: int = 0

    def follow(self, lag: Lag) -> float:
        """The rate at this lag."""
        pressure = self.bounds.pressure(lag)
        while self.halved < self.bounds.halvings and pressure > 2.0**self.halved:
            self.halved += 1
        while self.halved and pressure <= 2.0 ** (self.halved - 2):
            self.halved -= 1
        return 0.5**self.halved


class Sampler:
    """Thins the calls of one scorer while it is behind.

    A call with an error, and one that `opinions` (of keys `tenant|call_id`) holds feedback on, is always taken. The
    others are taken by a hash of their id alone. What is taken carries its inclusion probability, the product over
    all stages. Not for statistics that forget to weight by it.

    Repeats: a call that is handled again at another rate may be taken with another probability. It was in the sample
    of the higher rate both times, so the score with the larger probability is the right one, and readers keep it.
    """

    def __init__(self, service: str, bounds: LagBounds, opinions: Container[str] = ()) -> None:
        self._rate, self._opinions = Rate(bounds), opinions
        self._shown = metrics.SAMPLING_RATE.labels(service)
        self._shown.set(1)

    def follow(self, lag: Lag) -> float:
        """The rate for the next batch, of a consumer with this lag."""
        rate = self._rate.follow(lag)
        self._shown.set(rate)
        return rate

    def take(self, call: M, rate: float) -> M | None:
        """The call as it is to be scored at `rate`; None where it is sampled out. What is no call is always taken."""
        if rate >= 1 or not isinstance(call, Call) or self._certain(call):
            return call
        if place_of(call.call_id) >= rate:
            return None
        return replace(call, inclusion_probability=call.inclusion_probability * rate)

    def _certain(self, call: Call) -> bool:
        return call.error is not None or f"{call.tenant}|{call.call_id}" in self._opinions


def place_of(call_id: UUID) -> float:
    """Where the call of that id lies in [0, 1): it is in every sample whose rate is above."""
    digest = blake2b(call_id.bytes, digest_size=8, person=_STAGE).digest()
    return int.from_bytes(digest, "big") / _SPAN
