"""From what was handed over to what may leave: sampled, checked, masked, cut, numbered, encoded."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from tidemark import encoding
from tidemark.coercion import Unusable
from tidemark.masking import Masker
from tidemark.transport import CALLS, FEEDBACK, Item

if TYPE_CHECKING:
    from tidemark.intake import Handed
    from tidemark.settings import Settings

# Every stage that samples hashes with a seed of its own: the same one would keep the same calls twice.
SEED = b"tidemark-client"


class Preparer:
    """Makes events of one client instance and numbers its calls, from 0 and without gaps, as they are encoded."""

    def __init__(self, settings: Settings, *, instance: str) -> None:
        self._settings, self._instance = settings, instance
        self._defaults = {name: getattr(settings, name) for name in ("app", "environment")}
        self._defaults["version"] = settings.version or settings.default_version
        self._number = 0
        self.masker = Masker(settings.masks)
        self.sampled_out = 0

    def call(self, handed: Handed) -> Item | None:
        """The call as an item, or None where it was sampled out. Raises `Unusable`."""
        if not self._settings.enabled or not sampled(handed[0], self._settings.sample_rate):
            self.sampled_out += 1
            return None
        event = encoding.call(handed, self._defaults)
        if self._settings.sample_rate < 1:
            event["inclusion_probability"] = self._settings.sample_rate
        limit = self._settings.largest_call_bytes
        encoding.mask(event, self.masker, most=limit, longest=self._settings.longest_text)
        event["client_instance"], event["sequence"] = self._instance, self._number
        payload = encoding.wire(event)
        if len(payload) > limit:
            raise Unusable("call", f"has {len(payload)} bytes", f"send at most {limit}, or raise largest_call_bytes")
        self._number += 1
        return Item(CALLS, event["call_id"], payload)

    def opinion(self, handed: Handed) -> Item | None:
        """The feedback as an item, or None where the client is turned off. Raises `Unusable`."""
        if not self._settings.enabled:
            self.sampled_out += 1
            return None
        event = encoding.feedback(handed)
        encoding.mask(event, self.masker, most=self._settings.largest_call_bytes)
        return Item(FEEDBACK, event["feedback_id"], encoding.wire(event))


def sampled(call_id: str, rate: float) -> bool:
    """Whether a call is in the sample: a function of its id alone, so every process decides alike.

    >>> sampled("0190abcd-0000-7000-8000-000000000000", 1.0)
    True
    """
    if rate >= 1:
        return True
    digest = blake2b(call_id.encode(), key=SEED, digest_size=8).digest()
    return int.from_bytes(digest, "big") < rate * 2**64
