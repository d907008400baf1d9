"""What a fresh broker and ClickHouse need before any service starts."""

import asyncio
import logging
import sys
from typing import Protocol

from aiokafka.errors import KafkaError

from schemas.topics import every_topic
from services.embedded.broker import BrokerError
from services.embedded.child import Child
from services.embedded.plan import Plan
from services.shared import topics
from services.shared.errors import Unusable
from services.shared.kafka import Kafka

log = logging.getLogger(__name__)

_MIGRATION_SECONDS = 120


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
        """Apply the topics; what is refused on a log that is older than its declaration is said, and works as it is."""
        try:
            done = await topics.apply(Kafka(f"127.0.0.1:{port}", self._plan.config.kafka_prefix), every_topic())
        except (KafkaError, OSError, TimeoutError, Unusable) as error:
            raise BrokerError(f"the topics could not be applied: {error!r}") from error
        for step in done.refused:
            log.warning("%s is not as declared: %s (`tidemark topics plan`)", step.topic, "; ".join(step.refused))

    async def clickhouse(self) -> None:
        """Apply the migrations."""
        launch = self._plan.clickhouse
        log = self._plan.data.log("tables")
        child = await Child.start((sys.executable, "-m", "services.embedded.tables"), launch.environment, log)
        try:
            code = await asyncio.wait_for(child.ended(), _MIGRATION_SECONDS)
        except TimeoutError:
            raise PreparationError(f"the tables are not up to date after {_MIGRATION_SECONDS} s: see {log}") from None
        finally:
            await child.kill()
        if code:
            raise PreparationError(f"the tables could not be brought up to date: see {log}")
