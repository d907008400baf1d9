"""Looks at the store all the time: when each call of a sample is there, and what is there twice."""

import threading
import time
from contextlib import suppress
from http.client import HTTPException
from uuid import UUID

from tests.support.campaign.figures import Point

SAMPLED_PER_SECOND = 25


class Watch(threading.Thread):
    """Polls until the block ends; a store that does not answer is asked again.

    With `window_seconds` only the calls of the last so many seconds are looked at: for runs without outages.
    """

    def __init__(self, store, emitting, every_seconds=0.5, window_seconds=None):
        super().__init__(name="watch", daemon=True)
        self._store, self._emitting, self._every = store, emitting, every_seconds
        self._share = max(1, round(emitting.load.calls_per_second / SAMPLED_PER_SECOND))
        self._recent = f"called_at > now64() - {window_seconds}" if window_seconds else "true"
        self._ending = threading.Event()
        self._twice = 0
        self.points, self.delays, self.repeated = [], {}, 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self.join()

    def run(self):
        while not self._ending.wait(self._every):
            with suppress(OSError, HTTPException, IndexError, ValueError):
                self.look()

    def look(self):
        """Once."""
        acknowledged = self._emitting.acknowledged
        sampled = self._store.rows(
            f"SELECT call_id FROM calls_rows WHERE cityHash64(call_id) % {self._share} = 0 AND {self._recent}"
        )
        now = time.time()
        for (call_id,) in sampled:
            self.delays.setdefault(call_id, now - emitted_at(call_id))
        ((rows, calls),) = self._store.rows(f"SELECT count(), uniqExact(call_id) FROM calls_rows WHERE {self._recent}")
        self.points.append(Point(now, acknowledged, int(calls)))
        twice = int(rows) - int(calls)
        self.repeated += max(0, twice - self._twice)  # merges take some away between two looks
        self._twice = twice


def emitted_at(call_id):
    """When a call was emitted, in seconds since 1970: a UUIDv7 says so.

    >>> emitted_at("018bcfe5-6800-7000-8000-000000000000")
    1700000000.0
    """
    return (UUID(call_id).int >> 80) / 1000
