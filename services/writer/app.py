"""Every topic in, rows of ClickHouse out."""

from datetime import UTC, datetime

from schemas.topics import every_topic
from services.shared.clickhouse import client
from services.shared.sink import Sink
from services.writer.config import Config
from services.writer.store import Store


def build(config: Config) -> Sink:
    """The sink on every topic, dead letters included."""
    store = Store(lambda: client(config), lambda: datetime.now(UTC))
    return Sink("writer", reads=every_topic(), write=store.write)
