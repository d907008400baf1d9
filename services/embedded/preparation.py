"""What a fresh broker and ClickHouse need before any service starts."""

from typing import Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from services.embedded.lag import every_topic
from services.embedded.plan import Plan


class PreparationError(Exception):
    """Topics or tables could not be prepared."""


class Preparation(Protocol):
    """Prepares what the services find when they start; repeats change nothing."""

    async def broker(self, port: int) -> None:
        """Apply the topics to the broker on `port`; raises `BrokerError`."""

    async def clickhouse(self) -> None:
        """Bring the tables up to date; raises `PreparationError`."""


class Prepared:
    """The declared topics, the dead letters of every service, and the migrations."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    async def broker(self, port: int) -> None:
        """Apply the topics."""
        prefix = self._plan.config.kafka_prefix
        admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}")
        try:
            await admin.start()
            await admin.create_topics([NewTopic(prefix + t.name, t.partitions, 1) for t in every_topic()])
        except KafkaError as error:
            raise PreparationError(str(error)) from error
        finally:
            await admin.close()

    async def clickhouse(self) -> None:
        """Apply the migrations."""
