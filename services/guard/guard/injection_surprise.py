"""How surprising each character of a text is, to a small model of text and code."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.guard.guard.injection_hashes import HashedText, Hashes

Floats = npt.NDArray[np.float32]
Table = npt.NDArray[np.uint16]

UNSEEN_BITS = 16.0  # of a character that the model has never met
BACKOFF_BITS = 0.9  # what each step to a shorter context costs
STEPS_PER_BIT = 12  # a byte holds 21 bits


@dataclass(frozen=True)
class SurpriseModel:
    """A character n-gram model with back-off (Katz 1987), its counts in hashed tables.

    A cell of the table of an order holds an 8-bit fingerprint of an n-gram and, in 1/12 bits, how surprising its last
    character is after the others; of n-grams that share a cell the more frequent one was kept.
    """

    tables: Mapping[int, Table]  # by order; each a power of two long

    def bits(self, text: str) -> Floats:
        """The surprise of each character of `text` in bits (characters)."""
        hashed = HashedText.of(text)
        found = np.full(len(text), UNSEEN_BITS, np.float32)
        known = np.zeros(len(text), np.int64)  # the order that answered
        longest = max(self.tables)
        for order in sorted(self.tables):
            if len(text) < order:
                continue
            value, seen = _look_up(self.tables[order], hashed.grams(order))
            found[order - 1 :] = np.where(seen, value, found[order - 1 :])
            known[order - 1 :] = np.where(seen, order, known[order - 1 :])
        reachable = np.minimum(np.arange(1, len(text) + 1), longest)
        result: Floats = found + np.float32(BACKOFF_BITS) * (reachable - np.maximum(known, 1)).astype(np.float32)
        return result


def cells(hashes: Hashes, table_length: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint16]]:
    """Where n-grams lie in a table, and their fingerprints (1 to 255)."""
    where = (hashes & np.uint64(table_length - 1)).astype(np.int64)
    prints = ((hashes >> np.uint64(40)) % np.uint64(255)).astype(np.uint16) + np.uint16(1)
    return where, prints


def _look_up(table: Table, hashes: Hashes) -> tuple[Floats, npt.NDArray[np.bool_]]:
    where, prints = cells(hashes, len(table))
    held = table[where]
    return (held & 0xFF).astype(np.float32) / STEPS_PER_BIT, (held >> 8) == prints
