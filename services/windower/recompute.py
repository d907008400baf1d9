"""Windows made again from the stored scores: `tidemark recompute`."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from math import lcm

from aiokafka.partitioner import DefaultPartitioner

from schemas.messages import Segment
from schemas.topics import SCORES, WINDOWS
from services.shared.kafka import Kafka
from services.shared.producer import Producer, Writes
from services.shared.record import REPLAY_HEADER
from services.shared.topics import partitions
from services.windower.config import Config
from services.windower.store import Store
from services.windower.windower import Rebuild, Rebuilt, Span

STORED_SECONDS = 30.0  # after its last emission a window is in the store, too
_MARK = ((REPLAY_HEADER, b"recompute"),)
Progress = Callable[[int, int], None]


async def recompute(
    store: Store,
    config: Config,
    start: datetime,
    stop: datetime,
    progress: Progress,
    intervals_seconds: Sequence[int] = (),
) -> Rebuilt:
    """Make the windows between two times again, one interval of the longest kind after another; publish what differs.

    They are those of `intervals_seconds`, or of the lengths that are stored. They go to `windows.v1` one generation
    higher and marked as a replay: the writer stores them in the place of the old ones, and no rule fires. Windows are
    whole, so the stretch is widened to their borders; those that the windower may still change are left out. Doing it
    twice changes nothing. `progress` is told how many intervals of how many are done. Raises `ValueError` where no
    window is to be looked at, clickhouse-connect's `Error` and aiokafka's `KafkaError`.
    """
    kafka = Kafka.of(config)
    intervals = tuple(intervals_seconds) or store.intervals(start, stop) or config.interval_seconds
    spans = list(_spans(start, stop, intervals, closed_before(config, max(intervals), datetime.now(UTC))))
    if not spans:
        raise ValueError("no window of that time is closed yet: choose an earlier --from, or wait")
    rebuild = Rebuild(intervals, await _partition_of(kafka), config.most_groups)
    async with Producer(kafka) as producer:
        for number, span in enumerate(spans):
            progress(number, len(spans))
            rebuild.add(store.scores(span.start, span.end))
            differing = rebuild.differing(store.windows(span.start, span.end, intervals))
            await producer.send(differing, Writes(WINDOWS), _MARK)
    progress(len(spans), len(spans))
    return rebuild.done


def closed_before(config: Config, interval_seconds: int, now: datetime) -> float:
    """The end (seconds since the epoch) of the last windows of a length that the windower does not touch any more."""
    timing = config.timing
    return now.timestamp() - timing.late_intervals * interval_seconds - timing.settle_seconds - STORED_SECONDS


def _spans(start: datetime, stop: datetime, intervals: Sequence[int], closed: float) -> Iterator[Span]:
    """Stretches that hold whole windows of every length, one after another."""
    length = lcm(*intervals)
    begin = int(start.timestamp() // length) * length
    while begin < stop.timestamp() and begin + length <= closed:
        yield Span(length, begin)
        begin += length


async def _partition_of(kafka: Kafka) -> Callable[[Segment], int]:
    available = [place.partition for place in await partitions(kafka, SCORES.name)]
    choose = DefaultPartitioner()
    return lambda segment: int(choose(segment.key.encode(), available, available))
