"""The runtimes' suites run on both brokers."""

from collections.abc import Iterator

import pytest

from tests.support.broker import Broker, Tansu
from tests.support.kafka_broker import Apache


@pytest.fixture(scope="session", params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """The embedded broker, and Apache Kafka."""
    started: Broker = {"tansu": Tansu, "kafka": Apache}[request.param]()
    started.start()
    yield started
    started.stop()
