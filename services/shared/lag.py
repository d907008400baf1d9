"""How far a consumer is behind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.shared import metrics

Place = tuple[str, int]  # topic without prefix, partition


@dataclass(frozen=True)
class Lag:
    """`seconds`: how long ago Kafka took the oldest message in hand. `messages`: what is in hand or not fetched."""

    seconds: float = 0.0
    messages: int = 0


NO_LAG = Lag()


def tell(service: str, lags: Mapping[Place, int], told: Iterable[Place]) -> frozenset[Place]:
    """Set the gauges of `lags`; what was `told` and is not among them is another member's, and told no longer."""
    for place, lag in lags.items():
        metrics.LAG.labels(service, *place).set(lag)
    for gone in set(told) - lags.keys():
        metrics.LAG.remove(service, *gone)
    return frozenset(lags)


def age_seconds(timestamps_ms: Iterable[int], now: datetime) -> float:
    """The age of the oldest timestamp (ms since the epoch); 0 for none, and for clocks that disagree.

    >>> from datetime import UTC
    >>> age_seconds([5_000, 3_000], datetime.fromtimestamp(10, UTC))
    7.0
    """
    oldest = min((each for each in timestamps_ms if each > 0), default=None)
    return 0.0 if oldest is None else max(0.0, now.timestamp() - oldest / 1000)
