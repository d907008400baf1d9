"""How many scores a scorer gave, by metric and status."""

from collections.abc import Iterable, Iterator

from prometheus_client import Counter

from schemas.messages import Score


class ScoreCounter:
    """Counts scores as they pass by."""

    def __init__(self, service: str) -> None:
        name = f"tidemark_{service}_scores"
        self._counter = Counter(name, "Scores given, by metric and status.", ["metric", "status"])

    def counted(self, scores: Iterable[Score]) -> Iterator[Score]:
        """The same scores, counted."""
        for score in scores:
            self._counter.labels(score.metric, score.status).inc()
            yield score
