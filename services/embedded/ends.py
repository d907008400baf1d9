"""Where a log really ends."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

_ANSWER_SECONDS = 10.0
FETCH_WAIT_MS = 50  # for the consumer: a fetch at the end of a log waits so long


async def true_ends(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """The next offset of each partition, by the high watermark of a fetch; the consumer is assigned anew and paused.

    The embedded broker's answer to ListOffsets leaves out all but the first message of the last batch.
    """
    if not partitions:
        return {}
    consumer.assign(list(partitions))
    listed = await consumer.end_offsets(list(partitions))
    for partition in partitions:
        consumer.seek(partition, listed[partition])
    async with asyncio.timeout(_ANSWER_SECONDS):
        while any(consumer.highwater(partition) is None for partition in partitions):
            await consumer.getmany(timeout_ms=20)
    consumer.pause(*partitions)
    return {partition: consumer.highwater(partition) for partition in partitions}
