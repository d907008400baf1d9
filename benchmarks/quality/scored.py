"""Calls through the scorers, by the way that `tidemark score` takes."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from benchmarks.quality.rows import Row
from services.shared.line_scoring import BadLine, Offer, score_lines

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Scored:
    """The scores of one service, each call scored once; `rates` tells how fast.

    Texts that come again are answered by the scorers' own caches, as they are in service.
    """

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.metrics = {metric.name: metric for metric in offer.metrics}
        self._scorer = offer.load()
        self.version = self._scorer.version
        self._known: dict[bytes, dict[str, dict[str, Any]]] = {}
        self._calls, self._wall, self._processor = 0, 0.0, 0.0

    def of(self, rows: Sequence[Row], metric: str) -> list[dict[str, Any]]:
        """The score of each row, in order, as `tidemark score` writes it."""
        lines = [json.dumps(row.call, sort_keys=True).encode() for row in rows]
        self._score([line for line in dict.fromkeys(lines) if line not in self._known])
        return [self._known[line][metric] for line in lines]

    def _score(self, lines: Sequence[bytes]) -> None:
        wall, processor = time.perf_counter(), time.process_time()
        for found in score_lines(lines, [self._scorer], metrics=self.offer.names, at=AT):
            if isinstance(found, BadLine):
                raise ValueError(f"a row is no call: {found.reason}")
            score = json.loads(found)
            self._known.setdefault(lines[score["line"] - 1], {})[score["metric"]] = score
        self._wall += time.perf_counter() - wall
        self._processor += time.process_time() - processor
        self._calls += len(lines)

    def rates(self) -> dict[str, float]:
        """Calls a second by the wall clock, and milliseconds of processor time a call, with every metric of it."""
        if not self._calls:
            return {"calls": 0}
        return {
            "calls": self._calls,
            "calls_per_second": round(self._calls / self._wall, 1),
            "processor_milliseconds_per_call": round(1000 * self._processor / self._calls, 2),
        }
