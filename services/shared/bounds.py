"""Where a replay ends."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from aiokafka import ConsumerRecord, TopicPartition

Records: TypeAlias = Mapping[TopicPartition, Sequence[ConsumerRecord]]


class Cut(NamedTuple):
    """What of a fetch lies before the ends, and the ends that it has reached or gone beyond."""

    records: Records
    reached: Mapping[TopicPartition, int]


class Bounds:
    """The offset that is not read any more in each partition, by topic; where no ends are given, everything is read.

    Topics are without the prefix, ends in the order of the partitions.
    """

    def __init__(self, ends: Mapping[str, Sequence[int]], prefix: str) -> None:
        self._names = list(ends)
        self._ends = {
            TopicPartition(prefix + topic, number): end
            for topic, offsets in ends.items()
            for number, end in enumerate(offsets)
        }

    def topics(self, names: Sequence[str]) -> list[str]:
        """Those of the topics that are read."""
        return [name for name in names if not self._ends or name in self._names]

    def cut(self, records: Records) -> Cut:
        """The records before the ends."""
        ends = {partition: self._ends[partition] for partition in records if partition in self._ends}
        reached = {partition: end for partition, end in ends.items() if records[partition][-1].offset + 1 >= end}
        if not reached:
            return Cut(records, reached)
        inside = {
            partition: [each for each in found if each.offset < reached[partition]] if partition in reached else found
            for partition, found in records.items()
        }
        return Cut({partition: found for partition, found in inside.items() if found}, reached)
