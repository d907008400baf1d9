"""The keys of the newest messages of a topic, held in memory."""

from collections.abc import Mapping
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.messages import Message
from schemas.topics import Topic
from services.shared.view import View

M = TypeVar("M", bound=Message)


class Tail(View[M]):
    """Follows the end of `topic` without a group; whether a key is among those of the newest `most` messages.

    It begins `most` messages before the end that each partition has at the start. `in` may be asked from any thread.
    """

    def __init__(self, topic: Topic[M], most: int) -> None:
        super().__init__(topic)
        self.name, self._most = f"tail of {topic.name}", most
        self._keys: dict[str, None] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    async def _begin(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        starts = await consumer.beginning_offsets(list(ends))
        for partition, end in ends.items():
            consumer.seek(partition, max(starts[partition], end - self._most))

    def _keep(self, message: M) -> None:
        self._keys.pop(message.key, None)  # asked from other threads, so it is never rebuilt
        self._keys[message.key] = None
        if len(self._keys) > self._most:
            del self._keys[next(iter(self._keys))]

    def _forget(self, key: str) -> None:
        self._keys.pop(key, None)
