"""Every topic in, rows of ClickHouse out."""

from collections.abc import Sequence
from datetime import UTC, datetime

from schemas.topics import stored_topics
from services.shared.clickhouse import client
from services.shared.process import Runtime
from services.shared.sink import Sink
from services.writer.completeness.monitor import Monitor
from services.writer.config import Config
from services.writer.store import Store


def build(config: Config) -> tuple[Sink, Sequence[Runtime]]:
    """The sink on every stored topic, dead letters included, and what checks beside it that nothing is missing.

    A replay checks nothing: its group begins wherever it was told to.
    """
    topics = stored_topics()
    store = Store(lambda: client(config), lambda: datetime.now(UTC))
    sink = Sink("writer", reads=topics, write=store.write)
    return sink, [] if config.replay else [Monitor(config, topics, lambda: client(config))]
