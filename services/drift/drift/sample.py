"""The calls of a window that are compared with the reference."""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.messages import Embedding

_HASH_SPAN = float(2**64)
LARGEST_COUNT = 2**28 - 1  # that a window's fullness has room for
# A thousandth by the client and a thousandth by overload. A call that is said to stand for more would thin out all
# others of its window, and a window of such calls would need tens of thousands of calls a second.
SMALLEST_PROBABILITY = 2.0**-20


class Member(NamedTuple):
    """One call: its rank, its session as a number, its vector as bytes."""

    rank: float
    session: int
    vector: bytes


def rank_of(embedding: Embedding) -> float:
    """A hash of the call in [0, 1) times its inclusion probability.

    Calls that were kept more often than others rank higher in proportion, so that the smallest ranks are a uniform
    sample of all traffic. The hash has a seed of its own: other stages sample by hash of the same id.
    """
    digest = blake2b(embedding.call_id.bytes, digest_size=8, person=b"drift").digest()
    return int.from_bytes(digest, "big") / _HASH_SPAN * embedding.inclusion_probability


def session_of(embedding: Embedding) -> int:
    """The session as a number; a call without one is its own."""
    name = embedding.session_id or str(embedding.call_id)
    return int.from_bytes(blake2b(name.encode(), digest_size=8, person=b"session").digest(), "big", signed=True)


def vectors_of(packed: list[bytes]) -> npt.NDArray[np.float32]:
    """Little-endian float32 vectors as a matrix."""
    return np.frombuffer(b"".join(packed), dtype="<f4").reshape(len(packed), -1)


@dataclass(slots=True)
class Sample:
    """The `size` calls of smallest rank: a function of which calls the window had, not of when they came.

    A call is eligible where its rank is below the smallest inclusion probability of the window; the rest would be
    there too often.
    """

    size: int
    _members: dict[int, Member] = field(default_factory=dict)
    _smallest_probability: float = 1.0
    _bound: float = float("inf")

    def __len__(self) -> int:
        return len(self.chosen())

    def add(self, embedding: Embedding) -> bool:
        """Take one call; False where it changes nothing (a repeat, or too high a rank).

        A call that comes again with a larger probability, because it was handled at two rates, has that one.
        """
        self._smallest_probability = min(self._smallest_probability, embedding.inclusion_probability)
        rank, number = rank_of(embedding), embedding.call_id.int
        known = self._members.get(number)
        if rank >= self._bound if known is None else rank <= known.rank:
            return False
        self._members[number] = Member(rank, session_of(embedding), embedding.vector)
        if len(self._members) >= 2 * self.size:
            self._prune()
        return True

    def chosen(self) -> list[Member]:
        """The calls of the sample by rank."""
        eligible = [member for member in self._members.values() if member.rank < self._smallest_probability]
        return sorted(eligible)[: self.size]

    def calls(self) -> int:
        """About how many calls there were: exact below `size`, then from the rank of the last one that is kept.

        A function of which calls the window had, and never less for more of them; not a number of those stored, since
        ranks look like all traffic.
        """
        if len(self._members) < self.size:
            return len(self._members)
        last = sorted(member.rank for member in self._members.values())[self.size - 1]
        return min(LARGEST_COUNT, int(self.size / last)) if last > 0 else LARGEST_COUNT

    def _prune(self) -> None:
        kept = sorted(self._members.items(), key=lambda item: item[1])[: self.size]
        self._members = dict(kept)
        self._bound = kept[-1][1].rank
